package dhcpd

import (
	"net/netip"
	"syscall"

	"github.com/tugboot/tugboot/internal/dhcp4"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/server/mmsg"
)

// sender sends answers, at most a batch of them. The i-th result is the error of the i-th.
type sender interface {
	send(o *outbox, list []*answered) []error
}

// answered is an answer that is to be sent, and what is said of it once it was.
type answered struct {
	buffer  [headers + maxPacket]byte // the payload, after room for headers
	size    int                       // of the payload
	socket  sender
	to      netip.AddrPort
	ifindex int        // 0 for where the routes lead
	source  netip.Addr // the zero Addr for the one that the kernel chooses

	frame    bool // it goes out in a frame to mac, with the headers
	mac      reservation.MAC
	machine  reservation.MAC
	kind     dhcp4.MessageType
	delivery dhcp4.Delivery
	in       iface
	entry    journal.Entry
	log      []any // the fields of the log line; nil for none
}

func (a *answered) payload() []byte { return a.buffer[headers : headers+a.size] }

// address says where the answer to the packet p, which came in on in, goes.
//
// What is broadcast or addressed to a MAC leaves on the interface the request came in on, as does what is for a
// neighbour there. What goes through a router leaves where the routes lead: that may be another interface, and forced
// out of this one it would be lost looking for a neighbour that does not exist.
func (s *Server) address(a *answered, p *packet, in iface, reply *dhcp4.Reply, self dhcp4.Servers) {
	a.size = copy(a.buffer[headers:], reply.Packet)
	a.socket, a.in, a.kind, a.frame, a.mac = p.socket, in, reply.Type, false, reply.Dest.MAC
	a.source = s.interfaces.source(in, reply.ServerIdentifier, self.ID)
	a.delivery = reply.Dest.Delivery
	a.to = netip.AddrPortFrom(reply.Dest.Addr, reply.Dest.Port)
	if reply.Dest.RequestPort {
		a.to = netip.AddrPortFrom(reply.Dest.Addr, p.from.Port())
	}
	a.ifindex = 0
	switch {
	case a.delivery == dhcp4.ToHardware && s.packets != nil && in.ethernet:
		s.wrap(a, reply)
	case a.delivery == dhcp4.ToHardware:
		a.broadcast()
	case a.delivery == dhcp4.ToBroadcast || in.onLink(reply.Dest.Addr):
		a.ifindex = in.index
	}
}

// wrap makes a frame of the answer, for a machine that has no address yet. It may name a source address that is not the
// host's: the server identifier, where the interface has no address at all.
func (s *Server) wrap(a *answered, reply *dhcp4.Reply) {
	from := a.source
	if !from.IsValid() {
		from = reply.ServerIdentifier
	}
	udpPacket(a.buffer[:headers+a.size], netip.AddrPortFrom(from, dhcp4.ServerPort), a.to)
	a.frame, a.ifindex = true, a.in.index
}

// broadcast has the answer sent to everybody on the network that the request came from.
func (a *answered) broadcast() {
	a.frame, a.delivery, a.ifindex = false, dhcp4.ToBroadcast, a.in.index
	a.to = netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), a.to.Port())
}

// outbox sends what was collected with as few system calls as it takes.
type outbox struct {
	writer *mmsg.Writer
	errs   []error
}

// newOutbox returns an outbox; with segment the kernel can cut datagrams apart.
func newOutbox(segment bool) *outbox {
	return &outbox{writer: mmsg.NewWriter(batch, segment), errs: make([]error, batch)}
}

// send implements sender.
func (s *socket) send(o *outbox, list []*answered) []error {
	o.writer.Reset()
	for _, a := range list {
		o.writer.AddUDP(a.to, a.ifindex, a.source, a.payload())
	}
	return o.flush(s.raw)
}

// send implements sender for frames.
func (s *packetSocket) send(o *outbox, list []*answered) []error {
	o.writer.Reset()
	for _, a := range list {
		o.writer.AddFrame(a.buffer[:headers+a.size], a.ifindex, a.mac)
	}
	return o.flush(s.raw)
}

// flush sends what the writer has, and returns the errors of each. What fails keeps nothing behind it from being sent.
func (o *outbox) flush(raw syscall.RawConn) []error {
	clear(o.errs)
	for i := 0; i < o.writer.Len(); {
		n, err := o.writer.Send(raw, i)
		if err != nil {
			o.errs[i] = err
			n = 1
		}
		i += n
	}
	return o.errs[:o.writer.Len()]
}
