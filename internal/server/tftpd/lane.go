package tftpd

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/ipv4"

	"github.com/tugboot/tugboot/internal/tftp"
)

// lane is one descriptor of a listener's socket. The runtime lets one goroutine at a time read from a descriptor, and
// one write to it; several descriptors of one socket keep that from being a lock on all transfers.
type lane struct {
	conn    *net.UDPConn
	packets *ipv4.PacketConn
	sent    prometheus.Counter
	batches *sync.Pool // of *batch
}

// batch is the memory of one call of the kernel that sends several packets.
type batch struct {
	messages []ipv4.Message
	parts    [tftp.MaxWindowSize][2][]byte
}

func newBatch() any { return &batch{messages: make([]ipv4.Message, 0, tftp.MaxWindowSize)} }

// route is how to answer a client: its address, and the control message that makes the answer leave from the address
// to which the client sent its request.
type route struct {
	to      *net.UDPAddr
	control []byte
}

// newRoute returns the route to client. local is zero where the socket is bound to one address.
func newRoute(client netip.AddrPort, local netip.Addr) route {
	r := route{to: net.UDPAddrFromAddrPort(client)}
	if local.IsValid() {
		r.control = (&ipv4.ControlMessage{Src: local.AsSlice()}).Marshal()
	}
	return r
}

// send sends the packets in order. What the kernel has no room for is lost, as it may be in any network: the transfer
// sends it again.
func (l *lane) send(to route, packets []tftp.Datagram) error {
	if len(packets) == 0 {
		return nil
	}
	b := l.batches.Get().(*batch)
	defer l.batches.Put(b)
	b.messages = b.messages[:0]
	bytes := 0
	for i, p := range packets {
		b.parts[i] = [2][]byte{p.Head, p.Body}
		b.messages = append(b.messages, ipv4.Message{Buffers: b.parts[i][:], OOB: to.control, Addr: to.to})
		bytes += p.Len()
	}
	defer clear(b.parts[:len(packets)]) // the pool must not keep files
	for left := b.messages; len(left) > 0; {
		n, err := l.packets.WriteBatch(left, 0)
		switch {
		case errors.Is(err, syscall.ENOBUFS), errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return err
		}
		left = left[n:]
	}
	l.sent.Add(float64(bytes))
	return nil
}

// sendError answers with an ERROR. It is sent once and not acknowledged, so a failure to send it is the same as its loss.
func (l *lane) sendError(to route, code tftp.ErrorCode, message string) {
	_ = l.send(to, []tftp.Datagram{{Head: tftp.ErrorPacket(code, message)}}) // see above
}
