package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
)

func newTakeoverNowCommand(o *takeoverOptions) *cobra.Command {
	var yes, off bool
	c := &cobra.Command{
		Use:   "now [NAME]",
		Short: "Let the takeover go ahead whatever the gates say",
		Long: "Now sets the annotation " + v1alpha1.AnnotationForce + " to the latch identity, by which the takeover of that very cluster goes ahead\n" +
			"without evidence and with gates that are not open; a stack must be found at the tinkerbellIP all the same. It is also\n" +
			"the word that the policy Manual waits for. The takeover is never taken back; `tugboot takeover rollback` says what\n" +
			"there is instead. Without --yes it says what it would do and which gates are not open, and exits with 2.",
		Example: "  tugboot takeover now\n  tugboot takeover now --yes",
		Args:    optionalName,
		RunE: func(c *cobra.Command, args []string) error {
			api, v, err := o.find(c, nameIn(args))
			if err != nil {
				return err
			}
			n, err := v.force(off)
			if err != nil {
				return err
			}
			return o.carryOut(c, api, n, yes || off)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do it")
	c.Flags().BoolVar(&off, "off", false, "remove the annotation, as long as the takeover has not happened")
	return c
}

func (v takeoverView) force(off bool) (changeView, error) {
	switch {
	case off && v.Force == "":
		return v.nothing(v1alpha1.AnnotationForce, nil, v.object()+": was not told to go ahead"), nil
	case off:
		return v.change(v1alpha1.AnnotationForce, nil, v.object()+": waits for evidence and gates again, unless the takeover has happened"), nil
	case !v.observed():
		return changeView{}, fmt.Errorf("%s: %s", v.object(), printable(v.Message))
	}
	switch v.Phase {
	case v1alpha1.PhaseManaged, v1alpha1.PhaseDegraded:
		return v.nothing(v1alpha1.AnnotationForce, nil, v.object()+": the takeover has happened: machines are told "+nextServer(v.Advertised)), nil
	case v1alpha1.PhaseOverride:
		return changeView{}, fmt.Errorf("%s: an override stands, which comes before the takeover: run `tugboot takeover override --off %s` first", v.object(), v.target())
	case v1alpha1.PhaseConflict:
		return changeView{}, fmt.Errorf("%s: there is a conflict, which must be solved first: %s", v.object(), printable(v.Message))
	case v1alpha1.PhaseIdle, v1alpha1.PhaseBootstrap, v1alpha1.PhaseHandoverSeen, v1alpha1.PhaseVerifying:
	}
	switch {
	case v.Frozen:
		return changeView{}, fmt.Errorf("%s: it is frozen: run `tugboot takeover freeze --off %s` first", v.object(), v.target())
	case v.Identity == "":
		return changeView{}, fmt.Errorf("%s: status.identity is empty, so this cluster does not know which management cluster is meant: "+
			"run the command against the management cluster, or set spec.remoteCheck to Enabled and ask again", v.object())
	case v.Force == v.Identity:
		return v.nothing(v1alpha1.AnnotationForce, &v.Identity, v.object()+": was told to go ahead already; it waits for a stack that is found at the tinkerbellIP "+orDash(v.TinkerbellIP)), nil
	}
	return v.change(v1alpha1.AnnotationForce, &v.Identity, v.forced()...), nil
}

// forced says what forcing does.
func (v takeoverView) forced() []string {
	says := []string{
		fmt.Sprintf("%s: the takeover of cluster %s (identity %s) goes ahead whatever the gates say, once a stack is found at the tinkerbellIP %s",
			v.object(), orDash(v.Cluster), v.Identity, orDash(v.TinkerbellIP)),
		"machines are then told that address in place of " + nextServer(v.Advertised) + ", for good",
	}
	if len(v.waitsFor()) == 0 {
		return append(says, "all gates are open")
	}
	says = append(says, "not open: "+strings.Join(v.waitsFor(), ", "))
	for _, g := range v.Gates {
		if g.State != gateOpen {
			says = append(says, fmt.Sprintf("  %s is %s: %s: %s", g.Gate, g.State, g.Reason, g.Message))
		}
	}
	return says
}

func newTakeoverRollbackCommand(o *takeoverOptions) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "rollback [NAME]",
		Short: "Override to the address that was advertised before the last change",
		Long: "Rollback reads from the history what was advertised before the last change and sets an override to that address. The\n" +
			"takeover itself, the latch, stays: `tugboot takeover override --off` undoes the rollback. Without --yes it says what\n" +
			"it would do, and exits with 2.",
		Example: "  tugboot takeover rollback\n  tugboot takeover rollback --yes",
		Args:    optionalName,
		RunE: func(c *cobra.Command, args []string) error {
			api, v, err := o.find(c, nameIn(args))
			if err != nil {
				return err
			}
			n, err := v.rollback()
			if err != nil {
				return err
			}
			return o.carryOut(c, api, n, yes)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do it")
	return c
}

func (v takeoverView) rollback() (changeView, error) {
	switch {
	case v.Override != "":
		return changeView{}, fmt.Errorf("%s: an override to %s stands: run `tugboot takeover override --off %s` to return to what the takeover says",
			v.object(), printable(v.Override), v.target())
	case len(v.History) == 0:
		return changeView{}, fmt.Errorf("%s: status.history is empty: name the address yourself with `tugboot takeover override ADDRESS %s`", v.object(), v.target())
	case v.History[0].From == "":
		return changeView{}, fmt.Errorf("%s: nothing was advertised before the last change, to %s: name an address yourself with `tugboot takeover override ADDRESS %s`",
			v.object(), printable(orDash(v.History[0].To)), v.target())
	}
	before := v.History[0].From
	to, err := v1alpha1.ParseOverride(before)
	if err != nil {
		return changeView{}, fmt.Errorf("%s: status.history[0].from: %.80q is not an address: name one yourself with `tugboot takeover override ADDRESS %s`",
			v.object(), before, v.target())
	}
	n := v.override(before, to)
	stays := fmt.Sprintf("the latch stays, with epoch %d: the management cluster's stack is still the one that has taken over", v.Epoch)
	if v.Phase != v1alpha1.PhaseManaged && v.Phase != v1alpha1.PhaseDegraded {
		stays = "the takeover has not happened; it goes on once the override is ended"
	}
	n.Says = slices.Insert(n.Says, len(n.Says)-1, stays)
	return n, nil
}
