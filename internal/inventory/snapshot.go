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
	byMAC     *index[reservation.MAC]
	byAddress *index[netip.Addr]
	count     int
	conflicts []Conflict // in the order of precedence of what is refused
	sorted    func() []*reservation.Reservation
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
	return newBuilder(&Snapshot{
		byMAC:     &index[reservation.MAC]{keyed: &keyed[reservation.MAC]{keyMAC, hashMAC}},
		byAddress: &index[netip.Addr]{keyed: &keyed[netip.Addr]{keyAddress, hashAddress}},
	}).decide(claims)
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
	return s.byMAC.get(m)
}

// ByAddress returns the reservation of an address.
func (s *Snapshot) ByAddress(a netip.Addr) (*reservation.Reservation, bool) {
	return s.byAddress.get(a.Unmap())
}

// All yields every reservation in the order of MACs. The first call sorts them.
func (s *Snapshot) All() iter.Seq[*reservation.Reservation] { return slices.Values(s.sorted()) }

// Len returns the number of reservations.
func (s *Snapshot) Len() int { return s.count }

// Conflicts returns the refused claims, in the order of precedence.
func (s *Snapshot) Conflicts() []Conflict { return slices.Clone(s.conflicts) }
