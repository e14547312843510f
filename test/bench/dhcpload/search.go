package dhcpload

import (
	"errors"
	"time"
)

const (
	// MostLost is the share of exchanges that may be lost at a rate that counts as sustained.
	MostLost = 0.001
	// window is how many exchanges are under way when the rate is estimated.
	window = 64
	// leastClosed is how long the rate is estimated at least: a slow server ends few exchanges.
	leastClosed = 500 * time.Millisecond
	// enough ends the search when the bounds are this near, as a share.
	enough = 0.04
	// mostTries is how many rates are tried to confirm one, each so much lower than the one before.
	mostTries = 8
	backOff   = 0.92
	// leastKept is the share of a rate that must have ended well in time for the rate to count as sustained.
	leastKept = 0.98
)

// Search says how long the search for the highest rate may take.
type Search struct {
	Load // Machines, Deadline, Echo and Account count
	// Step is how long a rate is tried, Steps how many are, and Confirm how long the rate found is put on again.
	Step, Confirm time.Duration
	Steps         int
}

// Found is the highest rate that a server sustains.
type Found struct {
	// Closed is the load with a fixed number of exchanges under way, Highest that at the highest rate at which no more
	// than MostLost of the exchanges is lost, and Half that at half the rate.
	Closed, Highest, Half Outcome
}

var errSilent = errors.New("the server answers nothing, or nothing in time")

// Run searches: a closed loop tells where to begin, halving the bounds where to go on.
func (s Search) Run() (found Found, err error) {
	e, err := NewEngine()
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	closed := s.Load
	closed.Rate, closed.Window, closed.Duration = 0, window, max(s.Step, leastClosed)
	if found.Closed, err = e.Run(closed); err != nil {
		return found, err
	}
	if found.Closed.Finished == 0 {
		return found, errors.Join(errSilent, wrongAnswer(found.Closed))
	}
	rate, err := s.bisect(e, max(found.Closed.PerSecond, float64(found.Closed.Finished)/found.Closed.Took.Seconds()))
	if err != nil {
		return found, err
	}
	if found.Highest, err = s.confirm(e, rate); err != nil {
		return found, err
	}
	found.Half, err = e.Run(s.at(found.Highest.Rate/2, s.Confirm))
	return found, err
}

func wrongAnswer(o Outcome) error {
	if o.Why == "" {
		return nil
	}
	return errors.New(o.Why)
}

func (s Search) at(rate float64, d time.Duration) Load {
	l := s.Load
	l.Rate, l.Duration = rate, d
	return l
}

// sustained is true when a rate was answered as a whole, and in time.
func sustained(o Outcome) bool {
	return o.LostShare() <= MostLost && o.Wrong == 0 && o.PerSecond >= leastKept*o.Rate
}

func (s Search) bisect(e *Engine, estimate float64) (float64, error) {
	low, high, rate := 0.0, estimate*1.5, estimate*0.9
	for step := 0; step < s.Steps && high-low > enough*high; step++ {
		o, err := e.Run(s.at(rate, s.Step))
		if err != nil {
			return 0, err
		}
		if sustained(o) {
			low = rate
		} else {
			high = rate
		}
		rate = (low + high) / 2
		if low == 0 {
			rate = high * 0.7
		}
	}
	if low == 0 {
		return high / 2, nil
	}
	return low, nil
}

// confirm puts the rate on for longer, and a lower one until one is sustained.
func (s Search) confirm(e *Engine, rate float64) (Outcome, error) {
	for range mostTries {
		o, err := e.Run(s.at(rate, s.Confirm))
		if err != nil || sustained(o) {
			return o, err
		}
		rate *= backOff
	}
	return Outcome{}, errors.New("no rate was found that is answered without loss")
}
