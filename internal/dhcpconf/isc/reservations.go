package isc

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/tugboot/tugboot/internal/dhcpconf"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Reservations returns the reservations of the configuration, each with the settings that its machine is told, and what of
// them Hardware cannot hold.
func Reservations(statements []*Statement) ([]dhcpconf.Host, []dhcpconf.Problem) {
	r := reader{subnets: map[netip.Prefix]dhcpconf.Settings{}, routes: routeOptions(statements)}
	r.scan(statements, dhcpconf.Settings{}, dhcpconf.Settings{})
	global, _ := r.settings(statements)
	var hosts []dhcpconf.Host
	for _, h := range r.hosts {
		h.Network = dhcpconf.Within(r.networks, h.Address)
		h.Settings = h.Settings.Over(r.subnets[h.Network.Prefix]).Over(global)
		hosts = append(hosts, h)
	}
	return hosts, r.left
}

// Networks returns the subnets of the configuration. One that cannot be read has the zero Prefix.
func Networks(statements []*Statement) []dhcpconf.Network {
	r := reader{subnets: map[netip.Prefix]dhcpconf.Settings{}}
	r.scan(statements, dhcpconf.Settings{}, dhcpconf.Settings{})
	return r.networks
}

// routeOptions returns the names by which option 121 is written; dhcpd has none of its own.
func routeOptions(statements []*Statement) map[string]bool {
	names := map[string]bool{}
	for _, name := range OptionNames(statements, 121) {
		names[name] = true
	}
	return names
}

// OptionNames returns the names that the configuration defines for an option's number, as in option arch code 93 = ...
func OptionNames(statements []*Statement, code int) []string {
	var names []string
	for _, s := range statements {
		if s.Begins("option") && strings.EqualFold(s.Word(2), "code") && s.Word(3) == fmt.Sprint(code) {
			names = append(names, s.Word(1))
		}
		names = append(names, OptionNames(s.Inner, code)...)
	}
	return names
}

type reader struct {
	networks []dhcpconf.Network
	subnets  map[netip.Prefix]dhcpconf.Settings
	routes   map[string]bool
	hosts    []dhcpconf.Host
	left     []dhcpconf.Problem
}

// leave reports a setting that is left out.
func (r *reader) leave(pos dhcpconf.Position, format string, args ...any) {
	r.left = append(r.left, dhcpconf.Problem{Pos: pos, Kind: dhcpconf.NotCarried, Text: fmt.Sprintf(format, args...)})
}

// scan goes through one block. around is what the networks around it say, and group what the groups say: dhcpd lets a host's
// group go before its subnet.
func (r *reader) scan(block []*Statement, around, group dhcpconf.Settings) {
	for _, s := range block {
		if !s.Block {
			continue
		}
		inner, _ := r.settings(s.Inner)
		switch {
		case s.Begins("subnet"):
			prefix, ok := dhcpconf.Mask(s.Word(1), s.Word(3))
			if !ok {
				prefix = netip.Prefix{}
			}
			r.networks = append(r.networks, dhcpconf.Network{Pos: s.Pos, Prefix: prefix})
			r.subnets[prefix] = inner.Over(around)
			r.scan(s.Inner, r.subnets[prefix], group)
		case s.Begins("host"):
			r.host(s, group)
		case s.Begins("shared-network"):
			r.scan(s.Inner, inner.Over(around), group)
		case s.Begins("group"):
			r.scan(s.Inner, around, inner.Over(group))
		case s.Begins("pool"):
			r.scan(s.Inner, around, group)
		}
	}
}

// drop reports a reservation that is left out.
func (r *reader) drop(pos dhcpconf.Position, format string, args ...any) {
	r.left = append(r.left, dhcpconf.Problem{Pos: pos, Kind: dhcpconf.LeftOut, Text: fmt.Sprintf(format, args...)})
}

func (r *reader) host(s *Statement, group dhcpconf.Settings) {
	name := s.Word(1)
	h := dhcpconf.Host{Pos: s.Pos, Name: name}
	own, unread := r.settings(s.Inner)
	var known bool
	for _, inner := range s.Inner {
		switch {
		case inner.Begins("hardware"):
			mac, err := reservation.ParseMAC(padMAC(inner.Word(2)))
			if !inner.Begins("hardware", "ethernet") || err != nil {
				r.drop(inner.Pos, "host %+.60q: hardware %+.60q: Hardware knows Ethernet machines by their 48-bit MAC: write it", name, inner.Rest(1))
				return
			}
			h.MAC, known = mac, true
		case inner.Begins("fixed-address"):
			list, ok := dhcpconf.Addresses(inner.Rest(1))
			if !ok {
				r.drop(inner.Pos, "host %+.60q: fixed-address %+.60q: not an IPv4 address: write the address in place of the name", name, inner.Rest(1))
				return
			}
			if h.Address = list[0]; len(list) > 1 {
				r.leave(inner.Pos, "host %+.60q: fixed-address: %d addresses where an interface has one: the first, %s, is taken", name, len(list), list[0])
			}
		case inner.Begins("option", "host-name"):
			h.Name = inner.Word(2)
		case inner.Begins("filename"), inner.Begins("next-server"), inner.Begins("server-name"):
			r.leave(inner.Pos, "host %+.60q: %s %+.60q: boot data has no place in a reservation: boot rules by class say it", name, inner.Word(0), inner.Rest(1))
		}
	}
	for _, o := range unread {
		r.leave(o.Pos, "host %+.60q: %+.80q: has no place in Hardware, or cannot be read: keep it in the DHCP service", name, o.Rest(0))
	}
	if !known {
		r.drop(s.Pos, "host %+.60q: no hardware ethernet: Hardware knows a machine by its MAC only: write its MAC", name)
		return
	}
	h.Settings = own.Over(group)
	r.hosts = append(r.hosts, h)
}

// padMAC writes the bytes of a MAC with two digits each: dhcpd takes 0:1:2:a:b:c too.
func padMAC(s string) string {
	parts := strings.Split(s, ":")
	for i, p := range parts {
		if len(p) == 1 {
			parts[i] = "0" + p
		}
	}
	return strings.Join(parts, ":")
}

// settings reads what the statements of one block say, and returns the options among them that it cannot place.
func (r *reader) settings(block []*Statement) (s dhcpconf.Settings, unread []*Statement) {
	var longest uint32
	for _, o := range block {
		seconds, isTime := dhcpconf.Seconds(o.Word(1))
		switch {
		case o.Block:
		case o.Begins("default-lease-time") && isTime:
			s.Lease = seconds
		case o.Begins("max-lease-time") && isTime:
			longest = seconds
		case o.Begins("option") && !strings.EqualFold(o.Word(2), "code") && !r.option(o, &s):
			unread = append(unread, o)
		}
	}
	if longest > 0 && s.Lease > longest {
		s.Lease = longest
	}
	return s, unread
}

// option adds one option statement to s; false when it has no place there.
func (r *reader) option(o *Statement, s *dhcpconf.Settings) bool {
	var ok bool
	switch name := strings.ToLower(o.Word(1)); {
	case name == "routers":
		s.Routers, ok = dhcpconf.Addresses(o.Rest(2))
	case name == "domain-name-servers":
		s.NameServers, ok = dhcpconf.Addresses(o.Rest(2))
	case name == "ntp-servers":
		s.TimeServers, ok = dhcpconf.Addresses(o.Rest(2))
	case name == "domain-name":
		s.Domain, ok = o.Word(2), o.Word(2) != ""
	case name == "host-name", name == "domain-search", name == "subnet-mask":
		ok = true // made from the host's name, the domain's and the subnet
	case name == "unknown-121" || r.routes[o.Word(1)]:
		s.Routes, ok = routes(o.Tokens[2:])
	}
	return ok
}

// routes reads option 121: numbers of one byte with commas between, or hexadecimal bytes with colons between.
func routes(tokens []Token) ([]reservation.Route, bool) {
	var b []byte
	for _, t := range tokens {
		if t.is(",") || t.is("=") {
			continue
		}
		if strings.Contains(t.Text, ":") {
			more, ok := dhcpconf.Hex(t.Text)
			if !ok {
				return nil, false
			}
			b = append(b, more...)
			continue
		}
		n, ok := dhcpconf.Seconds(t.Text)
		if !ok && t.Text != "0" || n > 255 {
			return nil, false
		}
		b = append(b, byte(n))
	}
	return dhcpconf.RoutesOf(b)
}
