package tftpd

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tugboot/tugboot/internal/server/mmsg"
	"github.com/tugboot/tugboot/internal/tftp"
)

// route is how to answer a client: its address, and the one from which the answer leaves: that to which the client sent its
// request, zero for the one that the kernel chooses.
type route struct {
	to   netip.AddrPort
	from netip.Addr
}

// sender sends through one socket. It is safe for concurrent use.
type sender struct {
	raw     syscall.RawConn
	writers sync.Pool // of *mmsg.Writer: the memory of one call of the kernel that sends several packets
	bytes   prometheus.Counter
}

func newSender(raw syscall.RawConn, bytes prometheus.Counter) *sender {
	segment := mmsg.CanSegment(raw)
	return &sender{raw: raw, bytes: bytes, writers: sync.Pool{New: func() any { return mmsg.NewWriter(tftp.MaxWindowSize, segment) }}}
}

// send sends the packets in order. What the kernel has no room for is lost, as it may be in any network: the transfer
// sends it again.
func (s *sender) send(to route, packets []tftp.Datagram) error {
	if len(packets) == 0 {
		return nil
	}
	w := s.writers.Get().(*mmsg.Writer)
	defer s.writers.Put(w)
	defer w.Reset() // the pool must not keep files
	bytes := 0
	for _, p := range packets {
		w.AddUDP(to.to, 0, to.from, p.Head, p.Body)
		bytes += p.Len()
	}
	for sent := 0; sent < len(packets); {
		n, err := w.Send(s.raw, sent)
		switch {
		case errors.Is(err, syscall.ENOBUFS), errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return err
		}
		sent += n
	}
	s.bytes.Add(float64(bytes))
	return nil
}

// sendError answers with an ERROR. It is sent once and not acknowledged, so a failure to send it is the same as its loss.
func (s *sender) sendError(to route, code tftp.ErrorCode, message string) {
	_ = s.send(to, []tftp.Datagram{{Head: tftp.ErrorPacket(code, message)}}) // see above
}
