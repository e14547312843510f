package dhcpload

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/test/bench/fleet"
)

// Watch asks for one machine until it is given an address, and at a steady pace for all others.
type Watch struct {
	// Machine is the one, and Address what is waited for.
	Machine fleet.Machine
	Address netip.Addr
	// Machines are the others, but for machine 0; Rate is how many of their exchanges begin each second, which may be 0.
	Machines int
	Rate     float64
	// Deadline is how long one of those may take, Limit how long the change may, After how long to go on after it.
	Deadline, Limit, After time.Duration
}

// Seen is what a Watch saw.
type Seen struct {
	// Right is when the first right OFFER came; the zero time when none did.
	Right time.Time
	// Others is what became of the other machines' exchanges; Gap is the longest time without an ACK among them.
	Others Outcome
	Gap    time.Duration
}

// askEvery is how often machine 0 asks.
const askEvery = 5 * time.Millisecond

// Run watches until the change was seen, and for After more.
func (w Watch) Run() (seen Seen, err error) {
	e, err := NewEngine()
	if err != nil {
		return seen, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return w.on(e)
}

// on watches with an engine.
func (w Watch) on(e *Engine) (seen Seen, err error) {
	if w.Rate > 0 && w.Machines < 2 || w.Deadline <= 0 {
		return seen, fmt.Errorf("watch: machines %d, deadline %v: who asks must be there, and have time", w.Machines, w.Deadline)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	probe, err := newQuestion(dhcpv4.MessageTypeDiscover, Firmware)
	if err != nil {
		return seen, err
	}
	v := &view{Watch: w, engine: e, probe: probe}
	e.Offer, e.Done = v.offer, v.done
	return v.run()
}

// view is a Watch under way.
type view struct {
	Watch
	engine *Engine
	probe  question
	asked  time.Duration
	last   time.Duration
	seen   Seen
}

func (v *view) run() (Seen, error) {
	start := v.engine.Now()
	end := start + v.Limit
	v.last = start
	for {
		now := v.engine.Now()
		if now < end {
			if err := v.ask(start, now); err != nil {
				return v.seen, err
			}
		}
		got, err := v.engine.Receive()
		if err != nil {
			return v.seen, err
		}
		if err := v.engine.Expire(now, v.Deadline); err != nil {
			return v.seen, err
		}
		if !v.seen.Right.IsZero() {
			end = min(end, start+v.seen.Right.Sub(v.engine.born.Add(start))+v.After)
		}
		if now >= end && v.engine.Open == 0 {
			v.seen.Others.Counts = v.engine.Counts
			return v.seen, nil
		}
		if got == 0 {
			if err := v.engine.socket.Wait(time.Millisecond); err != nil {
				return v.seen, err
			}
		}
	}
}

// ask begins the others' exchanges that are due, and asks for the machine, whose exchange never goes on to a REQUEST: no
// transaction ID of its DISCOVERs is that of an exchange.
func (v *view) ask(start, now time.Duration) error {
	for due := int((now - start).Seconds() * v.Rate); v.engine.Started < due; {
		ought := start + time.Duration(float64(v.engine.Started)/v.Rate*float64(time.Second))
		other := 1 + rand.Uint32N(uint32(v.Machines-1))
		if err := v.engine.Ask(fleet.Machine(other), Firmware, ought, now); err != nil {
			return err
		}
	}
	if v.seen.Right.IsZero() && now-v.asked >= askEvery {
		v.asked = now
		to, err := v.engine.socket.Next(len(v.probe.bytes))
		if err != nil {
			return err
		}
		v.probe.put(to, v.engine.next+ring/2, v.Machine.MAC(), 0)
	}
	return v.engine.Flush()
}

func (v *view) offer(mac reservation.MAC, address netip.Addr) {
	if mac == v.Machine.MAC() && address == v.Address && v.seen.Right.IsZero() {
		v.seen.Right = time.Now()
	}
}

func (v *view) done(_ fleet.Machine, _ Stage, _, now time.Duration, _ int) {
	v.seen.Gap = max(v.seen.Gap, now-v.last)
	v.last = now
}
