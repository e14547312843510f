package render

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tugboot/tugboot/internal/reservation"
)

func at(n byte, address string) *reservation.Reservation {
	return &reservation.Reservation{
		Source: reservation.Source{Namespace: "ns", Name: "m"}, MAC: reservation.MAC{2, 0, 0, 0, 0, n}, Address: reservation.MustParsePrefix(address),
		Settings: &reservation.Settings{Lease: 60},
	}
}

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func TestWantSortsIntoSubnets(t *testing.T) {
	a, b, c := at(1, "10.0.1.5/24"), at(2, "10.0.2.5/24"), at(3, "192.168.2.5/24")
	tests := []struct {
		name     string
		subnets  []netip.Prefix
		networks string
		counts   []int
		outside  int
		problems int
	}{
		{"their own subnets", nil, "[10.0.1.0/24 10.0.2.0/24 192.168.2.0/24]", []int{1, 1, 1}, 0, 0},
		{"one of them", prefixes("10.0.2.0/24"), "[10.0.2.0/24]", []int{1}, 2, 0},
		{"an empty one", prefixes("10.0.9.0/24"), "[10.0.9.0/24]", []int{0}, 3, 0},
		{"a wider one, and others within", prefixes("10.0.1.0/24", "10.0.0.0/16", "10.0.2.0/24"), "[10.0.0.0/16]", []int{2}, 1, 2},
		{"twice the same", prefixes("192.168.2.0/24", "192.168.2.0/24"), "[192.168.2.0/24]", []int{1}, 2, 0},
		{"unsorted", prefixes("192.168.2.0/24", "10.0.1.0/24"), "[10.0.1.0/24 192.168.2.0/24]", []int{1, 1}, 1, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w, outside, problems := Want(lab(), slices.Values([]*reservation.Reservation{a, b, c}), test.subnets)
			var networks []netip.Prefix
			var counts []int
			for _, n := range w.Networks {
				networks = append(networks, n.Prefix)
				counts = append(counts, len(n.Reservations))
			}
			if got := texts(networks); got != test.networks || !slices.Equal(counts, test.counts) || outside != test.outside || len(problems) != test.problems {
				t.Errorf("networks %s with %v, %d outside, %d problems; want %s with %v, %d, %d", got, counts, outside, len(problems),
					test.networks, test.counts, test.outside, test.problems)
			}
			for _, p := range problems {
				if p.Reason != ReasonNetmaskDiffers || p.Field != "spec.interfaces[0].dhcp.ip.netmask" || p.Remedy == "" {
					t.Errorf("problem %+v", p)
				}
			}
		})
	}
}

func texts(all []netip.Prefix) string {
	text := "["
	for i, p := range all {
		if i > 0 {
			text += " "
		}
		text += p.String()
	}
	return text + "]"
}

// TestWantLosesNothing: each reservation stands in one network or is counted as outside, and no two networks overlap.
func TestWantLosesNothing(t *testing.T) {
	subnet := rapid.Custom(func(t *rapid.T) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, rapid.ByteRange(0, 1).Draw(t, "b"), rapid.ByteRange(0, 3).Draw(t, "c"), 0}), rapid.IntRange(8, 30).Draw(t, "bits")).Masked()
	})
	rapid.Check(t, func(t *rapid.T) {
		var all []*reservation.Reservation
		for i := range rapid.IntRange(0, 12).Draw(t, "n") {
			address := netip.AddrFrom4([4]byte{10, rapid.ByteRange(0, 1).Draw(t, "b"), rapid.ByteRange(0, 3).Draw(t, "c"), byte(i + 1)})
			all = append(all, at(byte(i), netip.PrefixFrom(address, 24).String()))
		}
		w, outside, _ := Want(lab(), slices.Values(all), rapid.SliceOfN(subnet, 0, 5).Draw(t, "subnets"))
		if w.Reservations()+outside != len(all) {
			t.Fatalf("%d wanted and %d outside of %d", w.Reservations(), outside, len(all))
		}
		for i, n := range w.Networks {
			for _, other := range w.Networks[i+1:] {
				if n.Prefix.Overlaps(other.Prefix) || !n.Prefix.Addr().Less(other.Prefix.Addr()) {
					t.Fatalf("%s and %s", n.Prefix, other.Prefix)
				}
			}
			for j, r := range n.Reservations {
				if !n.Prefix.Contains(r.Address.Addr()) || j > 0 && slices.Compare(n.Reservations[j-1].MAC[:], r.MAC[:]) >= 0 {
					t.Fatalf("%s in %s", r.Address, n.Prefix)
				}
			}
		}
	})
}

func TestNotCarriedNamesTheField(t *testing.T) {
	p := NotCarried(at(1, "10.0.0.1/24"), "dhcp.lease_time", "5", "the machine is told 120")
	if got, want := p.Error(), `ns/m: spec.interfaces[0].dhcp.lease_time "5": the machine is told 120`; got != want || p.Reason != ReasonNotCarried || p.Fatal {
		t.Errorf("%s, want %s; %+v", got, want, p)
	}
}

func TestBootSettingsOfOneMachineAreNotCarried(t *testing.T) {
	r := at(1, "10.0.0.1/24")
	if got := BootNotCarried(r, true); got != nil {
		t.Errorf("a plain machine: %v", got)
	}
	r.VLAN, r.MAC = 7, reservation.MAC{0xdc, 0xa6, 0x32, 0, 0, 1}
	r.Netboot = reservation.Netboot{Allow: true, TFTPServerName: "t", BootFileName: "b", IPXEBinary: "i", IPXEURL: "u", IPXEContents: "c"}
	if got := BootNotCarried(r, true); len(got) != 7 {
		t.Errorf("%d problems, want 7: %v", len(got), got)
	}
	if got := BootNotCarried(r, false); len(got) != 6 {
		t.Errorf("with nothing to boot %d problems, want 6: %v", len(got), got)
	}
	r.Options = []reservation.Option{{Code: 150, Value: []byte{1}}}
	if got := BootNotCarried(r, false); len(got) != 7 || !strings.Contains(got[1].Error(), `dhcp-options] "150"`) {
		t.Errorf("with an option of its own: %v", got)
	}
}

func TestDriftNamesLines(t *testing.T) {
	var d Drift
	key := func(line string) string { return line[:1] }
	d.Compare("f", "# tugboot-mark: {}\nb 1\na 1\nx 9\n", "# tugboot-mark: {\"other\":1}\na 1\nb 2\nc 3\n", key)
	want := []string{`f line 2: "b": "1" stands there, wanted "2"`, `f line 3: "a 1" stands after line "b 2", wanted before it`,
		`f line 4: "x 9" stands there and is not wanted`, `f: no line for "c", wanted "c 3"`}
	if !slices.Equal(d.Sentences, want) || d.Count != 4 {
		t.Errorf("%d: %q\nwant %q", d.Count, d.Sentences, want)
	}
	for range 100 {
		d.Add("again")
	}
	if len(d.Sentences) != MaxDrift || d.Count != 104 {
		t.Errorf("%d sentences of %d", len(d.Sentences), d.Count)
	}
}
