package interop

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/test/lab"
)

// many is how many machines a large site has.
const many = 5000

// checks asserts that the daemon's own checker takes what is rendered, and that it checks at all.
func (e *existing) checks(renderer func(render.Wanted) (render.Output, error), broken func(whole string) string) {
	e.t.Helper()
	for _, n := range []int{0, 3, many} {
		out, err := renderer(wanted(n, bootstrapAddr, 1))
		e.must(err)
		if err := e.foreign.Check(e.ctx, out.Whole); err != nil {
			e.t.Errorf("%d machines: %s refuses what is rendered: %v", n, e.foreign.Daemon.Name, err)
		}
		if err := e.foreign.Check(e.ctx, broken(out.Whole)); err == nil {
			e.t.Errorf("%d machines: %s takes a broken file: its checker does not check", n, e.foreign.Daemon.Name)
		}
	}
}

// story takes the service through a cluster's life: few machines, a takeover, a restart of the daemon, a configuration
// that it refuses, many machines, another takeover, one machine more. A machine asks every 20 ms all the time. spoil makes the
// operator's configuration one that the service refuses, at least with a fourth machine, and returns what puts it right.
func (e *existing) story(spoil func() (repair func())) {
	own := e.own()
	e.step("few machines", func(e *existing) { e.apply(wanted(3, bootstrapAddr, 1)) })
	machine := wanted(3, bootstrapAddr, 1).Networks[0].Reservations[askedBy]
	asker, err := e.StartAsker(e.ctx, machine.MAC.String(), machine.Address.Prefix())
	e.must(err)
	e.step("takeover of few machines", func(e *existing) { e.takesOver(asker, 3, bootstrapAddr, managementAddr, 2) })
	e.step("restart", func(e *existing) {
		e.foreign.Kill()
		e.must(e.foreign.Start(e.ctx))
		e.must(e.verify(e.ctx, wanted(3, managementAddr, 2)))
	})
	e.step("refused", func(e *existing) { e.refuses(asker, spoil) })
	e.step("many machines", func(e *existing) {
		since := time.Now()
		e.applyWhileAsked(asker, wanted(many, managementAddr, 4), "3 machines become")
		e.keepsSaying(asker, since, managementAddr)
	})
	e.step("takeover of many machines", func(e *existing) { e.takesOver(asker, many, managementAddr, bootstrapAddr, 5) })
	e.step("one more machine", func(e *existing) {
		since := time.Now()
		e.applyWhileAsked(asker, wanted(many+1, bootstrapAddr, 5), "one machine more")
		e.keepsSaying(asker, since, bootstrapAddr)
	})
	e.step("the operator's own", func(e *existing) {
		if now := e.own(); !slices.Equal(own, now) {
			e.t.Errorf("the operator's own machine is answered\n%+v\nand was answered\n%+v\nbefore", now, own)
		}
	})
	for _, problem := range asker.Problems() {
		e.t.Error(problem)
	}
}

// step runs a subtest; those that follow one that failed have nothing to stand on.
func (e *existing) step(name string, f func(*existing)) {
	e.t.Helper()
	if !e.t.Run(name, func(t *testing.T) { f(e.in(t)) }) {
		e.t.FailNow()
	}
}

// settle is how long the machine asks before and after a change.
const settle = 500 * time.Millisecond

// applyWhileAsked applies want and logs how long that took and for how long nobody answered meanwhile.
func (e *existing) applyWhileAsked(asker *lab.Asker, want render.Wanted, what string) {
	e.t.Helper()
	time.Sleep(settle)
	since := time.Now()
	took := e.apply(want)
	time.Sleep(settle)
	e.t.Logf("measured | %s | %s | %d machines | checked and written in %d ms | longest silence %d ms", e.foreign.Daemon.Name, what,
		want.Reservations(), took.Milliseconds(), lab.LongestSilence(asker.Heard(since.Add(-settle))).Milliseconds())
}

// takesOver changes the next-server and asserts that a machine hears the old one, then the new one, and nothing else.
func (e *existing) takesOver(asker *lab.Asker, n int, from, to netip.Addr, epoch int64) {
	e.t.Helper()
	since := time.Now()
	e.applyWhileAsked(asker, wanted(n, to, epoch), "takeover")
	for _, ipxe := range []bool{false, true} {
		said := said(asker, since, ipxe)
		if len(said) != 2 || !strings.Contains(said[0], "next-server="+from.String()+" ") ||
			strings.ReplaceAll(said[0], from.String(), to.String()) != said[1] {
			e.t.Errorf("a machine (iPXE: %t) was told, one after the other, %q; want that of %s, then the same of %s", ipxe, said, from, to)
		}
	}
}

// keepsSaying asserts that a machine has heard one next-server only.
func (e *existing) keepsSaying(asker *lab.Asker, since time.Time, next netip.Addr) {
	e.t.Helper()
	for _, ipxe := range []bool{false, true} {
		if said := said(asker, since, ipxe); len(said) != 1 || !strings.Contains(said[0], "next-server="+next.String()+" ") {
			e.t.Errorf("a machine (iPXE: %t) was told, one after the other, %q; want that of %s all the time", ipxe, said, next)
		}
	}
}

// said returns what a machine was told, each change of it.
func said(asker *lab.Asker, since time.Time, ipxe bool) []string {
	var all []string
	for _, h := range asker.Heard(since) {
		if h.IPXE == ipxe {
			all = append(all, h.Says)
		}
	}
	return slices.Compact(all)
}

// refuses asserts that nothing changes where the service does not take a configuration, and that serving goes on.
func (e *existing) refuses(asker *lab.Asker, spoil func() func()) {
	e.t.Helper()
	repair := spoil()
	since := time.Now()
	ctx, cancel := context.WithTimeout(e.ctx, 30*time.Second)
	defer cancel()
	_, err := dhcpservice.Apply(ctx, e.driver, wanted(4, bootstrapAddr, 3), e.verify)
	var failure *dhcpservice.Failure
	if !errors.As(err, &failure) || failure.Stage != dhcpservice.StageCheck {
		e.t.Fatalf("the error is %v, want one of the check", err)
	}
	e.t.Logf("refused: %v", err)
	time.Sleep(settle)
	e.keepsSaying(asker, since, managementAddr)
	repair()
	e.must(e.verify(e.ctx, wanted(3, managementAddr, 2)))
}
