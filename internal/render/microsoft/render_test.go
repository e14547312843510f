package microsoft

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

var update = flag.Bool("update", false, "write the golden files anew")

func aWord() render.Word {
	return render.Word{
		Mark: takeover.Mark{Cluster: "lab", Fence: takeover.Fence{Born: 1764000000, Epoch: 2}},
		Says: takeover.Endpoint{
			Addr: netip.MustParseAddr("192.168.2.112"), TFTPPort: 69, HTTPPort: 7171, ScriptPath: boot.DefaultScriptPath,
			BootFiles: "bios=undionly.kpxe uefi-arm64=snp-arm64.efi uefi-x86-64=ipxe.efi",
		},
	}
}

func aReservation(last byte) *reservation.Reservation {
	return &reservation.Reservation{
		Source: reservation.Source{Namespace: "eksa-system", Name: "node-" + string('a'+rune(last)), Interface: 0}, MAC: reservation.MAC{0x52, 0x54, 0, 0, 0, last}, Address: reservation.PrefixOf(netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 168, 2, 10 + last}), 24)),
		Settings: &reservation.Settings{Lease: reservation.DefaultLease},
	}
}

func full() render.Wanted {
	plain, rich := aReservation(0), aReservation(1)
	rich.Hostname, rich.DomainName, rich.Gateway = "node-b", "lab.example", netip.MustParseAddr("192.168.2.1")
	rich.NameServers = []netip.Addr{netip.MustParseAddr("192.168.2.2"), netip.MustParseAddr("192.168.2.3")}
	rich.TimeServers = []netip.Addr{netip.MustParseAddr("192.168.2.4")}
	rich.Routes = []reservation.Route{{Destination: netip.MustParsePrefix("10.20.0.0/14"), Router: netip.MustParseAddr("192.168.2.9")}}
	rich.VLAN, rich.Netboot.IPXEURL = 7, "http://192.168.2.5/own.ipxe"
	return render.Wanted{Word: aWord(), Networks: []render.Network{
		{Prefix: netip.MustParsePrefix("192.168.2.0/24"), Reservations: []*reservation.Reservation{plain, rich}},
		{Prefix: netip.MustParsePrefix("192.168.64.0/18")},
	}}
}

func rendered(t *testing.T, w render.Wanted) render.Output {
	t.Helper()
	out, err := Render(w)
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(out.Whole); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestGolden(t *testing.T) {
	nothing := full()
	nothing.Word.Says = takeover.Endpoint{}
	for name, w := range map[string]render.Wanted{"full": full(), "no-machines": {Word: aWord()}, "nothing-to-boot": nothing} {
		out := rendered(t, w)
		for kind, text := range map[string]string{"ps1": strings.TrimSuffix(out.Whole, apply), "txt": out.Operator.Text} {
			file := filepath.Join("testdata", name+"."+kind)
			if *update {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), text); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		}
		if !strings.HasSuffix(out.Whole, apply) || len(out.Live) != 1 || out.Live[0].Text != out.Whole || out.Live[0].Name != "tugboot-lab-dhcp.ps1" {
			t.Errorf("%s: live files %v", name, out.Live)
		}
		if word, found, err := render.WordIn(out.Whole, comment); !found || err != nil || word != w.Word {
			t.Errorf("%s: the script's mark is %v, %v, %v", name, word, found, err)
		}
	}
}

func TestProblems(t *testing.T) {
	w := full()
	n := &w.Networks[0].Reservations[0].Netboot
	n.TFTPServerName, n.BootFileName, n.IPXEBinary, n.IPXEContents = "boot.example", "own.efi", "snponly.efi", "#!ipxe\n"
	pi := aReservation(2)
	pi.MAC, pi.Netboot.Allow = reservation.MAC{0xb8, 0x27, 0xeb, 0, 0, 1}, true
	w.Networks[1].Reservations = append(w.Networks[1].Reservations, pi)
	var got []string
	for _, p := range rendered(t, w).Problems {
		if p.Reason != render.ReasonNotCarried {
			t.Errorf("reason %s", p.Reason)
		}
		got = append(got, p.Source.Name+" "+p.Field+" "+p.Value)
	}
	want := []string{
		"node-a spec.interfaces[0].dhcp.tftp_server_name boot.example", "node-a spec.interfaces[0].dhcp.boot_file_name own.efi",
		"node-a spec.interfaces[0].netboot.ipxe.binary snponly.efi", "node-a spec.interfaces[0].netboot.ipxe.contents #!ipxe\n",
		"node-b spec.interfaces[0].dhcp.vlan_id 7", "node-b spec.interfaces[0].netboot.ipxe.url http://192.168.2.5/own.ipxe",
		"node-c spec.interfaces[0].dhcp.mac b8:27:eb:00:00:01",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// TestEveryRuleIsAPolicy: the policies are the rules of the table in its order, with what Decide says.
func TestEveryRuleIsAPolicy(t *testing.T) {
	rules, err := aWord().Rules()
	if err != nil {
		t.Fatal(err)
	}
	all, classes, err := policies(aWord())
	if err != nil {
		t.Fatal(err)
	}
	data := map[string]string{}
	for _, c := range classes {
		if !c.listed {
			data[c.key] = c.data
		}
	}
	for _, rule := range rules {
		if isOldIPXE(rule) {
			continue
		}
		if len(all) == 0 || all[0].name != "tugboot-lab-"+rule.Name {
			t.Fatalf("%s: the next policy is %v", rule.Name, all)
		}
		p := all[0]
		all = all[1:]
		if rule.Client.UserClass != "" && (len(p.user) != 2 || data[p.user[0]] != rule.Client.UserClass) {
			t.Errorf("%s: user classes %v", rule.Name, p.user)
		}
		if len(p.vendor) != len(rule.Archs) {
			t.Errorf("%s: %d vendor classes for %d architectures", rule.Name, len(p.vendor), len(rule.Archs))
		}
		values := map[int]string{}
		for _, o := range p.options {
			values[o.id] = o.values[0]
		}
		want := map[int]string{66: "192.168.2.112", 67: rule.Decision.BootFile}
		if rule.Client.VendorClass == boot.VendorHTTPClient {
			want[60] = "HTTPClient"
		}
		if diff := cmp.Diff(want, values); diff != "" {
			t.Errorf("%s: options (-want +got):\n%s", rule.Name, diff)
		}
	}
	if len(all) > 0 {
		t.Errorf("policies of no rule: %v", all)
	}
}

func TestVendorClassesNameTheArchitecture(t *testing.T) {
	out := rendered(t, full())
	for _, want := range []string{"'PXEClient:Arch:00000'", "'PXEClient:Arch:00007'", "'PXEClient:Arch:00009'", "'PXEClient:Arch:00011'", "'HTTPClient:Arch:00016'", "'{0}{1}' -f [char] 10, 'Tinkerbell'"} {
		if !strings.Contains(out.Whole, want) {
			t.Errorf("no class with the data %s", want)
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	long := full()
	long.Word.Mark.Cluster = strings.Repeat("a", 50)
	word := full()
	word.Word.Says.BootFiles = "bios=a b"
	control := full()
	control.Networks[0].Reservations[0].Hostname = "a\n"
	curly := full()
	curly.Networks[0].Reservations[0].DomainName = "a\u2019; Remove-Item"
	for says, w := range map[string]render.Wanted{
		"is longer than the 64 characters": long, "boot files": word, `"a\n": character 2`: control, `"a\u2019; Remove-Item": character 2`: curly,
	} {
		out, err := Render(w)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") || out.Whole != "" {
			t.Errorf("error %v, want one line that says %q", err, says)
		}
	}
}

// A source's name only describes: what cannot be printed does not stand in the way of a machine.
func TestSourceIsMadePrintable(t *testing.T) {
	w := full()
	w.Networks[0].Reservations[0].Source = reservation.Source{Name: "a\nb'\u2019" + strings.Repeat("x", 300)}
	if out := rendered(t, w); !strings.Contains(out.Whole, "Source = 'a?b''?"+strings.Repeat("x", maxSource-5)+"'") {
		t.Error("the description is not what it should be")
	}
}
