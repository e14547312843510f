package dhcp4

import (
	"net/netip"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Verdict is whether, and with what kind of message, a request is answered.
type Verdict uint8

// The verdicts.
const (
	Silent Verdict = iota
	Offer
	Ack
	Nak
)

// String returns the message type that the verdict makes, or "silent".
func (v Verdict) String() string {
	if v == Silent {
		return "silent"
	}
	return v.messageType().String()
}

func (v Verdict) messageType() MessageType {
	switch v {
	case Offer:
		return TypeOffer
	case Ack:
		return TypeAck
	case Nak:
		return TypeNak
	case Silent:
	}
	return 0
}

// Judge says whether the request q, whose MAC has the reservation r (nil for none), is answered, and why not. The
// reason is set for Silent and Nak; what an Offer or Ack says has its reason from boot.Decide.
//
// Another server's clients come first: a REQUEST, DECLINE or RELEASE that names one in option 54 is none of ours, and
// a MAC without a reservation is met with silence whatever it asks (RFC 2131 section 4.3.2, INIT-REBOOT). All others are
// met with silence while there is a reason to be quiet. Before all that comes where the packet came from: see unheard.
func Judge(q *Request, r *reservation.Reservation, self *Self) (Verdict, boot.Reason) {
	if why := q.unheard(); why != "" {
		return Silent, why
	}
	if q.Arrival.Mode.Proxies() {
		return judgeProxy(q, r, self)
	}
	switch {
	case q.choseOther(self.Servers):
		return Silent, ReasonOtherServer
	case r == nil:
		return Silent, boot.ReasonNotReserved
	case self.Quiet != "":
		return Silent, self.Quiet
	case !self.ID.Is4():
		return Silent, ReasonNoServerIdentifier
	}
	switch q.Type {
	case TypeDiscover:
		if !q.attachedTo(r) {
			return Silent, ReasonWrongSubnet
		}
		return Offer, ""
	case TypeRequest:
		return judgeRequest(q, r, self.Servers)
	case TypeInform:
		return judgeInform(q, r)
	case TypeDecline:
		return Silent, noted(q.RequestedAddress, r, ReasonDeclined)
	case TypeRelease:
		return Silent, noted(q.CIAddr, r, ReasonReleased)
	}
	return Silent, ReasonUnknownMessageType
}

// choseOther reports whether the client speaks to a server that is not us.
func (q *Request) choseOther(self Servers) bool {
	switch q.Type {
	case TypeRequest, TypeDecline, TypeRelease:
		named := q.ServerIdentifier
		return named.IsValid() && !self.has(named) && named != q.Relay.ServerIdentifier
	}
	return false
}

// judgeRequest judges a DHCPREQUEST in any of the states of RFC 2131 section 4.3.2: selecting (option 54), init-reboot
// (option 50), renewing and rebinding (ciaddr). One with neither option 50 nor ciaddr comes from broken clients and is
// granted what is reserved.
//
// A NAK is for an address that we can speak about: ours in a wrong place, or a wrong one where ours belongs. A client
// on a foreign subnet that asks for a foreign address may well have it from that subnet's own server.
func judgeRequest(q *Request, r *reservation.Reservation, self Servers) (Verdict, boot.Reason) {
	selecting := q.ServerIdentifier.IsValid()
	wrong := q.claims(selecting, func(a netip.Addr) bool { return a != r.Address.Addr() })
	switch {
	case wrong && selecting && !self.has(q.ServerIdentifier):
		// The relay agent put its own identifier in every server's offer (RFC 5107): whose this was, the address tells.
		return Silent, ReasonOtherServer
	case !q.attachedTo(r):
		if selecting || q.claims(selecting, r.Address.Contains) {
			return Nak, ReasonWrongSubnet
		}
		return Silent, ReasonWrongSubnet
	case wrong:
		return Nak, ReasonWrongAddress
	}
	return Ack, ""
}

// claims reports whether that is so of any address that the client claims. When renewing, ciaddr alone decides; when
// selecting, both must be right, for an answer goes to ciaddr.
func (q *Request) claims(selecting bool, so func(netip.Addr) bool) bool {
	if q.CIAddr.IsValid() && so(q.CIAddr) {
		return true
	}
	return q.RequestedAddress.IsValid() && (selecting || !q.CIAddr.IsValid()) && so(q.RequestedAddress)
}

// judgeInform grants settings to a client that has its address from elsewhere (RFC 2131 section 4.3.5), provided that
// they are good for the subnet it is in. That also keeps answers from being sent to strangers. An address of the subnet
// that is no host's, its first or its broadcast address, would have the answer sent to everybody.
func judgeInform(q *Request, r *reservation.Reservation) (Verdict, boot.Reason) {
	switch {
	case !q.CIAddr.IsValid():
		return Silent, ReasonNoClientAddress
	case !hostOf(r.Address, q.CIAddr):
		return Silent, ReasonWrongSubnet
	}
	return Ack, ""
}

// hostOf reports whether a may be a host's address in the subnet of p. With fewer than four addresses all of them may
// (RFC 3021).
func hostOf(p reservation.Prefix, a netip.Addr) bool {
	if !p.Contains(a) {
		return false
	}
	return p.Bits() > 30 || a != p.Masked().Addr() && a != broadcastAddress(p)
}

func noted(a netip.Addr, r *reservation.Reservation, reason boot.Reason) boot.Reason {
	if a != r.Address.Addr() {
		return ReasonWrongAddress
	}
	return reason
}

// attachedTo reports whether the client is on the reservation's subnet, as far as anybody says where it is. The gateway
// counts as on the subnet, for with a /32 it cannot be inside.
func (q *Request) attachedTo(r *reservation.Reservation) bool {
	link := q.link()
	return !link.IsValid() || r.Address.Contains(link) || link == r.Gateway
}
