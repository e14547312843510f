package takeover

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// story is a world in which one thing happens after the other, and the log of what the two instances made of it.
type story struct {
	*world
	t teller
	// restarts: both instances are restarted after every step.
	restarts bool
	log      strings.Builder
	last     map[Role]string
	// evident: the management cluster has taken over, by the objects. Word: a person has said otherwise.
	evident, word bool
}

// teller is a test, or one try of a property.
type teller interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func newStory(t teller, sh shape, restarts bool) *story {
	return &story{world: newWorld(sh), t: t, restarts: restarts, last: map[Role]string{}}
}

// do has something happen, both instances look at it, and, where that is asked for, both restarted.
func (s *story) do(what string, event func()) {
	fmt.Fprintf(&s.log, "%s -- %s\n", s.clock(), what)
	event()
	s.look()
	if s.restarts {
		for _, c := range []*site{s.bootstrap, s.management} {
			c.restart()
		}
		s.look()
	}
}

// wait lets time pass, with a round of probes every ten seconds.
func (s *story) wait(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); {
		s.now = s.now.Add(10 * time.Second)
		s.look()
	}
}

func (s *story) look() {
	for _, c := range []*site{s.bootstrap, s.management} {
		if !c.runs || !c.up {
			continue
		}
		o, step := s.step(c)
		s.note(c, o, step)
	}
	s.check()
}

func (s *story) clock() string {
	d := s.now.Sub(s.begun)
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// note writes one line of the log, unless it says what the last one said.
func (s *story) note(c *site, o Observation, step Step) {
	var line strings.Builder
	fmt.Fprintf(&line, "%-10s %-12s %-22s told %s", o.Role, step.Phase, step.Reason, where(o.stand().Advertised))
	if o.stand().Withheld {
		line.WriteString(" (withheld)")
	}
	if stance := s.stance(c); stance.Keep {
		line.WriteString(", own as before")
	} else if stance.Silent {
		line.WriteString(", own silent")
	} else {
		fmt.Fprintf(&line, ", own %s", where(stance.Advertise))
	}
	if len(step.Write) > 0 {
		fmt.Fprintf(&line, ", write %s to %s as %d", where(step.Advertise), strings.Join(step.Write, "+"), step.Mark.Fence.Epoch)
	}
	switch b := step.Baton; {
	case b == nil:
	case b.Latch.Set() && !o.Baton.stored().Latch.Set():
		fmt.Fprintf(&line, ", LATCH %s of %q as %d", where(b.Latch.Endpoint), b.Latch.Identity, b.Fence.Epoch)
	default:
		fmt.Fprintf(&line, ", store %s as %d", where(b.Advertised), b.Fence.Epoch)
		if b.Handover != "" {
			line.WriteString(" with " + b.Handover)
		}
	}
	var waits []string
	for _, f := range step.Findings {
		if !f.State.Passes() {
			waits = append(waits, f.Gate+"="+f.Reason)
		}
	}
	if len(waits) > 0 {
		fmt.Fprintf(&line, "\n                 waits for %s", strings.Join(waits, " "))
	}
	if text := line.String(); text != s.last[o.Role] {
		s.last[o.Role] = text
		fmt.Fprintf(&s.log, "%s    %s\n", s.clock(), text)
	}
}

func where(e Endpoint) string {
	switch {
	case e.IsZero():
		return "nothing"
	case e.Addr.String() == addrB:
		return fmt.Sprintf("B:%d%s", e.HTTPPort, e.ScriptPath)
	case e.Addr.String() == addrM:
		return fmt.Sprintf("M:%d%s", e.HTTPPort, e.ScriptPath)
	}
	return fmt.Sprintf("%s:%d%s", e.Addr, e.HTTPPort, e.ScriptPath)
}

// check looks at the promises: never M before the evidence and while it does not serve, never B after the latch.
func (s *story) check() {
	s.t.Helper()
	m := netip.MustParseAddr(addrM)
	said := map[string]netip.Addr{}
	for _, c := range []*site{s.bootstrap, s.management} {
		if c.runs && c.up {
			if stance := s.stance(c); !stance.Silent && !stance.Keep {
				said[c.role.String()] = stance.Advertise.Addr
			}
		}
	}
	for _, v := range s.services {
		if v.says.Addr.IsValid() {
			said[v.name] = v.says.Addr
		}
	}
	for who, addr := range said {
		if addr == m && !s.evident && !s.word {
			s.t.Fatalf("%s: %s says M before the management cluster has taken over\n%s", s.clock(), who, s.log.String())
		}
	}
	for _, c := range []*site{s.bootstrap, s.management} {
		if b := c.seen().Baton; c.up && c.baton != nil && Latched(c.role, c.identity, b) && b.Advertised.Addr != m && !s.word {
			s.t.Fatalf("%s: the %s instance has latched and advertises %s\n%s", s.clock(), c.role, b.Advertised.Addr, s.log.String())
		}
	}
}

// golden compares the log with what it was.
func (s *story) golden(name string) {
	s.t.Helper()
	file := filepath.Join("testdata", "stories", name+".golden")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			s.t.Fatalf("%v", err)
		}
		if err := os.WriteFile(file, []byte(s.log.String()), 0o644); err != nil {
			s.t.Fatalf("%v", err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatalf("%v: write it with `go test ./internal/takeover -run Stories -update` and read it", err)
	}
	if got := s.log.String(); got != string(want) {
		s.t.Errorf("the story differs from %s; if it is right, `go test ./internal/takeover -run Stories -update`\n%s", file, got)
	}
}
