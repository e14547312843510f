package measure

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHistogramQuantilesAreWithinABucket(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h Histogram
	var all []time.Duration
	for range 20000 {
		d := time.Duration(math.Exp(random.Float64() * 24))
		all = append(all, d)
		h.Add(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0.001, 0.5, 0.9, 0.99, 0.999, 1} {
		exact := all[int(math.Ceil(q*float64(len(all))))-1]
		got := h.Quantile(q)
		if got < exact || float64(got) > float64(exact)*(1+1.0/sub)+1 {
			t.Errorf("quantile %v: got %v, want %v to 1/64 above it", q, got, exact)
		}
	}
	if h.Quantile(1) != all[len(all)-1] || h.Longest() != all[len(all)-1] || h.Count() != 20000 {
		t.Errorf("longest %v of %d, want %v of 20000", h.Longest(), h.Count(), all[len(all)-1])
	}
}

func TestHistogramEveryBucketEndsWhereTheNextBegins(t *testing.T) {
	for i := range 40 * sub {
		end := uint64(upper(i))
		if bucket(end) != i || bucket(end+1) != i+1 {
			t.Fatalf("bucket %d ends at %d, which is in bucket %d, and %d in %d", i, end, bucket(end), end+1, bucket(end+1))
		}
	}
}

func TestHistogramEdges(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 {
		t.Error("the quantile of nothing is not 0")
	}
	h.Add(-time.Second)
	h.Add(math.MaxInt64)
	if h.Quantile(0.5) != 0 || h.Quantile(1) != math.MaxInt64 {
		t.Errorf("got %v and %v, want 0 and the longest duration there is", h.Quantile(0.5), h.Quantile(1))
	}
}

func TestSummaries(t *testing.T) {
	tests := []struct {
		rounds []float64
		want   Summary
		noisy  bool
	}{
		{nil, Summary{}, false},
		{[]float64{4}, Summary{4, 4, 4, 1}, false},
		{[]float64{110, 100, 95}, Summary{100, 95, 110, 3}, false},
		{[]float64{100, 130, 100}, Summary{100, 100, 130, 3}, true},
		{[]float64{3, 1, 2, 4}, Summary{2.5, 1, 4, 4}, true},
		{[]float64{0, 0, 7}, Summary{0, 0, 7, 3}, false},
	}
	for _, test := range tests {
		if got := Summarize(test.rounds); got != test.want || got.Noisy() != test.noisy {
			t.Errorf("%v: got %+v, noisy %v, want %+v, %v", test.rounds, got, got.Noisy(), test.want, test.noisy)
		}
	}
}
