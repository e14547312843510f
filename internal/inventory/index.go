package inventory

import (
	"encoding/binary"
	"maps"
	"net/netip"

	"github.com/tugboot/tugboot/internal/reservation"
)

// indexParts is into how many parts an index is divided: a change copies the parts that it touches, and one pointer for each
// of the others. With a million reservations a part holds a thousand.
const indexParts = 1024

// index finds reservations by one key. It is never changed once it is published: edit copies what it touches.
type index[K comparable] struct {
	parts [indexParts]map[K]*reservation.Reservation
	part  func(K) int
}

// get returns the reservation of a key.
func (x *index[K]) get(k K) (*reservation.Reservation, bool) {
	r, ok := x.parts[x.part(k)][k]
	return r, ok
}

// edit is an index that is being made of another one.
type edit[K comparable] struct {
	*index[K]
	own [indexParts]bool // the parts that are copied already
}

func (x *index[K]) edit() *edit[K] {
	c := *x
	return &edit[K]{index: &c}
}

// of returns the part of a key, to be changed.
func (e *edit[K]) of(k K) map[K]*reservation.Reservation {
	i := e.part(k)
	if !e.own[i] {
		e.own[i] = true
		if e.parts[i] = maps.Clone(e.parts[i]); e.parts[i] == nil {
			e.parts[i] = map[K]*reservation.Reservation{}
		}
	}
	return e.parts[i]
}

func (e *edit[K]) set(k K, r *reservation.Reservation) { e.of(k)[k] = r }

func (e *edit[K]) remove(k K) { delete(e.of(k), k) }

// spread makes a part's number of a key's low 32 bits: neighbours go to different parts (Knuth's multiplicative hash).
func spread(low uint32) int { return int(low * 2654435769 >> (32 - 10)) }

func partOfMAC(m reservation.MAC) int { return spread(binary.BigEndian.Uint32(m[2:])) }

func partOfAddress(a netip.Addr) int {
	if !a.Is4() {
		return 0
	}
	b := a.As4()
	return spread(binary.BigEndian.Uint32(b[:]))
}
