package tftp

import "time"

// roundTrip measures how long an acknowledgement takes, and from it until when a client's ACKs are echoes: a client may
// answer each block that it has already with an ACK, and to send again on those would send every window many times over.
// Whatever a block sent twice brings about arrives within one round trip.
type roundTrip struct {
	smoothed   time.Duration // 0: not measured yet
	last       int64         // the last block of the window that is being measured; 0: none is
	begun      time.Time
	echoesTill time.Time
}

// sent notes that the blocks first..top are sent, of which those up to known were sent before.
func (r *roundTrip) sent(now time.Time, first, known, top int64) {
	switch {
	case first <= known:
		r.repeated(now)
	case r.last == 0:
		r.last, r.begun = top, now
	}
}

// repeated notes that something is sent again. An ACK that may belong to either sending measures nothing.
func (r *roundTrip) repeated(now time.Time) {
	r.last = 0
	r.echoesTill = now.Add(r.smoothed + r.smoothed/2)
}

// acknowledged notes the ACK of block.
func (r *roundTrip) acknowledged(now time.Time, block int64) {
	if r.last == 0 || block < r.last {
		return
	}
	r.measured(now.Sub(r.begun))
	r.last = 0
}

// measured takes one sample into the mean, as RFC 6298 does.
func (r *roundTrip) measured(sample time.Duration) {
	if r.smoothed == 0 {
		r.smoothed = sample
	}
	r.smoothed += (sample - r.smoothed) / 8
}

// echoes reports whether an ACK that arrives now may be an echo.
func (r *roundTrip) echoes(now time.Time) bool { return now.Before(r.echoesTill) }
