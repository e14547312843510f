package dhcpd

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// pauseAfterError keeps a socket whose interface is down from spinning.
const pauseAfterError = time.Second

// receive moves packets from a socket into the queue until ctx ends. An error ends nothing: the interface may be down
// for a moment.
func (s *Server) receive(ctx context.Context, socket *socket) {
	control := make([]byte, controlSize())
	for {
		p := s.queue.get()
		err := s.read(p, socket, control)
		if err == nil && s.admit(p, time.Now()) {
			s.queue.push(p)
			continue
		}
		s.queue.put(p)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return
		}
		s.log.Error(err, "receive DHCP requests; trying again", "address", socket.local, "pause", pauseAfterError.String())
		select {
		case <-ctx.Done():
			return
		case <-time.After(pauseAfterError):
		}
	}
}

func (s *Server) read(p *packet, socket *socket, control []byte) error {
	n, controlled, flags, from, err := socket.conn.ReadMsgUDPAddrPort(p.buffer[:], control)
	if err != nil {
		return err
	}
	ifindex, to, drops, err := readControl(control[:controlled])
	if err != nil {
		return err
	}
	if drops != 0 {
		// The counter wraps around at 2^32, and so does the difference.
		s.metrics.kernelDrops.Add(float64(drops - socket.drops))
		socket.drops = drops
	}
	p.size, p.truncated, p.ifindex, p.from, p.socket = n, flags&unix.MSG_TRUNC != 0, ifindex, from, socket
	p.to, p.pxe = to, socket.pxe
	return nil
}
