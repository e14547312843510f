package limit

import (
	"hash/maphash"
	"sync"
	"time"
)

// Sizes of Buckets: each set has ways places, and there are sets of them, a power of two.
const (
	ways = 8
	sets = 4096
	// Keys is how many senders Buckets tell apart at most.
	Keys = ways * sets
)

// Buckets are token buckets of the same rate, one for each key, in memory of a fixed size. A key that is not remembered has
// a full bucket. Where a set is crowded the fullest bucket is forgotten, so that to be forgotten costs nobody a token. They
// are safe for concurrent use.
type Buckets[K comparable] struct {
	rate  Rate
	start time.Time
	seed  maphash.Seed
	sets  []set[K]
}

type set[K comparable] struct {
	mu   sync.Mutex
	keys [ways]K
	full [ways]int64
}

// NewBuckets returns buckets that are all full.
func NewBuckets[K comparable](r Rate) *Buckets[K] {
	return &Buckets[K]{rate: r, start: time.Now(), seed: maphash.MakeSeed(), sets: make([]set[K], sets)}
}

// Take takes a token from the bucket of key, and reports whether there was one.
func (b *Buckets[K]) Take(key K, now time.Time) bool {
	s := &b.sets[maphash.Comparable(b.seed, key)%sets]
	at := int64(now.Sub(b.start))
	s.mu.Lock()
	defer s.mu.Unlock()
	fullest := 0
	for i := range s.keys {
		if s.keys[i] == key { // in a place that nobody has yet the zero key is right, too: that bucket is full
			return b.rate.take(&s.full[i], at)
		}
		if s.full[i] < s.full[fullest] {
			fullest = i
		}
	}
	s.keys[fullest], s.full[fullest] = key, at
	return b.rate.take(&s.full[fullest], at)
}
