package interop

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/test/lab"
)

const (
	// changeLimit is how soon after the latch the first answer must say so.
	changeLimit = time.Second
	// seenLate is how much later than the instance itself this test may see a latch.
	seenLate = 300 * time.Millisecond
	// latchLimit is how long the latch may take after the move: 30 s of probes, and a lease and 30 s more after a crash.
	latchLimit = 2 * time.Minute
	// observe is how long the answers are watched after something was done.
	observe = 3 * time.Second
)

// TestTakeover plays the creation of a cluster between two real APIs, with a real Tugboot at each, and asks for an address
// every 20 ms throughout. Whatever happens, no answer may name a stack that could not serve at the moment.
//
// The two plays differ: without the remote check, both instances are killed between the move and the change, too.
func TestTakeover(t *testing.T) {
	for _, play := range []struct {
		name, timeline string
		remoteCheck    bool
	}{
		{"remote-check-disabled", "takeover-timeline.md", false},
		{"remote-check-enabled", "takeover-timeline-remote-check.md", true},
	} {
		t.Run(play.name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, play.name, play.timeline, play.remoteCheck)
			p.untilMoved(!play.remoteCheck)
			p.change()
			p.afterwards()
			p.judge()
		})
	}
}

// play is one creation and what is asked of it.
type play struct {
	*lab.Creation
	t   *testing.T
	ctx context.Context
	// latched is when both had latched.
	latched time.Time
}

func newPlay(t *testing.T, name, timeline string, remoteCheck bool) *play {
	t.Helper()
	need(t, map[string]string{"ip": "iproute2"})
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: run `make interop`, which sets it to what hack/control-plane.sh prints")
	}
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(suite.ctx, 8*time.Minute)
	t.Cleanup(cancel)
	parts := lab.PartsIn(root, assets)
	parts.Tugboot, parts.IPXE, parts.OS = suite.program, suite.ipxe, t.TempDir()
	if folder := os.Getenv("TUGBOOT_UPSTREAM_CRDS"); folder != "" {
		parts.StandIns = folder
	}
	c, err := lab.StartCreation(ctx, "takeover-"+name, t.TempDir(), parts, lab.Watch{}, lab.CreationOptions{RemoteCheck: remoteCheck})
	if err != nil {
		t.Fatal(err)
	}
	p := &play{Creation: c, t: t, ctx: ctx}
	t.Cleanup(func() { p.end(filepath.Join(root, "build", timeline)) })
	return p
}

// end prints the timeline, keeps it as a file, and removes the lab.
func (p *play) end(path string) {
	var table, document strings.Builder
	if err := p.Print(&table); err != nil {
		p.t.Error(err)
	}
	p.t.Logf("timeline:\n%s", table.String())
	if err := p.Markdown(&document); err != nil {
		p.t.Error(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Error(err)
	}
	if err := os.WriteFile(path, []byte(document.String()), 0o644); err != nil {
		p.t.Error(err)
	}
	if p.t.Failed() {
		for _, side := range p.Sides() {
			if side.Tugboot != nil {
				p.t.Logf("the end of the log of the %s instance:\n%s", side.Role, lab.Tail(side.Tugboot.Log, 25))
			}
		}
	}
	if err := p.Close(); err != nil {
		p.t.Error(err)
	}
}

// do does one step, which must succeed.
func (p *play) do(step func(context.Context) error) {
	p.t.Helper()
	if err := step(p.ctx); err != nil {
		p.t.Fatal(err)
	}
}

// within waits until done says true.
func (p *play) within(limit time.Duration, what string, done func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(limit); !done(); time.Sleep(20 * time.Millisecond) {
		if p.ctx.Err() != nil || time.Now().After(deadline) {
			p.t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// restart kills an instance, starts it again, and asks whether it answers as it did, which is with next-server next, or
// not at all when next is empty.
func (p *play) restart(side *lab.Side, next string) {
	p.t.Helper()
	p.Crash(side)
	p.do(func(ctx context.Context) error { return p.Serve(ctx, side) })
	back := time.Now()
	if next == "" {
		p.pause(observe)
	} else {
		p.within(30*time.Second, "the "+side.Role+" instance answers again after a restart", func() bool { return len(p.answers(side, back)) > 0 })
		p.pause(observe / 3)
	}
	for _, said := range p.answers(side, back) {
		if said != next {
			p.t.Errorf("after a restart the %s instance answers with next-server %q, want %q as before", side.Role, said, next)
		}
	}
}

// pause lets time pass.
func (p *play) pause(d time.Duration) {
	select {
	case <-p.ctx.Done():
	case <-time.After(d):
	}
}

// answers returns what the side's instance has told machines since from, each next-server once, in order.
func (p *play) answers(side *lab.Side, from time.Time) []string {
	var said []string
	for _, span := range p.Sampler.Spans() {
		if span.Server != side.Addr || span.Last.Before(from) {
			continue
		}
		next := ""
		if span.NextServer.IsValid() {
			next = span.NextServer.String()
		}
		if len(said) == 0 || said[len(said)-1] != next {
			said = append(said, next)
		}
	}
	return said
}

// serves asserts that everything that was ever advertised of the side's stack can be had.
func (p *play) serves(side *lab.Side) {
	p.t.Helper()
	p.within(5*time.Second, "the stack of the "+side.Role+" instance serves what it advertised", func() bool { return p.Sampler.Served(side.Addr) })
}
