package dhcpd

import (
	"net/netip"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// maxPacket is the largest request that is read, in bytes: an Ethernet frame holds no more.
const maxPacket = 1536

// sender sends answers, at most a batch of them. The i-th result is the error of the i-th.
type sender interface {
	send(o *outbox, list []*answered) []error
}

// packet is one request on its way from the socket to a worker. Packets are used again and again.
type packet struct {
	buffer    [maxPacket]byte
	size      int
	truncated bool // it was longer than the buffer
	ifindex   int
	from      netip.AddrPort
	to        netip.Addr // what it was sent to
	pxe       bool       // it came to port 4011
	socket    sender     // what it came in through, and the answer goes out through
}

func (p *packet) bytes() []byte { return p.buffer[:p.size] }

// queue is bounded; a packet that finds it full pushes out the oldest.
type queue struct {
	waiting chan *packet
	spare   sync.Pool
	drops   []prometheus.Counter // all of them count each packet that is pushed out
}

func newQueue(size int, drops ...prometheus.Counter) *queue {
	return &queue{waiting: make(chan *packet, size), spare: sync.Pool{New: func() any { return new(packet) }}, drops: drops}
}

// get returns a packet to fill. It may hold an earlier request.
func (q *queue) get() *packet { return q.spare.Get().(*packet) }

// put takes back a packet that nobody looks at any more.
func (q *queue) put(p *packet) { q.spare.Put(p) }

func (q *queue) push(p *packet) {
	for {
		select {
		case q.waiting <- p:
			return
		default:
		}
		select {
		case oldest := <-q.waiting:
			for _, drops := range q.drops {
				drops.Inc()
			}
			q.put(oldest)
		default: // a worker was faster: there is room now
		}
	}
}

// next returns a packet that waits, and false where none does.
func (q *queue) next() (*packet, bool) {
	select {
	case p, open := <-q.waiting:
		return p, open
	default:
		return nil, false
	}
}

// close lets the workers finish what is waiting. Nothing may be pushed afterwards.
func (q *queue) close() { close(q.waiting) }
