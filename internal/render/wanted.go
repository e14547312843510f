package render

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"

	"github.com/tugboot/tugboot/internal/reservation"
)

// Wanted is everything that one existing DHCP service is to say for one cluster. Renderers turn it into text: the same
// Wanted, the same bytes.
type Wanted struct {
	Word Word
	// Networks are sorted by address, and no two overlap.
	Networks []Network
}

// Network is one subnet that the service serves, with the reservations in it.
type Network struct {
	Prefix netip.Prefix
	// Reservations are sorted by MAC; no MAC and no address stands in a Wanted twice.
	Reservations []*reservation.Reservation
}

// The reasons of what a renderer reports.
const (
	// ReasonNotCarried: a setting that the service's language or version cannot express for one machine.
	ReasonNotCarried = "NotCarried"
	// ReasonNetmaskDiffers: the Hardware's netmask is not that of the subnet its address is in.
	ReasonNetmaskDiffers = "NetmaskDiffers"
)

// Want sorts reservations, which come in the order of MACs, into the subnets that the service serves; what lies outside
// of all of them is left to whoever serves it, and counted. Without subnets, the reservations' own make the networks; one
// inside another counts as the wider one. The problems say what machines will be told otherwise than their Hardware asks.
func Want(word Word, reservations iter.Seq[*reservation.Reservation], subnets []netip.Prefix) (w Wanted, outside int, problems []reservation.Problem) {
	all := slices.Collect(reservations)
	if len(subnets) == 0 {
		for _, r := range all {
			subnets = append(subnets, r.Address.Masked())
		}
	}
	w = Wanted{Word: word}
	for _, prefix := range widest(subnets) {
		w.Networks = append(w.Networks, Network{Prefix: prefix})
	}
	for _, r := range all {
		i := slices.IndexFunc(w.Networks, func(n Network) bool { return n.Prefix.Contains(r.Address.Addr()) })
		if i < 0 {
			outside++
			continue
		}
		n := &w.Networks[i]
		n.Reservations = append(n.Reservations, r)
		if r.Address.Bits() != n.Prefix.Bits() {
			problems = append(problems, reservation.Problem{
				Source: r.Source, Reason: ReasonNetmaskDiffers, Field: fmt.Sprintf("spec.interfaces[%d].dhcp.ip.netmask", r.Source.Interface),
				Value:  r.Address.String(),
				Remedy: fmt.Sprintf("the DHCP service serves this address in %s and hands out that subnet's netmask: make the two agree", n.Prefix),
			})
		}
	}
	return w, outside, problems
}

// widest returns the prefixes sorted, without those that lie inside another.
func widest(prefixes []netip.Prefix) []netip.Prefix {
	var kept []netip.Prefix
	for _, p := range slices.SortedFunc(slices.Values(prefixes), func(a, b netip.Prefix) int {
		if a.Bits() != b.Bits() {
			return a.Bits() - b.Bits()
		}
		return a.Addr().Compare(b.Addr())
	}) {
		p = p.Masked()
		if !slices.ContainsFunc(kept, func(wide netip.Prefix) bool { return wide.Contains(p.Addr()) }) {
			kept = append(kept, p)
		}
	}
	slices.SortFunc(kept, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	return kept
}

// Reservations returns how many reservations there are.
func (w Wanted) Reservations() int {
	n := 0
	for _, network := range w.Networks {
		n += len(network.Reservations)
	}
	return n
}

// NotCarried is the problem of one setting of r that cannot be expressed: field is below spec.interfaces[i], such as
// dhcp.lease_time, and remedy says what machines are told in its place.
func NotCarried(r *reservation.Reservation, field, value, remedy string) reservation.Problem {
	return reservation.Problem{
		Source: r.Source, Reason: ReasonNotCarried, Field: fmt.Sprintf("spec.interfaces[%d].%s", r.Source.Interface, field),
		Value: value, Remedy: remedy,
	}
}
