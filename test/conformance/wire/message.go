package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
)

// Sizes and offsets of a DHCP message (RFC 2131 figure 1).
const (
	SNameSize  = 64
	FileSize   = 128
	headerSize = 236
	// Cookie begins the options (RFC 2131 section 3).
	Cookie = 0x63825363
	// Broadcast is the flag (RFC 2131 figure 2).
	Broadcast = 0x8000
)

// Option codes with a meaning for the form of a message.
const (
	optPad      = 0
	optOverload = 52
	optEnd      = 255
)

// Option is one option as it is on the wire: a long one comes in several (RFC 3396).
type Option struct {
	Code  byte
	Value []byte
}

// Message is a DHCP message. The zero Addr is 0.0.0.0.
type Message struct {
	Op, HType, HLen, Hops          byte
	XID                            uint32
	Secs, Flags                    uint16
	CIAddr, YIAddr, SIAddr, GIAddr netip.Addr
	CHAddr                         [16]byte
	SName                          [SNameSize]byte
	File                           [FileSize]byte
	Cookie                         uint32
	Options                        []Option

	// End says that the options field has an End option, and Rest what follows it. Size is that of the whole message. They
	// are of messages that were read.
	End  bool
	Rest []byte
	Size int
}

// Bytes makes the UDP payload.
func (m *Message) Bytes() []byte {
	b := []byte{m.Op, m.HType, m.HLen, m.Hops}
	b = binary.BigEndian.AppendUint32(b, m.XID)
	b = binary.BigEndian.AppendUint16(b, m.Secs)
	b = binary.BigEndian.AppendUint16(b, m.Flags)
	for _, a := range []netip.Addr{m.CIAddr, m.YIAddr, m.SIAddr, m.GIAddr} {
		b = append(b, Octets(a)...)
	}
	b = append(b, m.CHAddr[:]...)
	b = append(b, m.SName[:]...)
	b = append(b, m.File[:]...)
	b = binary.BigEndian.AppendUint32(b, m.Cookie)
	return append(AppendOptions(b, m.Options...), optEnd)
}

// AppendOptions appends options as they are, without an End.
func AppendOptions(b []byte, options ...Option) []byte {
	for _, o := range options {
		b = append(b, o.Code, byte(len(o.Value)))
		b = append(b, o.Value...)
	}
	return b
}

// Octets are the four bytes of an address.
func Octets(a netip.Addr) []byte {
	if !a.Is4() {
		return make([]byte, 4)
	}
	four := a.As4()
	return four[:]
}

// Address reads four bytes; 0.0.0.0 is the zero Addr.
func Address(b []byte) netip.Addr {
	if len(b) != 4 || bytes.Equal(b, make([]byte, 4)) {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte(b))
}

// Parse reads a UDP payload. The options of the fields that option 52 names are among the options, after the others.
func Parse(b []byte) (*Message, error) {
	if len(b) < headerSize+4 {
		return nil, fmt.Errorf("%d bytes are no DHCP message", len(b))
	}
	m := &Message{Op: b[0], HType: b[1], HLen: b[2], Hops: b[3], XID: binary.BigEndian.Uint32(b[4:]), Size: len(b),
		Secs: binary.BigEndian.Uint16(b[8:]), Flags: binary.BigEndian.Uint16(b[10:]),
		CIAddr: Address(b[12:16]), YIAddr: Address(b[16:20]), SIAddr: Address(b[20:24]), GIAddr: Address(b[24:28]),
		CHAddr: [16]byte(b[28:44]), SName: [SNameSize]byte(b[44:108]), File: [FileSize]byte(b[108:236]),
		Cookie: binary.BigEndian.Uint32(b[headerSize:])}
	if m.Cookie != Cookie {
		return m, nil // what follows are no options
	}
	var err error
	if m.Options, m.Rest, m.End, err = options(b[headerSize+4:]); err != nil {
		return nil, err
	}
	overload, _ := m.Get(optOverload)
	if len(overload) != 1 {
		return m, nil
	}
	for i, field := range [][]byte{m.File[:], m.SName[:]} {
		if overload[0]&(1<<i) == 0 {
			continue
		}
		more, _, _, err := options(field)
		if err != nil {
			return nil, err
		}
		m.Options = append(m.Options, more...)
	}
	return m, nil
}

func options(b []byte) (all []Option, rest []byte, end bool, err error) {
	for len(b) > 0 {
		code := b[0]
		if code == optEnd {
			return all, b[1:], true, nil
		}
		if code == optPad {
			b = b[1:]
			continue
		}
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return nil, nil, false, fmt.Errorf("option %d runs past the end of its field", code)
		}
		all = append(all, Option{code, slices.Clone(b[2 : 2+int(b[1])])})
		b = b[2+int(b[1]):]
	}
	return all, nil, false, nil
}

// Get returns the value of an option, its pieces joined (RFC 3396), and whether it is there.
func (m *Message) Get(code byte) (value []byte, found bool) {
	for _, o := range m.Options {
		if o.Code == code {
			value, found = append(value, o.Value...), true
		}
	}
	return value, found
}

// Has reports whether an option is there.
func (m *Message) Has(code byte) bool {
	_, found := m.Get(code)
	return found
}

// Type is option 53, 0 without one.
func (m *Message) Type() byte {
	value, _ := m.Get(53)
	if len(value) != 1 {
		return 0
	}
	return value[0]
}

// Codes are the codes of the options in their order, those in pieces once.
func (m *Message) Codes() []byte {
	var codes []byte
	for _, o := range m.Options {
		if !slices.Contains(codes, o.Code) {
			codes = append(codes, o.Code)
		}
	}
	return codes
}

// Text is a NUL-terminated field.
func Text(field []byte) string {
	text, _, _ := bytes.Cut(field, []byte{0})
	return string(text)
}
