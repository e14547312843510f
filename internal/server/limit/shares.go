package limit

import (
	"net/netip"
	"time"
)

// Verdict says whether an event is one too many, and by which bucket.
type Verdict uint8

// The verdicts.
const (
	Allowed Verdict = iota
	SourceOver
	TotalOver
)

// Shares are a bucket for each source and one for all. A source that is over its own takes nothing from the common one, so
// that one flood does not silence the others. They are safe for concurrent use.
type Shares struct {
	each *Buckets[netip.Addr]
	all  *Bucket
}

// NewShares returns full buckets.
func NewShares(source, total Rate) *Shares {
	return &Shares{each: NewBuckets[netip.Addr](source), all: NewBucket(total)}
}

// Allow takes an event from a source into account.
func (s *Shares) Allow(source netip.Addr, now time.Time) Verdict {
	switch {
	case !s.each.Take(source, now):
		return SourceOver
	case !s.all.Take(now):
		return TotalOver
	}
	return Allowed
}
