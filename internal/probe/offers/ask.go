package offers

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/internal/reservation"
)

// Options say how to ask. Either Interface is given, or Relay and Server.
type Options struct {
	// Interface is the network interface to ask on, as a machine on that network would.
	Interface string
	// Relay is an IPv4 address of this host that is given as the relay agent's (giaddr); Server is the DHCP server that is
	// asked, by unicast from port 67.
	Relay, Server netip.Addr
	// Window is how long answers to each question are waited for, whatever was answered before: a second server may be
	// slower. 0 means DefaultWindow. A question without an answer is sent once more when half of it is over.
	Window time.Duration
	// Request accepts the first offer to each question and reports the answer to that too. A server notes a lease then.
	Request bool
	// Servers are the server identifiers from which answers are expected; empty expects one, whichever it is.
	Servers []netip.Addr
	// OldIPXEGetsScript is true for a service that cannot tell an iPXE without HTTP apart and gives it the script.
	OldIPXEGetsScript bool
	// Notice is told of what Verifier found that is not the fault of the service it asks; nil for nobody.
	Notice func(Finding)
}

// DefaultWindow is how long answers are waited for where nobody says.
const DefaultWindow = 2 * time.Second

// Bounds of one round.
const (
	// pace is the time between two packets that are sent: a daemon with the usual buffer loses none.
	pace = 2 * time.Millisecond
	// behind is how far sending may fall behind its pace and still make up for it.
	behind = 8 * pace
	// maxOffers is how many different answers to one question are kept.
	maxOffers = 16
)

// Question is one client that asks for one machine.
type Question struct {
	MAC  reservation.MAC
	Kind Kind
}

// Ask asks once as a client of kind k with that MAC and returns every different answer, in the order in which they came.
// None is no error; an error says why nothing could be asked, with the capability that is missing where it is that.
func Ask(ctx context.Context, o Options, mac reservation.MAC, k Kind) ([]Offer, error) {
	all, err := AskAll(ctx, o, []Question{{mac, k}})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// AskAll asks all questions in one round, which takes the window and two milliseconds for each packet, twice that with
// Options.Request. It returns the answers to each.
func AskAll(ctx context.Context, o Options, questions []Question) ([][]Offer, error) {
	w, err := dial(o)
	if err != nil {
		return nil, err
	}
	defer w.close()
	r := newRound(w, o, questions)
	if err := r.run(ctx, r.discover, isOffer); err != nil {
		return nil, err
	}
	if o.Request {
		if err := r.run(ctx, r.request, isVerdict); err != nil {
			return nil, err
		}
	}
	answers := make([][]Offer, len(r.asked))
	for i, a := range r.asked {
		answers[i] = a.offers
	}
	return answers, nil
}

// wire is a network to ask on.
type wire interface {
	// send sends a DHCP message to the server, or to all.
	send(payload []byte) error
	// receive returns the next DHCP message that may be an answer, valid until the next call, and who sent it; ok is false
	// when none came until the deadline.
	receive(deadline time.Time) (payload []byte, from netip.Addr, ok bool, err error)
	close()
}

// asked is a question and the answers to it.
type asked struct {
	question
	offers []Offer
	// sent is when it was sent last, times how often in this pass; answered whether this pass brought an answer.
	began, sent time.Time
	times       int
	answered    bool
}

// round asks many questions on one wire.
type round struct {
	wire   wire
	window time.Duration
	asked  []*asked
	byXID  map[dhcpv4.TransactionID]*asked
}

func newRound(w wire, o Options, questions []Question) *round {
	r := &round{wire: w, window: o.Window, byXID: map[dhcpv4.TransactionID]*asked{}}
	if r.window <= 0 {
		r.window = DefaultWindow
	}
	for _, q := range questions {
		a := &asked{question: question{mac: q.MAC, kind: q.Kind, giaddr: o.Relay}}
		for { // a transaction is told by its identifier alone
			rand.Read(a.xid[:])
			if _, taken := r.byXID[a.xid]; !taken {
				break
			}
		}
		r.byXID[a.xid] = a
		r.asked = append(r.asked, a)
	}
	return r
}

// discover is the packet to send first; request the one that accepts the first offer, nil when there is none to accept.
func (r *round) discover(a *asked, elapsed time.Duration) []byte { return a.discover(elapsed) }

func (r *round) request(a *asked, elapsed time.Duration) []byte {
	i := slices.IndexFunc(a.offers, func(o Offer) bool { return isOffer(o.Message) && o.Address.IsValid() && o.ServerID.IsValid() })
	if i < 0 {
		return nil
	}
	return a.question.request(a.offers[i], elapsed)
}

func isOffer(m Message) bool { return m == MessageOffer }

func isVerdict(m Message) bool { return m == MessageACK || m == MessageNAK }

// run sends one packet for each question, a second one where nothing was answered in half of the window, and takes in
// answers of the wanted type until the window of the last question is over.
func (r *round) run(ctx context.Context, packet func(*asked, time.Duration) []byte, wanted func(Message) bool) error {
	for _, a := range r.asked {
		a.times, a.answered, a.sent, a.began = 0, false, time.Time{}, time.Time{}
	}
	free := time.Now() // when the next packet may be sent
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("ask for offers: stopped before all were in: %w", err)
		}
		next, a := r.due(time.Now(), free)
		if a != nil {
			now := time.Now()
			if a.times == 0 {
				a.began = now
			}
			a.times++
			a.sent, free = now, later(free, now.Add(-behind)).Add(pace)
			if payload := packet(a, now.Sub(a.began)); payload != nil {
				if err := r.wire.send(payload); err != nil {
					return err
				}
			} else {
				a.answered, a.began = true, now.Add(-r.window) // there is nothing to wait for
			}
			continue
		}
		if next.IsZero() {
			return nil
		}
		payload, from, ok, err := r.wire.receive(sooner(next, time.Now().Add(patience)))
		if err != nil {
			return err
		}
		if ok {
			r.take(payload, from, wanted)
		}
	}
}

// patience is how long a round may sleep before it looks whether it is to stop.
const patience = 100 * time.Millisecond

// due returns the question to be sent now, else when there is something to do next; the zero time when all is over. No
// packet is sent before free.
func (r *round) due(now, free time.Time) (next time.Time, a *asked) {
	for _, a := range r.asked {
		at := a.began.Add(r.window)
		switch {
		case a.times == 0:
			at = free
		case a.times == 1 && !a.answered && now.Before(at):
			at = later(free, a.began.Add(r.window/2))
		case !now.Before(at):
			continue
		}
		if a.times < 2 && !a.answered && !at.After(now) {
			return now, a
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func sooner(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// take notes an answer. One to nobody's question, to another machine or of another type is not ours.
func (r *round) take(payload []byte, from netip.Addr, wanted func(Message) bool) {
	o, xid, mac, ok := read(payload)
	if !ok || !wanted(o.Message) {
		return
	}
	a := r.byXID[xid]
	if a == nil || a.mac != mac || a.times == 0 {
		return
	}
	o.From, o.RTT = from, time.Since(a.sent)
	a.answered = true
	if len(a.offers) < maxOffers && !slices.ContainsFunc(a.offers, o.same) {
		a.offers = append(a.offers, o)
	}
}
