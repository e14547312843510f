package dhcp4

import (
	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Lookup finds the reservation of a MAC.
type Lookup func(reservation.MAC) (*reservation.Reservation, bool)

// Outcome is everything there is to say about one request.
type Outcome struct {
	Verdict Verdict
	// Reason is the one word for it: why it is silent, why it says no, or why it says to boot what it says.
	Reason boot.Reason
	// Reservation is nil when the MAC has none; only in the mode AutoProxy is such a machine answered.
	Reservation *reservation.Reservation
	// Decision is set for an Offer and an Ack.
	Decision boot.Decision
	// Reply is set unless the verdict is Silent.
	Reply Reply
}

// Answer is the whole way from a request to its one answer: judge, decide what to boot, build. It depends on its
// arguments alone, so that the same request has the same answer from every server that knows the same reservations.
func Answer(q *Request, lookup Lookup, self *Self) Outcome {
	return respond(q, lookup, self, &writer{}, decide)
}

// decider says what to boot.
type decider func(boot.Client, *reservation.Reservation, *Self, Mode) boot.Decision

func respond(q *Request, lookup Lookup, self *Self, w *writer, decide decider) Outcome {
	r, reserved := lookup(q.MAC)
	if !reserved {
		r = nil
	}
	verdict, why := Judge(q, r, self)
	o := Outcome{Verdict: verdict, Reason: why, Reservation: r}
	switch verdict {
	case Silent:
		return o
	case Offer, Ack:
		o.Decision = decide(q.Client(), r, self, q.Arrival.Mode)
		o.Reason = o.Decision.Reason
		if o.Decision.Action != boot.Boot && q.Arrival.Mode.Proxies() {
			return Outcome{Verdict: Silent, Reason: o.Reason, Reservation: r}
		}
	case Nak:
	}
	reply, fits := build(w, q, &o, self.Servers)
	if !fits {
		return Outcome{Verdict: Silent, Reason: ReasonReplyTooLarge, Reservation: r}
	}
	o.Reply = reply
	return o
}

// decide asks package boot. A proxy has nothing to say but what to boot.
func decide(c boot.Client, r *reservation.Reservation, self *Self, m Mode) boot.Decision {
	if m.Proxies() {
		return decideProxy(c, r, self.Endpoint)
	}
	return boot.Decide(c, r, self.Endpoint)
}
