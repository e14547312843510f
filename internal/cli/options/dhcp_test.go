package options

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/dhcp4"
)

func TestDHCPFlagsThatAreWrong(t *testing.T) {
	tests := []struct {
		name, want string
		args       []string
	}{
		{"no such mode", `--dhcp "pool": no such mode: use reservation, proxy, auto-proxy or off`, []string{"--dhcp=pool"}},
		{"a boolean", `--dhcp "true": no such mode`, []string{"--dhcp=true"}},
		{"no mode", `--dhcp-interface "eth0": not NAME=MODE: write it like eth1=proxy`, []string{"--dhcp-interface=eth0"}},
		{"no name", `--dhcp-interface "=proxy": not NAME=MODE`, []string{"--dhcp-interface==proxy"}},
		{"a long name", `--dhcp-interface "abcdefghijklmnop=proxy": not NAME=MODE`, []string{"--dhcp-interface=abcdefghijklmnop=proxy"}},
		{"no such mode of an interface", `--dhcp-interface "eth0=pool": "pool" is no mode: use reservation, proxy, auto-proxy or off`, []string{"--dhcp-interface=eth0=pool"}},
		{"two modes", `--dhcp-interface "eth0=off": a second mode for eth0`, []string{"--dhcp-interface=eth0=proxy,eth0=off"}},
		{"not served", `--dhcp-interface "eth0=proxy": has no effect, for eth0 is none of --interfaces ["eth1"]`, []string{"--interfaces=eth1", "--advertise=192.168.2.112", "--dhcp-interface=eth0=proxy"}},
		{"no such interface", `--dhcp-interface "eth7=proxy": interface "eth7" does not exist: choose from docker0, eth0, eth2, lo`, []string{"--dhcp-interface=eth7=proxy"}},
		{"no subnet", `--relay-from "10.77.0": not an IPv4 subnet: write it like 10.77.0.0/24`, []string{"--relay-from=10.77.0"}},
		{"IPv6", `--relay-from "fd00::/8": not an IPv4 subnet`, []string{"--relay-from=10.0.0.0/8,fd00::/8"}},
		{"relays without DHCP", `--relay-from ["10.0.0.0/8"]: has no effect with --dhcp=off`, []string{"--dhcp=off", "--relay-from=10.0.0.0/8"}},
		{"a script for nobody", `--auto-script "x.ipxe": has no effect without the mode auto-proxy`, []string{"--dhcp=proxy", "--auto-script=x.ipxe"}},
		{"a script that is not served", `--auto-script "x.ipxe": has no effect with --http=off`, []string{"--dhcp=auto-proxy", "--auto-script=x.ipxe", "--http=off"}},
		{"interfaces without DHCP", `--interfaces ["eth0"]: has no effect with --dhcp=off`, []string{"--dhcp=off", "--interfaces=eth0"}},
	}
	local := append(slices.Clone(oneAddress), LocalAddress{Interface: "eth2"})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := parse(t, append(tt.args, hook)...).Validate(local)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("error %v, want one line that says %q", err, tt.want)
			}
		})
	}
}

func TestDHCPModes(t *testing.T) {
	local := append(slices.Clone(oneAddress), LocalAddress{Interface: "eth1"})
	for _, test := range []struct {
		args          []string
		modes         string
		enabled, auto bool
		served        []string
	}{
		{nil, "reservation", true, false, nil},
		{[]string{"--dhcp=proxy"}, "proxy", true, false, nil},
		{[]string{"--dhcp=auto-proxy"}, "auto-proxy", true, true, nil},
		{[]string{"--dhcp=off"}, "off", false, false, nil},
		{[]string{"--dhcp-interface=eth1=proxy", "--dhcp-interface=eth0=off"}, "reservation, eth0=off, eth1=proxy", true, false, nil},
		{[]string{"--dhcp=off", "--dhcp-interface=eth1=auto-proxy,lo=off"}, "off, eth1=auto-proxy, lo=off", true, true, []string{"eth1"}},
		{[]string{"--interfaces=eth1,eth0", "--dhcp-interface=eth1=off"}, "reservation, eth1=off", true, false, []string{"eth1", "eth0"}},
	} {
		o := parse(t, append(test.args, "--advertise=192.168.2.112", hook)...)
		if err := o.Validate(local); err != nil {
			t.Errorf("%v: %v", test.args, err)
			continue
		}
		d := &o.DHCP
		if d.Modes.String() != test.modes || d.Enabled() != test.enabled || d.Auto() != test.auto || !slices.Equal(d.Served(), test.served) {
			t.Errorf("%v: %s, enabled %t, auto %t, served %q", test.args, d.Modes, d.Enabled(), d.Auto(), d.Served())
		}
		if d.Modes.Of("eth9") != d.Modes.Default || d.Modes.Of("eth1") == dhcp4.ModeReservation && len(d.InterfaceModes) > 0 {
			t.Errorf("%v: eth1 is %v", test.args, d.Modes.Of("eth1"))
		}
	}
}

func TestRelayFrom(t *testing.T) {
	o := parse(t, hook, "--relay-from=10.77.0.9/24,192.168.2.1")
	if err := o.Validate(oneAddress); err != nil {
		t.Fatal(err)
	}
	if want := []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24"), netip.MustParsePrefix("192.168.2.1/32")}; !slices.Equal(o.DHCP.Relays, want) {
		t.Errorf("%v, want %v", o.DHCP.Relays, want)
	}
}
