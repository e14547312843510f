package dnsmasq

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/internal/dhcpconf"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Range is one dhcp-range with its subnet.
type Range struct {
	Network dhcpconf.Network
	// Sets are the tags that machines in the range get.
	Sets  []string
	Lease uint32
}

// Ranges returns the IPv4 ranges. Where a range says no netmask, it is that of the address's class, which dnsmasq replaces by the
// interface's when it has one.
func Ranges(options []Option) []Range {
	var list []Range
	for _, o := range options {
		if o.Name != "dhcp-range" {
			continue
		}
		set, _, rest := o.Tagged()
		if r, ok := rangeOf(rest); ok {
			r.Network.Pos, r.Sets = o.Pos, set
			list = append(list, r)
		}
	}
	return list
}

func rangeOf(rest []string) (Range, bool) {
	var r Range
	if len(rest) > 0 && strings.HasPrefix(rest[0], "interface:") {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return r, false
	}
	start, err := netip.ParseAddr(rest[0])
	if err != nil || !start.Is4() {
		return r, false
	}
	r.Network.Prefix = netip.PrefixFrom(start, dhcpconf.ClassMask(start)).Masked()
	for _, f := range rest[1:] {
		if prefix, ok := dhcpconf.Mask(start.String(), f); ok {
			r.Network.Prefix = prefix
		} else if lease, ok := duration(f); ok {
			r.Lease = lease
		}
	}
	return r, true
}

// duration reads a lease time: seconds, or a number with m, h, d or w, or infinite. dnsmasq takes two minutes at least.
func duration(s string) (uint32, bool) {
	if s == "infinite" {
		return reservation.Infinite, true
	}
	unit := uint64(1)
	if s != "" {
		if i := strings.IndexByte("smhdw", s[len(s)-1]|0x20); i >= 0 {
			unit = []uint64{1, 60, 3600, 86400, 604800}[i]
			s = s[:len(s)-1]
		}
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 0 || n*unit > uint64(reservation.Infinite) {
		return 0, false
	}
	return uint32(n * unit), true
}

// Reservations returns the reservations of the configuration, each with the settings that its machine is told, and what of
// them Hardware cannot hold.
func Reservations(options []Option) ([]dhcpconf.Host, []dhcpconf.Problem) {
	r := reader{ranges: Ranges(options)}
	for _, range4 := range r.ranges {
		r.networks = append(r.networks, range4.Network)
	}
	for _, o := range options {
		if slices.Contains([]string{"dhcp-option", "dhcp-option-force", "tag-if", "domain"}, o.Name) {
			r.options = append(r.options, o)
		}
	}
	for _, o := range options {
		if o.Name == "dhcp-host" {
			r.host(o)
		}
	}
	return r.hosts, r.left
}

type reader struct {
	ranges   []Range
	networks []dhcpconf.Network
	options  []Option // those by which a host is told its settings
	hosts    []dhcpconf.Host
	left     []dhcpconf.Problem
}

// leave reports a setting that is left out.
func (r *reader) leave(pos dhcpconf.Position, format string, args ...any) {
	r.left = append(r.left, dhcpconf.Problem{Pos: pos, Kind: dhcpconf.NotCarried, Text: fmt.Sprintf(format, args...)})
}

// drop reports a reservation that is left out.
func (r *reader) drop(pos dhcpconf.Position, format string, args ...any) {
	r.left = append(r.left, dhcpconf.Problem{Pos: pos, Kind: dhcpconf.LeftOut, Text: fmt.Sprintf(format, args...)})
}

func (r *reader) host(o Option) {
	h := dhcpconf.Host{Pos: o.Pos}
	sets, _, rest := o.Tagged()
	var macs []reservation.MAC
	for _, f := range rest {
		mac, err := reservation.ParseMAC(f)
		addr, notAddr := netip.ParseAddr(strings.Trim(f, "[]"))
		lease, isLease := duration(f)
		switch {
		case err == nil && len(f) != 12 && !strings.Contains(f, "."):
			macs = append(macs, mac)
		case notAddr == nil && addr.Is4():
			h.Address = addr
		case notAddr == nil:
			r.leave(o.Pos, "dhcp-host: %+.60q: IPv6 has no place in Hardware: keep it in the DHCP service", f)
		case isLease:
			h.Settings.Lease = lease
		case f == "":
		case f == "ignore":
			r.drop(o.Pos, "dhcp-host: ignore: a machine that gets no answer is no reservation: leave it out of Hardware")
			return
		case strings.Contains(f, ":") || strings.Contains(f, "*"):
			r.leave(o.Pos, "dhcp-host: %+.60q: Hardware knows a machine by its MAC only: write its MAC", f)
			if !strings.HasPrefix(f, "id:") || f == "id:*" {
				continue
			}
		default:
			h.Name = f
		}
	}
	if len(macs) == 0 {
		r.drop(o.Pos, "dhcp-host: names no MAC: write the machine's")
		return
	}
	if len(macs) > 1 {
		r.leave(o.Pos, "dhcp-host: one address for %d MACs: Hardware gives each its own; the first, %s, keeps it", len(macs), macs[0])
	}
	h.MAC = macs[0]
	h.Network = dhcpconf.Within(r.networks, h.Address)
	r.settings(&h, sets)
	r.hosts = append(r.hosts, h)
}

// settings adds what the dhcp-option lines tell the host: those of its tags, its range's and those that follow from them, and those without any.
func (r *reader) settings(h *dhcpconf.Host, own []string) {
	tags := append(slices.Clone(own), "known")
	for _, range4 := range r.ranges {
		if range4.Network.Prefix.IsValid() && range4.Network == h.Network {
			tags = append(tags, range4.Sets...)
			if h.Settings.Lease == 0 {
				h.Settings.Lease = range4.Lease
			}
		}
	}
	for _, o := range r.options {
		if o.Name != "tag-if" {
			continue
		}
		if set, want, _ := o.Tagged(); all(want, tags) {
			tags = append(tags, set...)
		}
	}
	var plain dhcpconf.Settings
	for _, o := range r.options {
		if o.Name == "tag-if" || o.Name == "domain" {
			continue
		}
		_, want, rest := o.Tagged()
		into := &h.Settings
		if len(want) == 0 {
			into = &plain
		}
		if len(rest) > 1 && all(want, tags) {
			option(Code(rest[0]), rest[1:], into)
		}
	}
	h.Settings = h.Settings.Over(plain)
	if o := r.domain(); h.Settings.Domain == "" {
		h.Settings.Domain = o
	}
}

func (r *reader) domain() string {
	for _, o := range r.options {
		if o.Name == "domain" && len(o.Fields) == 1 && o.Fields[0] != "#" {
			return o.Fields[0]
		}
	}
	return ""
}

// all reports whether a machine with the tags has every wanted one; a wanted name with ! in front must not be there.
func all(want, tags []string) bool {
	for _, w := range want {
		name, negated := strings.CutPrefix(w, "!")
		if slices.Contains(tags, name) == negated {
			return false
		}
	}
	return true
}

// Code returns the number of an option written as a number, option:name or option:number; 0 when it is not known here.
func Code(s string) int {
	s = strings.TrimPrefix(s, "option:")
	switch s {
	case "router":
		return 3
	case "dns-server":
		return 6
	case "domain-name":
		return 15
	case "ntp-server":
		return 42
	case "vendor-class":
		return 60
	case "tftp-server":
		return 66
	case "bootfile-name":
		return 67
	case "user-class":
		return 77
	case "client-arch":
		return 93
	case "classless-static-route":
		return 121
	}
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil {
		return 0
	}
	return int(n)
}

func option(code int, values []string, s *dhcpconf.Settings) {
	switch code {
	case 15:
		s.Domain = values[0]
	case 121:
		if routes, ok := routesOf(values); ok {
			s.Routes = routes
		}
	case 3, 6, 42:
		list, ok := dhcpconf.Addresses(strings.Join(values, ","))
		if !ok {
			return
		}
		switch code {
		case 3:
			s.Routers = list
		case 6:
			s.NameServers = list
		default:
			s.TimeServers = list
		}
	}
}

// routesOf reads 10.0.0.0/8,10.1.1.1,...
func routesOf(values []string) ([]reservation.Route, bool) {
	routes := []reservation.Route{}
	for pair := range slices.Chunk(values, 2) {
		if len(pair) < 2 {
			return nil, false
		}
		prefix, err := netip.ParsePrefix(pair[0])
		router, err2 := netip.ParseAddr(pair[1])
		if err != nil || err2 != nil || !prefix.Addr().Is4() {
			return nil, false
		}
		if prefix.Bits() > 0 {
			routes = append(routes, reservation.Route{Destination: prefix.Masked(), Router: router})
		}
	}
	return routes, true
}
