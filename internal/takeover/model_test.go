package takeover

import (
	"net/netip"
	"testing"
	"time"
)

// The model: two instances, one move and one existing DHCP service whose writes arrive late, or never. Every order of
// events is played. What is not a matter of order (ports, probes one by one, reservations) is left to other tests.

// note is a baton without its lists, so that it can be compared.
type note struct {
	Mark                 Mark
	Advertised, Previous Endpoint
	Since                time.Time
	Withheld             bool
	Latch                Latch
	Handover             string
}

func noteOf(b Baton) note {
	return note{b.Mark, b.Advertised, b.Previous, b.Since, b.Withheld, b.Latch, b.Handover}
}

func (n note) baton() Baton {
	return Baton{Mark: n.Mark, Advertised: n.Advertised, Previous: n.Previous, Since: n.Since, Withheld: n.Withheld, Latch: n.Latch, Handover: n.Handover}
}

// The stages of the move.
const (
	stageBefore = iota
	stageCopied
	stageBatonDeleted
	stageHardwareDeleted
	stageDone
)

// letter is a write on its way to the service; zero for none.
type letter struct {
	says Endpoint
	mark Mark
	from Role
}

// part is one of the two instances, what its API holds, and what it has in memory.
type part struct {
	stored        note // zero: no baton
	left          note
	hardwareMoved bool
	streak        Streak
}

// moment is one state of the model.
type moment struct {
	stage                int
	atB, atM             bool // the stacks serve
	bootstrap, ofManaged part
	service              letter
	post                 [2]letter
	wrote                [8]Role // who wrote with which epoch
	flaps                int     // how often M may still fail
}

type model struct {
	t      *testing.T
	remote bool // the bootstrap instance looks at the management cluster
	deaf   bool // the service takes every write
	seen   map[moment]bool
	queue  []moment
	// asked and settled keep what was found out before.
	asked   map[question]Step
	settled map[moment]bool
}

// question is what an instance sees of a moment.
type question struct {
	role Role
	now  moment
}

var modelTime = time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)

// observe is what the instance of a role sees at a moment.
func (m *model) observe(now moment, role Role) Observation {
	b, tink := netip.MustParseAddr(addrB), netip.MustParseAddr(addrM)
	p := now.part(role)
	o := Observation{
		At: modelTime.Add(time.Second), Role: role, Identity: "kind-1", Born: 1000, Cluster: "lab", BootstrapIP: b, TinkerbellIP: tink,
		Baton:          BatonSeen{Known: true, Present: p.stored != note{}, Baton: p.stored.baton(), Left: p.left.baton()},
		AtBootstrap:    m.stack(now.atB, b),
		AtTinkerbell:   m.stack(now.atM, tink),
		WorkflowsKnown: true, SkipLoadBalancer: true, Streak: p.streak, BootstrapFailures: bootstrapFailures,
		Services: []Service{{Name: "kea", Says: now.service.says, Mark: now.service.mark}},
		Parity:   Parity{Known: true, Of: 1},
	}
	if now.stage < stageCopied {
		o.Parity.Missing = []Pair{machines[0]}
	}
	there := ClusterView{Found: now.stage >= stageCopied, Paused: now.stage < stageDone, Provisioned: true, Nodes: 1, NodesHere: 1}
	if role == RoleManagement {
		o.Identity, o.Born, o.BootstrapIP, o.Evidence.Local = "management-1", 2000, netip.Addr{}, there
		return o
	}
	o.Evidence.Local.Found = now.stage < stageHardwareDeleted
	o.Evidence.BatonMoved, o.Evidence.HardwareMoved = p.left != note{}, p.hardwareMoved
	if m.remote {
		o.Evidence.Remote = &Remote{Identity: "management-1", Cluster: there, Baton: now.ofManaged.stored.baton()}
	} else {
		o.Parity = Parity{Why: "spec.remoteCheck is Disabled"}
	}
	return o
}

func (m *model) stack(serves bool, addr netip.Addr) Stack {
	s := Stack{At: modelTime.Add(time.Second), Addr: addr}
	if !serves {
		s.BootFile, s.Healthcheck, s.Script, s.TinkServer = "silent", "silent", "silent", "silent"
		return s
	}
	s.Endpoint = shapes()[3].at(addr.String())
	return s
}

func (now *moment) part(role Role) *part {
	if role == RoleBootstrap {
		return &now.bootstrap
	}
	return &now.ofManaged
}

// ask has one instance judge what it sees.
func (m *model) ask(now moment, role Role) Step {
	q := question{role, now}
	q.now.post, q.now.wrote, q.now.flaps = [2]letter{}, [8]Role{}, 0
	if role == RoleManagement {
		q.now.bootstrap = part{}
	} else if !m.remote {
		q.now.ofManaged = part{}
	}
	step, known := m.asked[q]
	if !known {
		step = Next(m.observe(q.now, role), Gates(Rule{Times: 2})...)
		m.asked[q] = step
	}
	return step
}

// act has one instance look and act; a crash comes after the letters are posted and before the baton is stored.
func (m *model) act(now moment, role Role, crash bool) (moment, Step) {
	p := now.part(role)
	step := m.ask(now, role)
	if len(step.Write) > 0 {
		now.posted(letter{step.Advertise, step.Mark, role})
	}
	if crash {
		p.left, p.hardwareMoved, p.streak = note{}, false, Streak{}
		return now, step
	}
	if p.streak = step.Streak; p.streak.Rounds > 0 {
		p.streak.First, p.streak.Last, p.streak.Rounds = modelTime, modelTime, 1
	}
	if step.Baton != nil {
		p.stored, p.left = noteOf(*step.Baton), note{}
	}
	return now, step
}

// posted puts a letter on its way; with two under way, the older one is lost.
func (now *moment) posted(l letter) {
	if now.post[0] != l && now.post[1] != l {
		now.post[0], now.post[1] = now.post[1], l
	}
	if e := l.mark.Fence.Epoch; l.mark.Fence.Born == 1000 && e < int64(len(now.wrote)) && now.wrote[e] == RoleUnknown {
		now.wrote[e] = l.from
	}
}

// deliver has one letter arrive, or get lost.
func (m *model) deliver(now moment, i int, lost bool) moment {
	l := now.post[i]
	now.post[i] = letter{}
	if !lost && (m.deaf || !l.mark.Fence.Less(now.service.mark.Fence)) {
		now.service = l
	}
	return now
}

// next has the move go on by one stage.
func (now moment) next() moment {
	now.stage++
	switch now.stage {
	case stageCopied:
		if now.bootstrap.stored.Handover == "" {
			now.ofManaged.stored = now.bootstrap.stored
		}
	case stageBatonDeleted:
		if now.bootstrap.stored.Handover == "" {
			now.bootstrap.left, now.bootstrap.stored = now.bootstrap.stored, note{}
		}
	case stageHardwareDeleted:
		now.bootstrap.hardwareMoved = true
	}
	return now
}
