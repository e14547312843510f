package dhcpload

import (
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/test/bench/fleet"
)

func TestWatchSeesAChange(t *testing.T) {
	changes := time.Now().Add(200 * time.Millisecond)
	first := fleet.Machine(0).MAC()
	e := serve(t, func(packet []byte) []byte {
		return answerTo(t, packet, func(r *dhcpv4.DHCPv4) {
			if r.ClientHWAddr.String() == first.String() && time.Now().After(changes) {
				r.YourIPAddr = fleet.Moved().AsSlice()
			}
		})
	})
	w := Watch{Machine: 0, Address: fleet.Moved(), Machines: 100, Rate: 100, Deadline: 5 * time.Second, Limit: 20 * time.Second,
		After: 100 * time.Millisecond}
	seen, err := w.on(e)
	if err != nil {
		t.Fatal(err)
	}
	if seen.Right.Before(changes) || seen.Right.IsZero() {
		t.Errorf("the change of %v was seen at %v", changes, seen.Right)
	}
	if o := seen.Others; o.Started == 0 || o.Finished != o.Started || o.Wrong != 0 || o.Lost != 0 || seen.Gap <= 0 {
		t.Errorf("the others: %+v, longest silence %v", o.Counts, seen.Gap)
	}
}

func TestWatchEndsWithoutAChange(t *testing.T) {
	e := serve(t, func([]byte) []byte { return nil })
	w := Watch{Machine: 0, Address: fleet.Moved(), Machines: 100, Rate: 50, Deadline: 50 * time.Millisecond, Limit: 200 * time.Millisecond}
	seen, err := w.on(e)
	if err != nil || !seen.Right.IsZero() || seen.Others.Lost == 0 || seen.Others.Lost != seen.Others.Started {
		t.Errorf("%+v (%v), want nothing seen and all others lost", seen, err)
	}
	w.Deadline = 0
	if _, err := w.on(e); err == nil {
		t.Error("a deadline of nothing is taken")
	}
}

func TestWhatCountsAsSustained(t *testing.T) {
	good := Outcome{Counts: Counts{Started: 10000, Finished: 9990, Lost: 10}, Rate: 1000, PerSecond: 990}
	for name, test := range map[string]struct {
		change func(*Outcome)
		want   bool
	}{
		"as it should be": {func(*Outcome) {}, true},
		"one lost more":   {func(o *Outcome) { o.Lost++ }, false},
		"one wrong":       {func(o *Outcome) { o.Wrong++ }, false},
		"late":            {func(o *Outcome) { o.PerSecond = 970 }, false},
	} {
		o := good
		test.change(&o)
		if got := sustained(o); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	o := Outcome{Counts: Counts{Offers: 30, Finished: 10}, CPU: 200 * time.Microsecond}
	if got := o.CPUPerExchange(); got != 10*time.Microsecond {
		t.Errorf("10 exchanges and 20 halves for 200 us cost %v each, want 10 us", got)
	}
}
