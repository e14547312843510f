package dhcpload

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/tugboot/tugboot/test/bench/account"
	"github.com/tugboot/tugboot/test/bench/fleet"
	"github.com/tugboot/tugboot/test/bench/measure"
)

// Load is one load. The machines that ask are drawn at random from the first so many of the fleet.
type Load struct {
	Machines int
	// Rate is how many exchanges begin each second, whatever becomes of them; 0 keeps Window of them under way instead.
	Rate   float64
	Window int
	// Limit ends the load after so many exchanges, each of a machine of its own; 0 for none.
	Limit int
	// Duration is how long exchanges begin. Deadline is how long one may take before it counts as lost.
	Duration, Deadline time.Duration
	// Retry repeats as RFC 2131 says; Echo measures the generator, against a server that sends back what it gets.
	Retry, Echo bool
	// Account is the folder of the server's control group; empty for none.
	Account string
}

// Outcome is what came of a load.
type Outcome struct {
	Counts
	// Rate is the rate that was asked for, PerSecond how many exchanges ended well each second while they began.
	Rate, PerSecond float64
	// Begun is how many exchanges each second were begun: less than Rate when the generator fell behind.
	Begun float64
	// FirstTry is how many needed no repetition.
	FirstTry int
	// Quantiles from the moment at which a machine ought to have asked to its ACK, and the time of the last ACK.
	P50, P99, P999, Longest, LastAck time.Duration
	// CPU is the server's time, Own the generator's, and Foreign the share of the machine that others took.
	CPU, Own time.Duration
	Foreign  float64
	// Took is how long the load took in all.
	Took time.Duration
}

// LostShare is the share of the exchanges that were not answered in time.
func (o Outcome) LostShare() float64 { return float64(o.Lost) / max(1, float64(o.Started)) }

// CPUPerExchange is the server's CPU time for one exchange; one that ended after the OFFER counts half.
func (o Outcome) CPUPerExchange() time.Duration {
	if whole := float64(o.Finished) + float64(o.Offers-o.Finished)/2; whole > 0 {
		return time.Duration(float64(o.CPU) / whole)
	}
	return 0
}

// Validate says what a load lacks.
func (l Load) Validate() error {
	switch {
	case l.Machines < 1 || l.Machines > fleet.Limit:
		return fmt.Errorf("load: machines %d: give 1 to %d", l.Machines, fleet.Limit)
	case l.Rate <= 0 && (l.Window < 1 || l.Window > ring/2):
		return fmt.Errorf("load: rate %g and window %d: give a rate, or a window of 1 to %d", l.Rate, l.Window, ring/2)
	case l.Duration <= 0 || l.Deadline <= 0:
		return fmt.Errorf("load: duration %v and deadline %v: both must be positive", l.Duration, l.Deadline)
	case l.Rate*l.Deadline.Seconds() > ring:
		return fmt.Errorf("load: %g a second for %v: no more than %d exchanges may be under way", l.Rate, l.Deadline, ring)
	case l.Limit > l.Machines:
		return fmt.Errorf("load: limit %d: there are %d machines", l.Limit, l.Machines)
	}
	return nil
}

// Run puts a load on the server.
func Run(l Load) (o Outcome, err error) {
	e, err := NewEngine()
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return e.Run(l)
}

// run is a load under way.
type run struct {
	Load
	engine     *Engine
	start, end time.Duration
	latency    measure.Histogram
	outcome    Outcome
	inTime     int
	order      []uint32 // with a Limit: the machines in the order in which they ask
}

// Run puts a load on the server from this engine. It may be called again; answers to an earlier load are not counted.
func (e *Engine) Run(l Load) (Outcome, error) {
	if err := l.Validate(); err != nil {
		return Outcome{}, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := &run{Load: l, engine: e}
	e.Counts, e.Retry, e.Echo, e.Done = Counts{}, l.Retry, l.Echo, r.done
	if l.Limit > 0 {
		r.order = draw(l.Machines, l.Limit)
	}
	meter, err := account.Start(l.Account)
	if err != nil {
		return Outcome{}, err
	}
	r.start = e.Now()
	r.end = r.start + l.Duration
	if err := r.loop(); err != nil {
		return Outcome{}, err
	}
	cost, err := meter.Stop()
	if err != nil {
		return Outcome{}, err
	}
	return r.finish(cost), nil
}

// draw returns count different machines of n, in no order.
func draw(n, count int) []uint32 {
	if count*4 > n {
		all := make([]uint32, n)
		for i := range all {
			all[i] = uint32(i)
		}
		rand.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
		return all[:count]
	}
	taken := make(map[uint32]bool, count)
	var order []uint32
	for len(order) < count {
		if m := rand.Uint32N(uint32(n)); !taken[m] {
			taken[m] = true
			order = append(order, m)
		}
	}
	return order
}

func (r *run) loop() error {
	for {
		got, err := r.engine.Receive()
		if err != nil {
			return err
		}
		now := r.engine.Now()
		begun, err := r.begin(now)
		if err != nil {
			return err
		}
		if err := r.engine.Expire(now, r.Deadline); err != nil {
			return err
		}
		beginning := now < r.end && (r.Limit == 0 || r.engine.Started < r.Limit)
		if !beginning && r.engine.Open == 0 {
			return nil
		}
		if got == 0 && begun == 0 {
			if err := r.rest(now); err != nil {
				return err
			}
		}
	}
}

// mostAtOnce is how many exchanges begin before answers are taken again.
const mostAtOnce = 64

// begin begins what is due and returns how many exchanges that were.
func (r *run) begin(now time.Duration) (int, error) {
	if now >= r.end {
		return 0, nil
	}
	due, begun := r.Window-r.engine.Open, 0
	if r.Rate > 0 {
		due = int((now-r.start).Seconds()*r.Rate) + 1 - r.engine.Started
	}
	if r.Limit > 0 {
		due = min(due, r.Limit-r.engine.Started)
	}
	for ; begun < min(due, mostAtOnce); begun++ {
		ought := now
		if r.Rate > 0 {
			ought = r.start + time.Duration(float64(r.engine.Started)/r.Rate*float64(time.Second))
		}
		if err := r.engine.Ask(r.machine(), Firmware, ought, now); err != nil {
			return begun, err
		}
	}
	return begun, r.engine.Flush()
}

func (r *run) machine() fleet.Machine {
	if r.order != nil {
		return fleet.Machine(r.order[r.engine.Started])
	}
	return fleet.Machine(rand.Uint32N(uint32(r.Machines)))
}

// spin is how near the next exchange may be for the thread not to go to sleep before it.
const spin = 100 * time.Microsecond

// rest sleeps until an answer comes or something is due.
func (r *run) rest(now time.Duration) error {
	pause := time.Millisecond
	if r.Rate > 0 && now < r.end {
		next := r.start + time.Duration(float64(r.engine.Started)/r.Rate*float64(time.Second))
		pause = min(pause, next-now-spin/2)
	}
	if pause < spin {
		return nil
	}
	return r.engine.socket.Wait(pause)
}

func (r *run) done(_ fleet.Machine, _ Stage, due, now time.Duration, tries int) {
	r.latency.Add(now - due)
	if now < r.end {
		r.inTime++
	}
	if tries == 0 {
		r.outcome.FirstTry++
	}
	r.outcome.LastAck = now - r.start
}

func (r *run) finish(cost account.Cost) Outcome {
	o := r.outcome
	o.Counts, o.Rate = r.engine.Counts, r.Rate
	o.CPU, o.Own, o.Foreign, o.Took = cost.CPU, cost.Own, cost.Foreign, cost.Took
	o.PerSecond = float64(r.inTime) / r.Duration.Seconds()
	o.Begun = float64(o.Started) / r.Duration.Seconds()
	o.P50, o.P99, o.P999 = r.latency.Quantile(0.5), r.latency.Quantile(0.99), r.latency.Quantile(0.999)
	o.Longest = r.latency.Longest()
	return o
}
