package offers

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

// network has n machines.
func network(prefix string, n int) render.Network {
	p := netip.MustParsePrefix(prefix)
	w := render.Network{Prefix: p}
	a := p.Addr()
	for range n {
		a = a.Next()
		b := a.As4()
		w.Reservations = append(w.Reservations, &reservation.Reservation{
			MAC: reservation.MAC{2, 0, b[0], b[1], b[2], b[3]}, Address: reservation.PrefixOf(netip.PrefixFrom(a, 8)),
			Settings: &reservation.Settings{Netboot: reservation.Netboot{Allow: true}},
		})
	}
	return w
}

func TestSample(t *testing.T) {
	all := []render.Network{network("10.0.0.0/24", 3), network("10.0.1.0/24", 1), network("10.0.2.0/24", 0), network("10.0.3.0/24", 2)}
	for _, test := range []struct{ here, want string }{
		{"", "10.0.0.1/24 10.0.0.3/24 10.0.1.1/24 10.0.3.1/24 10.0.3.2/24"},
		{"10.0.0.254", "10.0.0.1/24 10.0.0.3/24"},
		{"10.0.2.254", ""},
		{"10.0.1.254 10.0.3.254", "10.0.1.1/24 10.0.3.1/24 10.0.3.2/24"},
	} {
		var here []netip.Addr
		for a := range strings.FieldsSeq(test.here) {
			here = append(here, netip.MustParseAddr(a))
		}
		var got []string
		for _, r := range sample(all, here) {
			got = append(got, r.Address.String())
		}
		if text := strings.Join(got, " "); text != test.want {
			t.Errorf("from %q: %q, want %q", test.here, text, test.want)
		}
	}
	var many []render.Network
	for _, p := range []string{"10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24", "10.0.4.0/24"} {
		many = append(many, network(p, 2))
	}
	if got := sample(many, nil); len(got) != maxMachines {
		t.Errorf("%d machines, want %d", len(got), maxMachines)
	}
}

// The worst comes first, the same fault of many kinds once, in one line.
func TestVerdict(t *testing.T) {
	if err := verdict(nil, 7); err != nil {
		t.Error(err)
	}
	k, x := kindNamed(t, "firmware-bios/0"), kindNamed(t, "tinkerbell/7")
	moved, second, gone := good(k), good(k), good(x)
	moved.Address, second.From, second.ServerID, gone.File = other, other, other, "\n"
	var findings []Finding
	findings = append(findings, judged(k, Intent{Endpoint: endpoint}, good(k), second)...)
	for range 10 {
		findings = append(findings, judged(x, Intent{Endpoint: endpoint}, gone)...)
	}
	findings = append(findings, judged(k, Intent{Endpoint: endpoint}, moved)...)
	text := verdict(findings, 12).Error()
	if !strings.HasPrefix(text, "12 findings in the answers to 12 questions: "+machine.String()+" as firmware-bios/0: address by ") ||
		strings.Count(text, "boot file by") != 1 || !strings.Contains(text, "second DHCP server") || strings.Contains(text, "\n") {
		t.Errorf("%q", text)
	}
}

// Servers that are not expected are told of, and do not count.
func TestForeignServersAreNoticed(t *testing.T) {
	k := kindNamed(t, "firmware-bios/0")
	q := Question{MAC: machine, Kind: k}
	second := good(k)
	second.From, second.ServerID, second.File = other, other, "else"
	var noticed []Finding
	o := Options{Servers: []netip.Addr{server}, Notice: func(f Finding) { noticed = append(noticed, f) }}
	machines := []*reservation.Reservation{reserved}
	if f := o.judge(q, machines, endpoint, []Offer{good(k), second}); len(f) > 0 || len(noticed) != 1 || noticed[0].Server != other {
		t.Errorf("%v, noticed %v", f, noticed)
	}
	if f := o.judge(q, machines, endpoint, []Offer{second}); len(f) != 1 || f[0].Field != FieldAnswer {
		t.Errorf("%v, want that nobody answered", f)
	}
}

func TestVerifierRefuses(t *testing.T) {
	verify := Verifier(Options{Interface: "lo"})
	if err := verify(t.Context(), render.Wanted{}); err != nil {
		t.Errorf("nothing is wanted: %v", err)
	}
	want := render.Wanted{Networks: []render.Network{network("192.0.2.0/24", 2)}}
	if err := verify(t.Context(), want); err == nil || !strings.Contains(err.Error(), "interface lo: it has no address in 192.0.2.0/24") {
		t.Errorf("no network can be reached: %v", err)
	}
	want.Word.Says = takeover.Endpoint{Addr: netip.MustParseAddr("192.0.2.1"), HTTPPort: 80, ScriptPath: "no path"}
	if err := verify(t.Context(), want); err == nil || !strings.Contains(err.Error(), "script path") {
		t.Errorf("no endpoint: %v", err)
	}
}
