package tink

import (
	"fmt"
	"slices"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Convert returns the reservations of hw, one for each interface that has an address, and everything that is wrong with
// hw, all at once. A problem has one of three effects, which its Remedy names: the interface is not served (Fatal), the
// value is left out, or the machine keeps its address and boots nothing. The last is for values that decide what is
// booted: a machine that booted something else than its owner wrote could be wiped.
//
// An object with the annotation tinkerbell.org/disabled has no reservations and no problems. Convert keeps nothing of hw
// but strings.
func Convert(hw *v1alpha1.Hardware) ([]*reservation.Reservation, []reservation.Problem) {
	if _, disabled := hw.Annotations[v1alpha1.AnnotationDisabled]; disabled {
		return nil, nil
	}
	var reservations []*reservation.Reservation
	var problems []reservation.Problem
	for i := range hw.Spec.Interfaces {
		c := check{source: source(hw, i), path: fmt.Sprintf("spec.interfaces[%d].", i)}
		if r := c.reservation(&hw.Spec.Interfaces[i]); r != nil {
			reservations = append(reservations, r)
		}
		problems = append(problems, c.problems...)
	}
	if len(reservations) == 0 {
		return nil, problems
	}
	c := check{source: source(hw, 0), path: "spec."}
	facility, agentID := c.identity(&hw.Spec)
	extra := check{source: source(hw, 0)}
	options := extra.extra(hw.Annotations[v1alpha1.AnnotationDHCPOptions])
	for _, r := range reservations {
		r.Options = options
		r.AgentID, r.Netboot.Facility = agentID, facility
		if c.bootsNothing {
			r.AgentID, r.Netboot = "", reservation.Netboot{Withheld: true}
		}
	}
	return reservations, slices.Concat(problems, c.problems, extra.problems)
}

func source(hw *v1alpha1.Hardware, index int) reservation.Source {
	s := reservation.Source{
		Namespace: hw.Namespace, Name: hw.Name, UID: string(hw.UID), Generation: hw.Generation, Interface: index,
	}
	if !hw.CreationTimestamp.IsZero() {
		s.Created = hw.CreationTimestamp.Unix()
	}
	return s
}

// reservation judges one interface. It returns nil when the interface asks for no reservation or cannot have one.
func (c *check) reservation(i *v1alpha1.Interface) *reservation.Reservation {
	d := i.DHCP
	if i.DisableDHCP || d == nil || d.IP == nil || *d.IP == (v1alpha1.IP{}) {
		return nil
	}
	if c.isIPv6(d.IP) {
		return nil
	}
	address, gateway := c.addressing(d.IP)
	r := &reservation.Reservation{
		Source:   c.source,
		MAC:      c.mac(d.MAC),
		Address:  reservation.PrefixOf(address),
		Hostname: c.domain(ReasonInvalidHostname, "dhcp.hostname", d.Hostname),
		Settings: &reservation.Settings{
			DomainName:  c.domain(ReasonInvalidDomainName, "dhcp.domain_name", d.DomainName),
			NameServers: c.servers(ReasonInvalidNameServer, "dhcp.name_servers", d.NameServers),
			TimeServers: c.servers(ReasonInvalidTimeServer, "dhcp.time_servers", d.TimeServers),
			Lease:       c.lease(d.LeaseTime),
			VLAN:        c.vlan(d.VLANID),
			Arch:        c.arch(d.Arch),
			UEFI:        d.UEFI,
		},
	}
	r.Routes, r.Gateway = c.routes(d.ClasslessStaticRoutes, address, gateway)
	r.Netboot = c.netboot(i)
	if c.notServed {
		return nil
	}
	return r
}

// check gathers the problems of one interface, or of what the interfaces of an object share.
type check struct {
	source   reservation.Source
	path     string // what stands before the field in Problem.Field
	problems []reservation.Problem
	// notServed and bootsNothing are the effects that problems had so far.
	notServed, bootsNothing bool
}

// maxValue bounds the bytes of a value that a problem keeps: enough to recognize it.
const maxValue = 256

func (c *check) add(reason, field, value, remedy string, fatal bool) {
	if len(value) > maxValue {
		value = value[:maxValue] + "..."
	}
	c.problems = append(c.problems, reservation.Problem{
		Source: c.source, Reason: reason, Field: c.path + field, Value: value, Remedy: remedy, Fatal: fatal,
	})
}

// refuse reports a value without which the interface cannot be served.
func (c *check) refuse(reason, field, value, remedy string) {
	c.notServed = true
	c.add(reason, field, value, remedy+"; this interface is not served", true)
}

// leaveOut reports a value that answers do without.
func (c *check) leaveOut(reason, field, value, remedy string) {
	c.add(reason, field, value, remedy+"; it is left out", false)
}

// withhold reports a value that decides what is booted.
func (c *check) withhold(reason, field, value, remedy string) {
	c.bootsNothing = true
	c.add(reason, field, value, remedy+"; the machine gets its address and nothing to boot", false)
}
