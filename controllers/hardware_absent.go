package controllers

import (
	"net/netip"
	"slices"

	"github.com/tugboot/tugboot/internal/reservation"
)

// absent are records of objects that the API has no more, whose reservations are in force all the same: those that were
// moved to another cluster, and those of which it is not known why they are gone.
type absent struct {
	byKey   map[objectKey]absence
	holders map[claim][]objectKey // who of byKey claims what
	moved   int
	changes func(objectKey) // is told what is about to go
}

type absence struct {
	record *record
	moved  bool // else it is undecided
}

// claim is a MAC or an address.
type claim struct {
	mac     reservation.MAC
	address netip.Addr
}

func newAbsent(changes func(objectKey)) absent {
	return absent{changes: changes, byKey: map[objectKey]absence{}, holders: map[claim][]objectKey{}}
}

// undecided counts those that were not moved.
func (a *absent) undecided() int { return len(a.byKey) - a.moved }

// claims lists what a record claims.
func (r *record) claims() []claim {
	claims := make([]claim, 0, 2*len(r.reservations))
	for _, one := range r.reservations {
		claims = append(claims, claim{mac: one.MAC}, claim{address: one.Address.Addr()})
	}
	return claims
}

func (a *absent) add(rec *record, moved bool) {
	a.drop(rec.key)
	a.byKey[rec.key] = absence{rec, moved}
	if moved {
		a.moved++
	}
	for _, c := range rec.claims() {
		a.holders[c] = append(a.holders[c], rec.key)
	}
}

func (a *absent) drop(key objectKey) {
	gone, there := a.byKey[key]
	if !there {
		return
	}
	a.changes(key)
	delete(a.byKey, key)
	if gone.moved {
		a.moved--
	}
	for _, c := range gone.record.claims() {
		a.holders[c] = slices.DeleteFunc(a.holders[c], func(k objectKey) bool { return k == key })
		if len(a.holders[c]) == 0 {
			delete(a.holders, c)
		}
	}
}

// giveWay drops what an object in the API takes the place of: what has its name, a MAC or an address of it.
func (a *absent) giveWay(rec *record) {
	if len(a.byKey) == 0 {
		return
	}
	a.drop(rec.key)
	for _, c := range rec.claims() {
		for _, key := range slices.Clone(a.holders[c]) {
			a.drop(key)
		}
	}
}
