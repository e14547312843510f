package kea

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/internal/render/kea"
)

// inspect finds what keeps p from being written into the configuration: subnets that are not there, settings by which
// reservations are not looked for, and what is somebody else's. subnets must be there even without reservations.
func (c *config) inspect(cluster string, p part, subnets []netip.Prefix) error {
	if _, err := c.part(cluster).word(cluster); err != nil {
		return err
	}
	owner := c.owners()
	for _, class := range c.classes {
		if !owner(class.name, cluster) && slices.ContainsFunc(p.classes, named(class.name)) {
			return fmt.Errorf("client class %s: it belongs to another cluster of that name: give one of the two clusters another name", class.name)
		}
	}
	var problems []error
	for _, prefix := range p.prefixes() {
		problems = append(problems, c.inspectSubnet(cluster, prefix, p.hosts[prefix]))
	}
	for _, prefix := range subnets {
		if _, checked := p.hosts[prefix.Masked()]; !checked {
			problems = append(problems, c.inspectSubnet(cluster, prefix.Masked(), nil))
		}
	}
	return errors.Join(problems...)
}

func named(name string) func(class) bool { return func(c class) bool { return c.name == name } }

func (c *config) inspectSubnet(cluster string, prefix netip.Prefix, want []host) error {
	s, there := c.subnet(prefix)
	if !there {
		return c.missing(prefix)
	}
	if len(want) == 0 {
		return nil
	}
	if err := c.looksFor(s); err != nil {
		return err
	}
	return errors.Join(conflicts(cluster, s, want), c.globalConflicts(want))
}

// missing is the error of a subnet that Kea does not serve.
func (c *config) missing(prefix netip.Prefix) error {
	for _, s := range c.subnets {
		if s.prefix.Overlaps(prefix) {
			return fmt.Errorf("subnet %s: Kea serves %s: name that one in spec.subnets", prefix, s.prefix)
		}
	}
	return fmt.Errorf("subnet %s: it is not in Kea's configuration: add it to subnet4, or leave it out of spec.subnets", prefix)
}

// looksFor is an error when Kea does not look for reservations by MAC address in the subnet.
func (c *config) looksFor(s *subnet) error {
	identifiers := []string{"hw-address"}
	if err := member(c.dhcp4, "host-reservation-identifiers", &identifiers); err != nil {
		return err
	}
	if !slices.Contains(identifiers, "hw-address") {
		return fmt.Errorf("host-reservation-identifiers %+.80q: Kea does not look for reservations by MAC address: add hw-address", strings.Join(identifiers, ", "))
	}
	scopes := []object{c.dhcp4, s.members}
	if s.in >= 0 {
		scopes = []object{c.dhcp4, c.shared[s.in], s.members}
	}
	looks := true
	for _, scope := range scopes {
		if err := member(scope, "reservations-in-subnet", &looks); err != nil {
			return err
		}
	}
	if !looks {
		return fmt.Errorf("subnet %s: reservations-in-subnet is false, and Kea does not look for reservations there: set it to true", s.prefix)
	}
	return nil
}

// conflicts are the reservations of others, in the subnet, that claim a machine or an address of ours.
func conflicts(cluster string, s *subnet, want []host) error {
	macs, addresses := map[string]host{}, map[string]host{}
	for _, h := range want {
		macs[h.MAC], addresses[h.Address] = h, h
	}
	var problems []error
	for _, other := range s.hosts {
		if other.of(cluster) {
			continue
		}
		whose := "a reservation of the operator's"
		if i := slices.IndexFunc(other.Classes, func(name string) bool { return strings.HasPrefix(name, kea.Marker("")) }); i >= 0 {
			whose = fmt.Sprintf("a reservation of another cluster, with the class %+.100q,", other.Classes[i])
		}
		what := fmt.Sprintf("%s (%+.40q, %+.40q)", whose, other.MAC, other.Address)
		if h, claimed := macs[strings.ToLower(other.MAC)]; claimed {
			problems = append(problems, fmt.Errorf("subnet %s: MAC address %s: %s has it already: remove that reservation or the Hardware", s.prefix, h.MAC, what))
		} else if h, claimed := addresses[other.Address]; claimed {
			problems = append(problems, fmt.Errorf("subnet %s: address %s of %s: %s has it already: remove that reservation, or give the Hardware another address",
				s.prefix, h.Address, h.MAC, what))
		}
	}
	return few(problems)
}

// globalConflicts are the operator's reservations for all subnets that claim a machine of ours, where Kea looks at them.
func (c *config) globalConflicts(want []host) error {
	global := false
	if err := member(c.dhcp4, "reservations-global", &global); err != nil || !global {
		return err
	}
	var problems []error
	for _, other := range c.global {
		if slices.ContainsFunc(want, func(h host) bool { return h.MAC == strings.ToLower(other.MAC) }) {
			problems = append(problems, fmt.Errorf("MAC address %+.40q: a reservation of the operator's for all subnets has it already: remove that reservation or the Hardware", other.MAC))
		}
	}
	return few(problems)
}

// few joins errors, and only counts those after the first ten.
func few(all []error) error {
	const most = 10
	if len(all) > most {
		all = append(all[:most:most], fmt.Errorf("and %d more", len(all)-most))
	}
	return errors.Join(all...)
}
