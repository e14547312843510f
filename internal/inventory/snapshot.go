package inventory

import (
	"cmp"
	"fmt"
	"iter"
	"net/netip"
	"slices"

	"github.com/tugboot/tugboot/internal/reservation"
)

// Snapshot is a consistent, immutable set of reservations: no MAC and no address stands in it twice.
type Snapshot struct {
	byMAC     map[reservation.MAC]*reservation.Reservation
	byAddress map[netip.Addr]*reservation.Reservation
	sorted    []*reservation.Reservation
	conflicts []Conflict
}

// Conflict is a claim that was refused because an older one holds the MAC or the address.
type Conflict struct {
	Refused, Holder *reservation.Reservation
	// Address is true when the address is what both claim, false when it is the MAC.
	Address bool
}

// ReasonConflict is the reason of the Problem that a conflict is reported as.
const ReasonConflict = "ReservationConflict"

// Problem words the conflict for the owner of the refused claim.
func (c Conflict) Problem() reservation.Problem {
	field, value := "mac", c.Refused.MAC.String()
	if c.Address {
		field, value = "ip.address", c.Refused.Address.Addr().String()
	}
	source := c.Refused.Source
	return reservation.Problem{
		Source: source, Reason: ReasonConflict, Fatal: true,
		Field: fmt.Sprintf("spec.interfaces[%d].dhcp.%s", source.Interface, field),
		Value: value,
		Remedy: fmt.Sprintf("already held by the older %s, which keeps it; this interface is not served: change one of the two",
			c.Holder.Source),
	}
}

// New builds a snapshot. Of several claims to one MAC or one address the oldest wins: first by creation time, then by
// namespace and name, then by interface. The result does not depend on the order of claims. New keeps the claims.
func New(claims []*reservation.Reservation) *Snapshot {
	ordered := slices.SortedFunc(slices.Values(claims), precedence)
	s := &Snapshot{
		byMAC:     make(map[reservation.MAC]*reservation.Reservation, len(ordered)),
		byAddress: make(map[netip.Addr]*reservation.Reservation, len(ordered)),
		sorted:    make([]*reservation.Reservation, 0, len(ordered)),
	}
	for _, r := range ordered {
		if holder, taken := s.byMAC[r.MAC]; taken {
			s.conflicts = append(s.conflicts, Conflict{Refused: r, Holder: holder})
			continue
		}
		if holder, taken := s.byAddress[r.Address.Addr()]; taken {
			s.conflicts = append(s.conflicts, Conflict{Refused: r, Holder: holder, Address: true})
			continue
		}
		s.byMAC[r.MAC] = r
		s.byAddress[r.Address.Addr()] = r
		s.sorted = append(s.sorted, r)
	}
	slices.SortFunc(s.sorted, func(a, b *reservation.Reservation) int { return a.MAC.Compare(b.MAC) })
	return s
}

func precedence(a, b *reservation.Reservation) int {
	return cmp.Or(
		cmp.Compare(a.Source.Created, b.Source.Created),
		cmp.Compare(a.Source.Namespace, b.Source.Namespace),
		cmp.Compare(a.Source.Name, b.Source.Name),
		cmp.Compare(a.Source.Interface, b.Source.Interface),
		a.MAC.Compare(b.MAC),
		a.Address.Addr().Compare(b.Address.Addr()),
	)
}

// ByMAC returns the reservation of a MAC.
func (s *Snapshot) ByMAC(m reservation.MAC) (*reservation.Reservation, bool) {
	r, ok := s.byMAC[m]
	return r, ok
}

// ByAddress returns the reservation of an address.
func (s *Snapshot) ByAddress(a netip.Addr) (*reservation.Reservation, bool) {
	r, ok := s.byAddress[a.Unmap()]
	return r, ok
}

// All yields every reservation in the order of MACs.
func (s *Snapshot) All() iter.Seq[*reservation.Reservation] { return slices.Values(s.sorted) }

// Len returns the number of reservations.
func (s *Snapshot) Len() int { return len(s.sorted) }

// Conflicts returns the refused claims, in the order of precedence.
func (s *Snapshot) Conflicts() []Conflict { return slices.Clone(s.conflicts) }
