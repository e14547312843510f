package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
)

// changeView is a person's word on a Takeover; it is what -o json prints.
type changeView struct {
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	Annotation string `json:"annotation"`
	// Value is null when the annotation is removed.
	Value *string `json:"value"`
	// Done is true when the annotation is now as Value says.
	Done bool `json:"done"`
	// Says is what it does, one line each.
	Says []string `json:"says"`

	// unchanged is true when the annotation was so before, or nothing needs to be done.
	unchanged bool
}

func (v takeoverView) change(annotation string, value *string, says ...string) changeView {
	return changeView{Namespace: v.Namespace, Name: v.Name, Annotation: annotation, Value: value, Says: says}
}

// nothing is a change that need not be made.
func (v takeoverView) nothing(annotation string, value *string, says ...string) changeView {
	n := v.change(annotation, value, says...)
	n.unchanged, n.Done = true, true
	return n
}

func (n changeView) table(w io.Writer) error {
	for _, line := range n.Says {
		fmt.Fprintln(w, printable(line))
	}
	return nil
}

// carryOut sets the annotation, once yes is there, and prints what that does.
func (o *takeoverOptions) carryOut(c *cobra.Command, api *takeoverAPI, n changeView, yes bool) error {
	if yes && !n.unchanged {
		if err := api.annotate(c.Context(), n.Name, n.Annotation, n.Value); err != nil {
			return err
		}
		n.Done = true
		n.Says = append(n.Says, fmt.Sprintf("done; `tugboot takeover status -n %s %s` shows what comes of it", n.Namespace, n.Name))
	}
	if err := o.print(c.OutOrStdout(), n, n.table); err != nil {
		return err
	}
	if !n.Done {
		return &exitError{code: exitUsage, err: errors.New("tugboot: nothing was changed: repeat the command with --yes to do this"), verbatim: true}
	}
	return nil
}

func newTakeoverFreezeCommand(o *takeoverOptions) *cobra.Command {
	var off bool
	c := &cobra.Command{
		Use:   "freeze [NAME]",
		Short: "Keep everything as it is, or end that with --off",
		Long: "Freeze sets the annotation " + v1alpha1.AnnotationFreeze + ": whatever happens, machines are told what they are told now. With --off\n" +
			"it removes the annotation.",
		Example: "  tugboot takeover freeze\n  tugboot takeover freeze --off",
		Args:    optionalName,
		RunE: func(c *cobra.Command, args []string) error {
			api, v, err := o.find(c, nameIn(args))
			if err != nil {
				return err
			}
			return o.carryOut(c, api, v.freeze(off), true)
		},
	}
	c.Flags().BoolVar(&off, "off", false, "end it")
	return c
}

func (v takeoverView) freeze(off bool) changeView {
	yes := "true"
	switch {
	case off && !v.Frozen:
		return v.nothing(v1alpha1.AnnotationFreeze, nil, v.object()+": was not frozen")
	case off:
		return v.change(v1alpha1.AnnotationFreeze, nil, v.object()+": is no longer frozen")
	case v.Frozen:
		return v.nothing(v1alpha1.AnnotationFreeze, &yes, v.object()+": was frozen already")
	}
	return v.change(v1alpha1.AnnotationFreeze, &yes,
		v.object()+": is frozen: machines are told what they are told now, whatever happens",
		"`tugboot takeover freeze --off "+v.target()+"` ends it")
}

func newTakeoverOverrideCommand(o *takeoverOptions) *cobra.Command {
	var off bool
	c := &cobra.Command{
		Use:   "override ADDRESS|URL [NAME]",
		Short: "Have machines told an address of your own, or end that with --off [NAME]",
		Long: "Override sets the annotation " + v1alpha1.AnnotationOverride + ". With an ADDRESS machines are sent there once a stack is seen to\n" +
			"serve there; ports and script are found out. The http URL of a script is complete: it is taken as it is, without\n" +
			"asking whether anything serves there. The takeover's own decision, the latch, stays, and is in force again after --off.",
		Example: "  tugboot takeover override 192.168.2.60\n" +
			"  tugboot takeover override http://192.168.2.60:7171/auto.ipxe\n" +
			"  tugboot takeover override --off",
		Args: func(c *cobra.Command, args []string) error {
			switch {
			case off:
				return optionalName(c, args)
			case len(args) < 1 || len(args) > 2:
				return usageError(fmt.Errorf("%s: %d arguments where it takes one or two: give an address or a script's URL, and the name of a Takeover if need be", c.CommandPath(), len(args)))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			var to v1alpha1.Override
			if !off {
				var err error
				if to, err = v1alpha1.ParseOverride(args[0]); err != nil {
					return usageError(fmt.Errorf("%.600q: %w", args[0], err))
				}
			}
			text := args
			if !off {
				text = args[1:]
			}
			api, v, err := o.find(c, nameIn(text))
			if err != nil {
				return err
			}
			if off {
				return o.carryOut(c, api, v.endOverride(), true)
			}
			return o.carryOut(c, api, v.override(args[0], to), true)
		},
	}
	c.Flags().BoolVar(&off, "off", false, "end it: machines are told again what the takeover says")
	return c
}

func (v takeoverView) override(value string, to v1alpha1.Override) changeView {
	how := fmt.Sprintf("once a stack is seen to serve there machines are sent to %s; until then they are told what they are told now", to.Addr)
	if to.Complete() {
		how = fmt.Sprintf("machines are sent to %s with the script %s, which is taken as it is: nobody asks whether it serves", to.Addr, value)
	}
	if v.Override == value {
		return v.nothing(v1alpha1.AnnotationOverride, &value, v.object()+": this override stands already: "+how)
	}
	says := []string{v.object() + ": " + how}
	if v.Frozen {
		says = append(says, "it is frozen, so nothing changes before `tugboot takeover freeze --off "+v.target()+"`")
	}
	return v.change(v1alpha1.AnnotationOverride, &value, append(says, "`tugboot takeover override --off "+v.target()+"` ends it")...)
}

func (v takeoverView) endOverride() changeView {
	if v.Override == "" {
		return v.nothing(v1alpha1.AnnotationOverride, nil, v.object()+": there was no override")
	}
	return v.change(v1alpha1.AnnotationOverride, nil, v.object()+": the override to "+v.Override+" is removed: machines are told again what the takeover says")
}
