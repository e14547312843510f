package dnsmasq

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

var update = flag.Bool("update", false, "write the golden files anew")

const bootFiles = "bios=undionly.kpxe uefi-arm64=snp-arm64.efi uefi-x86-64=ipxe.efi"

func word(cluster, address string) render.Word {
	return render.Word{
		Mark: takeover.Mark{Cluster: cluster, Fence: takeover.Fence{Born: 1700000000, Epoch: 3}, Identity: "8a4cf8c5"},
		Says: takeover.Endpoint{Addr: netip.MustParseAddr(address), TFTPPort: 69, HTTPPort: 7171, ScriptPath: "/ipxe/script/auto.ipxe", BootFiles: bootFiles},
	}
}

func machine(mac byte, address, gateway string) *reservation.Reservation {
	r := &reservation.Reservation{
		Source: reservation.Source{Namespace: "eksa-system", Name: "node" + string('0'+rune(mac))}, MAC: reservation.MAC{0x02, 0, 0, 0, 0x0a, mac},
		Address: netip.MustParsePrefix(address), Hostname: "node" + string('0'+rune(mac)), Lease: reservation.DefaultLease,
		NameServers: []netip.Addr{netip.MustParseAddr("192.168.2.53"), netip.MustParseAddr("1.1.1.1")},
		Netboot:     reservation.Netboot{Allow: true},
	}
	if gateway != "" {
		r.Gateway = netip.MustParseAddr(gateway)
	}
	return r
}

// site is a cluster with three machines in two subnets: one with an infinite lease and routes, one without a gateway.
func site(w render.Word, third byte) render.Wanted {
	first, second, lone := machine(third*3+1, "192.168.2.101/24", "192.168.2.254"), machine(third*3+2, "192.168.2.102/24", "192.168.2.254"), machine(third*3+3, "10.7.0.10/24", "")
	if third > 0 {
		first.Address, second.Address, lone.Address = netip.MustParsePrefix("192.168.2.111/24"), netip.MustParsePrefix("192.168.2.112/24"), netip.MustParsePrefix("10.7.0.11/24")
	}
	first.DomainName, second.DomainName = "lab.example", "lab.example"
	second.Lease, second.TimeServers = reservation.Infinite, []netip.Addr{netip.MustParseAddr("192.168.2.9")}
	second.Routes = []reservation.Route{{Destination: netip.MustParsePrefix("10.0.0.0/8"), Router: netip.MustParseAddr("192.168.2.1")}}
	lone.VLAN, lone.Netboot.IPXEURL = 7, "http://192.168.2.1/own.ipxe"
	return render.Wanted{Word: w, Networks: []render.Network{
		{Prefix: netip.MustParsePrefix("10.7.0.0/24"), Reservations: []*reservation.Reservation{lone}},
		{Prefix: netip.MustParsePrefix("192.168.2.0/24"), Reservations: []*reservation.Reservation{first, second}},
	}}
}

func mustRender(t *testing.T, w render.Wanted) render.Output {
	t.Helper()
	out, err := Render(w)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestGoldens(t *testing.T) {
	for name, w := range map[string]render.Wanted{
		"lab":     site(word("lab", "192.168.2.2"), 0),
		"edge":    site(word("edge", "192.168.2.3"), 1),
		"nothing": {Word: render.Word{Mark: takeover.Mark{Cluster: "nothing"}}},
	} {
		t.Run(name, func(t *testing.T) {
			out := mustRender(t, w)
			var problems strings.Builder
			for _, p := range out.Problems {
				problems.WriteString(p.Reason + " " + p.Error() + "\n")
			}
			files := []render.File{{Name: name + ".whole.conf", Text: out.Whole}, out.Operator, {Name: name + ".problems", Text: problems.String()}}
			for _, f := range append(files, out.Live...) {
				golden(t, f)
			}
			if again := mustRender(t, w); cmp.Diff(out, again) != "" {
				t.Error("the same Wanted made other bytes")
			}
		})
	}
}

func golden(t *testing.T, f render.File) {
	t.Helper()
	path := filepath.Join("testdata", f.Name)
	if *update {
		if err := os.WriteFile(path, []byte(f.Text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), f.Text); diff != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", path, diff)
	}
}

func TestRefusedWords(t *testing.T) {
	for name, change := range map[string]func(*render.Wanted){
		"cluster with a line":  func(w *render.Wanted) { w.Word.Mark.Cluster = "a\nb" },
		"no cluster":           func(w *render.Wanted) { w.Word.Mark.Cluster = "" },
		"script with a quote":  func(w *render.Wanted) { w.Word.Says.ScriptPath = `/a";b` },
		"boot files":           func(w *render.Wanted) { w.Word.Says.BootFiles = "bios=a b" },
		"IPv6 network":         func(w *render.Wanted) { w.Networks[0].Prefix = netip.MustParsePrefix("2001:db8::/64") },
		"network of host bits": func(w *render.Wanted) { w.Networks[0].Prefix = netip.MustParsePrefix("10.7.0.1/24") },
	} {
		w := site(word("lab", "192.168.2.2"), 0)
		change(&w)
		if out, err := Render(w); err == nil {
			t.Errorf("%s: rendered as\n%s", name, out.Whole)
		}
	}
}

func live(out render.Output) map[string]string {
	files := map[string]string{}
	for _, f := range out.Live {
		files[f.Name] = f.Text
	}
	return files
}

func TestWhatIsRenderedPassesTheCheckAndStands(t *testing.T) {
	w := site(word("lab", "192.168.2.2"), 0)
	out := mustRender(t, w)
	for _, f := range out.Live {
		if err := Check(f.Name, f.Text); err != nil {
			t.Error(err)
		}
		if err := Check("other-"+f.Name, f.Text); err == nil {
			t.Errorf("%s passes under another name", f.Name)
		}
	}
	got, n, drift, drifts, err := Standing(live(out), w)
	if got != w.Word || n != 3 || drift != nil || drifts != 0 || err != nil {
		t.Errorf("standing %v, %d reservations, drift %q (%d), error %v", got, n, drift, drifts, err)
	}
	higher := w
	higher.Word.Mark.Fence.Epoch++
	if got, _, drift, drifts, err = Standing(live(out), higher); got != w.Word || drifts != 0 || err != nil {
		t.Errorf("another epoch alone: %v, drift %q, error %v", got, drift, err)
	}
	if got, n, _, drifts, err = Standing(nil, w); got != (render.Word{}) || n != 0 || drifts != len(out.Live) || err != nil {
		t.Errorf("no files: %v, %d reservations, %d drifts, error %v", got, n, drifts, err)
	}
	for name := range live(out) {
		foreign := live(out)
		foreign[name] = strings.ReplaceAll(foreign[name], `"cluster":"lab"`, `"cluster":"edge"`)
		if _, _, _, _, err := Standing(foreign, w); err == nil {
			t.Errorf("%s with another cluster's mark is taken for ours", name)
		}
		if _, _, _, _, err := Standing(map[string]string{name: ""}, w); err == nil {
			t.Errorf("%s without a mark is taken for ours", name)
		}
	}
}

// edit replaces old in the live file that holds it.
func edit(t *testing.T, files map[string]string, old, with string) {
	t.Helper()
	for name, text := range files {
		if strings.Contains(text, old) {
			files[name] = strings.Replace(text, old, with, 1)
			return
		}
	}
	t.Fatalf("no file holds %q", old)
}

func checkAll(files map[string]string) error {
	for _, name := range slices.Sorted(keysOf(files)) {
		if err := Check(name, files[name]); err != nil {
			return err
		}
	}
	return nil
}

func keysOf(files map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range files {
			if !yield(name) {
				return
			}
		}
	}
}
