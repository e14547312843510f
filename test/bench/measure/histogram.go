package measure

import (
	"math/bits"
	"time"
)

const (
	subBits = 6 // 64 buckets for each power of two
	sub     = 1 << subBits
)

// Histogram counts durations. Its zero value is empty and ready; it is not safe for concurrent use.
type Histogram struct {
	buckets [(64 - subBits + 1) * sub]uint64
	count   uint64
	longest time.Duration
}

// Add counts one duration; a negative one counts as zero.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	h.buckets[bucket(uint64(d))]++
	h.count++
	h.longest = max(h.longest, d)
}

// Count is how many durations were added.
func (h *Histogram) Count() uint64 { return h.count }

// Longest is the longest duration that was added, exactly.
func (h *Histogram) Longest() time.Duration { return h.longest }

// Quantile returns the duration that a share q (0 to 1) of the durations does not exceed; 0 when there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.count == 0 {
		return 0
	}
	rank := uint64(q * float64(h.count))
	if float64(rank) < q*float64(h.count) || rank == 0 {
		rank++
	}
	var seen uint64
	for i, n := range h.buckets {
		if seen += n; seen >= rank {
			return min(upper(i), h.longest)
		}
	}
	return h.longest
}

// bucket is the index of the bucket that holds v nanoseconds: exact below 64, then 64 to each power of two.
func bucket(v uint64) int {
	if v < sub {
		return int(v)
	}
	shift := bits.Len64(v) - subBits - 1
	return (shift+1)*sub + int(v>>shift) - sub
}

// upper is the longest duration of a bucket.
func upper(i int) time.Duration {
	if i < sub {
		return time.Duration(i)
	}
	shift := i/sub - 1
	return time.Duration((uint64(i%sub+sub+1) << shift) - 1)
}
