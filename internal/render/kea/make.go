package kea

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Make says w in Kea's words; the same Wanted makes the same Config. The problems are the settings that Kea cannot express
// for one machine. The error is that of a Word or a network that cannot be written, or of a MAC or an address that stands
// in w twice.
func Make(w render.Wanted) (Config, []reservation.Problem, error) {
	if err := check(w); err != nil {
		return Config{}, nil, err
	}
	rules, err := ruleClasses(w.Word)
	if err != nil {
		return Config{}, nil, err
	}
	var c Config
	var problems []reservation.Problem
	var leases []uint32
	for _, n := range w.Networks {
		network := Network{Prefix: n.Prefix, Reservations: make([]Reservation, 0, len(n.Reservations))}
		for _, r := range n.Reservations {
			h, left := host(w.Word, r)
			network.Reservations = append(network.Reservations, h)
			problems = append(append(problems, left...), render.BootNotCarried(r, !w.Word.Says.IsZero())...)
			leases = append(leases, r.Lease)
		}
		c.Networks = append(c.Networks, network)
	}
	slices.Sort(leases)
	c.Classes = []Class{{Name: Marker(w.Word.Mark.Cluster), UserContext: &Context{Mark: w.Word}}}
	for _, seconds := range slices.Compact(leases) {
		c.Classes = append(c.Classes, Class{Name: leaseClass(w.Word, seconds), ValidLifetime: seconds})
	}
	c.Classes = append(c.Classes, rules...)
	return c, problems, nil
}

// check refuses a Wanted that cannot be written: a Word that would not be read back, a network that is none, or two
// machines that claim one address.
func check(w render.Wanted) error {
	read, found, err := render.WordIn(w.Word.Header(comment), comment)
	switch {
	case err != nil:
		return err
	case !found || read != w.Word:
		return errors.New("mark: it would not be read back as it is: give a cluster name of lower-case letters, digits and dashes")
	}
	macs, addresses := map[reservation.MAC]string{}, map[netip.Addr]string{}
	for _, n := range w.Networks {
		if !n.Prefix.IsValid() || !n.Prefix.Addr().Is4() || n.Prefix != n.Prefix.Masked() {
			return fmt.Errorf("network %s: not an IPv4 subnet: write it without host bits, such as 192.168.2.0/24", n.Prefix)
		}
		for _, r := range n.Reservations {
			address := r.Address.Addr()
			if !n.Prefix.Contains(address) {
				return fmt.Errorf("%s: address %s: not in the network %s: put it into its own", r.Source, address, n.Prefix)
			}
			if other, twice := macs[r.MAC]; twice {
				return fmt.Errorf("%s: MAC %s: %s has it too: take it from one of them", r.Source, r.MAC, other)
			}
			if other, twice := addresses[address]; twice {
				return fmt.Errorf("%s: address %s: %s has it too: give one of them another", r.Source, address, other)
			}
			macs[r.MAC], addresses[address] = r.Source.String(), r.Source.String()
		}
	}
	return nil
}
