package dhcp4

import (
	"net/netip"
	"slices"

	"github.com/tugboot/tugboot/internal/boot"
)

// Self is all that an answer depends on besides the request and its reservation. It is one immutable value, handed over
// whole, so that every answer is made from one and never from halves of two.
type Self struct {
	Servers
	// Endpoint is what machines are given to boot.
	Endpoint boot.Endpoint
	// Quiet, when it is set, is why no machine is answered now.
	Quiet boot.Reason
}

// Servers are the addresses that count as this server.
type Servers struct {
	// ID is the server identifier that answers carry (option 54), an IPv4 address.
	ID netip.Addr
	// Also are further addresses under which a client may have chosen this server: during a takeover the other
	// stack's. A REQUEST that chose one of them is answered with the identifier it chose.
	Also []netip.Addr
}

func (s Servers) has(a netip.Addr) bool { return a == s.ID || slices.Contains(s.Also, a) }

// identifier is option 54 of the answer to q: what the relay agent wants there (RFC 5107 section 4), else the one of
// ours that the client chose, else ID. In a proxy mode there is no lease that the relay agent would have to be asked to
// renew, and its address in option 54 would make two servers look like one.
func (s Servers) identifier(q *Request) netip.Addr {
	switch {
	case q.Relay.ServerIdentifier.IsValid() && !q.Arrival.Mode.Proxies():
		return q.Relay.ServerIdentifier
	case q.Type == TypeRequest && q.ServerIdentifier.IsValid() && s.has(q.ServerIdentifier):
		return q.ServerIdentifier
	}
	return s.ID
}
