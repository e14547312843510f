package takeover

import (
	"net/netip"
	"testing"
)

// TestGuards: one observation each in which a step must not do what it would do otherwise, and the same one without.
func TestGuards(t *testing.T) {
	const b, m = RoleBootstrap, RoleManagement
	conflict := []Problem{{Reason: ReasonSeveralBatons, Conflict: true}}
	latchMoved := func(o *Observation) {
		latch(o)
		o.Evidence = Evidence{}
		o.Baton = BatonSeen{Known: true, Left: o.Baton.Baton}
		o.Services[0].Says = shapes()[1].at(addrB)
	}
	otherPort := func(o *Observation) { latch(o); o.AtTinkerbell.Endpoint.HTTPPort = 7080 }
	firstSight := func(o *Observation) { o.Evidence, o.Baton = Evidence{}, BatonSeen{Known: true} }
	stores := func(s Step) bool { return s.Baton != nil }
	writes := func(s Step) bool { return len(s.Write) > 0 }
	for name, test := range map[string]struct {
		role      Role
		base      func(*Observation)
		does      func(Step) bool
		forbidden func(*Observation)
	}{
		"evidence is kept, not in a conflict": {b, nothing, stores, func(o *Observation) { o.Problems = conflict }},
		"evidence is kept, not blindly":       {b, nothing, stores, func(o *Observation) { o.Baton.Known = false }},
		"evidence is kept, not a weaker one": {b, nothing, stores, func(o *Observation) {
			o.Baton.Baton.Handover = ReasonHardwareMoved
			o.Evidence = Evidence{BatonMoved: true}
		}},
		"another port is told, not of another stack": {m, otherPort, stores, func(o *Observation) { o.AtTinkerbell.Proof = netip.MustParseAddr(addrB) }},
		"another port is told, not of a sick stack":  {m, otherPort, stores, func(o *Observation) { o.AtTinkerbell.Healthcheck = "503" }},
		"another port is told, not when frozen":      {m, otherPort, writes, func(o *Observation) { o.Operator.Freeze = true }},
		"B is told, not with another stack's script": {b, firstSight, stores, func(o *Observation) {
			o.AtBootstrap.Proof = o.TinkerbellIP
			o.Baton.Present = true
			o.Baton.Baton = Baton{Mark: Mark{Cluster: "lab", Fence: Fence{2000, 1}}}
		}},
		"B is written, not after the evidence":   {b, firstSight, writes, func(o *Observation) { o.Evidence.BatonMoved, o.Workflows = true, []string{"w"} }},
		"M is written, not without a gate":       {m, nothing, writes, func(o *Observation) { o.Streak = Streak{} }},
		"M is written, not without its endpoint": {m, func(o *Observation) { o.Operator.Force = o.Identity }, writes, func(o *Observation) { o.AtTinkerbell.Endpoint = Endpoint{} }},
		"what was reset is written, not when moved away": {b, func(o *Observation) {
			latchMoved(o)
			o.Baton = BatonSeen{Known: true, Present: true, Baton: o.Baton.Left}
		}, writes, latchMoved},
		"a fence is raised, not for another cluster": {m, func(o *Observation) { latch(o); o.Services[0].Mark.Fence.Epoch = 9 }, stores, func(o *Observation) {
			o.Services[0].Mark.Cluster = "other"
		}},
		"a foreign baton is replaced, not when frozen":      {m, func(o *Observation) { latch(o); o.Identity, o.Evidence = "management-2", Evidence{} }, stores, func(o *Observation) { o.Operator.Freeze = true }},
		"a baton is stored, not one that nobody could read": {b, nothing, stores, func(o *Observation) { o.Baton.Baton.Previous = Endpoint{Addr: netip.MustParseAddr("127.0.0.1")} }},
		"ISO boot is forced, not to a loopback": {m, func(o *Observation) {
			o.ISOBoot, o.Operator.Force, o.AtTinkerbell.Endpoint = true, o.Identity, Endpoint{}
		}, writes, func(o *Observation) {
			o.TinkerbellIP = netip.MustParseAddr("127.0.0.1")
			o.AtTinkerbell.Addr = o.TinkerbellIP
		}},
	} {
		o := ready(test.role)
		test.base(&o)
		if step := Next(o, Gates(DefaultRule())...); !test.does(step) {
			t.Errorf("%s: it never does: %+v", name, step)
		}
		test.forbidden(&o)
		if step := Next(o, Gates(DefaultRule())...); test.does(step) && (step.Baton == nil || step.Baton.Handover != ReasonLatchMoved || len(step.Write) > 0) {
			t.Errorf("%s: %+v, stores %+v", name, step, step.Baton)
		}
	}
}

// TestNoGatesNoTakeover: a caller that forgets the gates changes nothing.
func TestNoGatesNoTakeover(t *testing.T) {
	if step := Next(ready(RoleManagement)); len(step.Write) > 0 || step.Baton != nil {
		t.Errorf("%+v", step)
	}
}

// TestTheBatonComesBack: while it is away the management instance keeps a copy and writes nothing; then it goes on.
func TestTheBatonComesBack(t *testing.T) {
	o := ready(RoleManagement)
	latch(&o)
	o.Evidence, o.Baton = Evidence{}, BatonSeen{Known: true, Left: o.Baton.Baton}
	o.AtTinkerbell.Endpoint.HTTPPort = 7080
	step := Next(o, Gates(DefaultRule())...)
	if step.Baton == nil || step.Baton.Handover != ReasonLatchMoved || !step.Baton.Latch.Set() || len(step.Write) > 0 {
		t.Fatalf("away: %+v, stores %+v", step, step.Baton)
	}
	o = apply(o, step)
	o.Evidence = ready(RoleManagement).Evidence
	step = Next(o, Gates(DefaultRule())...)
	if step.Baton == nil || step.Baton.Handover != "" || len(step.Write) != 1 {
		t.Errorf("back: %+v, stores %+v", step, step.Baton)
	}
}

// TestUnusableRemoteBaton: one that tells nothing is not followed, and the gates go on.
func TestUnusableRemoteBaton(t *testing.T) {
	there := ready(RoleManagement)
	latch(&there)
	there.Baton.Baton.Advertised = Endpoint{}
	o := ready(RoleBootstrap)
	o.Evidence.Remote = &Remote{Identity: "management-1", Baton: there.Baton.Baton}
	o.Streak.Identity = "management-1"
	if step := Next(o, Gates(DefaultRule())...); len(step.Write) != 1 || step.Advertise.Addr != o.TinkerbellIP {
		t.Errorf("%+v", step)
	}
}
