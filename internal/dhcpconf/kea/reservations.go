package kea

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/internal/dhcpconf"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Subnet is one element of subnet4, with what stands around it.
type Subnet struct {
	Network dhcpconf.Network
	Value   *Value
	// Around are the scopes that the subnet is in, the widest first: Dhcp4, and a shared network.
	Around []*Value
}

// Subnets returns the subnets of the configuration, those in shared networks too. A subnet without a readable prefix has
// the zero Prefix.
func Subnets(config *Value) []Subnet {
	dhcp4 := config.Get("Dhcp4")
	var subnets []Subnet
	add := func(list []*Value, around ...*Value) {
		for _, v := range list {
			s := Subnet{Network: dhcpconf.Network{Pos: v.Pos}, Value: v, Around: around}
			if prefix, err := netip.ParsePrefix(strings.ReplaceAll(v.Str("subnet"), " ", "")); err == nil {
				s.Network.Prefix = prefix.Masked()
			}
			subnets = append(subnets, s)
		}
	}
	add(dhcp4.Items("subnet4"), dhcp4)
	for _, shared := range dhcp4.Items("shared-networks") {
		add(shared.Items("subnet4"), dhcp4, shared)
	}
	return subnets
}

// Reservations returns the reservations of the configuration, each with the settings that its machine is told, and what of
// them Hardware cannot hold.
func Reservations(config *Value) ([]dhcpconf.Host, []dhcpconf.Problem) {
	r := reader{classes: map[string]*Value{}}
	dhcp4 := config.Get("Dhcp4")
	for _, class := range dhcp4.Items("client-classes") {
		r.classes[class.Str("name")] = class
	}
	var networks []dhcpconf.Network
	subnets := Subnets(config)
	for _, s := range subnets {
		networks = append(networks, s.Network)
		for _, v := range s.Value.Items("reservations") {
			r.host(v, s.Network, append(slices.Clone(s.Around), s.Value))
		}
	}
	for _, v := range dhcp4.Items("reservations") {
		around := []*Value{dhcp4}
		addr, err := netip.ParseAddr(v.Str("ip-address"))
		if err != nil {
			r.host(v, dhcpconf.Network{}, around)
			continue
		}
		network := dhcpconf.Within(networks, addr)
		if i := slices.IndexFunc(subnets, func(s Subnet) bool { return s.Network == network }); i >= 0 {
			around = append(slices.Clone(subnets[i].Around), subnets[i].Value)
		}
		r.host(v, network, around)
	}
	return r.hosts, r.left
}

type reader struct {
	classes map[string]*Value
	hosts   []dhcpconf.Host
	left    []dhcpconf.Problem
}

// leave reports a setting that is left out.
func (r *reader) leave(pos dhcpconf.Position, format string, args ...any) {
	r.left = append(r.left, dhcpconf.Problem{Pos: pos, Kind: dhcpconf.NotCarried, Text: fmt.Sprintf(format, args...)})
}

// drop reports a reservation that is left out.
func (r *reader) drop(pos dhcpconf.Position, format string, args ...any) {
	r.left = append(r.left, dhcpconf.Problem{Pos: pos, Kind: dhcpconf.LeftOut, Text: fmt.Sprintf(format, args...)})
}

func (r *reader) host(v *Value, network dhcpconf.Network, around []*Value) {
	h := dhcpconf.Host{Pos: v.Pos, Name: v.Str("hostname"), Network: network}
	mac, err := reservation.ParseMAC(v.Str("hw-address"))
	if err != nil {
		r.drop(v.Pos, "reservation: hw-address %+.60q: Hardware knows a machine by its MAC only: write its MAC", v.Str("hw-address"))
		return
	}
	h.MAC = mac
	if text := v.Str("ip-address"); text != "" {
		if h.Address, err = netip.ParseAddr(text); err != nil || !h.Address.Is4() {
			r.drop(v.Pos, "reservation of %s: ip-address %+.60q: not an IPv4 address: write one", mac, text)
			return
		}
	}
	h.Settings = r.settings(v, mac.String(), true)
	for _, name := range slices.Backward(v.Items("client-classes")) {
		if class := r.classes[name.Text]; class != nil && class.Get("test") == nil {
			h.Settings = h.Settings.Over(r.settings(class, "", false))
		}
	}
	for _, scope := range slices.Backward(around) {
		h.Settings = h.Settings.Over(r.settings(scope, "", false))
	}
	for _, name := range []string{"boot-file-name", "next-server", "server-hostname"} {
		if m := v.Member(name); m != nil && m.Value.Text != "" && m.Value.Text != "0.0.0.0" {
			r.leave(m.Pos, "reservation of %s: %s %+.60q: boot data has no place in a reservation: boot rules by class say it", mac, name, m.Value.Text)
		}
	}
	r.hosts = append(r.hosts, h)
}

// settings reads what one scope says; own is true for the reservation itself, of which nothing may be left out unsaid.
func (r *reader) settings(v *Value, mac string, own bool) dhcpconf.Settings {
	var s dhcpconf.Settings
	if n := v.Get("valid-lifetime"); n != nil && n.Kind == Number {
		if seconds, ok := dhcpconf.Seconds(n.Text); ok {
			s.Lease = seconds
		}
	}
	for _, o := range v.Items("option-data") {
		if !option(o, &s) && own {
			r.leave(o.Pos, "reservation of %s: option %+.40q %s data %+.60q: has no place in Hardware, or cannot be read: keep it in the DHCP service",
				mac, o.Str("name"), code(o), o.Str("data"))
		}
	}
	return s
}

// OptionCode returns the number of an option-data element, 0 for a name that is not known here.
func OptionCode(o *Value) int {
	if c := o.Get("code"); c != nil {
		n, ok := dhcpconf.Seconds(c.Text)
		if ok && n < 255 {
			return int(n)
		}
	}
	switch o.Str("name") {
	case "routers":
		return 3
	case "domain-name-servers":
		return 6
	case "host-name":
		return 12
	case "domain-name":
		return 15
	case "ntp-servers":
		return 42
	case "vendor-class-identifier":
		return 60
	case "tftp-server-name":
		return 66
	case "boot-file-name":
		return 67
	case "classless-static-route":
		return 121
	}
	return 0
}

func code(o *Value) string { return fmt.Sprintf("(%d)", OptionCode(o)) }

// option adds one element of option-data to s; false when it has no place there.
func option(o *Value, s *dhcpconf.Settings) bool {
	data := strings.TrimSpace(o.Str("data"))
	csv := o.Get("csv-format")
	raw, isHex := []byte(nil), false
	if csv != nil && csv.Text == "false" {
		raw, isHex = dhcpconf.Hex(data)
		if !isHex {
			return false
		}
	}
	var ok bool
	switch OptionCode(o) {
	case 3:
		s.Routers, ok = addresses(data, raw, isHex)
	case 6:
		s.NameServers, ok = addresses(data, raw, isHex)
	case 42:
		s.TimeServers, ok = addresses(data, raw, isHex)
	case 12:
		ok = true // hostname says it
	case 15:
		s.Domain, ok = data, true
		if isHex {
			s.Domain = string(raw)
		}
	case 119:
		ok = true // made from the domain name
	case 121:
		s.Routes, ok = routes(data, raw, isHex)
	}
	return ok
}

func addresses(data string, raw []byte, isHex bool) ([]netip.Addr, bool) {
	if !isHex {
		return dhcpconf.Addresses(data)
	}
	var list []netip.Addr
	for chunk := range slices.Chunk(raw, 4) {
		if len(chunk) < 4 {
			return nil, false
		}
		list = append(list, netip.AddrFrom4([4]byte(chunk)))
	}
	return list, len(list) > 0
}

// routes reads hexadecimal bytes, which every version takes, and "10.0.0.0/8 - 10.1.1.1, ...", which Kea 2.5.8 brought.
func routes(data string, raw []byte, isHex bool) ([]reservation.Route, bool) {
	if !isHex {
		if b, ok := dhcpconf.Hex(data); ok {
			return dhcpconf.RoutesOf(b)
		}
		list := []reservation.Route{}
		for part := range strings.SplitSeq(data, ",") {
			dest, router, _ := strings.Cut(part, " - ")
			prefix, err := netip.ParsePrefix(strings.TrimSpace(dest))
			addr, err2 := netip.ParseAddr(strings.TrimSpace(router))
			if err != nil || err2 != nil {
				return nil, false
			}
			if prefix.Bits() > 0 {
				list = append(list, reservation.Route{Destination: prefix.Masked(), Router: addr})
			}
		}
		return list, true
	}
	return dhcpconf.RoutesOf(raw)
}
