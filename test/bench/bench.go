package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tugboot/tugboot/test/bench/contender"
	"github.com/tugboot/tugboot/test/bench/report"
	"github.com/tugboot/tugboot/test/bench/results"
	"github.com/tugboot/tugboot/test/lab"
)

// options are the bench's command line.
type options struct {
	plan               string
	rounds             int
	only, contenders   string
	render             bool
	root, folder, docs string
	tftp, assets       string
	// own is this program, which starts itself anew for parts of its work.
	own string
}

func parse(args []string, out io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.plan, "plan", "full", "how much is measured: full, or quick, whose figures mean nothing")
	flags.IntVar(&o.rounds, "rounds", 0, "rounds; 0 for the plan's own number")
	flags.StringVar(&o.only, "only", "", "suites to measure, with commas between: generator, dhcp, tftp, http, storm, api, boot; all by default")
	flags.StringVar(&o.contenders, "contenders", "", "contenders to measure, with commas between, by the names of their results' files; all by default")
	flags.BoolVar(&o.render, "render", false, "measure nothing, only write the page from the results that are there")
	flags.StringVar(&o.root, "root", ".", "the checkout, with bin/tugboot, build/ipxe and build/lab-os made")
	flags.StringVar(&o.folder, "folder", "build/bench", "folder of results, configurations and logs")
	flags.StringVar(&o.docs, "docs", "docs", "folder of performance.md and its plots; empty to write none")
	flags.StringVar(&o.tftp, "tftp-servers", os.Getenv("TUGBOOT_TFTP_SERVERS"), "folder that hack/tftp-servers.sh made")
	flags.StringVar(&o.assets, "assets", os.Getenv("KUBEBUILDER_ASSETS"), "folder that hack/control-plane.sh made")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q: nothing follows the flags", flags.Arg(0))
	}
	return o, nil
}

// bench measures what is not measured yet, and writes the page.
func bench(ctx context.Context, args []string) error {
	o, err := parse(args, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if o.own, err = os.Executable(); err != nil {
		return err
	}
	for _, path := range []*string{&o.root, &o.folder} {
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	if !o.render {
		if err := o.measure(ctx, os.Stdout); err != nil {
			return err
		}
	}
	if o.docs == "" {
		return nil
	}
	run, all, err := results.Read(filepath.Join(o.folder, "results"))
	if err != nil {
		return err
	}
	if err := report.Write(o.docs, run, all); err != nil {
		return err
	}
	fmt.Printf("wrote %s\n", filepath.Join(o.docs, report.Page))
	return nil
}

// measure makes the network and gives every contender its turns.
func (o options) measure(ctx context.Context, out io.Writer) (err error) {
	p, err := planNamed(o.plan, o.rounds)
	if err != nil {
		return err
	}
	started := time.Now()
	programs, err := o.prepare(ctx, p)
	if err != nil {
		return err
	}
	run, err := describe(p, programs)
	if err != nil {
		return err
	}
	store, fresh, err := results.Open(filepath.Join(o.folder, "results"), run)
	if err != nil {
		return err
	}
	if !fresh {
		fmt.Fprintf(out, "going on with the results in %s: remove the folder to begin anew\n", o.folder)
	}
	l, err := lab.New(ctx, "bench", filepath.Join(o.folder, "logs"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	s, err := newSite(ctx, l, p, programs, o.folder)
	if err != nil {
		return err
	}
	var untaken []string
	for _, turn := range s.turns(o, l) {
		if c, err := store.Contender(turn.contender); err != nil || c.Had(turn.name) {
			if err != nil {
				return err
			}
			continue
		}
		if time.Since(started) > p.limit {
			untaken = append(untaken, turn.contender+" "+turn.name)
			continue
		}
		if err := o.take(ctx, turn, store, out); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "done in %v\n", time.Since(started).Round(time.Second))
	if len(untaken) > 0 {
		fmt.Fprintf(out, "the time of %v was over before %d turns were taken: run it again to go on with them\n", p.limit, len(untaken))
	}
	return store.Untaken(untaken)
}

// turn is one contender's turn in one round.
type turn struct {
	suite, contender, name string
	round                  int
	version                []string
	// measures is the case that the turn is for, and whose failure it is when the turn cannot be taken.
	measures string
	// once makes a turn whose start failed in an earlier round not be tried again.
	once bool
	run  func(ctx context.Context) ([]results.Sample, error)
}

// failing is the suite whose failure it is when the turn cannot be taken.
func (t turn) failing() string {
	switch t.suite {
	case "dhcp":
		return "start"
	case "generator":
		return "dhcp"
	default:
		return t.suite
	}
}

// turns are all turns in their order: the rounds are the outermost loop, so that what changes on the machine with time hits
// all contenders alike.
func (s *site) turns(o options, l *lab.Lab) []turn {
	var all []turn
	add := func(t turn) {
		if among(o.only, t.suite) && among(o.contenders, t.contender) {
			t.name = fmt.Sprintf("%s round %d", t.name, t.round)
			all = append(all, t)
		}
	}
	for round := 1; round <= s.plan.rounds; round++ {
		add(turn{suite: "generator", contender: "echo", name: "generator", measures: strconv.Itoa(s.plan.sizes[0]), round: round,
			run: func(ctx context.Context) ([]results.Sample, error) { return generatorTurn(ctx, s) }})
		for _, size := range s.plan.sizes {
			for _, c := range contender.In(contender.DHCP) {
				if c.Variant && !slices.Contains(s.plan.rated, size) {
					continue
				}
				add(s.of(c, turn{suite: "dhcp", name: fmt.Sprintf("dhcp with %d reservations", size), round: round,
					measures: strconv.Itoa(size), once: true,
					run: func(ctx context.Context) ([]results.Sample, error) { return dhcpTurn(ctx, s, c, size) }}))
			}
		}
		for _, c := range contender.In(contender.TFTP) {
			add(s.of(c, turn{suite: "tftp", name: "tftp", measures: tftpCase(1, 512, 1), round: round,
				run: func(ctx context.Context) ([]results.Sample, error) { return tftpTurn(ctx, s, c) }}))
		}
		for _, c := range contender.In(contender.HTTP) {
			add(s.of(c, turn{suite: "http", name: "http", measures: contender.InitrdFile, round: round,
				run: func(ctx context.Context) ([]results.Sample, error) { return httpTurn(ctx, s, c) }}))
		}
		for _, stack := range contender.Stacks() {
			add(turn{suite: "storm", contender: "stack-" + stack.Name, name: "storm", measures: strconv.Itoa(s.plan.storm), round: round,
				run: func(ctx context.Context) ([]results.Sample, error) { return stormTurn(ctx, s, stack) }})
		}
		if round == 1 {
			all = append(all, s.single(o, l)...)
		}
	}
	return all
}

// single are the turns that are taken once, because most of their time is another program's: the API's, that of the emulator.
func (s *site) single(o options, l *lab.Lab) []turn {
	own := contender.All()[0]
	all := []turn{s.of(own, turn{suite: "api", name: "Kubernetes API round 1", measures: strconv.Itoa(s.plan.api), round: 1,
		run: func(ctx context.Context) ([]results.Sample, error) { return apiTurn(ctx, s, o, l) }})}
	if s.plan.boot {
		all = append(all, turn{suite: "boot", contender: "boot", name: "boot round 1", measures: string(lab.UEFI), round: 1,
			run: func(ctx context.Context) ([]results.Sample, error) {
				return bootTurn(ctx, o.root, s.programs.Tugboot, o.folder)
			}})
	}
	return slices.DeleteFunc(all, func(t turn) bool { return !among(o.only, t.suite) || !among(o.contenders, t.contender) })
}

// among is true when a name is in a list with commas between, and when the list is empty.
func among(list, name string) bool {
	return list == "" || slices.Contains(strings.Split(list, ","), name)
}

// of is a contender's own turn.
func (s *site) of(c contender.Contender, t turn) turn {
	t.contender = c.Name
	if c.Version != nil {
		t.version = c.Version(s.programs)
	}
	return t
}

// take gives one contender its turn, and keeps what it brought.
func (o options) take(ctx context.Context, t turn, store results.Store, out io.Writer) error {
	c, err := store.Contender(t.contender)
	if err != nil || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	if c.Version == "" {
		c.Version = version(ctx, t.version)
	}
	started := time.Now()
	if !t.once || c.Failure("start", t.measures) == "" {
		samples, err := t.run(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("stopped: run it again to go on with %s of %s", t.name, t.contender)
		}
		if err != nil {
			samples = append(samples, results.Sample{Suite: t.failing(), Case: t.measures, Failed: err.Error()})
		}
		for i := range samples {
			samples[i].Round = t.round
			if samples[i].Failed != "" {
				fmt.Fprintf(out, "  %s, %s %s: %s\n", t.contender, samples[i].Suite, samples[i].Case, samples[i].Failed)
			}
		}
		c.Samples = append(c.Samples, samples...)
	}
	c.Turns = append(c.Turns, t.name)
	fmt.Fprintf(out, "%-16s %-34s %5.1f s\n", t.contender, t.name, time.Since(started).Seconds())
	return store.Save(c)
}
