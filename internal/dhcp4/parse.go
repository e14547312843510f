package dhcp4

import (
	"encoding/binary"
	"fmt"
	"net/netip"

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

// Parse reads one UDP payload.
//
// Options that appear more than once, or in pieces over the options, file and sname fields (option 52), are joined in
// that order (RFC 3396 section 5). A missing End option is forgiven. An option that decides who is meant and is of the
// wrong length makes the packet malformed; one that only adds detail then counts as not sent.
func Parse(packet []byte) (*Request, error) {
	q := &Request{}
	return q, q.parse(packet)
}

// parse is Parse into a request that may hold an earlier one, whose memory it uses again.
func (q *Request) parse(packet []byte) error {
	*q = Request{Archs: q.Archs[:0], options: options{joined: q.options.joined[:0]}}
	if err := q.parseHeader(packet); err != nil {
		return err
	}
	if err := q.options.read(packet); err != nil {
		return err
	}
	var err error
	if q.Type, err = q.options.messageType(); err != nil {
		return err
	}
	return q.read()
}

func (q *Request) parseHeader(b []byte) error {
	if len(b) < offOptions {
		return refuse(ReasonMalformed, "%d bytes, fewer than the %d of an empty message", len(b), offOptions)
	}
	if b[0] != opRequest {
		return refuse(ReasonNotRequest, "op is %d, not BOOTREQUEST", b[0])
	}
	if cookie := binary.BigEndian.Uint32(b[offCookie:]); cookie != magicCookie {
		return refuse(ReasonBadCookie, "the magic cookie is %#08x", cookie)
	}
	if b[1] != htypeEthernet || b[2] != 6 {
		return refuse(ReasonBadHardwareAddress, "htype %d and hlen %d are not Ethernet's 1 and 6", b[1], b[2])
	}
	if b[3] > maxHops {
		return refuse(ReasonTooManyHops, "%d hops are more than %d", b[3], maxHops)
	}
	q.XID, q.Flags = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint16(b[10:])
	q.CIAddr, q.GIAddr = address(b[12:16]), address(b[24:28])
	q.MAC, q.chaddr = reservation.MAC(b[28:34]), [16]byte(b[28:44])
	if q.MAC.IsZero() || q.MAC.IsGroup() {
		return refuse(ReasonBadHardwareAddress, "chaddr %s cannot be a machine's", q.MAC)
	}
	if q.CIAddr.IsValid() && !unicast(q.CIAddr) {
		return refuse(ReasonMalformed, "ciaddr %s cannot be answered", q.CIAddr)
	}
	if why := noRelay(q.GIAddr); why != "" {
		return refuse(why, "giaddr %s cannot be answered", q.GIAddr)
	}
	return nil
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

func (o *options) messageType() (MessageType, error) {
	value := o.value(optMessageType)
	if !o.sent(optMessageType) {
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
