package dhcp4

import (
	"net/netip"

	"github.com/tugboot/tugboot/internal/reservation"
)

// The UDP ports of DHCP (RFC 2131 section 4.1).
const (
	ServerPort = 67
	ClientPort = 68
	// PXEPort is the boot server's of PXE 2.1 section 2.2.5.
	PXEPort = 4011
)

// Delivery is how a reply travels.
type Delivery uint8

// The deliveries.
const (
	// ToRelay: to the relay agent, which passes it on.
	ToRelay Delivery = iota + 1
	// ToClient: to an address that the client already answers for.
	ToClient
	// ToBroadcast: to 255.255.255.255 on the network that the request came from.
	ToBroadcast
	// ToHardware: to an address that the client does not answer ARP for yet, in a frame addressed to its MAC.
	ToHardware
)

// String returns the word for metric labels.
func (d Delivery) String() string {
	switch d {
	case ToRelay:
		return "relay"
	case ToClient:
		return "unicast"
	case ToBroadcast:
		return "broadcast"
	case ToHardware:
		return "link-layer"
	}
	return "none"
}

// Dest is where a reply goes.
type Dest struct {
	Delivery Delivery
	Addr     netip.Addr
	Port     uint16
	// RequestPort replaces Port by the one the request came from (RFC 8357 section 4, relay agents only). A client's
	// own source port is never used, but for the two of PXE: see pxeClient.
	RequestPort bool
	// MAC is the frame's destination for ToHardware.
	MAC reservation.MAC
}

// Destination says where reply, the answer to q, goes, by RFC 2131 section 4.1: to the relay agent if there is one, a
// NAK else to everybody, anything else to ciaddr, to everybody where the client asks for that, or to its MAC. A request
// at port 4011 came from a client with an address, and is answered there. An offer without an address goes to everybody.
//
// Only a ciaddr that was judged counts: the address granted, or the one a DHCPINFORM asks from. Otherwise a forged
// DISCOVER could have an offer sent to any address.
func Destination(q *Request, reply Reply) Dest {
	switch {
	case q.GIAddr.IsValid():
		return Dest{Delivery: ToRelay, Addr: q.GIAddr, Port: ServerPort, RequestPort: q.Relay.SourcePort}
	case q.Arrival.PXEPort:
		return q.pxeClient()
	case reply.Type == TypeNak:
		return broadcast()
	case q.CIAddr.IsValid() && (q.Type == TypeInform || q.CIAddr == reply.YIAddr):
		return Dest{Delivery: ToClient, Addr: q.CIAddr, Port: ClientPort}
	case q.Broadcast(), !reply.YIAddr.IsValid():
		return broadcast()
	}
	return Dest{Delivery: ToHardware, Addr: reply.YIAddr, Port: ClientPort, MAC: q.MAC}
}

func broadcast() Dest {
	return Dest{Delivery: ToBroadcast, Addr: netip.AddrFrom4([4]byte{255, 255, 255, 255}), Port: ClientPort}
}
