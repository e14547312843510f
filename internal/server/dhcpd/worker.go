package dhcpd

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/dhcp4"
)

// worker answers packets, one after the other, in memory of its own. Answers are sent together once nothing waits any more, or
// when there are a batch of them.
type worker struct {
	s        *Server
	exchange dhcp4.Exchange
	answers  [batch]*answered
	waiting  int // how many of the answers are to be sent
	list     []*answered
	outbox   *outbox
	packets  map[ending]prometheus.Counter
	replies  map[reply]prometheus.Counter
}

// ending is how a packet ended, and reply what was sent for it.
type (
	ending struct {
		kind   dhcp4.MessageType
		reason boot.Reason
	}
	reply struct {
		kind     dhcp4.MessageType
		delivery dhcp4.Delivery
	}
)

func (s *Server) newWorker() *worker {
	w := &worker{s: s, list: make([]*answered, 0, batch), outbox: newOutbox(),
		packets: map[ending]prometheus.Counter{}, replies: map[reply]prometheus.Counter{}}
	for i := range w.answers {
		w.answers[i] = &answered{}
	}
	return w
}

// work handles packets until the queue is closed.
func (w *worker) work() {
	q := w.s.queue
	for p := range q.waiting {
		for more := true; more; {
			w.handle(p)
			q.put(p)
			if more = w.waiting < batch; more {
				p, more = q.next()
			}
		}
		w.flush()
	}
}

// flush sends the answers that wait.
func (w *worker) flush() {
	waiting := w.answers[:w.waiting]
	w.waiting = 0
	defer w.s.survive("send DHCP replies; some are not sent: please report this", nil)
	w.list = w.list[:0]
	for _, a := range waiting {
		if a.frame {
			w.list = append(w.list, a)
		}
	}
	if len(w.list) > 0 {
		for i, err := range w.s.packets.send(w.outbox, w.list) {
			if err == nil {
				w.done(w.list[i], nil)
				continue
			}
			w.s.insteadOfFrame(w.list[i], err)
		}
	}
	for len(waiting) > 0 {
		waiting = w.sendThrough(waiting)
	}
}

// sendThrough sends those of the answers that go out through the same socket as the first, and returns the others. Frames were
// sent before.
func (w *worker) sendThrough(waiting []*answered) (others []*answered) {
	through := waiting[0].socket
	w.list = w.list[:0]
	for len(waiting) > 0 && waiting[0].socket == through {
		if !waiting[0].frame {
			w.list = append(w.list, waiting[0])
		}
		waiting = waiting[1:]
	}
	if len(w.list) > 0 {
		for i, err := range through.send(w.outbox, w.list) {
			w.done(w.list[i], err)
		}
	}
	return waiting
}

// done says what became of an answer.
func (w *worker) done(a *answered, err error) {
	if err != nil {
		w.s.unsent(a, err)
	} else {
		w.counted(a).Inc()
		a.entry.Bytes = int64(a.size)
		if a.log != nil {
			w.s.log.Info("answered", append(a.log, "reply", a.kind.String(), "delivery", a.delivery.String())...)
		}
	}
	a.entry.Took = time.Since(a.entry.At)
	w.s.metrics.handling.Observe(a.entry.Took.Seconds())
	w.s.config.Journal.Record(a.machine, a.entry)
}

// counted is the counter of replies like this one, which is looked for once.
func (w *worker) counted(a *answered) prometheus.Counter {
	key := reply{a.kind, a.delivery}
	c, known := w.replies[key]
	if !known {
		c = w.s.metrics.replies.WithLabelValues(a.kind.String(), a.delivery.String())
		w.replies[key] = c
	}
	return c
}

// count counts a packet by what it was and the reason it ended in.
func (w *worker) count(kind dhcp4.MessageType, reason boot.Reason) {
	key := ending{kind, reason}
	c, known := w.packets[key]
	if !known {
		c = w.s.metrics.packets.WithLabelValues(kind.String(), string(reason))
		if kind.Known() {
			w.packets[key] = c
		}
	}
	c.Inc()
}
