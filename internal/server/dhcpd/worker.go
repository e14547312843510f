package dhcpd

import (
	"time"

	"github.com/tugboot/tugboot/internal/dhcp4"
)

// worker answers packets, one after the other, in memory of its own. Answers are sent together, a batch of them at most.
type worker struct {
	s        *Server
	exchange dhcp4.Exchange
	answers  [batch]*answered
	waiting  int // how many of the answers are to be sent
	list     []*answered
	outbox   *outbox
	tally    tally
}

func (s *Server) newWorker() *worker {
	w := &worker{s: s, list: make([]*answered, 0, batch), outbox: newOutbox(s.segment), tally: tally{metrics: s.metrics}}
	for i := range w.answers {
		w.answers[i] = &answered{}
	}
	return w
}

// flush sends the answers that wait, and counts what was handled since the last time.
func (w *worker) flush() {
	waiting := w.answers[:w.waiting]
	w.waiting = 0
	defer w.tally.bring()
	defer w.s.survive("send DHCP replies; some are not sent: please report this", nil)
	w.list = w.list[:0]
	for _, a := range waiting {
		if a.frame {
			w.list = append(w.list, a)
		}
	}
	if len(w.list) > 0 {
		errs, now := w.s.packets.send(w.outbox, w.list), time.Now()
		for i, err := range errs {
			if err == nil {
				w.done(w.list[i], nil, now)
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
		errs, now := through.send(w.outbox, w.list), time.Now()
		for i, err := range errs {
			w.done(w.list[i], err, now)
		}
	}
	return waiting
}

// done says what became of an answer, at the moment now.
func (w *worker) done(a *answered, err error, now time.Time) {
	if err != nil {
		w.s.unsent(a, err)
	} else {
		w.tally.sent(a.kind, a.delivery)
		a.entry.Bytes = int64(a.size)
		if a.log != nil {
			w.s.log.Info("answered", append(a.log, "reply", a.kind.String(), "delivery", a.delivery.String())...)
		}
	}
	a.entry.Took = now.Sub(a.entry.At)
	w.s.metrics.handling.Observe(a.entry.Took.Seconds())
	w.s.config.Journal.Record(a.machine, a.entry)
}
