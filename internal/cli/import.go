package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/dhcpconf"
	"github.com/tugboot/tugboot/internal/dhcpconf/dnsmasq"
	"github.com/tugboot/tugboot/internal/dhcpconf/isc"
	"github.com/tugboot/tugboot/internal/dhcpconf/kea"
)

func newImportCommand() *cobra.Command {
	var o options.Import
	c := &cobra.Command{
		Use:   "import kea|dnsmasq|isc FILE",
		Short: "Turn the reservations of a DHCP configuration into hardware.csv or Hardware objects",
		Long: "Import reads the configuration of an existing Kea, dnsmasq or ISC dhcpd, and all that it includes, and prints its\n" +
			"reservations as rows of EKS Anywhere's hardware.csv or as Hardware objects. Netmask, gateway and name servers are those\n" +
			"of the subnet around the address, unless the reservation has its own. FILE - is the standard input.\n\n" +
			"What could not be carried is printed to standard error, one line each as file:line:column: reason. A DHCP service knows\n" +
			"neither disks, labels nor BMCs: fill them in, or give --disk.\n\n" +
			"Exit codes: 0 done; 1 failed, or the configuration could not be read as a whole; 2 used wrongly; 3 done, and some\n" +
			"reservation was left out.",
		Example: "  tugboot import kea /etc/kea/kea-dhcp4.conf > hardware.csv\n" +
			"  tugboot import isc -o yaml --disk /dev/sda /etc/dhcp/dhcpd.conf | kubectl apply -f -",
		Args: exactArgs(2, "kea, dnsmasq or isc, and the name of one file or - for the standard input"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.Validate(); err != nil {
				return usageError(err)
			}
			return runImport(c, &o, args[0], args[1])
		},
	}
	o.AddFlags(c.Flags())
	return c
}

// parsed is what a configuration says. syntax are the problems of reading it, left what has no place in Hardware.
type parsed struct {
	hosts        []dhcpconf.Host
	syntax, left []dhcpconf.Problem
}

// parserOf returns how the configuration of a daemon is read; false for a daemon that is not known.
func parserOf(daemon string) (func(name, text string, read dhcpconf.Reader) parsed, bool) {
	switch daemon {
	case "kea":
		return func(name, text string, read dhcpconf.Reader) parsed {
			config, syntax := kea.Parse(name, text, read)
			hosts, left := kea.Reservations(config)
			return parsed{hosts, syntax, left}
		}, true
	case "dnsmasq":
		return func(name, text string, read dhcpconf.Reader) parsed {
			config, syntax := dnsmasq.Parse(name, text, read)
			hosts, left := dnsmasq.Reservations(config)
			return parsed{hosts, syntax, left}
		}, true
	case "isc":
		return func(name, text string, read dhcpconf.Reader) parsed {
			config, syntax := isc.Parse(name, text, read)
			hosts, left := isc.Reservations(config)
			return parsed{hosts, syntax, left}
		}, true
	}
	return nil, false
}

func runImport(c *cobra.Command, o *options.Import, daemon, name string) error {
	parse, known := parserOf(daemon)
	if !known {
		return usageError(fmt.Errorf("import %q: not known: give kea, dnsmasq or isc", daemon))
	}
	text, shown, err := readConfiguration(c.InOrStdin(), name)
	if err != nil {
		return err
	}
	read := parse(shown, text, configurationReader(name))
	if len(read.syntax) > 0 {
		lines := make([]error, 0, len(read.syntax))
		for _, p := range read.syntax {
			lines = append(lines, errors.New(printable(p.String())))
		}
		return listingError(errors.Join(lines...))
	}
	made := importHosts(read.hosts, o)
	left := slices.Concat(read.left, made.left)
	dhcpconf.ByPlace(left)
	dropped := 0
	for _, p := range left {
		c.PrintErrln(printable(p.String()))
		if p.Kind == dhcpconf.LeftOut {
			dropped++
		}
	}
	if err := made.write(c.OutOrStdout(), o); err != nil {
		return fmt.Errorf("write the machines of %s: %w", shown, err)
	}
	if dropped > 0 {
		return &exitError{code: exitNotReady, err: fmt.Errorf("%s: %d reservations could not be carried", shown, dropped)}
	}
	return nil
}
