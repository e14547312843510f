package takeover

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/internal/reservation"
)

// Pair is an advertised reservation as the baton carries it: "52:54:00:00:00:01 192.168.2.10".
type Pair string

// maxReservations bounds what the baton lists, in bytes; a ConfigMap holds 1 MiB.
const maxReservations = 400 << 10

// NewPair returns the Pair of one reservation.
func NewPair(m reservation.MAC, addr netip.Addr) Pair { return Pair(m.String() + " " + addr.String()) }

// sound reports whether p is what NewPair returns for some reservation.
func (p Pair) sound() bool {
	mac, addr, _ := strings.Cut(string(p), " ")
	m, err := reservation.ParseMAC(mac)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(addr)
	return err == nil && a.Is4() && NewPair(m, a) == p
}

// listed returns the pairs as a baton lists them: sorted, each once, none that could not be read again; or none when
// they are too many.
func listed(pairs []Pair) (list []Pair, omitted bool) {
	size := 0
	for _, p := range pairs {
		if p.sound() {
			list = append(list, p)
			size += len(p) + 1
		}
	}
	if size > maxReservations {
		return nil, true
	}
	slices.Sort(list)
	return slices.Compact(list), false
}
