package tftp

import "time"

// Timing is how long a transfer waits before it sends again, and how often it does.
type Timing struct {
	// First is the time until the first packet is sent for the second and last time to a client that has not answered;
	// Silence is how long its answer is awaited after that.
	First, Silence time.Duration
	// Retransmit is the time until the first retransmission of a window, or twice the measured round trip where that is
	// longer. Each further one takes twice as long, up to MaxRetransmit. A timeout that was agreed on (RFC 2349) replaces
	// all of it.
	Retransmit, MaxRetransmit time.Duration
	// Retries is the number of retransmissions of one window before the client is given up.
	Retries int
}

// DefaultTiming gives up on a client that never answered after 11 s, on one that fell silent after 32 s.
func DefaultTiming() Timing {
	return Timing{First: time.Second, Silence: 10 * time.Second, Retransmit: 250 * time.Millisecond,
		MaxRetransmit: 8 * time.Second, Retries: 7}
}

// wait is the time until the retransmission that follows retries others. agreed is zero when no timeout was.
func (t Timing) wait(agreed, roundTrip time.Duration, retries int) time.Duration {
	if agreed > 0 {
		return agreed
	}
	return min(max(t.Retransmit, 2*roundTrip)<<min(retries, 16), t.MaxRetransmit)
}
