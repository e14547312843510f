package dhcp4

import (
	"net/netip"
	"slices"

	"github.com/tugboot/tugboot/internal/boot"
)

// Mode is what the requests that come in on an interface are answered with.
type Mode uint8

// The modes.
const (
	// ModeReservation: reserved addresses, and what to boot.
	ModeReservation Mode = iota
	// ModeProxy: what to boot only, beside a DHCP server that gives the addresses (PXE 2.1 section 2.2, proxyDHCP).
	ModeProxy
	// ModeAutoProxy: the same, and for machines without a reservation too.
	ModeAutoProxy
	// ModeOff: nothing.
	ModeOff
)

// Modes returns all modes.
func Modes() []Mode { return []Mode{ModeReservation, ModeProxy, ModeAutoProxy, ModeOff} }

// String returns the mode's name, as flags, log lines and metric labels have it.
func (m Mode) String() string {
	switch m {
	case ModeReservation:
		return "reservation"
	case ModeProxy:
		return "proxy"
	case ModeAutoProxy:
		return "auto-proxy"
	case ModeOff:
		return "off"
	}
	return "unknown"
}

// ParseMode is the inverse of String; it returns false for a name that no mode has.
func ParseMode(name string) (Mode, bool) {
	all := Modes()
	n := slices.IndexFunc(all, func(m Mode) bool { return m.String() == name })
	if n < 0 {
		return ModeOff, false
	}
	return all[n], true
}

// Proxies reports whether another server gives the addresses.
func (m Mode) Proxies() bool { return m == ModeProxy || m == ModeAutoProxy }

// AddrKind is what an IPv4 address is to this host.
type AddrKind uint8

// The kinds.
const (
	AddrForeign   AddrKind = iota
	AddrOwn                // an address of this host
	AddrBroadcast          // the broadcast address of a subnet that this host is on
)

// Arrival is how a packet came to this server. The zero value is one at port 67 of an interface in the mode
// ModeReservation, on a host without addresses that listens to every relay agent.
type Arrival struct {
	// Mode is that of the interface.
	Mode Mode
	// PXEPort says that it came to port 4011.
	PXEPort bool
	// Unicast says that it was sent to an address of this host, not to everybody.
	Unicast bool
	// From is where it was sent from.
	From netip.AddrPort
	// Kind tells addresses apart; nil when all are foreign.
	Kind func(netip.Addr) AddrKind
	// RelayFrom are the subnets of the relay agents that are listened to; none means all.
	RelayFrom []netip.Prefix
}

func (a Arrival) kind(addr netip.Addr) AddrKind {
	if a.Kind == nil {
		return AddrForeign
	}
	return a.Kind(addr)
}

// unheard says why a packet is none that is listened to here, whoever sent it; it is empty for all others. A relay agent
// is told by giaddr, for that is where answers go.
func (q *Request) unheard() boot.Reason {
	a := &q.Arrival
	switch {
	case a.Mode == ModeOff:
		return ReasonDHCPOff
	case a.PXEPort && !a.Mode.Proxies():
		return ReasonPXEPortNotServed
	case !q.GIAddr.IsValid():
		return ""
	}
	switch a.kind(q.GIAddr) {
	case AddrOwn:
		return ReasonRelayOwnAddress
	case AddrBroadcast:
		return ReasonRelayBroadcast
	case AddrForeign:
	}
	if len(a.RelayFrom) > 0 && !slices.ContainsFunc(a.RelayFrom, func(p netip.Prefix) bool { return p.Contains(q.GIAddr) }) {
		return ReasonRelayNotAllowed
	}
	return ""
}

// noRelay says why no relay agent can have the address; it is empty for one that can, and for none.
func noRelay(a netip.Addr) boot.Reason {
	switch {
	case !a.IsValid():
		return ""
	case a.IsLoopback():
		return ReasonRelayLoopback
	case a.IsMulticast():
		return ReasonRelayMulticast
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return ReasonRelayBroadcast
	case !unicast(a):
		return ReasonMalformed
	}
	return ""
}

// OwnReply reports whether a packet that Parse refuses is a reply which one of the servers made, and which a relay agent
// or a loop in the network sent back.
func OwnReply(packet []byte, s Servers) bool {
	if len(packet) < offOptions || packet[0] != opReply {
		return false
	}
	var o options
	if o.read(packet) != nil {
		return false
	}
	id := o.value(optServerIdentifier)
	return len(id) == 4 && s.has(address(id))
}
