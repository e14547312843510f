package reservation

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
)

// MAC is a 48-bit Ethernet hardware address (RFC 2131 chaddr with htype 1, hlen 6). The zero value means "none".
type MAC [6]byte

// ParseMAC reads a MAC written with colons or dashes between bytes (52:54:00:12:34:56), dots between pairs
// (5254.0012.3456) or nothing at all (525400123456), in either case. Mixed separators are refused.
func ParseMAC(s string) (MAC, error) {
	var m MAC
	digits, ok := macDigits(s)
	if !ok {
		return m, fmt.Errorf("%.40q is not a 48-bit MAC address: write it like 52:54:00:12:34:56", s)
	}
	if _, err := hex.Decode(m[:], digits[:]); err != nil {
		return MAC{}, fmt.Errorf("%.40q is not a 48-bit MAC address: write it like 52:54:00:12:34:56", s)
	}
	return m, nil
}

// macDigits returns the twelve digits of s when its separators, if any, stand where they belong.
func macDigits(s string) (digits [12]byte, ok bool) {
	var separator byte
	var group int // digits between two separators
	switch {
	case len(s) == 12:
		group = 12
	case len(s) == 17 && (s[2] == ':' || s[2] == '-'):
		separator, group = s[2], 2
	case len(s) == 14 && s[4] == '.':
		separator, group = '.', 4
	default:
		return digits, false
	}
	n := 0
	for i := range len(s) {
		if (i+1)%(group+1) == 0 {
			if s[i] != separator {
				return digits, false
			}
			continue
		}
		digits[n] = s[i]
		n++
	}
	return digits, n == 12
}

// String writes the MAC in lower case with colons.
func (m MAC) String() string { return string(m.join(':')) }

// Dashed writes the MAC in lower case with dashes, as it stands in file names.
func (m MAC) Dashed() string { return string(m.join('-')) }

func (m MAC) join(separator byte) []byte {
	const digits = "0123456789abcdef"
	b := make([]byte, 0, 17)
	for i, octet := range m {
		if i > 0 {
			b = append(b, separator)
		}
		b = append(b, digits[octet>>4], digits[octet&15])
	}
	return b
}

// IsZero reports whether m is the zero address, which stands for no address.
func (m MAC) IsZero() bool { return m == MAC{} }

// IsGroup reports whether m is a multicast or broadcast address (IEEE 802 I/G bit), which no single machine can own.
func (m MAC) IsGroup() bool { return m[0]&1 == 1 }

// Compare orders two addresses by their bytes.
func (m MAC) Compare(other MAC) int { return bytes.Compare(m[:], other[:]) }

// HasOUI reports whether m starts with the three bytes of an organizationally unique identifier.
func (m MAC) HasOUI(oui [3]byte) bool { return [3]byte(m[:3]) == oui }

// MarshalText implements encoding.TextMarshaler.
func (m MAC) MarshalText() ([]byte, error) { return m.join(':'), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *MAC) UnmarshalText(text []byte) error {
	parsed, err := ParseMAC(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}
