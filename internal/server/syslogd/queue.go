package syslogd

import (
	"net/netip"
	"time"
)

// received is one message as it came in.
type received struct {
	at        time.Time
	from      netip.Addr
	transport string
	raw       []byte
}

// push puts a message into the queue, and never waits: where there is no room the oldest makes some, and is dropped and counted.
// What a machine says last is what tells why it stopped.
func (s *Server) push(r received) {
	for {
		select {
		case s.queue <- r:
			return
		default:
		}
		select {
		case oldest := <-s.queue:
			s.drop(oldest.transport, ReasonQueueFull)
		default: // the writer was faster: there is room now
		}
	}
}
