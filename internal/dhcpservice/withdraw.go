package dhcpservice

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Grace is how long a reservation stays in an existing service after its Hardware was deleted: the machine may still be
// running, and the deletion a mistake.
const Grace = time.Hour

// withdrawShare is the part of all reservations, one in so many, that is withdrawn at most without a person's word.
const withdrawShare = 5

// Withdrawal says what becomes of reservations whose Hardware is gone.
type Withdrawal struct {
	// Want is what the service is to say: the Hardware's word, and the reservations that stay for a while.
	Want render.Wanted
	// Leaving are those that stay until their grace is over, with the time at which they were first seen to be gone.
	Leaving map[reservation.MAC]time.Time
	// Withheld counts those whose grace is over and that are too many to be withdrawn at once.
	Withheld int
}

// Withdraw finds out which reservations of before, which the service was ordered to have, may go when the Hardware
// objects say fresh. One whose MAC or address the Hardware gives to another goes at once, as does one outside of the
// networks of fresh; any other stays for Grace from now, or from the time in leaving. Afterwards one in five may go in one pass,
// and one always; more need a person's word, allowed, which is their number at least.
func Withdraw(fresh, before render.Wanted, leaving map[reservation.MAC]time.Time, now time.Time, allowed int) Withdrawal {
	macs, addresses := claims(fresh)
	w := Withdrawal{Leaving: map[reservation.MAC]time.Time{}}
	var due []*reservation.Reservation
	stay := map[netip.Prefix][]*reservation.Reservation{}
	place := func(r *reservation.Reservation) (netip.Prefix, bool) {
		for _, network := range fresh.Networks {
			if network.Prefix.Contains(r.Address.Addr()) {
				return network.Prefix, true
			}
		}
		return netip.Prefix{}, false
	}
	for _, network := range before.Networks {
		for _, r := range network.Reservations {
			prefix, served := place(r)
			if macs[r.MAC] || addresses[r.Address.Addr()] || !served {
				continue
			}
			since, noticed := leaving[r.MAC]
			if !noticed {
				since = now
			}
			w.Leaving[r.MAC] = since
			stay[prefix] = append(stay[prefix], r)
			if now.Sub(since) >= Grace {
				due = append(due, r)
			}
		}
	}
	if n := len(due); n > 0 && n > max(1, before.Reservations()/withdrawShare) && n > allowed {
		w.Withheld = n
	} else {
		for _, r := range due {
			delete(w.Leaving, r.MAC)
		}
	}
	w.Want = with(fresh, stay, w.Leaving)
	return w
}

// claims returns the MACs and the addresses that stand in w.
func claims(w render.Wanted) (map[reservation.MAC]bool, map[netip.Addr]bool) {
	macs, addresses := map[reservation.MAC]bool{}, map[netip.Addr]bool{}
	for _, network := range w.Networks {
		for _, r := range network.Reservations {
			macs[r.MAC], addresses[r.Address.Addr()] = true, true
		}
	}
	return macs, addresses
}

// with returns fresh and beside it those of stay that are leaving.
func with(fresh render.Wanted, stay map[netip.Prefix][]*reservation.Reservation, leaving map[reservation.MAC]time.Time) render.Wanted {
	want := render.Wanted{Word: fresh.Word, Networks: slices.Clone(fresh.Networks)}
	for i, network := range want.Networks {
		all := slices.Clone(network.Reservations)
		for _, r := range stay[network.Prefix] {
			if _, stays := leaving[r.MAC]; stays {
				all = append(all, r)
			}
		}
		slices.SortFunc(all, func(a, b *reservation.Reservation) int { return slices.Compare(a.MAC[:], b.MAC[:]) })
		want.Networks[i].Reservations = all
	}
	return want
}

// Gone returns the MACs of those that are leaving, sorted.
func (w Withdrawal) Gone() []reservation.MAC {
	return slices.SortedFunc(maps.Keys(w.Leaving), func(a, b reservation.MAC) int { return slices.Compare(a[:], b[:]) })
}
