package dhcpload

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/test/bench/fleet"
	"github.com/tugboot/tugboot/test/bench/wire"
)

const port = 67

// ring is how many exchanges can be under way; a power of two.
const ring = 1 << 18

// phase is how far an exchange is.
type phase uint8

const (
	idle phase = iota
	discovering
	requesting
)

// exchange is one machine's DISCOVER, OFFER, REQUEST and ACK.
type exchange struct {
	xid     uint32
	machine fleet.Machine
	stage   Stage
	phase   phase
	tries   uint8
	// due is when the machine ought to have asked, sent when the last packet was sent, again when it is to be repeated.
	due, sent, again time.Duration
}

// Engine asks and checks answers, on one thread. Times are those since it was made.
type Engine struct {
	socket    *wire.Socket
	born      time.Time
	questions [2][2]question // by stage, by whether it is a REQUEST
	exchanges []exchange
	next      uint32 // the next exchange's transaction ID
	oldest    uint32 // no exchange before this one is under way
	// Open is how many exchanges are under way.
	Open int
	// Echo takes every packet with a known transaction ID for the right answer: the other side is no DHCP server.
	Echo bool
	// Retry makes machines repeat what was not answered, as RFC 2131 section 4.1 says.
	Retry bool
	// Script is how the URL begins that iPXE is told.
	Script string
	// Address, when set, takes the place of the reserved address of machine 0.
	Address netip.Addr
	// Done is told when an exchange has ended well, Offer of every OFFER, right or not; either may be nil.
	Done  func(m fleet.Machine, stage Stage, due, now time.Duration, tries int)
	Offer func(mac reservation.MAC, address netip.Addr)

	Counts
}

// Counts is what came of the exchanges.
type Counts struct {
	Started, Offers, Finished, Lost, Wrong, Repeated int
	// Why says what was wrong with the first wrong answer.
	Why string
}

// NewEngine listens as the relay agent that speaks for all machines.
func NewEngine() (*Engine, error) {
	return newEngine(netip.AddrPortFrom(fleet.Client, port), netip.AddrPortFrom(fleet.Server, port))
}

func newEngine(local, remote netip.AddrPort) (*Engine, error) {
	e := &Engine{born: time.Now(), exchanges: make([]exchange, ring), next: rand.Uint32()}
	e.oldest = e.next
	for stage := range e.questions {
		for i, kind := range []dhcpv4.MessageType{dhcpv4.MessageTypeDiscover, dhcpv4.MessageTypeRequest} {
			q, err := newQuestion(kind, Stage(stage))
			if err != nil {
				return nil, err
			}
			e.questions[stage][i] = q
		}
	}
	socket, err := wire.Listen(local, remote)
	e.socket = socket
	return e, err
}

// Close closes the engine's socket.
func (e *Engine) Close() error { return e.socket.Close() }

// Now is the time since the engine was made.
func (e *Engine) Now() time.Duration { return time.Since(e.born) }

// FD is the descriptor of its socket.
func (e *Engine) FD() int { return e.socket.FD() }

// Ask begins an exchange of the machine, which ought to have begun at due.
func (e *Engine) Ask(m fleet.Machine, stage Stage, due, now time.Duration) error {
	x := &e.exchanges[e.next%ring]
	if x.phase != idle {
		x.phase = idle
		e.Open--
		e.Lost++
	}
	*x = exchange{xid: e.next, machine: m, stage: stage, phase: discovering, due: due}
	e.next++
	e.Open++
	e.Started++
	return e.send(x, now)
}

func (e *Engine) send(x *exchange, now time.Duration) error {
	kind := 0
	if x.phase == requesting {
		kind = 1
	}
	q := e.questions[x.stage][kind]
	to, err := e.socket.Next(len(q.bytes))
	if err != nil {
		return err
	}
	q.put(to, x.xid, x.machine.MAC(), uint16(min((now-x.due)/time.Second, 0xffff)))
	if kind == 1 {
		q.claim(to, e.address(x.machine), fleet.Server)
	}
	x.sent = now
	if e.Retry {
		x.again = now + backoff(x.tries)
	}
	return nil
}

// backoff is how long a client waits before it repeats a packet: 4 s, 8 s, 16 s and so on to 64 s, each give or take a
// second (RFC 2131 section 4.1).
func backoff(tries uint8) time.Duration {
	return 4*time.Second<<min(tries, 4) + time.Duration(rand.Int64N(int64(2*time.Second))) - time.Second
}

func (e *Engine) address(m fleet.Machine) netip.Addr {
	if m == 0 && e.Address.IsValid() {
		return e.Address
	}
	return m.Address()
}

// Receive takes what has arrived, answers OFFERs, and sends what is queued. It returns how many packets there were.
func (e *Engine) Receive() (int, error) {
	var failure error
	now := e.Now()
	n, err := e.socket.Receive(func(packet []byte, _ netip.AddrPort) {
		if err := e.take(packet, now); err != nil {
			failure = err
		}
	})
	return n, errors.Join(err, failure, e.socket.Flush())
}

// Flush sends what is queued.
func (e *Engine) Flush() error { return e.socket.Flush() }

func (e *Engine) take(packet []byte, now time.Duration) error {
	if e.Echo {
		return e.takeEcho(packet, now)
	}
	a, err := readAnswer(packet)
	if err != nil {
		e.wrong(err)
		return nil
	}
	if e.Offer != nil && a.kind == dhcpv4.MessageTypeOffer {
		e.Offer(reservation.MAC(packet[atChaddr:atChaddr+6]), netip.AddrFrom4([4]byte(packet[atYiaddr:atYiaddr+4])))
	}
	x := &e.exchanges[a.xid%ring]
	if x.phase == idle || x.xid != a.xid {
		return nil // late
	}
	switch {
	case x.phase == discovering && a.kind == dhcpv4.MessageTypeOffer:
		if err := verify(packet, x.machine, e.address(x.machine), x.stage, e.Script); err != nil {
			e.wrong(fmt.Errorf("the OFFER for %v: %w", x.machine.MAC(), err))
			return nil
		}
		e.Offers++
		x.phase = requesting
		return e.send(x, now)
	case x.phase == requesting && a.kind == dhcpv4.MessageTypeAck:
		if err := verify(packet, x.machine, e.address(x.machine), x.stage, e.Script); err != nil {
			e.wrong(fmt.Errorf("the ACK for %v: %w", x.machine.MAC(), err))
			return nil
		}
		e.finish(x, now)
	case a.kind == dhcpv4.MessageTypeNak:
		e.wrong(fmt.Errorf("a NAK for %v: %v", x.machine.MAC(), reservation.MAC(packet[atChaddr:atChaddr+6])))
	}
	return nil
}

// takeEcho takes a packet that came back as it was sent: twice, and the exchange is done.
func (e *Engine) takeEcho(packet []byte, now time.Duration) error {
	if len(packet) < atOptions {
		e.wrong(errNoReply)
		return nil
	}
	xid := uint32(packet[4])<<24 | uint32(packet[5])<<16 | uint32(packet[6])<<8 | uint32(packet[7])
	x := &e.exchanges[xid%ring]
	switch {
	case x.xid != xid:
	case x.phase == discovering:
		e.Offers++
		x.phase = requesting
		return e.send(x, now)
	case x.phase == requesting:
		e.finish(x, now)
	}
	return nil
}

func (e *Engine) finish(x *exchange, now time.Duration) {
	x.phase = idle
	e.Open--
	e.Finished++
	if e.Done != nil {
		e.Done(x.machine, x.stage, x.due, now, int(x.tries))
	}
}

func (e *Engine) wrong(err error) {
	e.Wrong++
	if e.Why == "" {
		e.Why = err.Error()
	}
}

// Expire gives up exchanges that are under way for longer than the limit. With Retry it repeats what is due as well.
func (e *Engine) Expire(now, limit time.Duration) error {
	for ; e.oldest != e.next; e.oldest++ {
		x := &e.exchanges[e.oldest%ring]
		if x.phase == idle || x.xid != e.oldest {
			continue
		}
		if now-x.due <= limit {
			break
		}
		x.phase = idle
		e.Open--
		e.Lost++
	}
	if !e.Retry {
		return nil
	}
	for xid := e.oldest; xid != e.next; xid++ {
		x := &e.exchanges[xid%ring]
		if x.phase == idle || x.xid != xid || now < x.again {
			continue
		}
		x.tries++
		e.Repeated++
		if err := e.send(x, now); err != nil {
			return err
		}
	}
	return e.socket.Flush()
}
