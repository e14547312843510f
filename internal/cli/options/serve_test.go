package options

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/tugboot/tugboot/internal/boot"
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
		"--takeover-namespace=A_b", "--role=king", "--state-dir=/x", "--boot-file=x86=a.efi,bios=../x,uefi-arm64=a.efi,uefi-arm64=b.efi", "--script-access=me",
		"--https-key=/k", "--https=:1", "--https-advertise=some", "--http-rate=0", "--http-connections=-1", "--http-rate-per-client=1000001", "--http-connections-per-client=0")
	err := o.Validate(oneAddress)
	if err == nil {
		t.Fatal("all of it was accepted")
	}
	for _, want := range []string{
		"--advertise", "--dhcp", `--tftp "69"`, `--tftp "1.2.3.4:x"`, "--http", "--syslog", "--hook-url", "--kernel-args", "--console", "--syslog-host", "--tink-server",
		"--tink-insecure-tls", "--log-level", "--log-format", "--drain-timeout", "--metrics-bind-address", "--tftp-mtu", "--ipxe-user-class",
		"--ipxe-dir", "--namespace", "--takeover-namespace", "--role", `--boot-file "x86=a.efi"`, `--boot-file "bios=../x"`, "--boot-file uefi-arm64=b.efi",
		"--script-access", "--https-cert", "--https", "--https-advertise", "--http-rate", "--http-connections", "--http-rate-per-client", "--http-connections-per-client",
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
		{"HTTPS told and not served", "HTTPS is not served", []string{hook, "--https-advertise=all"}},
		{"HTTPS off with a certificate", "--https off", []string{hook, "--https=off", "--https-cert=c", "--https-key=k"}},
		{"HTTPS on another address", "nothing listens at the advertised address", []string{hook, "--https=10.0.0.1:7443", "--https-cert=c", "--https-key=k", "--https-advertise=all"}},
		{"HTTPS at HTTP's port", "--http has it already", []string{hook, "--https=:7171", "--https-cert=c", "--https-key=k"}},
		{"HTTPS told where a takeover decides", "an advertised endpoint that is taken over", []string{hook, "--https-cert=c", "--https-key=k", "--https-advertise=scripts", "--takeover-namespace=a"}},
		{"HTTPS told where a service is kept in step", "an existing DHCP service", []string{"--dhcp=off", "--https-cert=c", "--https-key=k", "--https-advertise=scripts", "--dhcpservice-namespace=a"}},
		{"two places of the kernel", "leave one of the two out", []string{hook, "--hook-dir=/srv/hook"}},
		{"kernel without HTTP", "no effect with --http=off", []string{"--hook-dir=/srv/hook", "--http=off"}},
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

func TestHTTPSIsBesideHTTP(t *testing.T) {
	o := parse(t, hook, "--https-cert=c", "--https-key=k")
	if err := o.Validate(oneAddress); err != nil {
		t.Fatal(err)
	}
	if _, http := o.Ports(); http != 7171 || len(o.HTTP.ListenTLS) != 1 || o.HTTP.ListenTLS[0].Port() != 7443 || o.HTTPSPort() != 0 {
		t.Errorf("HTTP %d, HTTPS at %v, of which %d is told, want 7171, 7443 and none", http, o.HTTP.ListenTLS, o.HTTPSPort())
	}
	o = parse(t, hook, "--http=off", "--https=:443", "--https-cert=c", "--https-key=k", "--https-advertise=all")
	if err := o.Validate(oneAddress); err != nil || o.HTTPSPort() != 443 {
		t.Errorf("HTTPS alone: port %d, %v", o.HTTPSPort(), err)
	}
}

func TestWhoMayFetchAScriptByDefault(t *testing.T) {
	for _, tt := range []struct {
		args []string
		only bool
	}{
		{[]string{hook}, true},
		{[]string{hook, "--dhcp=off"}, false},
		{[]string{hook, "--dhcp=off", "--script-access=machine"}, true},
		{[]string{hook, "--script-access=anyone"}, false},
	} {
		o := parse(t, tt.args...)
		if err := o.Validate(oneAddress); err != nil || o.OnlyMachine() != tt.only {
			t.Errorf("%v: its machine only: %v, want %v; %v", tt.args, o.OnlyMachine(), tt.only, err)
		}
	}
}

func TestBootFilesByFamily(t *testing.T) {
	o := parse(t, hook, "--boot-file=uefi-x86-64=shimx64.efi,bios=ipxe.pxe")
	if err := o.Validate(oneAddress); err != nil || o.Boot.BootFiles[boot.FamilyX64] != "shimx64.efi" || o.Boot.BootFiles[boot.FamilyBIOS] != "ipxe.pxe" {
		t.Errorf("%v, %v", o.Boot.BootFiles, err)
	}
}
