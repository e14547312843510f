package tink

import (
	"encoding/json"
	"math"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/reservation"
)

var (
	dnsName  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$`)
	fileName = regexp.MustCompile(`^[A-Za-z0-9_+][A-Za-z0-9._+-]{0,126}$`)
	oneWord  = regexp.MustCompile(`^[!-~]*$`)
	reason   = regexp.MustCompile(`^[A-Z][A-Za-z0-9]+$`)
)

type failer interface {
	Helper()
	Errorf(format string, args ...any)
}

// examine converts hw and checks what must hold of every result, whatever hw holds.
func examine(t failer, hw *v1alpha1.Hardware) {
	t.Helper()
	reservations, problems := Convert(hw)
	refused := map[int]bool{}
	for _, p := range problems {
		if p.Fatal {
			refused[p.Source.Interface] = true
		}
		if !reason.MatchString(p.Reason) || !strings.HasPrefix(p.Field, "spec.") && !strings.HasPrefix(p.Field, "metadata.annotations[") || p.Remedy == "" || len(p.Value) > maxValue+3 {
			t.Errorf("incomplete problem %#v", p)
		}
		line := strings.ReplaceAll(p.Error(), p.Source.Object(), "")
		if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("problem that is not one printable line: %q", line)
		}
	}
	served := map[int]bool{}
	for _, r := range reservations {
		served[r.Source.Interface] = true
		addressing(t, r)
		options(t, r)
		extraOptions(t, r)
		netboot(t, r)
	}
	_, disabled := hw.Annotations[v1alpha1.AnnotationDisabled]
	for i, written := range hw.Spec.Interfaces {
		wanted := !disabled && !written.DisableDHCP && written.DHCP != nil && written.DHCP.IP != nil && *written.DHCP.IP != v1alpha1.IP{}
		if wanted != (served[i] || refused[i]) || served[i] && refused[i] {
			t.Errorf("interface %d: wanted %t, served %t, refused %t: %v", i, wanted, served[i], refused[i], problems)
		}
	}
}

func host(a netip.Addr) bool {
	return a.Is4() && !a.IsLoopback() && !a.IsMulticast() && !a.IsUnspecified() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

func addressing(t failer, r *reservation.Reservation) {
	t.Helper()
	if r.MAC.IsZero() || r.MAC.IsGroup() {
		t.Errorf("MAC %s", r.MAC)
	}
	if !host(r.Address.Addr()) || r.Address.Bits() < 1 {
		t.Errorf("address %s", r.Address)
	}
	if r.Gateway.IsValid() && (!host(r.Gateway) || !r.Address.Contains(r.Gateway) || r.Gateway == r.Address.Addr()) {
		t.Errorf("gateway %s of %s", r.Gateway, r.Address)
	}
	if r.Address.Bits() <= 30 {
		for _, a := range []netip.Addr{r.Address.Addr(), r.Gateway} {
			if a.IsValid() && (a == r.Address.Masked().Addr() || !r.Address.Contains(a.Next())) {
				t.Errorf("%s is the subnet's own or its broadcast address in %s", a, r.Address)
			}
		}
	}
}

func options(t failer, r *reservation.Reservation) {
	t.Helper()
	for _, name := range []string{r.Hostname, r.DomainName} {
		if name != "" && (len(name) > 253 || !dnsName.MatchString(name)) {
			t.Errorf("name %q", name)
		}
	}
	for _, list := range [][]netip.Addr{r.NameServers, r.TimeServers} {
		for _, a := range list {
			if !host(a) || len(list) > 63 {
				t.Errorf("servers %v", list)
			}
		}
	}
	for _, route := range r.Routes {
		if !route.Destination.Addr().Is4() || route.Destination.Bits() < 1 || route.Destination != route.Destination.Masked() ||
			!route.Router.Is4() || len(r.Routes) > 28 {
			t.Errorf("route %v of %d", route, len(r.Routes))
		}
	}
	if r.Lease == 0 || r.VLAN > 4094 || !oneWord.MatchString(r.Arch) {
		t.Errorf("lease %d, VLAN %d, arch %q", r.Lease, r.VLAN, r.Arch)
	}
}

func netboot(t failer, r *reservation.Reservation) {
	t.Helper()
	n := r.Netboot
	if (n.TFTPServerName == "") != (n.BootFileName == "") || len(n.TFTPServerName) > 255 || len(n.BootFileName) > 255 {
		t.Errorf("server %q and file %q", n.TFTPServerName, n.BootFileName)
	}
	if n.IPXEBinary != "" && !fileName.MatchString(n.IPXEBinary) {
		t.Errorf("binary %q", n.IPXEBinary)
	}
	if u, err := url.Parse(n.IPXEURL); n.IPXEURL != "" &&
		(err != nil || u.Host == "" || len(n.IPXEURL) > 255 || strings.Contains(n.IPXEURL, "${") || !oneWord.MatchString(n.IPXEURL)) {
		t.Errorf("URL %q", n.IPXEURL)
	}
	if !oneWord.MatchString(n.Facility) || !oneWord.MatchString(r.AgentID) || len(n.Facility) > 128 || len(r.AgentID) > 128 {
		t.Errorf("facility %q, agent ID %q", n.Facility, r.AgentID)
	}
	for _, s := range append([]string{n.TFTPServerName, n.BootFileName, n.OSIE.BaseURL, n.OSIE.Kernel, n.OSIE.Initrd}, n.OSIE.KernelParams...) {
		if strings.ContainsFunc(s, unicode.IsControl) {
			t.Errorf("control character in %q", s)
		}
	}
}

// extraOptions are few, each one that may be sent and none that Tugboot sets itself.
func extraOptions(t failer, r *reservation.Reservation) {
	t.Helper()
	seen := map[uint8]bool{}
	for _, o := range r.Options {
		if seen[o.Code] || o.Code == 0 || o.Code == 255 || setElsewhere(o.Code) != "" || len(o.Value) < 1 || len(o.Value) > 255 {
			t.Errorf("option %d with %d bytes", o.Code, len(o.Value))
		}
		seen[o.Code] = true
	}
	if len(r.Options) > maxExtra {
		t.Errorf("%d options", len(r.Options))
	}
}

// TestInvariants puts sound and unsound values together at random.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { examine(t, hardware(t)) })
}

func hardware(t *rapid.T) *v1alpha1.Hardware {
	pick := func(label string, sound ...string) string {
		unsound := []string{"", "\n", "x y", "${x}", "ä\u202e", "\xff", strings.Repeat("a", 300), "0.0.0.0", "::1", "255.255.255.255"}
		return rapid.OneOf(rapid.SampledFrom(sound), rapid.SampledFrom(unsound), rapid.String()).Draw(t, label)
	}
	address := func(label string) string {
		return pick(label, "192.168.2.10", "192.168.2.1", "192.168.2.0", "192.168.2.255", "10.0.0.1", "127.0.0.1", "224.0.0.1", "0.1.2.3")
	}
	hw := &v1alpha1.Hardware{}
	if rapid.IntRange(0, 9).Draw(t, "disabled") == 0 {
		hw.Annotations = map[string]string{v1alpha1.AnnotationDisabled: "true"}
	}
	if rapid.Bool().Draw(t, "annotated") {
		line := rapid.Custom(func(*rapid.T) string {
			return pick("code", "1", "6", "26", "150", "226", "254") + ":" + pick("type", "ip", "text", "uint8", "uint32", "hex") + ":" + pick("value", "192.168.2.1", "12", "00ff")
		})
		if hw.Annotations == nil {
			hw.Annotations = map[string]string{}
		}
		hw.Annotations[v1alpha1.AnnotationDHCPOptions] = strings.Join(rapid.SliceOfN(line, 0, 40).Draw(t, "options"), "\n")
	}
	hw.Spec.AgentID = pick("agentID", "", "52:54:00:12:34:56")
	for range rapid.IntRange(0, 3).Draw(t, "interfaces") {
		allow := rapid.Bool().Draw(t, "allow")
		hw.Spec.Interfaces = append(hw.Spec.Interfaces, v1alpha1.Interface{
			DisableDHCP: rapid.IntRange(0, 9).Draw(t, "disableDhcp") == 0,
			DHCP: &v1alpha1.DHCP{
				MAC:      pick("mac", "52:54:00:12:34:56", "52-54-00-12-34-57", "01:00:00:00:00:00", "00:00:00:00:00:00"),
				Hostname: pick("hostname", "wk01", "a.b", "a_b", "-a"), DomainName: pick("domain", "example.com."),
				LeaseTime:   rapid.SampledFrom([]int64{0, 1, -1, math.MaxUint32, math.MaxUint32 + 1, math.MinInt64}).Draw(t, "lease"),
				VLANID:      pick("vlan", "0", "1", "4094", "4095", "1,2"),
				NameServers: rapid.SliceOfN(rapid.Custom(func(*rapid.T) string { return address("server") }), 0, 70).Draw(t, "servers"),
				Arch:        pick("arch", "x86_64"),
				IP: &v1alpha1.IP{
					Address: address("address"), Gateway: address("gateway"), Family: rapid.SampledFrom([]int64{0, 4, 6, 2}).Draw(t, "family"),
					Netmask: pick("netmask", "255.255.255.0", "255.255.255.254", "255.255.255.255", "128.0.0.0", "255.0.255.0"),
				},
				ClasslessStaticRoutes: []v1alpha1.ClasslessStaticRoute{
					{DestinationDescriptor: pick("destination", "10.0.0.0/8", "0.0.0.0/0", "10.0.0.1/8"), Router: address("router")},
					{DestinationDescriptor: "0.0.0.0/0", Router: address("default router")},
				},
				TFTPServerName: pick("server", "", "192.168.2.1"), BootFileName: pick("file", "", "boot.bin"),
			},
			Netboot: &v1alpha1.Netboot{
				AllowPXE: &allow,
				IPXE:     &v1alpha1.IPXE{URL: pick("url", "http://h/x", "file:///x", "http://h:99999/"), Binary: pick("binary", "ipxe.efi", ".."), Contents: pick("contents", "#!ipxe\n")},
				OSIE:     &v1alpha1.OSIE{BaseURL: pick("base", "http://h"), Kernel: pick("kernel", "vmlinuz"), KernelParams: []string{pick("param", "quiet")}},
			},
		})
	}
	return hw
}

// FuzzConvert decodes any JSON that is a Hardware.
func FuzzConvert(f *testing.F) {
	paths, err := filepath.Glob(testdata + "/*.yaml")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no seeds in %s: %v", testdata, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		seed, err := yaml.YAMLToJSON(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		hw := &v1alpha1.Hardware{}
		if json.Unmarshal(text, hw) != nil {
			return // the API server hands out nothing that does not decode
		}
		examine(t, hw)
	})
}
