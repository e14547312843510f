package inventory

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/tugboot/tugboot/internal/reservation"
)

var samePointers = cmp.Comparer(func(a, b *reservation.Reservation) bool { return a == b })

// differs is how two snapshots differ in anything that they tell.
func differs(a, b *Snapshot) string {
	if diff := cmp.Diff(slices.Collect(a.All()), slices.Collect(b.All()), samePointers); diff != "" {
		return diff
	}
	if a.Len() != b.Len() {
		return fmt.Sprintf("%d and %d reservations", a.Len(), b.Len())
	}
	for r := range a.All() {
		byMAC, ok1 := b.ByMAC(r.MAC)
		byAddress, ok2 := b.ByAddress(r.Address.Addr())
		if !ok1 || !ok2 || byMAC != r || byAddress != r {
			return r.MAC.String() + " is found otherwise"
		}
	}
	return cmp.Diff(a.Conflicts(), b.Conflicts(), samePointers, cmpopts.EquateEmpty())
}

// TestWithIsNewOfAll: whatever comes and goes, a snapshot made of another is the one made afresh, and the other stays what it
// was.
func TestWithIsNewOfAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pool := drawClaims(t, 40)
		var stand []*reservation.Reservation
		s := New(nil)
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			var removed, added []*reservation.Reservation
			for _, r := range pool {
				switch stands := slices.Contains(stand, r); {
				case !rapid.Bool().Draw(t, "change"):
				case stands:
					removed = append(removed, r)
				default:
					added = append(added, r)
				}
			}
			before := New(stand)
			next := s.With(removed, added)
			if diff := differs(before, s); diff != "" {
				t.Fatalf("the old snapshot was changed:\n%s", diff)
			}
			stand = slices.DeleteFunc(slices.Concat(stand, added), func(r *reservation.Reservation) bool { return slices.Contains(removed, r) })
			if diff := differs(New(stand), next); diff != "" {
				t.Fatalf("(-new +with):\n%s", diff)
			}
			s = next
		}
	})
}

func TestWithPassesOverWhatItWasNotMadeOf(t *testing.T) {
	held, stranger := claim("a", 1, 1, "192.168.2.10"), claim("b", 1, 1, "192.168.2.10")
	s := New([]*reservation.Reservation{held})
	if diff := differs(s, s.With([]*reservation.Reservation{stranger}, nil)); diff != "" {
		t.Error(diff)
	}
}

// hall is n machines.
func hall(n int) []*reservation.Reservation {
	claims := make([]*reservation.Reservation, n)
	for i := range claims {
		c := claim("m", int64(i), 0, "10.0.0.1")
		c.MAC = reservation.MAC{0x52, 0, 0, byte(i >> 16), byte(i >> 8), byte(i)}
		c.Address = reservation.PrefixOf(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 8))
		claims[i] = c
	}
	return claims
}

func BenchmarkByMAC(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			claims := hall(n)
			s := New(claims)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, ok := s.ByMAC(claims[i*7919%n].MAC); !ok {
					b.Fatal("lost a reservation")
				}
			}
		})
	}
}

func BenchmarkChangeOne(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			claims := hall(n)
			s := New(claims)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				old := claims[i*7919%n]
				fresh := *old
				s = s.With([]*reservation.Reservation{old}, []*reservation.Reservation{&fresh})
				claims[i*7919%n] = &fresh
			}
		})
	}
}

// BenchmarkNew tells what a snapshot takes besides its reservations.
func BenchmarkNew(b *testing.B) {
	claims := hall(1_000_000)
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		s := New(claims)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB/snapshot")
		runtime.KeepAlive(s)
	}
}
