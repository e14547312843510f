package reservation

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// PrefixLength returns the number of leading ones of an IPv4 netmask, 1..32. It returns false for what is none: another
// family, 0.0.0.0, or ones after zeros (RFC 950 section 2.1).
func PrefixLength(netmask netip.Addr) (int, bool) {
	if !netmask.Is4() {
		return 0, false
	}
	mask := number(netmask)
	length := bits.LeadingZeros32(^mask)
	return length, length > 0 && bits.OnesCount32(mask) == length
}

// Role is what an address is in its subnet.
type Role uint8

// The roles.
const (
	RoleHost      Role = iota
	RoleNetwork        // the subnet's own address, all host bits zero
	RoleBroadcast      // all host bits one
)

// RoleIn says what the IPv4 address is in subnet, which must contain it. Subnets of one or two addresses have neither a
// network nor a broadcast address (RFC 3021).
func RoleIn(subnet netip.Prefix, address netip.Addr) Role {
	if subnet.Bits() > 30 {
		return RoleHost
	}
	hosts := uint32(1)<<(32-subnet.Bits()) - 1
	switch number(address) & hosts {
	case 0:
		return RoleNetwork
	case hosts:
		return RoleBroadcast
	}
	return RoleHost
}

func number(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}
