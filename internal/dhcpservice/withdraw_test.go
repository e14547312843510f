package dhcpservice

import (
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// hall is a Wanted of machines, each written as its number; machine n has the MAC n and the address n unless moved says
// another.
func hall(moved map[byte]byte, numbers ...byte) render.Wanted {
	w := render.Wanted{Word: word(1), Networks: []render.Network{{Prefix: netip.MustParsePrefix("10.0.0.0/24")}}}
	for _, n := range numbers {
		address := n
		if other, found := moved[n]; found {
			address = other
		}
		w.Networks[0].Reservations = append(w.Networks[0].Reservations, &reservation.Reservation{
			MAC: reservation.MAC{2, 0, 0, 0, 0, n}, Address: reservation.PrefixOf(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, address}), 24)),
			Settings: &reservation.Settings{Lease: 60},
		})
	}
	return w
}

func numbersIn(w render.Wanted) string {
	var text []byte
	for _, network := range w.Networks {
		for _, r := range network.Reservations {
			text = append(text, '0'+r.MAC[5])
		}
	}
	return string(text)
}

func TestWithdraw(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	gone := func(ago time.Duration, numbers ...byte) map[reservation.MAC]time.Time {
		leaving := map[reservation.MAC]time.Time{}
		for _, n := range numbers {
			leaving[reservation.MAC{2, 0, 0, 0, 0, n}] = now.Add(-ago)
		}
		return leaving
	}
	tests := []struct {
		name          string
		fresh, before render.Wanted
		leaving       map[reservation.MAC]time.Time
		allowed       int
		want          string
		stay          int
		withheld      int
	}{
		{"nothing before", hall(nil, 1, 2), render.Wanted{}, nil, 0, "12", 0, 0},
		{"one is deleted", hall(nil, 1), hall(nil, 1, 2), nil, 0, "12", 1, 0},
		{"its grace is not over", hall(nil, 1), hall(nil, 1, 2), gone(Grace-time.Second, 2), 0, "12", 1, 0},
		{"its grace is over", hall(nil, 1), hall(nil, 1, 2), gone(Grace, 2), 0, "1", 0, 0},
		{"a restart begins the grace anew", hall(nil, 1), hall(nil, 1, 2), nil, 5, "12", 1, 0},
		{"it comes back", hall(nil, 1, 2), hall(nil, 1, 2), gone(2*Grace, 2), 0, "12", 0, 0},
		{"more than one in five", hall(nil, 1), hall(nil, 1, 2, 3), gone(Grace, 2, 3), 0, "123", 2, 2},
		{"one in five", hall(nil, 1, 2, 3, 4, 5, 6, 7, 8), hall(nil, 9, 8, 7, 6, 5, 4, 3, 2, 1, 10), gone(time.Hour, 9, 10), 0, "12345678", 0, 0},
		{"one more than that", hall(nil, 1, 2, 3, 4, 5, 6, 7), hall(nil, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), gone(time.Hour, 8, 9, 10), 0, "123456789:", 3, 3},
		{"a person allows too few", hall(nil, 1), hall(nil, 1, 2, 3), gone(Grace, 2, 3), 1, "123", 2, 2},
		{"a person allows it", hall(nil, 1), hall(nil, 1, 2, 3), gone(Grace, 2, 3), 2, "1", 0, 0},
		{"a MAC has another address", hall(map[byte]byte{1: 7}, 1), hall(nil, 1), nil, 0, "1", 0, 0},
		{"an address has another MAC", hall(map[byte]byte{3: 2}, 1, 3), hall(nil, 1, 2), nil, 0, "13", 0, 0},
		{"all are deleted", hall(nil), hall(nil, 1, 2), nil, 0, "12", 2, 0},
		{"the subnet is not served any more", render.Wanted{Word: word(1)}, hall(nil, 1, 2), nil, 0, "", 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Withdraw(test.fresh, test.before, test.leaving, now, test.allowed)
			if numbersIn(got.Want) != test.want || len(got.Leaving) != test.stay || got.Withheld != test.withheld {
				t.Errorf("machines %q, %d leaving, %d withheld; want %q, %d, %d",
					numbersIn(got.Want), len(got.Leaving), got.Withheld, test.want, test.stay, test.withheld)
			}
		})
	}
}

// TestWithdrawKeepsWhatHardwareSays: whatever was there before, each reservation of the Hardware is ordered once, no MAC or
// address is ordered twice, and nothing leaves before it was gone for the grace.
func TestWithdrawKeepsWhatHardwareSays(t *testing.T) {
	numbers := rapid.SliceOfNDistinct(rapid.ByteRange(1, 40), 0, 20, rapid.ID[byte])
	rapid.Check(t, func(t *rapid.T) {
		fresh, before := hall(nil, numbers.Draw(t, "fresh")...), hall(nil, numbers.Draw(t, "before")...)
		got := Withdraw(fresh, before, nil, time.Unix(1, 0), 100)
		macs, addresses := claims(got.Want)
		if n := got.Want.Reservations(); len(macs) != n || len(addresses) != n {
			t.Fatalf("%d reservations, %d MACs, %d addresses", n, len(macs), len(addresses))
		}
		for _, w := range []render.Wanted{fresh, before} {
			for _, r := range w.Networks[0].Reservations {
				if !macs[r.MAC] {
					t.Fatalf("%s is not ordered", r.MAC)
				}
			}
		}
		if _, err := (Order{Type: "Kea", Want: got.Want}).Pack(); err != nil {
			t.Fatal(err)
		}
	})
}
