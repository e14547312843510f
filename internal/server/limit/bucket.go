package limit

import (
	"sync"
	"time"
)

// Rate is what a token bucket lets through.
type Rate struct {
	PerSecond int // tokens that come in a second, 1 or more
	Burst     int // tokens that it holds when it is full, 1 or more
}

// interval is the time in which one token comes, in nanoseconds; depth the time in which all of them do.
func (r Rate) interval() int64 { return int64(time.Second) / int64(r.PerSecond) }
func (r Rate) depth() int64    { return r.interval() * int64(r.Burst) }

// take takes a token out of the bucket that is full at the moment *full, at the moment now, both in nanoseconds. It returns
// false when there is none.
func (r Rate) take(full *int64, now int64) bool {
	next := max(*full, now) + r.interval()
	if next-now > r.depth() {
		return false
	}
	*full = next
	return true
}

// Bucket is one token bucket, full at first. It is safe for concurrent use.
type Bucket struct {
	rate  Rate
	start time.Time
	mu    sync.Mutex
	full  int64
}

// NewBucket returns a full bucket.
func NewBucket(r Rate) *Bucket { return &Bucket{rate: r, start: time.Now()} }

// Take takes a token, and reports whether there was one.
func (b *Bucket) Take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rate.take(&b.full, int64(now.Sub(b.start)))
}
