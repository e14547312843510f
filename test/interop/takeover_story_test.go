package interop

import (
	"slices"
	"time"

	"github.com/tugboot/tugboot/test/lab"
)

// untilMoved plays from the first packet to the end of the move. With crashes, both instances are killed after it.
func (p *play) untilMoved(crashes bool) {
	p.t.Helper()
	b := lab.ServerAddr.String()
	p.do(p.BeginBootstrap)
	p.do(p.AddHardware)
	p.within(30*time.Second, "the bootstrap instance answers", func() bool { return len(p.answers(p.Bootstrap, time.Time{})) > 0 })
	p.serves(p.Bootstrap)
	p.do(p.CreateCluster)
	p.within(40*time.Second, "the bootstrap instance is in phase Bootstrap", func() bool { return p.Bootstrap.Phase() == "Bootstrap" })
	p.restart(p.Bootstrap, b)
	p.do(p.FinishMachines)
	p.do(p.InstallStack)
	p.restart(p.Management, "")

	p.do(p.Move)
	moved := time.Now()
	p.within(40*time.Second, "the bootstrap instance sees the handover", func() bool {
		return slices.Contains([]string{"HandoverSeen", "Verifying", "Managed"}, p.Bootstrap.Phase())
	})
	p.do(p.FinishCreation)
	p.serves(p.Bootstrap) // machines that are half-way through a boot
	if !crashes {
		return
	}
	p.restart(p.Bootstrap, b)
	p.restart(p.Management, "")
	if took := time.Since(moved); took > 25*time.Second {
		p.t.Logf("the restarts took %v: some may have come after the change", took)
	}
}

// change waits for the latch of both, and asks how soon machines were told.
func (p *play) change() {
	p.t.Helper()
	for _, side := range p.Sides() {
		p.within(latchLimit, "the "+side.Role+" API shows the latch", func() bool { return !side.Latched().IsZero() })
		p.within(10*time.Second, "the "+side.Role+" instance answers with the management stack", func() bool { return !p.first(side).IsZero() })
		p.latched = later(p.latched, side.Latched())
		took := p.first(side).Sub(side.Latched())
		p.t.Logf("the %s instance: first answer with next-server %s %v after its API showed the latch", side.Role, lab.ManagementAddr, took.Round(time.Millisecond))
		if took > changeLimit {
			p.t.Errorf("the %s instance changed its answers %v after the latch, want at most %v", side.Role, took, changeLimit)
		}
		if took < -seenLate {
			p.t.Errorf("the %s instance changed its answers %v before the latch", side.Role, -took)
		}
	}
	p.pause(observe)
	p.serves(p.Bootstrap)
	p.serves(p.Management)
}

// first is when the side's instance first answered with the management stack.
func (p *play) first(side *lab.Side) time.Time {
	for _, span := range p.Sampler.Spans() {
		if span.Server == side.Addr && span.NextServer == lab.ManagementAddr {
			return span.First
		}
	}
	return time.Time{}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// afterwards restarts both, takes the bootstrap cluster away, and then the bootstrap instance.
func (p *play) afterwards() {
	p.t.Helper()
	m := lab.ManagementAddr.String()
	p.restart(p.Management, m)
	p.restart(p.Bootstrap, m)

	p.DeleteBootstrapCluster()
	p.pause(observe)
	p.keeps(p.Bootstrap, "after the bootstrap cluster was deleted")
	p.restart(p.Bootstrap, m)
	p.serves(p.Bootstrap)

	p.StopServing(p.Bootstrap)
	p.pause(observe)
	p.keeps(p.Management, "after the bootstrap instance was stopped")
	p.restart(p.Management, m)
	p.serves(p.Management)
}

// keeps asserts that an instance has answered with the management stack during the last second.
func (p *play) keeps(side *lab.Side, when string) {
	p.t.Helper()
	if said := p.answers(side, time.Now().Add(-time.Second)); !slices.Equal(said, []string{lab.ManagementAddr.String()}) {
		p.t.Errorf("%s the %s instance answers with next-server %q, want %s alone", when, side.Role, said, lab.ManagementAddr)
	}
}

// judge looks at all the answers.
func (p *play) judge() {
	p.t.Helper()
	answers, excused := 0, 0
	for _, span := range p.Sampler.Spans() {
		answers += span.Answers
		excused += span.Excused
		if span.Unserved > 0 {
			p.t.Errorf("%d of %d answers of %s from %s to %s named %s %s, which could not serve", span.Unserved, span.Answers, span.Server,
				span.First.Format(time.StampMilli), span.Last.Format(time.StampMilli), span.NextServer, span.BootFile)
		}
		if span.Last.After(p.latched.Add(changeLimit)) && span.NextServer != lab.ManagementAddr {
			p.t.Errorf("%s answered with next-server %s until %s, after both had latched at %s", span.Server, span.NextServer,
				span.Last.Format(time.StampMilli), p.latched.Format(time.StampMilli))
		}
		if span.Server == lab.ManagementAddr && span.First.Before(p.Management.Latched().Add(-seenLate)) {
			p.t.Errorf("the management instance answered at %s, before its latch at %s", span.First.Format(time.StampMilli),
				p.Management.Latched().Format(time.StampMilli))
		}
	}
	p.t.Logf("%d answers; %d named a stack while the lab had it stopped", answers, excused)
	for _, err := range p.Sampler.Problems() {
		p.t.Error(err)
	}
	p.neverSilent()
}

// neverSilent asserts that no instance that answered fell silent, but while the lab had it stopped.
func (p *play) neverSilent() {
	p.t.Helper()
	for _, side := range p.Sides() {
		for _, m := range p.Moments() {
			if m.By != side.Role+" instance" || m.NextServer != "silent" {
				continue
			}
			stopped := slices.ContainsFunc(side.Outages(), func(o lab.Outage) bool {
				return m.At.After(o.From.Add(-seenLate)) && (o.To.IsZero() || m.At.Before(o.To.Add(seenLate)))
			})
			if !stopped {
				p.t.Errorf("the %s instance fell silent at %s", side.Role, m.At.Format(time.StampMilli))
			}
		}
	}
}
