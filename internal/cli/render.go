package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"

	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/takeover"
)

func newRenderCommand() *cobra.Command {
	o := &options.Render{}
	c := &cobra.Command{
		Use:   "render " + strings.Join(daemonNames(), "|"),
		Short: "Write what an existing DHCP service is to say",
		Long: "Render writes the reservations and boot rules for an existing DHCP service: one whole file to standard output, which\n" +
			"the daemon's own checker accepts, or with --split the operator's file, which is installed once, and the live files,\n" +
			"which change with the Hardware. With --diff it compares a file with the whole one, or with the live or operator's\n" +
			"file of the same name.\n\n" +
			"Hardware comes from a file, so that reservations are in place before there is a cluster, or from a cluster, whose baton\n" +
			"then says the next-server. What the service cannot express, and machines outside of the subnets, are named on\n" +
			"standard error.\n\n" +
			"Exit codes: 0 rendered, or with --diff no difference; 1 failed; 2 used wrongly; 3 with --diff a\n" +
			"difference.",
		Example: "  tugboot render kea --hardware hardware.csv --next-server 192.168.2.112 --cluster lab > kea-dhcp4.conf\n" +
			"  tugboot render dnsmasq --kubeconfig ~/.kube/config --cluster lab --split /etc/tugboot\n" +
			"  tugboot render isc --kubeconfig ~/.kube/config --cluster lab --diff /etc/dhcp/dhcpd.conf",
		Args: exactArgs(1, "the kind of the service: "+strings.Join(daemonNames(), ", ")),
		RunE: func(c *cobra.Command, args []string) error {
			write, known := rendererOf(args[0])
			if !known {
				return usageError(fmt.Errorf("%+.80q: no such kind of DHCP service: choose from %s", args[0], strings.Join(daemonNames(), ", ")))
			}
			if err := o.Validate(); err != nil {
				return usageError(err)
			}
			different, err := renderTo(c, o, write)
			switch {
			case err != nil:
				return listingError(err)
			case different:
				return &exitError{code: exitNotReady, err: fmt.Errorf("%s: differs from what is rendered", printableName(o.Diff))}
			}
			return nil
		},
	}
	o.AddFlags(c.Flags())
	return c
}

// renderTo renders, and prints, writes or compares it. Different is true when a comparison found a difference.
func renderTo(c *cobra.Command, o *options.Render, write renderer) (different bool, err error) {
	w, err := wantedOf(c, o)
	if err != nil {
		return false, prefixed(err)
	}
	out, err := write(w)
	if err != nil {
		return false, prefixed(err)
	}
	for _, p := range out.Problems {
		c.PrintErrf("tugboot: %v\n", p)
	}
	switch {
	case o.Diff != "":
		difference, err := diffOf(o.Diff, out)
		if err != nil {
			return false, prefixed(err)
		}
		if _, err := fmt.Fprint(c.OutOrStdout(), difference); err != nil {
			return false, prefixed(fmt.Errorf("write the difference: %w", err))
		}
		return difference != "", nil
	case o.Split != "":
		kept, err := writeSplit(o.Split, out)
		if err != nil {
			return false, prefixed(err)
		}
		if kept != "" {
			c.PrintErrf("tugboot: %s: is the operator's, differs from what is rendered, and was left as it is: look at it with --diff\n", printableName(kept))
		}
		return false, nil
	}
	if _, err := fmt.Fprint(c.OutOrStdout(), out.Whole); err != nil {
		return false, prefixed(fmt.Errorf("write what was rendered: %w", err))
	}
	return false, nil
}

// prefixed is err as it is printed.
func prefixed(err error) error { return errors.New(errorText(err)) }

// wantedOf gathers what the service is to say, and names on standard error what it will not.
func wantedOf(c *cobra.Command, o *options.Render) (render.Wanted, error) {
	word := render.Word{Mark: takeover.Mark{Cluster: o.Cluster}, Says: o.Says}
	snapshot, word, err := renderSource(c, o, word)
	if err != nil {
		return render.Wanted{}, err
	}
	w, outside, problems := render.Want(word, snapshot.All(), o.Prefixes)
	for _, p := range problems {
		c.PrintErrf("tugboot: %v\n", p)
	}
	if outside > 0 {
		c.PrintErrf("tugboot: %d machines have addresses outside of every --subnet and are left out\n", outside)
	}
	return w, nil
}

// diffOf is the unified difference from a file to what is rendered in its place: the live or operator's file of the same
// name, or else the whole one.
func diffOf(name string, out render.Output) (string, error) {
	have, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("--diff: %w: name a file that can be read", err)
	}
	return udiff.Unified(printableName(name), "rendered", string(have), textFor(name, out)), nil
}
