package limit

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestAFloodTakesNothingFromTheOthers(t *testing.T) {
	s := NewShares(Rate{PerSecond: 1, Burst: 2}, Rate{PerSecond: 1, Burst: 4})
	now := time.Now()
	flood, quiet, third := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")
	var got []Verdict
	for range 4 {
		got = append(got, s.Allow(flood, now))
	}
	for _, addr := range []netip.Addr{quiet, quiet, third} {
		got = append(got, s.Allow(addr, now))
	}
	got = append(got, s.Allow(flood, now.Add(time.Second)))
	if want := []Verdict{Allowed, Allowed, SourceOver, SourceOver, Allowed, Allowed, TotalOver, Allowed}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
