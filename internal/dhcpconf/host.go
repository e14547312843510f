package dhcpconf

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/internal/reservation"
)

// Network is one subnet that a configuration serves.
type Network struct {
	Pos Position
	// Prefix is masked; the zero value stands for a subnet that is not written, or cannot be read.
	Prefix netip.Prefix
}

// Settings are what machines are told besides their address. Lease is in seconds, 0 for what is not written.
type Settings struct {
	Routers, NameServers, TimeServers []netip.Addr
	Domain                            string
	Routes                            []reservation.Route
	Lease                             uint32
}

// Over returns s with everything that it leaves open taken from wider, the scope around it.
func (s Settings) Over(wider Settings) Settings {
	if s.Routers == nil {
		s.Routers = wider.Routers
	}
	if s.NameServers == nil {
		s.NameServers = wider.NameServers
	}
	if s.TimeServers == nil {
		s.TimeServers = wider.TimeServers
	}
	if s.Routes == nil {
		s.Routes = wider.Routes
	}
	if s.Domain == "" {
		s.Domain = wider.Domain
	}
	if s.Lease == 0 {
		s.Lease = wider.Lease
	}
	return s
}

// Host is one reservation of a configuration.
type Host struct {
	Pos  Position
	MAC  reservation.MAC
	Name string
	// Address is the zero Addr for a machine that is known and has no fixed address.
	Address netip.Addr
	// Network is the subnet around the address; its Prefix is zero when no subnet of the configuration holds it.
	Network  Network
	Settings Settings
}

// Within returns the network that holds addr, the narrowest if several do.
func Within(networks []Network, addr netip.Addr) Network {
	var best Network
	for _, n := range networks {
		if n.Prefix.IsValid() && n.Prefix.Contains(addr) && (!best.Prefix.IsValid() || n.Prefix.Bits() > best.Prefix.Bits()) {
			best = n
		}
	}
	return best
}

// Addresses reads IPv4 addresses separated by commas or spaces; false when one of them is none.
func Addresses(s string) ([]netip.Addr, bool) {
	var list []netip.Addr
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		addr, err := netip.ParseAddr(part)
		if err != nil || !addr.Is4() {
			return nil, false
		}
		list = append(list, addr)
	}
	return list, len(list) > 0
}

// RoutesOf reads the bytes of option 121 (RFC 3442), without its default route; false when they are no routes.
func RoutesOf(b []byte) ([]reservation.Route, bool) {
	routes := []reservation.Route{}
	for len(b) > 0 {
		bits := int(b[0])
		n := (bits + 7) / 8
		if bits > 32 || len(b) < 1+n+4 {
			return nil, false
		}
		var dest [4]byte
		copy(dest[:], b[1:1+n])
		router := netip.AddrFrom4([4]byte(b[1+n : 1+n+4]))
		if bits > 0 {
			routes = append(routes, reservation.Route{Destination: netip.PrefixFrom(netip.AddrFrom4(dest), bits).Masked(), Router: router})
		}
		b = b[1+n+4:]
	}
	return routes, true
}

// Hex reads bytes as Kea writes them: pairs of digits, with 0x in front or colons or spaces between, or neither.
func Hex(s string) ([]byte, bool) {
	s = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(s), "0x"), "0X")
	s = strings.NewReplacer(":", "", " ", "").Replace(s)
	if len(s)%2 == 1 {
		s = "0" + s
	}
	b, err := hex.DecodeString(s)
	return b, err == nil
}

// Seconds reads a lease time of 1 to 4294967295 seconds.
func Seconds(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil && n > 0
}

// Mask returns the prefix of a network and its netmask, both written as addresses.
func Mask(network, mask string) (netip.Prefix, bool) {
	addr, err := netip.ParseAddr(network)
	if err != nil || !addr.Is4() {
		return netip.Prefix{}, false
	}
	netmask, err := netip.ParseAddr(mask)
	if err != nil {
		return netip.Prefix{}, false
	}
	length, ok := reservation.PrefixLength(netmask)
	return netip.PrefixFrom(addr, length).Masked(), ok
}

// ClassMask returns the netmask length that a network has by the first bits of its address, 8, 16 or 24.
func ClassMask(addr netip.Addr) int {
	switch first := binary.BigEndian.Uint32(addr.AsSlice()) >> 24; {
	case first < 128:
		return 8
	case first < 192:
		return 16
	}
	return 24
}

// ByPlace sorts problems by file, line and column.
func ByPlace(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Pos.Compare(b.Pos) })
}
