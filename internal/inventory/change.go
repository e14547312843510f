package inventory

import (
	"net/netip"
	"slices"
	"sync"

	"github.com/tugboot/tugboot/internal/reservation"
)

// With returns the snapshot of the claims that s was made of, without removed and with added: what New would make of them all.
// It costs as much as the change does, not as much as the snapshot. What is removed is told by its pointer; a claim that s was
// not made of is passed over.
func (s *Snapshot) With(removed, added []*reservation.Reservation) *Snapshot {
	if s.count == 0 && len(s.conflicts) == 0 {
		return New(added)
	}
	gone := make(map[*reservation.Reservation]bool, len(removed))
	for _, r := range removed {
		gone[r] = true
	}
	b := newBuilder(s)
	claims := slices.Clone(added)
	for _, r := range b.reached(slices.Concat(removed, added)) {
		if !gone[r] {
			claims = append(claims, r)
		}
	}
	return b.decide(claims)
}

// builder makes a snapshot of another one.
type builder struct {
	byMAC     *edit[reservation.MAC]
	byAddress *edit[netip.Addr]
	count     int
	conflicts []Conflict
}

func newBuilder(s *Snapshot) *builder {
	return &builder{byMAC: s.byMAC.edit(), byAddress: s.byAddress.edit(), count: s.count, conflicts: slices.Clone(s.conflicts)}
}

// reached takes out and returns all claims that may stand otherwise when those of from come or go: whatever claims a MAC or an
// address of one of them, and so on from those.
func (b *builder) reached(from []*reservation.Reservation) []*reservation.Reservation {
	var found []*reservation.Reservation
	macs, addresses := map[reservation.MAC]bool{}, map[netip.Addr]bool{}
	queue := slices.Clone(from)
	for grown := true; grown; {
		for len(queue) > 0 {
			r := queue[len(queue)-1]
			queue = queue[:len(queue)-1]
			mac, address := r.MAC, r.Address.Addr()
			if holder, held := b.byMAC.get(mac); held {
				found, queue = append(found, b.takeOut(holder)), append(queue, holder)
			}
			if holder, held := b.byAddress.get(address); held {
				found, queue = append(found, b.takeOut(holder)), append(queue, holder)
			}
			if len(b.conflicts) > 0 {
				macs[mac], addresses[address] = true, true
			}
		}
		grown = false
		kept := make([]Conflict, 0, len(b.conflicts))
		for _, c := range b.conflicts {
			if r := c.Refused; macs[r.MAC] || addresses[r.Address.Addr()] {
				found, queue, grown = append(found, r), append(queue, r), true
				continue
			}
			kept = append(kept, c)
		}
		b.conflicts = kept
	}
	return found
}

// takeOut removes a claim that holds its MAC and its address.
func (b *builder) takeOut(r *reservation.Reservation) *reservation.Reservation {
	b.byMAC.remove(r.MAC)
	b.byAddress.remove(r.Address.Addr())
	b.count--
	return r
}

// decide puts claims into the snapshot, the oldest first, and finishes it.
func (b *builder) decide(claims []*reservation.Reservation) *Snapshot {
	if !slices.IsSortedFunc(claims, precedence) {
		claims = slices.Clone(claims)
		slices.SortFunc(claims, precedence)
	}
	b.byMAC.expect, b.byAddress.expect = len(claims), len(claims)
	for _, r := range claims {
		if holder, taken := b.byMAC.get(r.MAC); taken {
			b.conflicts = append(b.conflicts, Conflict{Refused: r, Holder: holder})
			continue
		}
		if holder, taken := b.byAddress.get(r.Address.Addr()); taken {
			b.conflicts = append(b.conflicts, Conflict{Refused: r, Holder: holder, Address: true})
			continue
		}
		b.byMAC.set(r.MAC, r)
		b.byAddress.set(r.Address.Addr(), r)
		b.count++
	}
	slices.SortStableFunc(b.conflicts, func(a, c Conflict) int { return precedence(a.Refused, c.Refused) })
	s := &Snapshot{byMAC: b.byMAC.finish(), byAddress: b.byAddress.finish(), count: b.count, conflicts: b.conflicts}
	s.sorted = sync.OnceValue(s.sort)
	return s
}

// sort returns all reservations in the order of MACs.
func (s *Snapshot) sort() []*reservation.Reservation {
	all := make([]*reservation.Reservation, 0, s.count)
	for i := range s.byMAC.parts {
		for j, r := range s.byMAC.parts[i].slots {
			if s.byMAC.parts[i].tags[j] >= tags {
				all = append(all, r)
			}
		}
	}
	slices.SortFunc(all, func(a, b *reservation.Reservation) int { return a.MAC.Compare(b.MAC) })
	return all
}
