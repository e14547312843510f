package dhcpd

import (
	"net/netip"
	"time"
)

// maxPacket is the largest request that is read, in bytes: an Ethernet frame holds no more.
const maxPacket = 1536

// packet is one request on its way from the socket to its answer. Packets are used again and again.
type packet struct {
	buffer    [maxPacket]byte
	size      int
	truncated bool // it was longer than the buffer
	at        time.Time
	ifindex   int
	from      netip.AddrPort
	to        netip.Addr // what it was sent to
	pxe       bool       // it came to port 4011
	socket    sender     // what it came in through, and the answer goes out through
}

func (p *packet) bytes() []byte { return p.buffer[:p.size] }
