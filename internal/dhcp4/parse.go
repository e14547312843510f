package dhcp4

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// ParseError says why a packet is no request. It is the only kind of error that Parse returns.
type ParseError struct {
	// Reason is one of the reasons named at ReasonMalformed.
	Reason boot.Reason
	// Type is option 53, as far as there is one.
	Type MessageType
	// Detail is for a person; it holds numbers only, never bytes of the packet as text.
	Detail string
}

// Error implements error.
func (e *ParseError) Error() string { return string(e.Reason) + ": " + e.Detail }

func refuse(why boot.Reason, format string, args ...any) error {
	return &ParseError{Reason: why, Detail: fmt.Sprintf(format, args...)}
}

// Parse reads one UDP payload. The packet may be overwritten afterwards.
//
// Options that appear more than once, or in pieces over the options, file and sname fields (option 52), are joined in
// that order (RFC 3396 section 5). A missing End option is forgiven. An option that decides who is meant and is of the
// wrong length makes the packet malformed; one that only adds detail then counts as not sent.
func Parse(packet []byte) (*Request, error) {
	q, err := parseHeader(packet)
	if err != nil {
		return nil, err
	}
	options, err := parseOptions(packet)
	if err != nil {
		return nil, err
	}
	if q.Type, err = messageType(options); err != nil {
		return nil, err
	}
	if err := q.read(options); err != nil {
		return nil, err
	}
	return q, nil
}

func parseHeader(b []byte) (*Request, error) {
	if len(b) < offOptions {
		return nil, refuse(ReasonMalformed, "%d bytes, fewer than the %d of an empty message", len(b), offOptions)
	}
	if b[0] != opRequest {
		return nil, refuse(ReasonNotRequest, "op is %d, not BOOTREQUEST", b[0])
	}
	if cookie := binary.BigEndian.Uint32(b[offCookie:]); cookie != magicCookie {
		return nil, refuse(ReasonBadCookie, "the magic cookie is %#08x", cookie)
	}
	if b[1] != htypeEthernet || b[2] != 6 {
		return nil, refuse(ReasonBadHardwareAddress, "htype %d and hlen %d are not Ethernet's 1 and 6", b[1], b[2])
	}
	if b[3] > maxHops {
		return nil, refuse(ReasonTooManyHops, "%d hops are more than %d", b[3], maxHops)
	}
	q := &Request{
		XID:    binary.BigEndian.Uint32(b[4:]),
		Flags:  binary.BigEndian.Uint16(b[10:]),
		CIAddr: address(b[12:16]),
		GIAddr: address(b[24:28]),
		MAC:    reservation.MAC(b[28:34]),
		chaddr: [16]byte(b[28:44]),
	}
	if q.MAC.IsZero() || q.MAC.IsGroup() {
		return nil, refuse(ReasonBadHardwareAddress, "chaddr %s cannot be a machine's", q.MAC)
	}
	if q.CIAddr.IsValid() && !unicast(q.CIAddr) {
		return nil, refuse(ReasonMalformed, "ciaddr %s cannot be answered", q.CIAddr)
	}
	if why := noRelay(q.GIAddr); why != "" {
		return nil, refuse(why, "giaddr %s cannot be answered", q.GIAddr)
	}
	return q, nil
}

// unicast reports whether a packet to a reaches one other host.
func unicast(a netip.Addr) bool {
	return !a.IsLoopback() && a.As4()[0] != 0 && a.As4()[0] < 224
}

// address returns b as an address, the zero Addr for 0.0.0.0.
func address(b []byte) netip.Addr {
	a := netip.AddrFrom4([4]byte(b))
	if a.IsUnspecified() {
		return netip.Addr{}
	}
	return a
}

// parseOptions reads the options field and the fields that option 52 adds to it.
func parseOptions(b []byte) (dhcpv4.Options, error) {
	options := dhcpv4.Options{}
	if err := options.FromBytes(b[offOptions:]); err != nil {
		return nil, refuse(ReasonMalformed, "an option runs past the end of the message")
	}
	overload, sent := options[optOverload]
	if !sent {
		return options, nil
	}
	if len(overload) != 1 || overload[0] < 1 || overload[0] > 3 {
		return nil, refuse(ReasonMalformed, "option 52 is none of 1, 2 and 3")
	}
	if overload[0]&1 != 0 {
		if err := options.FromBytes(b[offFile:offCookie]); err != nil {
			return nil, refuse(ReasonMalformed, "an option runs past the end of the file field")
		}
	}
	if overload[0]&2 != 0 {
		if err := options.FromBytes(b[offSname:offFile]); err != nil {
			return nil, refuse(ReasonMalformed, "an option runs past the end of the sname field")
		}
	}
	return options, nil
}

func messageType(options dhcpv4.Options) (MessageType, error) {
	value, sent := options[optMessageType]
	if !sent {
		return 0, refuse(ReasonNoMessageType, "BOOTP: there is no option 53")
	}
	if len(value) != 1 {
		return 0, refuse(ReasonMalformed, "%s", wrongLength(optMessageType, len(value), 1))
	}
	switch t := MessageType(value[0]); t {
	case TypeDiscover, TypeRequest, TypeDecline, TypeRelease, TypeInform:
		return t, nil
	case typeLeaseQuery, typeBulkLeaseQuery, typeActiveLeaseQuery:
		return 0, &ParseError{Reason: ReasonLeaseQuery, Type: t, Detail: fmt.Sprintf("message type %d asks about leases", t)}
	default:
		return 0, &ParseError{Reason: ReasonUnknownMessageType, Type: t,
			Detail: fmt.Sprintf("message type %d is not one that a client sends", t)}
	}
}

func wrongLength(code uint8, got, want int) string {
	return fmt.Sprintf("option %d has %d bytes, not %d", code, got, want)
}
