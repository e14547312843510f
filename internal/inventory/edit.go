package inventory

import (
	"slices"

	"github.com/tugboot/tugboot/internal/reservation"
)

// edit is an index that is being made of another one.
type edit[K comparable] struct {
	*index[K]
	own    map[int]*filling // the parts that are copied already
	expect int              // how many reservations may come
}

// filling is how full a part is that is being changed.
type filling struct{ there, used int } // used counts also what was there and has left

func (x *index[K]) edit() *edit[K] {
	c := *x
	return &edit[K]{index: &c, own: map[int]*filling{}}
}

// touch returns a part, to be changed.
func (e *edit[K]) touch(i int) (*part, *filling) {
	p := &e.parts[i]
	if f, owned := e.own[i]; owned {
		return p, f
	}
	f := &filling{}
	for _, tag := range p.tags {
		if tag >= tags {
			f.there++
		}
	}
	f.used = f.there
	*p, e.own[i] = part{slices.Clone(p.tags), slices.Clone(p.slots)}, f
	return p, f
}

// set puts in a reservation whose key is not there.
func (e *edit[K]) set(k K, r *reservation.Reservation) {
	hash := e.hash(k)
	p, f := e.touch(partOf(hash))
	if f.used+1 > roomIn(len(p.tags)) {
		*p = e.table(*p, max(slotsFor(f.there+f.there/2+7), e.likely()))
		f.used = f.there
	}
	e.put(p, r, hash)
	f.there++
	f.used++
}

// remove takes out the reservation of a key.
func (e *edit[K]) remove(k K) {
	hash := e.hash(k)
	p, f := e.touch(partOf(hash))
	if i := e.find(p, k, hash); i >= 0 {
		p.tags[i], p.slots[i] = left, nil
		f.there--
	}
}

// likely is how many slots a part has when what is expected is spread over all parts by chance, so that few have to grow.
func (e *edit[K]) likely() int {
	share := e.expect / indexParts
	return slotsFor(share + share/8 + 7)
}

// finish returns the index, with no more room in it than it needs.
func (e *edit[K]) finish() *index[K] {
	for i, f := range e.own {
		if p := &e.parts[i]; f.used > f.there || len(p.tags) > e.likely() && len(p.tags) != slotsFor(f.there) {
			*p = e.table(*p, slotsFor(f.there))
		}
	}
	return e.index
}

// slotsFor is how many slots a part has for so many reservations, roomIn how many it takes at most: one slot in six is free,
// so that a search ends soon.
func slotsFor(reservations int) int { return (reservations*6 + 4) / 5 }

func roomIn(slots int) int { return slots * 5 / 6 }
