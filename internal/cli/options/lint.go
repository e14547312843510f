package options

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/spf13/pflag"

	"github.com/tugboot/tugboot/internal/lint"
)

// Lint are the flags of `tugboot lint`.
type Lint struct {
	Type, Output, DnsmasqVersion string
	Disable                      []string
	// Kea is the URL of a control channel, KeaCredentials the folder with what that asks for.
	Kea, KeaCredentials string
}

// AddFlags adds the flags to fs.
func (o *Lint) AddFlags(fs *pflag.FlagSet) {
	fs.StringVar(&o.Type, "type", "", "whose configuration it is: kea, dnsmasq or isc (default: by the text)")
	fs.StringVar(&o.Kea, "kea", "", "control channel of a running Kea whose configuration is read: unix:///PATH, http://HOST:PORT/ or https://HOST:PORT/")
	fs.StringVar(&o.KeaCredentials, "kea-credentials", "", "folder with what the control channel asks for, each in a file: username, password, ca.crt, tls.crt, tls.key")
	fs.StringVarP(&o.Output, "output", "o", "text", "form of the findings: text, json or sarif (SARIF 2.1.0)")
	fs.StringSliceVar(&o.Disable, "disable", nil, "ID of a rule that is not looked at; may be given several times, or with commas between")
	fs.StringVar(&o.DnsmasqVersion, "dnsmasq-version", "", "version of the dnsmasq that reads the file, like 2.90 (default: that of this host's dnsmasq)")
}

var dnsmasqVersion = regexp.MustCompile(`^[0-9]{1,3}\.[0-9]{1,4}[0-9A-Za-z.~+-]{0,40}$`)

// Validate reports everything that is wrong with the flags.
func (o *Lint) Validate() error {
	var problems []error
	if !slices.Contains([]string{"", "kea", "dnsmasq", "isc"}, o.Type) {
		problems = append(problems, fmt.Errorf("--type %q: not known: give kea, dnsmasq or isc", o.Type))
	}
	if !slices.Contains([]string{"text", "json", "sarif"}, o.Output) {
		problems = append(problems, fmt.Errorf("--output %q: not known: give text, json or sarif", o.Output))
	}
	if o.DnsmasqVersion != "" && !dnsmasqVersion.MatchString(o.DnsmasqVersion) {
		problems = append(problems, fmt.Errorf("--dnsmasq-version %q: not a version: write it like 2.90", o.DnsmasqVersion))
	}
	if o.Kea != "" && o.Type != "" && o.Type != "kea" {
		problems = append(problems, fmt.Errorf("--type %q: has no effect with --kea: leave it out", o.Type))
	}
	if o.Kea == "" && o.KeaCredentials != "" {
		problems = append(problems, errors.New("--kea-credentials: has no effect without --kea: leave it out"))
	}
	for _, id := range o.Disable {
		if _, known := lint.RuleOf(id); !known {
			problems = append(problems, fmt.Errorf("--disable %q: no such rule: docs/lint.md lists them", id))
		}
	}
	return errors.Join(problems...)
}

// Daemon returns the daemon of --type; "" when it is to be told by the text.
func (o *Lint) Daemon() lint.Daemon {
	if o.Type == "isc" {
		return lint.DHCPD
	}
	return lint.Daemon(o.Type)
}
