package options

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/probe/offers"
	"github.com/tugboot/tugboot/internal/reservation"
)

// All is the value of a filter that lets everything through.
const All = "all"

// Probe are the settings of a probe.
type Probe struct {
	Interface, Relay, Server string
	MAC, Hardware            string
	First                    int
	Archs, Stages            []string
	Servers                  []string
	Window                   time.Duration
	Request                  bool
	OldIPXE                  bool
	Output                   string

	Intent ProbeIntent

	// Set by Validate: how to ask, the machine of --mac (zero without), and which kinds of clients ask.
	Ask     offers.Options
	Machine reservation.MAC
	archs   []boot.Arch
}

// AddFlags defines the flags of o on f.
func (o *Probe) AddFlags(f *pflag.FlagSet) {
	f.StringVarP(&o.Interface, "interface", "i", "", "network interface to ask on, as a machine on that network would")
	f.StringVar(&o.Relay, "relay", "", "IPv4 address of this host to give as the relay agent's; --server is then asked")
	f.StringVar(&o.Server, "server", "", "IPv4 address of the DHCP server that --relay asks")
	f.StringVar(&o.MAC, "mac", "", "MAC of the machine to ask for")
	f.StringVar(&o.Hardware, "hardware", "", "file or folder with Hardware (*.csv, *.yaml, *.yml, *.json): its machines are asked for, and must get their addresses")
	f.IntVar(&o.First, "first", 1, "how many machines of --hardware to ask for, in the order of their MACs; 0 for all")
	f.StringSliceVar(&o.Archs, "arch", []string{"0", "7", "9", "11", "16", "19"}, "client architectures to ask as, by their numbers in option 93; all for every known one")
	f.StringSliceVar(&o.Stages, "stage", []string{All}, fmt.Sprintf("stages to ask as: %q; all for every one", stageNames()))
	f.StringSliceVar(&o.Servers, "expect-server", nil, "server identifiers that may answer, by IPv4 address; none expects one server, whichever it is")
	f.DurationVar(&o.Window, "window", offers.DefaultWindow, "how long answers to each question are waited for (100ms to 1m)")
	f.BoolVar(&o.Request, "request", false, "accept the first offer: the server notes a lease for the machine")
	f.BoolVar(&o.OldIPXE, "old-ipxe-gets-script", false, "an iPXE without HTTP may be given the script, as servers do that cannot tell it apart")
	f.StringVarP(&o.Output, "output", "o", "table", "table or json")
	o.Intent.AddFlags(f)
}

func stageNames() []string {
	var names []string
	for _, s := range offers.Stages() {
		names = append(names, s.String())
	}
	return names
}

// Validate returns everything that is wrong, and sets what is derived.
func (o *Probe) Validate() error {
	problems := append(o.validateWire(), o.validateWho()...)
	if o.Window < 100*time.Millisecond || o.Window > time.Minute {
		problems = append(problems, fmt.Errorf("--window %v: out of range: 100ms to 1m", o.Window))
	}
	if o.Output != "table" && o.Output != "json" {
		problems = append(problems, fmt.Errorf("--output %q: no such format: use table or json", o.Output))
	}
	for _, s := range o.Servers {
		addr, problem := address4("expect-server", s)
		if problem != nil {
			problems = append(problems, problem)
		}
		o.Ask.Servers = append(o.Ask.Servers, addr)
	}
	problems = append(problems, o.Intent.Validate()...)
	if o.OldIPXE && !o.Intent.Given() {
		problems = append(problems, errors.New("--old-ipxe-gets-script: has no effect without an intent: give --next-server, or leave it out"))
	}
	o.Ask.Window, o.Ask.Request, o.Ask.OldIPXEGetsScript = o.Window, o.Request, o.OldIPXE
	return errors.Join(problems...)
}

// validateWire looks at where to ask.
func (o *Probe) validateWire() []error {
	var problems []error
	switch {
	case o.Interface == "" && o.Relay == "" && o.Server == "":
		return []error{errors.New("--interface: not given: name the network interface to ask on, or give --relay and --server")}
	case o.Interface != "" && (o.Relay != "" || o.Server != ""):
		return []error{fmt.Errorf("--interface %q: has no effect with --relay and --server: leave one of the two ways out", o.Interface)}
	case o.Interface != "":
		o.Ask.Interface = o.Interface
		return nil
	}
	for _, flag := range []struct {
		name, value string
		to          *netip.Addr
	}{{"relay", o.Relay, &o.Ask.Relay}, {"server", o.Server, &o.Ask.Server}} {
		addr, problem := address4(flag.name, flag.value)
		if problem != nil {
			problems = append(problems, problem)
		}
		*flag.to = addr
	}
	return problems
}

// validateWho looks at which machine asks, and as what.
func (o *Probe) validateWho() []error {
	var problems []error
	if o.MAC != "" {
		m, err := reservation.ParseMAC(o.MAC)
		if err == nil && (m.IsZero() || m.IsGroup()) {
			err = fmt.Errorf("%s is the address of no machine", m)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("--mac: %w", err))
		}
		o.Machine = m
	}
	if o.MAC == "" && o.Hardware == "" {
		problems = append(problems, errors.New("--mac: not given: name the machine to ask for, or give --hardware"))
	}
	if o.First < 0 {
		problems = append(problems, fmt.Errorf("--first %d: out of range: 1 or more, or 0 for all", o.First))
	}
	for _, s := range o.Stages {
		if s != All && !slices.Contains(stageNames(), s) {
			problems = append(problems, fmt.Errorf("--stage %q: no such stage: use %q, or all", s, stageNames()))
		}
	}
	for _, a := range o.Archs {
		n, err := strconv.ParseUint(a, 10, 16)
		switch {
		case a == All:
		case err != nil || !boot.Arch(n).Known():
			problems = append(problems, fmt.Errorf("--arch %q: not the number of a known client architecture: write it like 7, or all", a))
		default:
			o.archs = append(o.archs, boot.Arch(n))
		}
	}
	return problems
}

// Asks reports whether the filters let a kind of client through.
func (o *Probe) Asks(k offers.Kind) bool {
	stage := slices.Contains(o.Stages, All) || slices.Contains(o.Stages, k.Stage.String())
	return stage && (slices.Contains(o.Archs, All) || slices.Contains(o.archs, k.Arch))
}

// address4 reads the IPv4 address of a flag.
func address4(flag, value string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(value)
	if err != nil || !addr.Is4() || addr.IsUnspecified() || addr.IsMulticast() {
		return netip.Addr{}, fmt.Errorf("--%s %q: not the IPv4 address of a host: write it like 192.168.2.112", flag, value)
	}
	return addr, nil
}
