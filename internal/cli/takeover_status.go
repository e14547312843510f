package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
)

func newTakeoverStatusCommand(o *takeoverOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "status [NAME]",
		Short: "Show how a takeover stands",
		Long: "Status shows what machines are told to boot from and since when, each gate with what it says, and the last changes.\n\n" +
			"Exit codes: 0 Ready; 1 failed; 2 used wrongly; 3 not Ready.",
		Example: "  tugboot takeover status\n  tugboot takeover status -n eksa-system -o json lab",
		Args:    optionalName,
		RunE: func(c *cobra.Command, args []string) error {
			_, v, err := o.find(c, nameIn(args))
			if err != nil {
				return err
			}
			if err := o.print(c.OutOrStdout(), v, func(w io.Writer) error { return v.table(w, time.Now()) }); err != nil {
				return err
			}
			if !v.Ready {
				return &exitError{code: exitNotReady, err: fmt.Errorf("%s: not Ready: %s: %s", v.object(), printable(v.Reason), printable(v.Message))}
			}
			return nil
		},
	}
}

func newTakeoverPlanCommand(o *takeoverOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "plan [NAME]",
		Short: "Show what the takeover would change, and what it waits for",
		Long: "Plan shows what machines are told now and what they would be told after the takeover, the state of each gate, and which\n" +
			"gates are waited for. It changes nothing.\n\n" +
			"Exit codes: 0 nothing would change, or all gates are open; 1 failed; 2 used wrongly; 3 gates are not open, there is a\n" +
			"conflict, or no instance has looked at the Takeover as it is now.",
		Example: "  tugboot takeover plan",
		Args:    optionalName,
		RunE: func(c *cobra.Command, args []string) error {
			_, v, err := o.find(c, nameIn(args))
			if err != nil {
				return err
			}
			p := planOf(v)
			if err := o.print(c.OutOrStdout(), p, p.table); err != nil {
				return err
			}
			if p.blocked {
				return &exitError{code: exitNotReady, err: fmt.Errorf("%s: %s", v.object(), printable(p.Summary))}
			}
			return nil
		},
	}
}

// planView is what the takeover would change.
type planView struct {
	Namespace string         `json:"namespace"`
	Name      string         `json:"name"`
	Phase     v1alpha1.Phase `json:"phase"`
	// Change is true when machines are yet to be told something else: To in place of From.
	Change bool                 `json:"change"`
	From   *v1alpha1.Advertised `json:"from"`
	To     *v1alpha1.Advertised `json:"to"`
	// WaitsFor names the gates that are not open, in their order.
	WaitsFor []string   `json:"waitsFor"`
	Summary  string     `json:"summary"`
	Gates    []gateView `json:"gates"`

	// blocked is true when something must happen before the takeover goes on.
	blocked bool
	object  string
}

func planOf(v takeoverView) planView {
	p := planView{Namespace: v.Namespace, Name: v.Name, Phase: v.Phase, From: v.Advertised, WaitsFor: []string{}, Gates: v.Gates, object: v.object()}
	if !v.observed() {
		p.Summary, p.blocked = v.Message, true
		return p
	}
	switch v.Phase {
	case v1alpha1.PhaseManaged:
		p.Summary = "nothing would change: the management cluster's stack is advertised, for good"
	case v1alpha1.PhaseDegraded:
		p.Summary = "nothing would change: the management cluster's stack stays advertised, although a probe of it fails: " + v.Message
	case v1alpha1.PhaseOverride:
		p.Summary = "nothing would change while the override stands: `tugboot takeover override --off " + v.target() + "` ends it"
	case v1alpha1.PhaseConflict:
		p.Summary, p.blocked = "nothing changes until the conflict is solved: "+v.Message, true
	case v1alpha1.PhaseIdle, v1alpha1.PhaseBootstrap, v1alpha1.PhaseHandoverSeen, v1alpha1.PhaseVerifying:
		p.pending(v)
	default:
		p.Summary, p.blocked = fmt.Sprintf("phase %q: this program does not know it: use the one that runs in the cluster", v.Phase), true
	}
	return p
}

// pending fills in a change that is yet to come.
func (p *planView) pending(v takeoverView) {
	p.Change, p.To, p.WaitsFor = true, v.Next, v.waitsFor()
	if p.To == nil && v.TinkerbellIP != "" {
		p.To = &v1alpha1.Advertised{Address: v.TinkerbellIP}
	}
	p.blocked = len(p.WaitsFor) > 0
	p.Summary = "all gates are open: the change is being carried out"
	if p.blocked {
		p.Summary = "the takeover waits for " + strings.Join(p.WaitsFor, ", ")
	}
}

func (p planView) table(w io.Writer) error {
	fmt.Fprintf(w, "%s, phase %s\n", p.object, printable(orDash(string(p.Phase))))
	if p.Change {
		table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		fmt.Fprintln(table, "\n\tNOW\tAFTER THE TAKEOVER")
		to := "- (the tinkerbellIP is not known yet)"
		if p.To != nil {
			to = nextServer(p.To)
		}
		fmt.Fprintf(table, "NEXT-SERVER\t%s\t%s\n", printable(nextServer(p.From)), printable(to))
		fmt.Fprintf(table, "SCRIPT\t%s\t%s\n", printable(scriptURL(p.From)), printable(scriptURL(p.To)))
		if err := table.Flush(); err != nil {
			return err
		}
	}
	if err := gateTable(w, p.Gates); err != nil {
		return err
	}
	if p.blocked { // it is the error that follows
		return nil
	}
	fmt.Fprintf(w, "\n%s\n", printable(p.Summary))
	return nil
}
