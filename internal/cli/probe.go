package cli

import (
	"fmt"
	"io"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/tugboot/tugboot/internal/capability"
	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/hardwarefile"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/probe/offers"
	"github.com/tugboot/tugboot/internal/reservation"
)

// maxQuestions bounds one probe, which asks 500 questions in a second.
const maxQuestions = 20000

func newProbeCommand() *cobra.Command {
	o := &options.Probe{}
	c := &cobra.Command{
		Use:   "probe",
		Short: "Ask DHCP as firmware and iPXE would, and show every answer",
		Long: "Probe asks as a machine would, as each client architecture at each stage of the boot, and shows every OFFER: who\n" +
			"answered, with which address, next-server and boot file. With --next-server it says whether the answers agree with\n" +
			"that, and a second DHCP server is always named. It sends no REQUEST unless told to by --request.\n\n" +
			"It needs root, or the capability NET_RAW; with --relay also NET_BIND_SERVICE.\n\n" +
			"Exit codes: 0 everything was answered, and agrees; 1 failed; 2 used wrongly; 3 something does not\n" +
			"agree, or was not answered.",
		Example: "  tugboot probe -i eth0 --mac 52:54:00:12:34:56\n" +
			"  tugboot probe -i eth0 --hardware hardware.csv --next-server 192.168.2.112 --arch 7,9,16\n" +
			"  tugboot probe --relay 192.168.2.1 --server 10.0.0.53 --mac 52:54:00:12:34:56 -o json",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.Validate(); err != nil {
				return usageError(err)
			}
			return probe(c, o)
		},
	}
	o.AddFlags(c.Flags())
	return c
}

func probe(c *cobra.Command, o *options.Probe) error {
	machines, err := probeMachines(o, c.ErrOrStderr())
	if err != nil {
		return err
	}
	var questions []offers.Question
	for _, k := range offers.Kinds(o.Intent.Endpoint) {
		if !o.Asks(k) {
			continue
		}
		for _, m := range machines {
			questions = append(questions, offers.Question{MAC: m.mac, Kind: k})
		}
	}
	switch {
	case len(questions) == 0:
		return usageError(fmt.Errorf("--arch %q, --stage %q: no client is of that architecture at that stage: name others", o.Archs, o.Stages))
	case len(questions) > maxQuestions:
		return usageError(fmt.Errorf("--first: %d machines make %d questions, and %d can be asked at once: ask for fewer", len(machines), len(questions), maxQuestions))
	}
	if _, err := capability.Raise(capability.Serving()...); err != nil {
		return err
	}
	answers, err := offers.AskAll(c.Context(), o.Ask, questions)
	if err != nil {
		return err
	}
	v := probeView{Judged: o.Intent.Given() || o.Hardware != ""}
	for i, q := range questions {
		v.add(q, answers[i], judgeProbe(o, machines[i%len(machines)], q, answers[i]))
	}
	if err := v.print(c.OutOrStdout(), o.Output); err != nil {
		return err
	}
	return v.verdict()
}

// probeMachine is a machine to ask for; without a reservation its address is not known.
type probeMachine struct {
	mac         reservation.MAC
	reservation *reservation.Reservation
}

// probeMachines returns the machines that o names. What is wrong in the file is written to stderr.
func probeMachines(o *options.Probe, stderr io.Writer) ([]probeMachine, error) {
	if o.Hardware == "" {
		return []probeMachine{{mac: o.Machine}}, nil
	}
	store := inventory.NewStore()
	follower, err := hardwarefile.New(hardwarefile.Options{
		Path: o.Hardware, Store: store, Registerer: prometheus.NewRegistry(),
		Report: func(p reservation.Problem) { fmt.Fprintf(stderr, "tugboot: %v\n", p) },
	})
	if err != nil {
		return nil, err
	}
	if err := follower.Load(); err != nil {
		return nil, err
	}
	snapshot := store.Load()
	if !o.Machine.IsZero() {
		r, found := snapshot.ByMAC(o.Machine)
		if !found {
			return nil, fmt.Errorf("--mac %s: no machine in %s has it: leave --hardware out to ask all the same", o.Machine, printableName(o.Hardware))
		}
		return []probeMachine{{o.Machine, r}}, nil
	}
	var machines []probeMachine
	for r := range snapshot.All() {
		if o.First == 0 || len(machines) < o.First {
			machines = append(machines, probeMachine{r.MAC, r})
		}
	}
	if len(machines) == 0 {
		return nil, fmt.Errorf("hardware file %s: no machine in it: name one with --mac", printableName(o.Hardware))
	}
	return machines, nil
}

// judgeProbe judges the answers as far as is known what they are meant to be.
func judgeProbe(o *options.Probe, m probeMachine, q offers.Question, answers []offers.Offer) []offers.Finding {
	if !o.Intent.Given() {
		return offers.JudgeAddress(q.Kind, m.mac, m.reservation, o.Ask.Servers, answers)
	}
	intent := offers.Intent{Endpoint: o.Intent.Endpoint, Servers: o.Ask.Servers, OldIPXEGetsScript: o.OldIPXE}
	return offers.Judge(q.Kind, m.mac, m.reservation, intent, answers)
}
