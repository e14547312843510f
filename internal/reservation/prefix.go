package reservation

import "net/netip"

// Prefix is an IPv4 address together with the length of its subnet's prefix: a netip.Prefix in five bytes, because there
// is one for every machine. The last byte is one more than the length. The zero value means "none".
type Prefix [5]byte

// PrefixOf returns p as it is, address bits included; the zero Prefix when p is not an IPv4 prefix.
func PrefixOf(p netip.Prefix) Prefix {
	if !p.IsValid() || !p.Addr().Is4() {
		return Prefix{}
	}
	a := p.Addr().As4()
	return Prefix{a[0], a[1], a[2], a[3], uint8(p.Bits() + 1)}
}

// MustParsePrefix reads a prefix like 192.168.2.10/24, and panics when it is none.
func MustParsePrefix(s string) Prefix { return PrefixOf(netip.MustParsePrefix(s)) }

// Prefix returns the same as package netip has it.
func (p Prefix) Prefix() netip.Prefix {
	if !p.IsValid() {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte(p[:4])), p.Bits())
}

// IsValid reports whether p is an address and not none.
func (p Prefix) IsValid() bool { return p[4] > 0 }

// Addr returns the address; the zero Addr for none.
func (p Prefix) Addr() netip.Addr {
	if !p.IsValid() {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte(p[:4]))
}

// Bits returns the length of the prefix; -1 for none.
func (p Prefix) Bits() int { return int(p[4]) - 1 }

// Masked returns the subnet: the prefix with all host bits zero.
func (p Prefix) Masked() netip.Prefix { return p.Prefix().Masked() }

// Contains reports whether the subnet contains an address.
func (p Prefix) Contains(a netip.Addr) bool { return p.Prefix().Contains(a) }

// String writes p like 192.168.2.10/24.
func (p Prefix) String() string { return p.Prefix().String() }

// MarshalText implements encoding.TextMarshaler.
func (p Prefix) MarshalText() ([]byte, error) { return p.Prefix().MarshalText() }

// UnmarshalText implements encoding.TextUnmarshaler. Of what is not IPv4 it makes none.
func (p *Prefix) UnmarshalText(text []byte) error {
	var wide netip.Prefix
	if err := wide.UnmarshalText(text); err != nil {
		return err
	}
	*p = PrefixOf(wide)
	return nil
}
