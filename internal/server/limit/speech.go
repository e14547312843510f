package limit

import (
	"sync/atomic"
	"time"
)

// Speech bounds the log lines that others can cause, and counts those that were not written. It is safe for concurrent use.
type Speech struct {
	bucket     *Bucket
	suppressed atomic.Int64
}

// NewSpeech returns a Speech of that many lines.
func NewSpeech(r Rate) *Speech { return &Speech{bucket: NewBucket(r)} }

// Allow reports whether a line may be written now, and how many were not since the last one that was.
func (s *Speech) Allow() (suppressed int64, allowed bool) { return s.AllowAt(time.Now()) }

// AllowAt is Allow for who knows what time it is.
func (s *Speech) AllowAt(now time.Time) (suppressed int64, allowed bool) {
	if !s.bucket.Take(now) {
		s.suppressed.Add(1)
		return 0, false
	}
	return s.suppressed.Swap(0), true
}

// With is Allow for a line with fields: it adds to them how many lines were suppressed, where some were.
func (s *Speech) With(fields ...any) ([]any, bool) {
	suppressed, allowed := s.Allow()
	return Suppressed(fields, suppressed), allowed
}

// Suppressed adds to the fields of a line how many were suppressed before it, where some were.
func Suppressed(fields []any, n int64) []any {
	if n > 0 {
		fields = append(fields, "suppressedLines", n)
	}
	return fields
}
