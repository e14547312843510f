package lab

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// asked is an account book with what was told of changes, and the targets that were begun.
type asked struct {
	*accounts
	changes []Change
	targets []*target
}

func newAsked() *asked {
	a := &asked{}
	a.accounts = newAccounts(func(c Change) { a.changes = append(a.changes, c) }, func(t *target) { a.targets = append(a.targets, t) })
	return a
}

var (
	serverB = netip.MustParseAddr("192.168.2.112")
	serverM = netip.MustParseAddr("192.168.2.50")
	noon    = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
)

// offers accounts for n answers, 20 ms apart.
func (a *asked) offers(at time.Time, n int, server, next netip.Addr) {
	for i := range n {
		a.add(answer{at: at.Add(time.Duration(i) * askEvery), server: server, nextServer: next, bootFile: "undionly.kpxe"})
	}
}

// look is one look at the only target.
func (a *asked) look(served bool) {
	a.looking(a.targets[0])
	a.saw(a.targets[0], served)
}

// An answer counts as unserved when what it names could be had neither at the look before it nor at the one after it.
func TestAnswersAreHeldAgainstWhatIsServed(t *testing.T) {
	for _, c := range []struct {
		name             string
		before           []bool
		excused, after   bool
		unserved, excuse int
	}{
		{name: "served", before: []bool{true}, after: true},
		{name: "the first look finds it", after: true},
		{name: "the first look finds nothing", unserved: 5},
		{name: "goes away after the answer", before: []bool{true}},
		{name: "comes back before the look", before: []bool{true, false}, after: true},
		{name: "away before and after", before: []bool{true, false}, unserved: 5},
		{name: "away before and after, by the lab", before: []bool{true, false}, excused: true, excuse: 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAsked()
			if len(c.before) > 0 {
				a.offers(noon.Add(-time.Hour), 1, serverB, serverM)
			}
			for _, served := range c.before {
				a.look(served)
			}
			a.excused[serverM] = c.excused
			a.offers(noon, 5, serverB, serverM)
			a.look(c.after)
			span := a.spans[len(a.spans)-1]
			if span.Answers != 5 || span.Unserved != c.unserved || span.Excused != c.excuse {
				t.Errorf("%d answers, %d unserved, %d excused, want 5, %d, %d", span.Answers, span.Unserved, span.Excused, c.unserved, c.excuse)
			}
		})
	}
}

// An answer that arrives while a look goes on is decided by the next one.
func TestAnswerDuringALookWaitsForTheNext(t *testing.T) {
	a := newAsked()
	a.offers(noon, 1, serverB, serverM)
	a.looking(a.targets[0])
	a.offers(noon.Add(askEvery), 3, serverB, serverM)
	a.saw(a.targets[0], false)
	if a.spans[0].Unserved != 1 {
		t.Errorf("%d unserved after the first look, want 1", a.spans[0].Unserved)
	}
	a.look(false)
	if a.spans[0].Unserved != 4 {
		t.Errorf("%d unserved after the second look, want 4", a.spans[0].Unserved)
	}
}

func TestChangesAreTold(t *testing.T) {
	a := newAsked()
	a.offers(noon, 3, serverB, serverB)
	a.quiet(noon.Add(900 * time.Millisecond))
	a.offers(noon.Add(time.Second), 3, serverB, serverM)
	a.add(answer{at: noon.Add(1200 * time.Millisecond), server: serverB})
	a.quiet(noon.Add(3 * time.Second))
	a.quiet(noon.Add(4 * time.Second))
	want := []Change{
		{At: noon, Server: serverB, NextServer: serverB},
		{At: noon.Add(time.Second), Server: serverB, NextServer: serverM},
		{At: noon.Add(1200 * time.Millisecond), Server: serverB},
		{At: noon.Add(1200 * time.Millisecond), Server: serverB, Silent: true},
	}
	if diff := cmp.Diff(want, a.changes, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if len(a.spans) != 3 {
		t.Errorf("%d spans, want 3", len(a.spans))
	}
}

func TestAnswersThatMustNotBe(t *testing.T) {
	for name, bad := range map[string]answer{
		"NAK":                {server: serverB, nak: true},
		"halves of two":      {server: serverB, nextServer: serverB, bootFile: "http://192.168.2.50:7171/auto.ipxe"},
		"not the URL of one": {server: serverB, nextServer: serverB, bootFile: "http://stack.example/auto.ipxe"},
		"no next-server":     {server: serverB, bootFile: "undionly.kpxe"},
	} {
		a := newAsked()
		a.add(bad)
		if len(a.problems) != 1 || !strings.Contains(errors.Join(a.problems...).Error(), serverB.String()) {
			t.Errorf("%s: %v", name, a.problems)
		}
	}
}

// Whatever a server answers, a Sampler's memory is bounded.
func TestAccountsAreBounded(t *testing.T) {
	a := newAsked()
	for i := range 3 * maxSpans {
		next := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		a.add(answer{at: noon, server: serverB, nextServer: next, bootFile: "undionly.kpxe"})
	}
	if len(a.spans) != maxSpans || len(a.accounts.targets) != maxTargets || len(a.problems) != maxProblems {
		t.Errorf("%d spans, %d targets, %d problems, want %d, %d, %d", len(a.spans), len(a.accounts.targets), len(a.problems), maxSpans, maxTargets, maxProblems)
	}
}
