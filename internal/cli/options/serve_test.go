package options

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

var oneAddress = []LocalAddress{
	{"lo", netip.MustParseAddr("127.0.0.1")}, {"eth0", netip.MustParseAddr("192.168.2.112")},
	{"eth0", netip.MustParseAddr("169.254.1.1")}, {"docker0", netip.MustParseAddr("172.17.0.1")},
}

func parse(t *testing.T, args ...string) *Serve {
	t.Helper()
	var o Serve
	f := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	o.AddFlags(f)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return &o
}

const hook = "--hook-url=http://192.168.2.112:8080/hook"

func TestDefaultsAreEnough(t *testing.T) {
	o := parse(t)
	if err := o.Validate(oneAddress); err != nil {
		t.Fatal(err)
	}
	if o.Boot.AdvertiseAddr != netip.MustParseAddr("192.168.2.112") {
		t.Errorf("advertises %v", o.Boot.AdvertiseAddr)
	}
	if tftp, http := o.Ports(); tftp != 69 || http != 7171 {
		t.Errorf("ports %d and %d", tftp, http)
	}
}

func TestEverythingWrongIsNamedAtOnce(t *testing.T) {
	o := parse(t, "--advertise=localhost", "--dhcp=relay", "--tftp=69,1.2.3.4:x", "--http=:0", "--syslog=::1", "--hook-url=ftp://x",
		"--kernel-args=a=${b}", "--console=a b", "--syslog-host=log", "--tink-server=nowhere", "--tink-insecure-tls", "--log-level=loud", "--log-format=xml",
		"--drain-timeout=-1s", "--metrics-bind-address=8080", "--tftp-mtu=100", "--ipxe-user-class=a b", "--ipxe-dir=", "--namespace=x", "--hardware=y",
		"--takeover-namespace=A_b", "--role=king", "--state-dir=/x")
	err := o.Validate(oneAddress)
	if err == nil {
		t.Fatal("all of it was accepted")
	}
	for _, want := range []string{
		"--advertise", "--dhcp", `--tftp "69"`, `--tftp "1.2.3.4:x"`, "--http", "--syslog", "--hook-url", "--kernel-args", "--console", "--syslog-host", "--tink-server",
		"--tink-insecure-tls", "--log-level", "--log-format", "--drain-timeout", "--metrics-bind-address", "--tftp-mtu", "--ipxe-user-class",
		"--ipxe-dir", "--namespace", "--takeover-namespace", "--role",
	} {
		if !strings.Contains(err.Error(), want+" ") && !strings.Contains(err.Error(), want+":") {
			t.Errorf("%s is not named in:\n%v", want, err)
		}
	}
	for line := range strings.Lines(err.Error()) {
		if !strings.HasPrefix(line, "--") || !strings.Contains(line, ": ") {
			t.Errorf("the line %q does not begin with its flag", line)
		}
	}
}

func TestCombinations(t *testing.T) {
	tests := []struct {
		name, want string
		args       []string
	}{
		{"TFTP where firmware does not ask", "port 69", []string{hook, "--tftp=:1069"}},
		{"TFTP on another address", "port 69", []string{hook, "--tftp=10.0.0.1:69"}},
		{"HTTP on another address", "nothing listens at the advertised address", []string{hook, "--http=10.0.0.1:7171"}},
		{"nothing to serve", "nothing to serve", []string{"--dhcp=off", "--tftp=off", "--http=off", "--syslog=off"}},
		{"interfaces without DHCP", "--interfaces", []string{hook, "--dhcp=off", "--interfaces=eth0"}},
		{"an address twice", "stands twice", []string{hook, "--http=:80,:80"}},
		{"loopback", "machines cannot reach it", []string{hook, "--advertise=127.0.0.1"}},
		{"empty listen list", "--tftp", []string{hook, "--tftp="}},
		{"interface name too long", "--interfaces", []string{hook, "--interfaces=abcdefghijklmnop", "--advertise=192.168.2.112"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := parse(t, tt.args...).Validate(oneAddress)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestServersThatAreOffNeedNothing(t *testing.T) {
	o := parse(t, "--tftp=off", "--http=off", "--syslog=off")
	if err := o.Validate(oneAddress); err != nil {
		t.Fatal(err)
	}
	if tftp, http := o.Ports(); tftp != 0 || http != 0 {
		t.Errorf("ports %d and %d, want none", tftp, http)
	}
}

func TestDetectionIsSilentOnlyWhenUnambiguous(t *testing.T) {
	two := append([]LocalAddress{{"eth1", netip.MustParseAddr("10.0.0.5")}}, oneAddress...)
	err := parse(t, hook).Validate(two)
	if err == nil || !strings.Contains(err.Error(), "10.0.0.5 on eth1, 192.168.2.112 on eth0") {
		t.Errorf("two addresses: %v", err)
	}
	o := parse(t, hook, "--interfaces=eth1")
	if err := o.Validate(two); err != nil || o.Boot.AdvertiseAddr != netip.MustParseAddr("10.0.0.5") {
		t.Errorf("with --interfaces=eth1: %v, %v", o.Boot.AdvertiseAddr, err)
	}
	if err := parse(t, hook).Validate(oneAddress[:1]); err == nil || !strings.Contains(err.Error(), "no address") {
		t.Errorf("loopback only: %v", err)
	}
	if err := parse(t, hook, "--interfaces=eht0").Validate(oneAddress); err == nil || !strings.Contains(err.Error(), `--interfaces ["eht0"] have no address`) {
		t.Errorf("an interface without an address: %v", err)
	}
}

func TestTheFirstMatchingHTTPAddressIsAdvertised(t *testing.T) {
	o := parse(t, hook, "--http=10.0.0.1:99,192.168.2.112:80,:7171")
	if err := o.Validate(oneAddress); err != nil {
		t.Fatal(err)
	}
	if _, http := o.Ports(); http != 80 {
		t.Errorf("HTTP port %d, want 80", http)
	}
}
