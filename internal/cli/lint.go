package cli

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"github.com/tugboot/tugboot/controllers"
	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/lint"
)

func newLintCommand() *cobra.Command {
	var o options.Lint
	c := &cobra.Command{
		Use:   "lint FILE | --kea URL",
		Short: "Find in a DHCP configuration what keeps machines from booting",
		Long: "Lint reads the configuration of an existing Kea, dnsmasq or ISC dhcpd, and all that it includes, and prints what keeps\n" +
			"machines from booting: for each finding the place, the rule, the reason and the remedy. It changes nothing. FILE - is the\n" +
			"standard input. Names of included files that are not absolute are looked for beside FILE. With --kea it asks a running\n" +
			"Kea for its configuration; places are then those in the text that Kea answers with, indented by two.\n\n" +
			"A comment with tugboot-lint: disable=RULE on the line of a finding, or alone on the line above, turns the rule off there.\n" +
			"The rules are in docs/lint.md.\n\n" +
			"Exit codes: 0 nothing found; 1 failed; 2 used wrongly; 3 something found.",
		Example: "  tugboot lint /etc/kea/kea-dhcp4.conf\n" +
			"  tugboot lint --kea unix:///run/kea/kea4-ctrl-socket\n" +
			"  tugboot lint --type isc --disable dhcpd-next-server-outside -o sarif /etc/dhcp/dhcpd.conf > dhcpd.sarif",
		Args: func(c *cobra.Command, args []string) error {
			if o.Kea != "" {
				return noArgs(c, args)
			}
			return exactArgs(1, "the name of one file, or - for the standard input")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.Validate(); err != nil {
				return usageError(err)
			}
			if o.Kea != "" {
				return lintKea(c, &o)
			}
			return lintFile(c, &o, args[0])
		},
	}
	o.AddFlags(c.Flags())
	return c
}

// lintKea judges what a running Kea says.
func lintKea(c *cobra.Command, o *options.Lint) error {
	secret, err := readCredentials(o.KeaCredentials)
	if err != nil {
		return err
	}
	server, err := keaServer(controllers.KeaServer{URL: o.Kea, Secret: secret})
	if err != nil {
		return fmt.Errorf("--kea: %w", err)
	}
	text, err := server.Configuration(c.Context())
	if err != nil {
		return fmt.Errorf("--kea %s: %w", printable(o.Kea), err)
	}
	return showFindings(c, o, printable(o.Kea), lint.Check(lint.Kea, o.Kea, text, nil, lint.Options{Disable: o.Disable}))
}

func lintFile(c *cobra.Command, o *options.Lint, name string) error {
	text, shown, err := readConfiguration(c.InOrStdin(), name)
	if err != nil {
		return err
	}
	daemon := o.Daemon()
	if daemon == "" {
		var known bool
		if daemon, known = lint.Detect(text); !known {
			return usageError(fmt.Errorf("%s: holds nothing, so it does not say whose configuration it is: give --type", shown))
		}
	}
	version := o.DnsmasqVersion
	if version == "" && daemon == lint.Dnsmasq {
		version = localDnsmasq(c.Context())
	}
	return showFindings(c, o, shown, lint.Check(daemon, name, text, configurationReader(name), lint.Options{Disable: o.Disable, DnsmasqVersion: version}))
}

func showFindings(c *cobra.Command, o *options.Lint, shown string, findings []lint.Finding) error {
	if err := printFindings(c.OutOrStdout(), o.Output, findings); err != nil {
		return fmt.Errorf("write the findings of %s: %w", shown, err)
	}
	if len(findings) > 0 {
		return &exitError{code: exitNotReady, err: fmt.Errorf("%s: %d to look at", shown, len(findings))}
	}
	return nil
}

// askTimeout bounds how long a local daemon may take to say its version.
const askTimeout = 5 * time.Second

// localDnsmasq returns the version of this host's dnsmasq, "" when there is none or it does not say.
func localDnsmasq(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, "dnsmasq", "--version").Output()
	if err != nil {
		return ""
	}
	return lint.DnsmasqVersion(string(out))
}
