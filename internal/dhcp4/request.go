package dhcp4

import (
	"net/netip"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Request is what one packet says: the header fields and the options that an answer depends on. Its slices lie in the
// packet that it was parsed from, and say something else once that is overwritten. An address that was not sent, or sent
// as 0.0.0.0, is the zero Addr; an option that was not sent is nil or empty.
type Request struct {
	Type  MessageType
	XID   uint32
	Flags uint16
	// CIAddr is the address that the client has and uses, GIAddr that of the relay agent.
	CIAddr, GIAddr netip.Addr
	MAC            reservation.MAC

	RequestedAddress netip.Addr // option 50
	ServerIdentifier netip.Addr // option 54
	ParameterList    []byte     // option 55
	MaxMessageSize   uint16     // option 57, bytes; 0 when not sent
	VendorClass      []byte     // option 60
	ClientIdentifier []byte     // option 61
	UserClass        string     // option 77, as it was sent
	Archs            []boot.Arch
	// NetworkInterface says that option 94 was sent.
	NetworkInterface  bool
	MachineIdentifier []byte     // option 97
	SubnetSelection   netip.Addr // option 118
	IPXE              boot.IPXEInfo
	// RelayAgent is option 82, whole; Relay is what it says.
	RelayAgent []byte
	Relay      Relay
	// Arrival is what the packet does not say; whoever received it fills it in.
	Arrival Arrival

	chaddr  [16]byte // as it was sent, padding included
	options options
}

// Relay is what a relay agent says in option 82. It is empty when there is no relay agent, that is no giaddr: a client
// has no business to say these things.
type Relay struct {
	// LinkSelection names the client's subnet when giaddr does not (RFC 3527).
	LinkSelection netip.Addr
	// ServerIdentifier is what the relay agent wants clients to take for the server's address (RFC 5107).
	ServerIdentifier netip.Addr
	// SourcePort says that the relay agent wants answers at the port it sent from (RFC 8357).
	SourcePort bool
}

// Client returns what the request says about the program that sent it.
func (q *Request) Client() boot.Client {
	c := boot.Client{MAC: q.MAC, VendorClass: vendorClass(q.VendorClass), UserClass: q.UserClass, IPXE: q.IPXE}
	if len(q.Archs) > 0 {
		c.Arch = q.Archs[0]
	}
	for _, a := range q.Archs {
		if a.Known() {
			c.Arch = a
			break
		}
	}
	asks := q.Type == TypeDiscover || q.Type == TypeRequest
	c.Netboot = asks && c.VendorClass != boot.VendorOther && len(q.Archs) > 0 && q.NetworkInterface && q.machineIdentifierOK()
	return c
}

func vendorClass(b []byte) boot.VendorClass {
	switch {
	case begins(b, "PXEClient"):
		return boot.VendorPXEClient
	case begins(b, "HTTPClient"):
		return boot.VendorHTTPClient
	}
	return boot.VendorOther
}

func begins(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// machineIdentifierOK reports whether option 97 is absent or a type 0 identifier (RFC 4578 section 2.3).
func (q *Request) machineIdentifierOK() bool {
	return q.MachineIdentifier == nil || len(q.MachineIdentifier) == 17 && q.MachineIdentifier[0] == 0
}

// Broadcast reports whether the client asks for answers by broadcast, because it cannot receive a unicast packet
// before it has an address (RFC 2131 section 4.1).
func (q *Request) Broadcast() bool { return q.Flags&flagBroadcast != 0 }

// link returns an address on the subnet that the client is attached to: the relay agent's word on it (RFC 3527), else
// the client's own (RFC 3011), else the relay agent's address; the zero Addr when nobody says.
func (q *Request) link() netip.Addr {
	for _, a := range []netip.Addr{q.Relay.LinkSelection, q.SubnetSelection} {
		if a.IsValid() {
			return a
		}
	}
	return q.GIAddr
}
