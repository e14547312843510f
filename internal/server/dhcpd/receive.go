package dhcpd

import (
	"context"
	"time"
)

const (
	// pauseAfterError keeps a socket whose interface is down from spinning.
	pauseAfterError = time.Second
	// batch is how many packets are received, and how many answers are sent, with one system call at most.
	batch = 64
)

// receive moves packets from a socket into the queue until ctx ends. An error ends nothing: the interface may be down
// for a moment.
func (s *Server) receive(ctx context.Context, socket *socket) {
	packets, buffers := make([]*packet, batch), make([][]byte, batch)
	for i := range packets {
		packets[i] = s.queue.get()
		buffers[i] = packets[i].buffer[:]
	}
	for {
		n, err := socket.reader.Read(buffers)
		now := time.Now()
		for i := range n {
			s.arrived(socket, i, packets[i])
			if s.admit(packets[i], now) {
				s.queue.push(packets[i])
				packets[i] = s.queue.get()
				buffers[i] = packets[i].buffer[:]
			}
		}
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

// arrived notes how the i-th packet of the last read came here.
func (s *Server) arrived(socket *socket, i int, p *packet) {
	d := socket.reader.At(i)
	if d.Drops != 0 {
		// The counter wraps around at 2^32, and so does the difference.
		s.metrics.kernelDrops.Add(float64(d.Drops - socket.drops))
		socket.drops = d.Drops
	}
	p.size, p.truncated, p.ifindex, p.from, p.socket = d.Size, d.Truncated, d.Interface, d.From, socket
	p.to, p.pxe = d.To, socket.pxe
}
