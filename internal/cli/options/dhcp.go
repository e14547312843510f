package options

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tugboot/tugboot/internal/dhcp4"
	"github.com/tugboot/tugboot/internal/server/dhcpd"
)

// DHCP are the settings of the DHCP server.
type DHCP struct {
	Mode           string
	Interfaces     []string
	InterfaceModes []string
	RelayFrom      []string
	AutoScript     string

	Modes  dhcpd.Modes    // set by Validate
	Relays []netip.Prefix // set by Validate: RelayFrom
}

// AddFlags defines the flags of o on f.
func (o *DHCP) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.Mode, "dhcp", dhcp4.ModeReservation.String(),
		"what to answer DHCP with: reservation (fixed addresses from Hardware, and what to boot), proxy (what to boot only, beside a DHCP "+
			"server that gives the addresses), auto-proxy (the same, and machines without Hardware are given --auto-script), or off")
	f.StringSliceVar(&o.Interfaces, "interfaces", nil, "network interfaces to answer DHCP on, by name; none means all")
	f.StringSliceVar(&o.InterfaceModes, "dhcp-interface", nil, "NAME=MODE: an interface that is answered with another mode than --dhcp; may be repeated")
	f.StringSliceVar(&o.RelayFrom, "relay-from", nil,
		"subnets or addresses of the relay agents (giaddr) that are listened to, such as 10.77.0.0/24; none means all")
	f.StringVar(&o.AutoScript, "auto-script", "",
		"file of the iPXE script for machines without Hardware in the mode auto-proxy; by default one that says so on the screen and goes on to the next boot device")
}

// Validate returns everything that is wrong, and sets Modes and Relays.
func (o *DHCP) Validate() []error {
	var problems []error
	mode, known := dhcp4.ParseMode(o.Mode)
	if !known {
		problems = append(problems, fmt.Errorf("--dhcp %q: no such mode: use %s", o.Mode, modeNames()))
	}
	o.Modes = dhcpd.Modes{Default: mode, Interfaces: map[string]dhcp4.Mode{}}
	problems = append(problems, o.validateInterfaceModes()...)
	if known && !o.Enabled() && len(o.Interfaces) > 0 {
		problems = append(problems, fmt.Errorf("--interfaces %q: has no effect with --dhcp=off: leave one of the two out", o.Interfaces))
	}
	for i, name := range o.Interfaces {
		if name == "" || len(name) > maxInterface {
			problems = append(problems, fmt.Errorf("--interfaces %q: not an interface name: 1 to %d bytes, as `ip link` shows them", name, maxInterface))
		}
		if slices.Contains(o.Interfaces[:i], name) {
			problems = append(problems, fmt.Errorf("--interfaces %q: stands twice: leave one out", name))
		}
	}
	problems = append(problems, o.validateRelays()...)
	if o.AutoScript != "" && !o.Auto() {
		problems = append(problems, fmt.Errorf("--auto-script %q: has no effect without the mode auto-proxy: leave it out, or give --dhcp=auto-proxy", o.AutoScript))
	}
	return problems
}

// maxInterface is the length of an interface's name in bytes, at most (IFNAMSIZ without the NUL).
const maxInterface = 15

// modeNames lists the modes for a message.
func modeNames() string {
	var names []string
	for _, m := range dhcp4.Modes() {
		names = append(names, m.String())
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

func (o *DHCP) validateInterfaceModes() []error {
	var problems []error
	wrong := func(value, format string, args ...any) {
		problems = append(problems, fmt.Errorf("--dhcp-interface %q: "+format, append([]any{value}, args...)...))
	}
	for _, value := range o.InterfaceModes {
		name, modeName, found := strings.Cut(value, "=")
		mode, known := dhcp4.ParseMode(modeName)
		_, twice := o.Modes.Interfaces[name]
		switch {
		case !found || name == "" || len(name) > maxInterface:
			wrong(value, "not NAME=MODE: write it like eth1=proxy, with a name as `ip link` shows it")
		case !known:
			wrong(value, "%q is no mode: use %s", modeName, modeNames())
		case twice:
			wrong(value, "a second mode for %s: leave one out", name)
		case len(o.Interfaces) > 0 && !slices.Contains(o.Interfaces, name):
			wrong(value, "has no effect, for %s is none of --interfaces %q: add it there, or leave this out", name, o.Interfaces)
		default:
			o.Modes.Interfaces[name] = mode
		}
	}
	return problems
}

// missing returns an error for each mode of an interface that this host does not have.
func (o *DHCP) missing(local []LocalAddress) []error {
	var names []string
	for _, l := range local {
		names = append(names, l.Interface)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	var problems []error
	for _, value := range o.InterfaceModes {
		name, _, _ := strings.Cut(value, "=")
		if _, valid := o.Modes.Interfaces[name]; valid && !slices.Contains(names, name) {
			problems = append(problems, fmt.Errorf("--dhcp-interface %q: interface %q does not exist: choose from %s", value, name, strings.Join(names, ", ")))
		}
	}
	return problems
}

func (o *DHCP) validateRelays() []error {
	var problems []error
	for _, value := range o.RelayFrom {
		prefix, err := netip.ParsePrefix(value)
		if err != nil {
			var addr netip.Addr
			if addr, err = netip.ParseAddr(value); err == nil {
				prefix = netip.PrefixFrom(addr, addr.BitLen())
			}
		}
		if err != nil || !prefix.Addr().Is4() {
			problems = append(problems, fmt.Errorf("--relay-from %q: not an IPv4 subnet: write it like 10.77.0.0/24, or 10.77.0.1 for one relay agent", value))
			continue
		}
		o.Relays = append(o.Relays, prefix.Masked())
	}
	if len(o.RelayFrom) > 0 && !o.Enabled() {
		problems = append(problems, fmt.Errorf("--relay-from %q: has no effect with --dhcp=off: leave one of the two out", o.RelayFrom))
	}
	return problems
}

// Enabled reports whether DHCP is answered on any interface. It is known after Validate.
func (o *DHCP) Enabled() bool { return o.any(func(m dhcp4.Mode) bool { return m != dhcp4.ModeOff }) }

// Auto reports whether machines without Hardware are answered on any interface. It is known after Validate.
func (o *DHCP) Auto() bool { return o.any(func(m dhcp4.Mode) bool { return m == dhcp4.ModeAutoProxy }) }

// Reserves reports whether this process gives the addresses on every interface. It is known after Validate.
func (o *DHCP) Reserves() bool {
	return !o.any(func(m dhcp4.Mode) bool { return m != dhcp4.ModeReservation })
}

func (o *DHCP) any(is func(dhcp4.Mode) bool) bool {
	if is(o.Modes.Default) {
		return true
	}
	for _, m := range o.Modes.Interfaces {
		if is(m) {
			return true
		}
	}
	return false
}

// Served are the interfaces to listen on; none means all. With --dhcp=off these are only the ones with a mode of their
// own, so that another server may serve the rest.
func (o *DHCP) Served() []string {
	if len(o.Interfaces) > 0 || o.Modes.Default != dhcp4.ModeOff {
		return o.Interfaces
	}
	var names []string
	for name, mode := range o.Modes.Interfaces {
		if mode != dhcp4.ModeOff {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
