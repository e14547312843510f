package dhcp4

import (
	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// maxDecisions is how many decisions an Exchange remembers, about 4 MiB.
const maxDecisions = 16384

// Exchange is the memory in which one packet after another is read and answered. It takes no more once it has seen what is
// asked, as long as that is fewer than maxDecisions different questions. It is for one goroutine.
type Exchange struct {
	// Request is the last packet that Read took.
	Request Request

	reply     writer
	decisions map[question]boot.Decision
	self      *Self // whose decisions they are
}

// question is what a decision depends on besides the server.
type question struct {
	client boot.Client
	r      *reservation.Reservation
	mode   Mode
}

// Read parses a packet; see Parse. The packet must stay as it is until the answer is made.
func (x *Exchange) Read(packet []byte) error { return x.Request.parse(packet) }

// Answer answers the request as the function Answer does. The reply lies in the memory of the Exchange until the next one. A
// Self must not be changed once it was given: another one is another pointer.
func (x *Exchange) Answer(lookup Lookup, self *Self) Outcome {
	if x.decisions == nil {
		x.decisions = map[question]boot.Decision{}
	}
	if x.self != self || len(x.decisions) >= maxDecisions {
		x.self = self
		clear(x.decisions)
	}
	return respond(&x.Request, lookup, self, &x.reply, x.decide)
}

// decide remembers what package boot said: URLs are made of many pieces, and machines ask the same thing four times and more.
func (x *Exchange) decide(c boot.Client, r *reservation.Reservation, self *Self, m Mode) boot.Decision {
	if r == nil {
		return decide(c, r, self, m)
	}
	of := question{c, r, m}
	d, known := x.decisions[of]
	if !known {
		d = decide(c, r, self, m)
		x.decisions[of] = d
	}
	return d
}
