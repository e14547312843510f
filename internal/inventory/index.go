package inventory

import (
	"encoding/binary"
	"net/netip"

	"github.com/tugboot/tugboot/internal/reservation"
)

// indexParts is into how many parts an index is divided: a change copies the parts that it touches, and a few words for each
// of the others. With a million reservations a part holds a thousand.
const (
	partBits   = 10
	indexParts = 1 << partBits
)

// index finds reservations by one key. It is never changed once it is published: edit copies what it touches.
type index[K comparable] struct {
	parts [indexParts]part
	*keyed[K]
}

// keyed says what an index is sorted by.
type keyed[K comparable] struct {
	of   func(*reservation.Reservation) K
	hash func(K) uint64
}

// part is a hash table with linear probing. It holds no keys, for the reservations do: what is looked for is where the tag
// is that its hash makes, and nearly never where it is not.
type part struct {
	tags  []uint8 // one for each slot: free, left, or what the reservation's hash makes
	slots []*reservation.Reservation
}

const (
	free uint8 = iota // nothing was ever here
	left              // there was something
	tags              // the first that a hash makes
)

// Where a hash leads: the part by its first bits, the slot to begin at in a table of so many slots by those that follow, the
// tag by its last.
func partOf(hash uint64) int { return int(hash >> (64 - partBits)) }

func slotOf(hash uint64, slots int) int { return int(((hash << partBits) >> 32) * uint64(slots) >> 32) }

func tagOf(hash uint64) uint8 { return uint8(hash)%(255-tags) + tags }

// get returns the reservation of a key.
func (x *index[K]) get(k K) (*reservation.Reservation, bool) {
	hash := x.hash(k)
	p := &x.parts[partOf(hash)]
	if i := x.find(p, k, hash); i >= 0 {
		return p.slots[i], true
	}
	return nil, false
}

// find returns the slot of a key, or -1.
func (x *keyed[K]) find(p *part, k K, hash uint64) int {
	if len(p.tags) == 0 {
		return -1
	}
	tag := tagOf(hash)
	for i := slotOf(hash, len(p.tags)); p.tags[i] != free; {
		if p.tags[i] == tag && x.of(p.slots[i]) == k {
			return i
		}
		if i++; i == len(p.tags) {
			i = 0
		}
	}
	return -1
}

// table makes a table of so many slots with what is in p.
func (x *keyed[K]) table(p part, slots int) part {
	if slots == 0 {
		return part{}
	}
	fresh := part{make([]uint8, slots), make([]*reservation.Reservation, slots)}
	for i, r := range p.slots {
		if p.tags[i] >= tags {
			x.put(&fresh, r, x.hash(x.of(r)))
		}
	}
	return fresh
}

// put puts a reservation into a table that has room for it.
func (x *keyed[K]) put(p *part, r *reservation.Reservation, hash uint64) {
	i := slotOf(hash, len(p.tags))
	for p.tags[i] != free {
		if i++; i == len(p.tags) {
			i = 0
		}
	}
	p.tags[i], p.slots[i] = tagOf(hash), r
}

func keyMAC(r *reservation.Reservation) reservation.MAC { return r.MAC }

func keyAddress(r *reservation.Reservation) netip.Addr { return r.Address.Addr() }

func hashMAC(m reservation.MAC) uint64 {
	return mix(uint64(binary.BigEndian.Uint16(m[:]))<<32 | uint64(binary.BigEndian.Uint32(m[2:])))
}

func hashAddress(a netip.Addr) uint64 {
	if !a.Is4() {
		return 0 // there is none
	}
	b := a.As4()
	return mix(uint64(binary.BigEndian.Uint32(b[:])))
}

// mix spreads a key over all bits: neighbours go to different parts (the finalizer of MurmurHash3).
func mix(k uint64) uint64 {
	k ^= k >> 33
	k *= 0xff51afd7ed558ccd
	k ^= k >> 33
	k *= 0xc4ceb9fe1a85ec53
	return k ^ k>>33
}
