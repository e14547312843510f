package hardwarefile

import (
	"slices"

	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
)

// The order of files, and in them of machines, stands for age: of two claims to one address the first has it. What
// Source.Created holds is the rank of the file and, below rankBits, a number that grows from one reservation to the next.
// It leaves room when a file is read for the first time, so that machines put in later come between two others.
const (
	rankBits = 40
	room     = 1 << 16
)

// ages gives the reservations of a file their age as they are read. One that says what it said before, in the same order,
// is replaced by the one that is in force: then a change of one machine costs no more memory than that machine does, and
// no more time to publish.
type ages struct {
	inForce *inventory.Snapshot
	rank    int64
	last    int64
	step    int64
}

// newAges begins with a file that was read before or not.
func newAges(inForce *inventory.Snapshot, rank int64, before bool) *ages {
	a := &ages{inForce: inForce, rank: rank, last: rank << rankBits, step: room}
	if before {
		a.step = 1
	}
	return a
}

// next returns what stands for r, which it gives an age.
func (a *ages) next(r *reservation.Reservation) *reservation.Reservation {
	if old, there := a.inForce.ByMAC(r.MAC); there && old.Source.Created>>rankBits == a.rank && old.Source.Created > a.last {
		a.last = old.Source.Created
		if r.Source.Created = a.last; *r == *old {
			return old
		}
		return r
	}
	a.last += a.step
	r.Source.Created = a.last
	return r
}

// again returns the reservation in force that was made of the row with this mark, when it still follows the last one.
func (a *ages) again(mac reservation.MAC, mark int64) (*reservation.Reservation, bool) {
	old, there := a.inForce.ByMAC(mac)
	if !there || old.Source.Generation != mark || old.Source.Created>>rankBits != a.rank || old.Source.Created <= a.last {
		return nil, false
	}
	a.last = old.Source.Created
	return old, true
}

// ranked returns reservations as those of a file of another rank. Published ones must not be changed: it copies.
func ranked(reservations []*reservation.Reservation, rank int64) []*reservation.Reservation {
	moved := slices.Clone(reservations)
	for i, r := range moved {
		one := *r
		one.Source.Created = rank<<rankBits | one.Source.Created&(1<<rankBits-1)
		moved[i] = &one
	}
	return moved
}

// difference tells what is in one of two lists only, both in the order of ages.
func difference(before, after []*reservation.Reservation, removed, added func(*reservation.Reservation)) {
	for len(before) > 0 || len(after) > 0 {
		switch {
		case len(before) > 0 && len(after) > 0 && before[0] == after[0]:
			before, after = before[1:], after[1:]
		case len(after) == 0 || len(before) > 0 && before[0].Source.Created <= after[0].Source.Created:
			removed(before[0])
			before = before[1:]
		default:
			added(after[0])
			after = after[1:]
		}
	}
}
