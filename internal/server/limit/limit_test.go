package limit

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// burst takes until the bucket says no, and returns how often it said yes.
func burst(take func() bool) int {
	for n := 0; ; n++ {
		if !take() {
			return n
		}
	}
}

func TestBucketHoldsItsBurstAndFillsUpAgain(t *testing.T) {
	b := NewBucket(Rate{PerSecond: 10, Burst: 5})
	now := b.start
	take := func() bool { return b.Take(now) }
	if n := burst(take); n != 5 {
		t.Errorf("a full bucket held %d tokens, want 5", n)
	}
	now = now.Add(199 * time.Millisecond)
	if n := burst(take); n != 1 {
		t.Errorf("after 199 ms it held %d tokens, want 1", n)
	}
	now = now.Add(2 * time.Millisecond)
	if n := burst(take); n != 1 {
		t.Errorf("after 201 ms it held %d tokens more, want 1", n)
	}
	now = now.Add(time.Hour)
	if n := burst(take); n != 5 {
		t.Errorf("after an hour it held %d tokens, want 5", n)
	}
}

func TestOverALongTimeTheRateIsKept(t *testing.T) {
	b := NewBucket(Rate{PerSecond: 100, Burst: 200})
	taken := 0
	for step := range 20_000 { // 20,000 a second, for a second
		if b.Take(b.start.Add(time.Duration(step) * 50 * time.Microsecond)) {
			taken++
		}
	}
	if taken < 299 || taken > 300 {
		t.Errorf("%d tokens in the first second, want the 200 that were there and the 100 that came", taken)
	}
}

func TestEachKeyHasABucketOfItsOwn(t *testing.T) {
	b := NewBuckets[[6]byte](Rate{PerSecond: 1, Burst: 3})
	for key := range byte(50) { // the zero key is one like any other
		if n := burst(func() bool { return b.Take([6]byte{5: key}, b.start) }); n != 3 {
			t.Errorf("key %d had %d tokens, want 3", key, n)
		}
	}
}

func TestFloodOfKeysCostsNobodyAToken(t *testing.T) {
	b := NewBuckets[[8]byte](Rate{PerSecond: 1, Burst: 2})
	key := func(n uint64) (k [8]byte) { binary.BigEndian.PutUint64(k[:], n); return k }
	for n := range uint64(20 * Keys) {
		if !b.Take(key(n), b.start) {
			t.Fatalf("key %d, never seen before, has no token", n)
		}
	}
	if !b.Take(key(1<<40), b.start) {
		t.Error("a key has no token left, though it took none")
	}
}

func TestWhoFloodsIsRememberedAmongOthers(t *testing.T) {
	b := NewBuckets[int](Rate{PerSecond: 1, Burst: 100})
	if n := burst(func() bool { return b.Take(-1, b.start) }); n != 100 {
		t.Fatalf("%d tokens", n)
	}
	for n := range Keys / 2 {
		b.Take(n, b.start)
	}
	if b.Take(-1, b.start) {
		t.Error("a bucket that was empty was forgotten before ones that are nearly full")
	}
}

func TestBucketsTakeNoMemory(t *testing.T) {
	b := NewBuckets[int](Rate{PerSecond: 1, Burst: 1})
	n := 0
	if got := testing.AllocsPerRun(1000, func() { n++; b.Take(n, b.start) }); got != 0 {
		t.Errorf("%v allocations for a new key", got)
	}
}

func TestConcurrentTakersShareOneBucket(t *testing.T) {
	b, keyed := NewBucket(Rate{PerSecond: 1, Burst: 1000}), NewBuckets[string](Rate{PerSecond: 1, Burst: 1000})
	var one, two atomic.Int64
	var takers sync.WaitGroup
	for range 4 {
		takers.Go(func() {
			for range 1000 {
				if b.Take(b.start) {
					one.Add(1)
				}
				if keyed.Take("a", keyed.start) {
					two.Add(1)
				}
			}
		})
	}
	takers.Wait()
	if one.Load() != 1000 || two.Load() != 1000 {
		t.Errorf("%d and %d tokens of 1000", one.Load(), two.Load())
	}
}

func TestSpeechCountsWhatItSuppresses(t *testing.T) {
	s := NewSpeech(Rate{PerSecond: 1, Burst: 2})
	for range 2 {
		if fields, allowed := s.With("a", 1); !allowed || len(fields) != 2 {
			t.Fatalf("%v, %v", fields, allowed)
		}
	}
	for range 3 {
		if _, allowed := s.With(); allowed {
			t.Fatal("a third line")
		}
	}
	s.bucket.full = 0 // as if time had passed
	fields, allowed := s.With("a", 1)
	if !allowed || len(fields) != 4 || fields[2] != "suppressedLines" || fields[3] != int64(3) {
		t.Errorf("%v, %v", fields, allowed)
	}
}

func BenchmarkBuckets(b *testing.B) {
	buckets := NewBuckets[[6]byte](Rate{PerSecond: 100, Burst: 200})
	now := time.Now()
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		buckets.Take([6]byte{byte(n), byte(n >> 8)}, now)
	}
}
