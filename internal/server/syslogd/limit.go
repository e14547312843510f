package syslogd

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tugboot/tugboot/internal/boot"
)

// limits are the token buckets: one for each source, and one for all. A source that is over its own takes nothing from
// the common one, so that one flood does not silence the others.
type limits struct {
	each  rate.Limit
	burst int
	max   int
	total *rate.Limiter

	mu       sync.Mutex
	byAddr   map[netip.Addr]*list.Element
	byRecent *list.List // of *source, the most recently heard first
}

type source struct {
	addr   netip.Addr
	bucket *rate.Limiter
}

func newLimits(c Config) *limits {
	return &limits{
		each: rate.Limit(c.SourceRate), burst: c.SourceBurst, max: c.MaxSources,
		total:  rate.NewLimiter(rate.Limit(c.TotalRate), c.TotalBurst),
		byAddr: map[netip.Addr]*list.Element{}, byRecent: list.New(),
	}
}

// allow takes a message from addr into account. It returns false and the reason when the message is one too many.
func (l *limits) allow(addr netip.Addr, now time.Time) (boot.Reason, bool) {
	if !l.bucket(addr).AllowN(now, 1) {
		return ReasonSourceRate, false
	}
	if !l.total.AllowN(now, 1) {
		return ReasonTotalRate, false
	}
	return "", true
}

// bucket returns the bucket of addr, and forgets the source that was silent longest when there are too many.
func (l *limits) bucket(addr netip.Addr) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	element, known := l.byAddr[addr]
	if !known {
		if l.byRecent.Len() >= l.max {
			oldest := l.byRecent.Back()
			delete(l.byAddr, l.byRecent.Remove(oldest).(*source).addr)
		}
		element = l.byRecent.PushFront(&source{addr: addr, bucket: rate.NewLimiter(l.each, l.burst)})
		l.byAddr[addr] = element
	}
	l.byRecent.MoveToFront(element)
	return element.Value.(*source).bucket
}
