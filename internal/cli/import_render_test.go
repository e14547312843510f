package cli

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/render/dnsmasq"
	"github.com/tugboot/tugboot/internal/render/isc"
	"github.com/tugboot/tugboot/internal/render/kea"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

// What Tugboot rendered is read again as the same reservations.
func TestImportReadsWhatIsRendered(t *testing.T) {
	var machines []*reservation.Reservation
	for i := range byte(3) {
		machines = append(machines, &reservation.Reservation{
			Source: reservation.Source{Name: "node"}, MAC: reservation.MAC{0x52, 0x54, 0, 0, 0, i + 1}, Address: reservation.PrefixOf(netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 168, 2, 11 + i}), 24)), Hostname: "node-" + string('a'+rune(i)),
			Settings: &reservation.Settings{DomainName: "lab.example", Lease: 3600, Gateway: netip.MustParseAddr("192.168.2.1"), NameServers: []netip.Addr{netip.MustParseAddr("192.168.2.2"), netip.MustParseAddr("192.168.2.3")}, TimeServers: []netip.Addr{netip.MustParseAddr("192.168.2.4")}, Routes: []reservation.Route{{Destination: netip.MustParsePrefix("10.20.0.0/14"), Router: netip.MustParseAddr("192.168.2.9")}}},
		})
	}
	want := render.Wanted{
		Word:     render.Word{Mark: takeover.Mark{Cluster: "lab", Fence: takeover.Fence{Born: 1764000000, Epoch: 2}}},
		Networks: []render.Network{{Prefix: netip.MustParsePrefix("192.168.2.0/24"), Reservations: machines}},
	}
	for daemon, renderer := range map[string]func(render.Wanted) (render.Output, error){"dnsmasq": dnsmasq.Render, "isc": isc.Render, "kea": kea.Render} {
		out, err := renderer(want)
		if err != nil {
			t.Fatal(err)
		}
		parse, known := parserOf(daemon)
		if !known {
			t.Fatal(daemon)
		}
		got := parse("whole", out.Whole, func(string) (string, error) { return "", errors.New("includes nothing") })
		if len(got.syntax)+len(got.left) > 0 || len(got.hosts) != len(machines) {
			t.Fatalf("%s: %v %v: %d machines in\n%s", daemon, got.syntax, got.left, len(got.hosts), out.Whole)
		}
		for i, h := range got.hosts {
			m, s := machines[i], h.Settings
			same := h.MAC == m.MAC && h.Address == m.Address.Addr() && h.Name == m.Hostname && h.Network.Prefix == m.Address.Masked() &&
				s.Lease == m.Lease && s.Domain == m.DomainName && slices.Equal(s.Routers, []netip.Addr{m.Gateway}) &&
				slices.Equal(s.NameServers, m.NameServers) && slices.Equal(s.TimeServers, m.TimeServers)
			if !same || !slices.Equal(s.Routes, m.Routes) {
				t.Errorf("%s: %+v\nwas read of\n%s", daemon, h, strings.Join(grep(out.Whole, m.MAC.String()), "\n"))
			}
		}
	}
}

func grep(text, word string) []string {
	return slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return !strings.Contains(line, word) })
}
