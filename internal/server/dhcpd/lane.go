package dhcpd

import (
	"context"
	"time"

	"github.com/tugboot/tugboot/internal/server/mmsg"
)

const (
	// pauseAfterError keeps a socket that cannot be read from spinning.
	pauseAfterError = time.Second
	// batch is how many packets are received, and how many answers are sent, with one system call at most.
	batch = 64
	// ahead is how many batches are received before one is answered, where so many wait: what is turned away in a flood is gone
	// before the kernel's buffer is full.
	ahead = 4
	// maxLanes bounds the goroutines that serve one socket.
	maxLanes = 8
)

// lane receives from a socket and answers, in one goroutine and in memory of its own: that a packet is handed on to another
// thread costs more than to answer it. A socket has several lanes, and the kernel gives each packet to one of them.
type lane struct {
	*worker
	socket  *socket
	backlog backlog
	reader  *mmsg.Reader
	packets [batch]*packet
	buffers [batch][]byte
}

func (s *Server) newLane(socket *socket) *lane {
	l := &lane{worker: s.newWorker(), socket: socket, backlog: backlog{bound: s.config.Queue}, reader: mmsg.NewReader(socket.raw, batch)}
	for i := range l.packets {
		l.replace(i)
	}
	return l
}

// replace has the i-th buffer of the next read be that of a packet that holds nothing.
func (l *lane) replace(i int) {
	l.packets[i] = l.backlog.get()
	l.buffers[i] = l.packets[i].buffer[:]
}

// run serves until ctx ends, and answers then what was received. An error ends nothing: the interface may be down for a moment.
func (l *lane) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := l.receive()
		l.answer()
		if err == nil || ctx.Err() != nil {
			continue
		}
		l.s.log.Error(err, "receive DHCP requests; trying again", "address", l.socket.local, "pause", pauseAfterError.String())
		select {
		case <-ctx.Done():
		case <-time.After(pauseAfterError):
		}
	}
	l.finish()
}

// receive waits for packets unless some wait already, and takes what is there.
func (l *lane) receive() error {
	take := l.reader.Read
	if l.backlog.waiting > 0 {
		take = l.reader.Poll
	}
	for range ahead {
		n, err := take(l.buffers[:])
		l.admitted(n)
		if n < batch || err != nil {
			return err
		}
		take = l.reader.Poll
	}
	return nil
}

// admitted puts the n packets that were just read into the backlog, except for those that are one too many.
func (l *lane) admitted(n int) {
	now := time.Now()
	for i := range n {
		p := l.packets[i]
		l.arrived(i, p)
		p.at = now
		if !l.s.admit(p) {
			continue
		}
		if !l.backlog.push(p) {
			l.s.metrics.queueDrops.Inc()
			l.tally.ended(0, ReasonQueueFull)
		}
		l.replace(i)
	}
}

// arrived notes how the i-th packet of the last read came here.
func (l *lane) arrived(i int, p *packet) {
	d := l.reader.At(i)
	if n := l.socket.drops.News(d.Drops); n > 0 {
		l.s.metrics.kernelDrops.Add(float64(n))
	}
	p.size, p.truncated, p.ifindex, p.from, p.socket = d.Size, d.Truncated, d.Interface, d.From, l.socket
	p.to, p.pxe = d.To, l.socket.pxe
}

// answer answers a batch of the packets that wait.
func (l *lane) answer() {
	for n := min(batch, l.backlog.waiting); n > 0; n-- {
		p := l.backlog.pop()
		l.handle(p)
		l.backlog.put(p)
	}
	l.flush()
}

// finish answers what was received before the end, and of what waits in the kernel as much as a backlog holds.
func (l *lane) finish() {
	for left := l.s.config.Queue; left > 0; left -= batch {
		n, err := l.reader.Poll(l.buffers[:])
		l.admitted(n)
		l.answer()
		if n < batch || err != nil {
			break
		}
	}
	for l.backlog.waiting > 0 {
		l.answer()
	}
}
