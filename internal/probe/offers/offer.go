package offers

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Message is the type of an answer.
type Message string

// The answers that are reported. ACK and NAK come only where a REQUEST was sent.
const (
	MessageOffer Message = "OFFER"
	MessageACK   Message = "ACK"
	MessageNAK   Message = "NAK"
)

// Offer is one answer. Its texts come from the network as they are: quote them where they are printed.
type Offer struct {
	Message Message
	// From is the source address of the packet, ServerID option 54.
	From, ServerID netip.Addr
	// Address is yiaddr, Mask the prefix length that option 1 says: 0 without one, -1 when it is no netmask.
	Address netip.Addr
	Mask    int
	// NextServer is siaddr; the zero Addr for 0.0.0.0.
	NextServer netip.Addr
	// File is the header's file field, Option67 the boot file option: most servers fill one, some both.
	File, Option67 string
	// Option66 is the TFTP server's name, VendorClass option 60.
	Option66, VendorClass string
	// Lease is option 51 in seconds.
	Lease uint32
	// RTT is the time since the last packet that may have caused it.
	RTT time.Duration
}

// BootFile is the boot file that a client takes: UEFI firmware the option, else the header's field. Where both are given
// and differ, clients differ too, and Judge says so.
func (o Offer) BootFile() string {
	if o.Option67 != "" {
		return o.Option67
	}
	return o.File
}

// Proxy reports whether it is a proxy's: what to boot and no address, in an OFFER that says so by its vendor class (PXE 2.1
// section 2.2.3). Another server gives the address.
func (o Offer) Proxy() bool {
	return o.Message == MessageOffer && !o.Address.IsValid() &&
		(strings.HasPrefix(o.VendorClass, boot.VendorPXEClient.String()) || strings.HasPrefix(o.VendorClass, boot.VendorHTTPClient.String()))
}

// same reports whether o and other say the same, whenever they came.
func (o Offer) same(other Offer) bool {
	o.RTT, other.RTT = 0, 0
	return o == other
}

// header is the length of a DHCP message without options, its fields file and sname in it (RFC 2131 section 2).
const (
	header    = 236
	snameFrom = 44
	fileFrom  = 108
)

// Bits of option 52: these fields hold options (RFC 2132 section 9.3).
const (
	overloadFile  = 1
	overloadSname = 2
)

// read reads an answer. It returns false for everything that is none.
func read(payload []byte) (o Offer, xid dhcpv4.TransactionID, mac reservation.MAC, ok bool) {
	d, err := dhcpv4.FromBytes(payload)
	if err != nil || d.OpCode != dhcpv4.OpcodeBootReply || len(d.ClientHWAddr) != len(mac) || len(payload) < header {
		return o, xid, mac, false
	}
	switch d.MessageType() {
	case dhcpv4.MessageTypeOffer:
		o.Message = MessageOffer
	case dhcpv4.MessageTypeAck:
		o.Message = MessageACK
	case dhcpv4.MessageTypeNak:
		o.Message = MessageNAK
	default:
		return o, xid, mac, false
	}
	file, fieldsHoldOptions := untilNUL(payload[fileFrom:header]), d.Options[optOverload]
	if len(fieldsHoldOptions) == 1 && fieldsHoldOptions[0]&overloadFile != 0 {
		file = ""
		overload(d.Options, payload[fileFrom:header])
	}
	if len(fieldsHoldOptions) == 1 && fieldsHoldOptions[0]&overloadSname != 0 {
		overload(d.Options, payload[snameFrom:fileFrom])
	}
	o.Address, o.NextServer, o.File = field(d.YourIPAddr), field(d.ServerIPAddr), file
	o.Option66, o.Option67 = untilNUL(d.Options[optServerName]), untilNUL(d.Options[optBootFile])
	o.VendorClass = untilNUL(d.Options[optVendorClass])
	o.ServerID = option4(d.Options[optServerID])
	if lease := d.Options[uint8(dhcpv4.OptionIPAddressLeaseTime)]; len(lease) == 4 {
		o.Lease = binary.BigEndian.Uint32(lease)
	}
	if mask, sent := d.Options[uint8(dhcpv4.OptionSubnetMask)]; sent {
		bits, valid := reservation.PrefixLength(option4(mask))
		if o.Mask = bits; !valid {
			o.Mask = -1
		}
	}
	return o, d.TransactionID, reservation.MAC(d.ClientHWAddr), true
}

// overload adds the options of a header field; garbled ones say nothing.
func overload(to dhcpv4.Options, field []byte) {
	inner := dhcpv4.Options{}
	if inner.FromBytes(field) != nil {
		return
	}
	for code, value := range inner {
		to[code] = append(bytes.Clone(to[code]), value...)
	}
}

// untilNUL is a text that may be ended by NUL.
func untilNUL(b []byte) string {
	text, _, _ := bytes.Cut(b, []byte{0})
	return string(text)
}

// field is an address of the header, the zero Addr for 0.0.0.0.
func field(ip net.IP) netip.Addr {
	a := option4(ip.To4())
	if a.IsUnspecified() {
		return netip.Addr{}
	}
	return a
}

// option4 is an option that holds one address; the zero Addr when it does not.
func option4(b []byte) netip.Addr {
	if len(b) != 4 {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte(b))
}
