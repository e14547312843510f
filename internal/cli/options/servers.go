package options

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/spf13/pflag"
)

// TFTP are the settings of the TFTP server.
type TFTP struct {
	Addresses []string
	MTU       int
	Listen    []netip.AddrPort // set by Validate
}

// AddFlags defines the flags of o on f.
func (o *TFTP) AddFlags(f *pflag.FlagSet) {
	f.StringSliceVar(&o.Addresses, "tftp", []string{":69"}, "addresses of the TFTP server, or off")
	f.IntVar(&o.MTU, "tftp-mtu", 0, "path MTU in bytes that a TFTP block must fit in (576 to 65535); 0 grants what the client asks for")
}

// Validate returns everything that is wrong, and sets Listen.
func (o *TFTP) Validate() []error {
	listen, problems := parseListen("tftp", o.Addresses)
	o.Listen = listen
	if o.MTU != 0 && (o.MTU < 576 || o.MTU > 65535) {
		problems = append(problems, fmt.Errorf("--tftp-mtu %d: out of range: 576 to 65535 bytes, or 0", o.MTU))
	}
	return problems
}

// Syslog are the settings of the syslog receiver.
type Syslog struct {
	Addresses []string
	Listen    []netip.AddrPort // set by Validate
}

// AddFlags defines the flags of o on f.
func (o *Syslog) AddFlags(f *pflag.FlagSet) {
	f.StringSliceVar(&o.Addresses, "syslog", []string{":514"}, "addresses of the syslog receiver, UDP and TCP, or off")
}

// Validate returns everything that is wrong, and sets Listen.
func (o *Syslog) Validate() (problems []error) {
	o.Listen, problems = parseListen("syslog", o.Addresses)
	return problems
}

// Process are the settings of the process as a whole.
type Process struct {
	MetricsAddress, HealthAddress string
	DrainTimeout                  time.Duration
	LogLevel, LogFormat           string
}

// The levels and formats of the log.
var (
	logLevels  = []string{"debug", "info", "error"}
	logFormats = []string{"json", "console"}
)

// AddFlags defines the flags of o on f.
func (o *Process) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.MetricsAddress, "metrics-bind-address", "127.0.0.1:8080", "address of /metrics and /timeline/MAC, or off")
	f.StringVar(&o.HealthAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz, or off")
	f.DurationVar(&o.DrainTimeout, "drain-timeout", 30*time.Second, "how long running transfers may take to end after a stop was asked for")
	f.StringVar(&o.LogLevel, "log-level", "info", "debug (every packet), info (every answer) or error")
	f.StringVar(&o.LogFormat, "log-format", "json", "json or console")
}

// Validate returns everything that is wrong.
func (o *Process) Validate() []error {
	var problems []error
	for _, f := range []struct{ flag, value string }{
		{"metrics-bind-address", o.MetricsAddress}, {"health-probe-bind-address", o.HealthAddress},
	} {
		if f.value == Off {
			continue
		}
		if _, err := ParseAddrPort(f.value); err != nil {
			problems = append(problems, fmt.Errorf("--%s %q: %w", f.flag, f.value, err))
		}
	}
	if o.DrainTimeout < 0 || o.DrainTimeout > time.Hour {
		problems = append(problems, fmt.Errorf("--drain-timeout %v: out of range: 0 to 1h", o.DrainTimeout))
	}
	if !slices.Contains(logLevels, o.LogLevel) {
		problems = append(problems, fmt.Errorf("--log-level %q: no such level: use one of %q", o.LogLevel, logLevels))
	}
	if !slices.Contains(logFormats, o.LogFormat) {
		problems = append(problems, fmt.Errorf("--log-format %q: no such format: use one of %q", o.LogFormat, logFormats))
	}
	return problems
}
