package inventory

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tugboot/tugboot/internal/reservation"
)

func claim(name string, created int64, mac byte, address string) *reservation.Reservation {
	return &reservation.Reservation{
		Source: reservation.Source{Namespace: "eksa-system", Name: name, Created: created}, MAC: reservation.MAC{0x52, 0x54, 0, 0, 0, mac}, Address: reservation.MustParsePrefix(address + "/24"),
		Settings: &reservation.Settings{Lease: reservation.DefaultLease},
	}
}

func TestOlderClaimKeepsWhatTwoClaim(t *testing.T) {
	old, young := claim("z-old", 100, 1, "192.168.2.10"), claim("a-young", 200, 1, "192.168.2.11")
	sameAddress := claim("b-young", 300, 2, "192.168.2.10")
	s := New([]*reservation.Reservation{sameAddress, young, old})

	if got, ok := s.ByMAC(old.MAC); !ok || got != old {
		t.Errorf("ByMAC = %v, %v; want the older", got, ok)
	}
	if _, ok := s.ByAddress(young.Address.Addr()); ok {
		t.Error("the refused claim's address is served")
	}
	if _, ok := s.ByMAC(sameAddress.MAC); ok {
		t.Error("one address has two holders")
	}
	want := []Conflict{{Refused: young, Holder: old}, {Refused: sameAddress, Holder: old, Address: true}}
	if diff := cmp.Diff(want, s.Conflicts(), cmp.Comparer(func(a, b *reservation.Reservation) bool { return a == b })); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
}

func TestRefusedClaimLeavesItsAddressToOthers(t *testing.T) {
	first, refused := claim("a", 1, 1, "192.168.2.10"), claim("b", 2, 1, "192.168.2.20")
	heir := claim("c", 3, 3, "192.168.2.20")
	s := New([]*reservation.Reservation{first, refused, heir})
	if got, ok := s.ByAddress(heir.Address.Addr()); !ok || got != heir {
		t.Errorf("192.168.2.20 is held by %v, %v: a refused claim must hold nothing", got, ok)
	}
}

func TestConflictProblemNamesBothAndTheRemedy(t *testing.T) {
	s := New([]*reservation.Reservation{claim("a", 1, 1, "192.168.2.10"), claim("b", 2, 2, "192.168.2.10")})
	p := s.Conflicts()[0].Problem()
	if p.Reason != ReasonConflict || !p.Fatal {
		t.Errorf("reason %q, fatal %v", p.Reason, p.Fatal)
	}
	for _, want := range []string{"eksa-system/b", "spec.interfaces[0].dhcp.ip.address", `"192.168.2.10"`, "eksa-system/a interfaces[0]", "change one"} {
		if !strings.Contains(p.Error(), want) {
			t.Errorf("%q does not say %q", p.Error(), want)
		}
	}
}

// drawClaims are n claims to few MACs and few addresses.
func drawClaims(t *rapid.T, n int) []*reservation.Reservation {
	claims := make([]*reservation.Reservation, n)
	for i := range claims {
		claims[i] = claim(string(rune('a'+i%26))+string(rune('a'+i/26)),
			rapid.Int64Range(0, 3).Draw(t, "created"), rapid.ByteRange(0, 9).Draw(t, "mac"),
			netip.AddrFrom4([4]byte{192, 168, 2, rapid.ByteRange(1, 9).Draw(t, "address")}).String())
	}
	return claims
}

func TestSnapshotIsConsistentAndIgnoresOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(t, "claims")
		claims := drawClaims(t, n)
		s := New(claims)
		shuffled := slices.Clone(claims)
		rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "seed"))).Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if again := New(shuffled); !slices.Equal(slices.Collect(s.All()), slices.Collect(again.All())) {
			t.Fatal("the order of claims changed the snapshot")
		}
		addresses := map[netip.Addr]bool{}
		var last reservation.MAC
		for r := range s.All() {
			if !last.IsZero() && last.Compare(r.MAC) >= 0 {
				t.Fatal("not sorted by MAC, or a MAC twice")
			}
			last = r.MAC
			if addresses[r.Address.Addr()] {
				t.Fatalf("%v has two holders", r.Address)
			}
			addresses[r.Address.Addr()] = true
			if got, ok := s.ByMAC(r.MAC); !ok || got != r {
				t.Fatal("ByMAC and All disagree")
			}
			if got, ok := s.ByAddress(r.Address.Addr()); !ok || got != r {
				t.Fatal("ByAddress and All disagree")
			}
		}
		if s.Len()+len(s.Conflicts()) != n {
			t.Fatalf("%d served and %d refused of %d", s.Len(), len(s.Conflicts()), n)
		}
	})
}

func TestByAddressTakesMappedAddresses(t *testing.T) {
	r := claim("a", 1, 1, "192.168.2.10")
	if got, ok := New([]*reservation.Reservation{r}).ByAddress(netip.MustParseAddr("::ffff:192.168.2.10")); !ok || got != r {
		t.Error("an IPv4-mapped source address, as a dual-stack listener reports it, is not found")
	}
}

func TestStoreIsReadyOnceAndNeverNil(t *testing.T) {
	s := NewStore()
	if s.Load() == nil || s.Load().Len() != 0 {
		t.Fatal("a new store does not hold the empty snapshot")
	}
	select {
	case <-s.Ready():
		t.Fatal("ready before the first snapshot")
	default:
	}
	first, second := New(nil), New([]*reservation.Reservation{claim("a", 1, 1, "192.168.2.10")})
	s.Publish(first)
	s.Publish(second)
	<-s.Ready()
	if s.Load() != second {
		t.Error("Load does not return what was published last")
	}
}
