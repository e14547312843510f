package journal

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/reservation"
)

func mac(n int) reservation.MAC { return reservation.MAC{0x52, 0x54, 0, 0, byte(n >> 8), byte(n)} }

func TestTimelineKeepsTheLastEntriesInOrder(t *testing.T) {
	j := New(2, 3)
	start := time.Unix(0, 0)
	for i := range 5 {
		j.Record(mac(1), Entry{At: start.Add(time.Duration(i) * time.Second), Stage: StageDHCP, What: fmt.Sprint(i)})
	}
	var got []string
	for _, e := range j.Timeline(mac(1)) {
		got = append(got, e.What)
	}
	if want := []string{"2", "3", "4"}; !slices.Equal(got, want) {
		t.Errorf("timeline %v, want %v", got, want)
	}
	if j.Timeline(mac(9)) != nil {
		t.Error("a machine that never came has a timeline")
	}
}

func TestTheLongestSilentMachineIsForgotten(t *testing.T) {
	j := New(2, 3)
	j.Record(mac(1), Entry{What: "a"})
	j.Record(mac(2), Entry{What: "b"})
	j.Record(mac(1), Entry{What: "c"})
	j.Record(mac(3), Entry{What: "d"})
	if got, want := j.Machines(), []reservation.MAC{mac(3), mac(1)}; !slices.Equal(got, want) {
		t.Errorf("remembers %v, want %v", got, want)
	}
	if j.Timeline(mac(2)) != nil {
		t.Error("a forgotten machine still has a timeline")
	}
}

// A machine that takes the place of a forgotten one takes its memory too, and nothing of what happened to it.
func TestForgettingLeavesNoGarbage(t *testing.T) {
	j := New(4, 3)
	n := 0
	record := func() {
		n++
		j.Record(mac(n), Entry{What: "first"})
		j.Record(mac(n), Entry{What: "last"})
	}
	for range 8 {
		record()
	}
	if got := testing.AllocsPerRun(100, record); got != 0 {
		t.Errorf("%v allocations for a machine", got)
	}
	timeline := j.Timeline(mac(n))
	if len(timeline) != 2 || timeline[0].What != "first" || timeline[1].What != "last" || j.Timeline(mac(n-4)) != nil || len(j.Machines()) != 4 {
		t.Errorf("%+v, and %v", timeline, j.Machines())
	}
}

func TestJournalIsBoundedUnderConcurrentUse(t *testing.T) {
	j := New(10, 4)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 500 {
				j.Record(mac(i*4+g), Entry{What: "x"})
				j.Timeline(mac(i))
			}
		})
	}
	wg.Wait()
	if n := len(j.Machines()); n != 10 {
		t.Errorf("remembers %d machines, want 10", n)
	}
}

func TestLatest(t *testing.T) {
	j := New(4, 2)
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	for second, m := range []byte{1, 2, 1, 1, 3} {
		j.Record(reservation.MAC{5: m}, Entry{At: at(int64(second)), What: string('a' + rune(second))})
	}
	text := func(entries []Entry) (s string) {
		for _, e := range entries {
			s += e.What
		}
		return s
	}
	for since, want := range map[int64]string{0: "edb", 1: "edb", 2: "ed", 4: "e", 5: ""} {
		if got := text(j.Latest(at(since))); got != want {
			t.Errorf("since %d: %q, want %q", since, got, want)
		}
	}
}
