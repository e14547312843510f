package agent

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/render"
)

func TestTheHighestEpochIsCarriedOutAndTheLowerIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		low, high := &fakeAPI{name: "bootstrap", packed: pack(t, order(2, nil))}, &fakeAPI{name: "management"}
		b.start(low, high)
		b.says(2)
		if r := low.last(t); r.Stage != "Done" || !r.Verified || r.Version != "2.90" || r.Word == nil || *r.Word != order(2, nil).Want.Word ||
			r.Digest != dhcpservice.Digest(low.packed) || r.Drifts != 0 {
			t.Errorf("report %+v", r)
		}
		if len(high.reports) != 0 {
			t.Error("an API without an order got a report")
		}
		high.packed = pack(t, order(4, nil))
		b.pass(6 * time.Second)
		b.says(4)
		r := low.last(t)
		if !r.Fenced || r.Stage != "Read" || r.Digest != dhcpservice.Digest(low.packed) ||
			!strings.Contains(r.Error, "epoch 4") || !strings.Contains(r.Error, "epoch 2") || r.Word == nil || r.Word.Mark.Fence.Epoch != 4 {
			t.Errorf("the lower one was told %+v", r)
		}
		low.packed, high.packed, high.away = pack(t, order(3, nil)), nil, errors.New("gone")
		b.pass(10 * time.Minute)
		b.says(4)
		if r := low.last(t); !r.Fenced || r.Digest != dhcpservice.Digest(low.packed) {
			t.Errorf("the lower one was told %+v", r)
		}
		if len(b.driver.writes) != 2 {
			t.Errorf("%d writes, want 2", len(b.driver.writes))
		}
		b.stop()
	})
}

func TestOfTwoWithTheSameEpochTheLaterChangeWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		one, two := &fakeAPI{name: "one", packed: pack(t, order(2, nil))}, &fakeAPI{name: "two"}
		b.start(one, two)
		two.packed = pack(t, order(2, func(o *dhcpservice.Order) { o.Want.Word.Says.HTTPPort = 80 }))
		b.pass(time.Minute)
		if b.driver.word.Says.HTTPPort != 80 || two.last(t).Stage != "Done" {
			t.Errorf("says %v", b.driver.word)
		}
		if r := one.last(t); r.Fenced || !strings.Contains(r.Error, "same epoch 2") {
			t.Errorf("the earlier one was told %+v", r)
		}
		b.stop()
	})
}

func TestAnOutageIsLoggedOnceAndTheOrderHoldsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		api := &fakeAPI{name: "lab", packed: pack(t, order(2, nil))}
		b.start(api)
		api.away = errors.New("connection refused")
		b.pass(10 * time.Minute)
		b.driver.changed = true
		b.pass(time.Minute)
		if b.driver.changed {
			t.Error("drift was not put right while the API was away")
		}
		api.away = nil
		b.pass(time.Minute)
		if lost, back := b.logged("does not answer"), b.logged("answers again"); lost != 1 || back != 1 {
			t.Errorf("the outage was logged %d times and its end %d times", lost, back)
		}
		b.stop()
	})
}

func TestARestartWithoutAPIPutsTheServiceRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		api := &fakeAPI{name: "lab", packed: pack(t, order(2, nil))}
		b.start(api)
		b.stop()
		b.driver.word, b.asked = render.Word{}, 0
		api.away = errors.New("no route")
		b.start(api)
		b.says(2)
		if b.asked != 1 {
			t.Errorf("verified %d times, want once", b.asked)
		}
		b.stop()
		b.start(api)
		if len(b.driver.writes) != 2 || b.asked != 2 {
			t.Errorf("%d writes and verified %d times: a service that is right is verified, not written", len(b.driver.writes), b.asked)
		}
		b.stop()
		api.away, api.packed = nil, pack(t, order(1, nil))
		b.start(api)
		b.says(2)
		if !api.last(t).Fenced {
			t.Error("a lower order after the restart was not told so")
		}
		b.stop()
	})
}

func TestAPlanWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		api := &fakeAPI{name: "lab", packed: pack(t, order(2, func(o *dhcpservice.Order) { o.Plan = true }))}
		b.start(api)
		b.pass(10 * time.Minute)
		if r := api.last(t); len(b.driver.writes) != 0 || r.Drifts != 1 || r.Stage != "Done" || r.Verified {
			t.Errorf("%d writes, report %+v", len(b.driver.writes), r)
		}
		b.stop()
		api.away = errors.New("no route")
		b.start(api)
		if len(b.driver.writes) != 0 {
			t.Error("after a restart the plan was carried out")
		}
		api.away, api.packed = nil, pack(t, order(2, nil))
		b.pass(10 * time.Second)
		b.says(2)
		b.stop()
	})
}

func TestAFailureIsTriedAgainEverMoreSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.driver.broken = errors.New("dnsmasq.conf line 7: bad option")
		api := &fakeAPI{name: "lab", packed: pack(t, order(2, nil))}
		b.start(api)
		b.pass(30 * time.Minute)
		checks := b.driver.checks
		for i, seconds := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
			want := time.Duration(seconds) * time.Second
			if got := checks[i+1].Sub(checks[i]); got < want || got > want+5*time.Second {
				t.Errorf("attempt %d came after %v, want %v", i+2, got, want)
			}
		}
		if r := api.last(t); r.Stage != "Validated" || !strings.Contains(r.Error, "line 7") || r.Fenced {
			t.Errorf("report %+v", r)
		}
		if n := b.logged("was not carried out"); n != 1 {
			t.Errorf("the failure was logged %d times", n)
		}
		b.driver.broken = nil
		b.pass(5*time.Minute + 5*time.Second)
		b.says(2)
		if r := api.last(t); r.Stage != "Done" || r.Error != "" {
			t.Errorf("report %+v", r)
		}
		b.stop()
	})
}

func TestWrongAnswersAreTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		api := &fakeAPI{name: "lab", packed: pack(t, order(2, nil))}
		b.start(api)
		b.verify, api.packed = errors.New("no answer"), pack(t, order(3, nil))
		b.pass(10 * time.Second)
		b.says(2)
		if r := api.last(t); r.Stage != "Verified" || !r.Restored || r.Verified {
			t.Errorf("report %+v", r)
		}
		b.stop()

		api.away, b.driver.writes = errors.New("no route"), nil // what was kept is the order before
		b.start(api)
		b.pass(30 * time.Minute)
		if len(b.driver.writes) != 1 {
			t.Errorf("%d writes, want one: what stands there is right and the answers are not", len(b.driver.writes))
		}
		b.stop()
	})
}

func TestDriftIsPutRightAndReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		api := &fakeAPI{name: "lab", packed: pack(t, order(2, nil))}
		b.start(api)
		b.driver.changed = true
		b.pass(time.Minute + 5*time.Second)
		if r := api.last(t); b.driver.changed || r.Drifts != 1 || r.Stage != "Done" || !r.Verified {
			t.Errorf("changed %v, report %+v", b.driver.changed, r)
		}
		b.stop()
	})
}

func TestWhatLintFindsIsReportedAndLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.driver.found = dhcpservice.Findings{Lines: []string{"dnsmasq.conf:3:1: error: a trap"}, Count: 1}
		api := &fakeAPI{name: "lab", packed: pack(t, order(2, nil))}
		b.start(api)
		b.pass(10 * time.Minute)
		if r := api.last(t); r.Stage != "Done" || r.Findings.Count != 1 || r.Findings.Lines[0] != b.driver.found.Lines[0] {
			t.Errorf("report %+v", r)
		}
		if n := b.logged("dnsmasq.conf:3:1"); n != 1 {
			t.Errorf("the finding was logged %d times", n)
		}
		b.driver.found = dhcpservice.Findings{}
		b.pass(2 * time.Minute)
		if r := api.last(t); r.Findings.Count != 0 {
			t.Errorf("put right by the operator: report %+v", r)
		}
		b.stop()
	})
}

func TestAReportIsRefreshed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		api := &fakeAPI{name: "lab", packed: pack(t, order(2, nil))}
		b.start(api)
		b.pass(time.Hour)
		if n := len(api.reports); n < 11 || n > 13 {
			t.Errorf("%d reports in an hour, want one in five minutes", n)
		}
		for i, r := range api.reports {
			if age := api.times[i].Sub(r.At); age > time.Minute+5*time.Second {
				t.Errorf("report %d was %v old", i, age)
			}
		}
		b.stop()
	})
}

func TestWhatIsNotForThisAgentIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		packed []byte
		says   string
	}{
		"garbage":         {[]byte("garbage"), "not compressed JSON"},
		"empty":           {[]byte{}, "not compressed JSON"},
		"another type":    {pack(t, order(5, func(o *dhcpservice.Order) { o.Type = "ISC" })), "is for a service of type \"ISC\""},
		"another cluster": {pack(t, order(5, func(o *dhcpservice.Order) { o.Want.Word.Mark.Cluster = "other" })), "is for the cluster other"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				api := &fakeAPI{name: "lab", packed: pack(t, order(2, nil))}
				b.start(api)
				api.packed = test.packed
				b.pass(10 * time.Minute)
				b.says(2)
				r := api.last(t)
				if r.Digest != dhcpservice.Digest(test.packed) || r.Stage != "Read" || r.Fenced || !strings.Contains(r.Error, test.says) {
					t.Errorf("report %+v, want %q", r, test.says)
				}
				b.driver.changed = true
				b.pass(time.Minute)
				if b.driver.changed {
					t.Error("the last good order does not hold on")
				}
				b.stop()
			})
		})
	}
}

func TestAHigherWordInTheServiceIsNotWrittenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.driver.word = order(9, nil).Want.Word
		api := &fakeAPI{name: "lab", packed: pack(t, order(2, nil))}
		b.start(api)
		b.pass(time.Minute)
		b.says(9)
		if r := api.last(t); !r.Fenced || !strings.Contains(r.Error, "epoch 9") || !strings.Contains(r.Error, "is 2") {
			t.Errorf("report %+v", r)
		}
		b.stop()
	})
}
