package takeover

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawLikely draws an observation that is near the takeover, so that steps that change something are met often.
func drawLikely(t *rapid.T) Observation {
	o := drawObservation(t)
	keep := func(what string) bool { return rapid.IntRange(0, 9).Draw(t, "keep "+what) == 0 }
	b, m := netip.MustParseAddr(addrB), netip.MustParseAddr(addrM)
	set := func(what string, change func()) {
		if !keep(what) {
			change()
		}
	}
	set("at", func() { o.At = time.Unix(1795000900, 0) })
	set("role", func() { o.Role = Role(rapid.IntRange(1, 2).Draw(t, "likely role")) })
	set("identity", func() { o.Identity, o.Born = "management-1", 2000 })
	set("cluster", func() { o.Cluster = "lab"; o.Baton.Baton.Cluster = "lab" })
	set("addresses", func() { o.BootstrapIP, o.TinkerbellIP = b, m })
	set("known", func() { o.Baton.Known, o.Baton.Problem, o.Problems = true, nil, nil })
	set("at B", func() { o.AtBootstrap = Stack{At: o.At, Addr: b, Endpoint: shapes()[1].at(addrB)} })
	set("at M", func() { o.AtTinkerbell = Stack{At: o.At, Addr: m, Endpoint: shapes()[1].at(addrM), Proof: m} })
	set("streak", func() {
		o.Streak = Streak{Identity: o.ForceIdentity(), Endpoint: o.AtTinkerbell.Endpoint, First: o.At.Add(-time.Minute), Last: o.At.Add(-10 * time.Second), Rounds: 3}
	})
	set("evidence", func() { o.Evidence.Local = ClusterView{Found: true, Provisioned: true, Nodes: 1, NodesHere: 1} })
	set("rest", func() {
		o.Parity, o.WorkflowsKnown, o.SkipLoadBalancer, o.Policy, o.Operator.Freeze = Parity{Known: true}, true, true, PolicyAutomatic, false
	})
	return o
}

// apply carries a step out without a fault: every service that is readable says what it was told.
func apply(o Observation, step Step) Observation {
	o.Services = slices.Clone(o.Services)
	for i := range o.Services {
		if slices.Contains(step.Write, o.Services[i].Name) {
			o.Services[i].Says, o.Services[i].Mark = step.Advertise, step.Mark
		}
	}
	if step.Baton != nil {
		o.Baton = BatonSeen{Known: true, Present: true, Baton: *step.Baton}
	}
	o.Streak = step.Streak
	return o
}

// TestAnyObservationHasOneStep: no panic, the same twice, findings of all gates, and nothing that could not be stored.
func TestAnyObservationHasOneStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawLikely(t)
		gates := Gates(DefaultRule())
		step := Next(o, gates...)
		if again := Next(o, gates...); !reflect.DeepEqual(step, again) {
			t.Fatalf("the same observation has two steps:\n%+v\n%+v", step, again)
		}
		if len(step.Findings) != len(gates) || step.Reason == "" || step.Message == "" || !slices.Contains(Phases(), step.Phase) {
			t.Fatalf("incomplete: %+v", step)
		}
		for i, f := range step.Findings {
			if f.Gate != gates[i].Name || f.Reason == "" || f.Message == "" || f.State > Skipped {
				t.Fatalf("incomplete: %+v", f)
			}
			for _, r := range f.Message + f.Reason {
				if r < ' ' || r > '~' {
					t.Fatalf("the message of %s has the rune %q: %q", f.Gate, r, f.Message)
				}
			}
		}
		if step.Baton == nil {
			return
		}
		back, problem := ParseBaton(step.Baton.Cluster, step.Baton.Data())
		if problem != nil || !back.Equal(*step.Baton) {
			t.Fatalf("stored %+v, which reads as %+v, %v", *step.Baton, back, problem)
		}
	})
}

// TestQuiet: carried out and looked at again, a step leads to nothing more within a few rounds.
func TestQuiet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawLikely(t)
		var step Step
		for range 6 {
			step = Next(o, Gates(DefaultRule())...)
			if step.Baton == nil && len(step.Write) == 0 {
				o = apply(o, step)
				if again := Next(o, Gates(DefaultRule())...); again.Baton != nil || len(again.Write) > 0 {
					t.Fatalf("quiet, and then %+v", again)
				}
				return
			}
			o = apply(o, step)
		}
		t.Fatalf("never quiet: %+v", step)
	})
}

// TestPromises: what must hold of each step, whatever was seen.
func TestPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawLikely(t)
		step := Next(o, Gates(DefaultRule())...)
		stored := o.Baton.stored()
		latched := Latched(o.Role, o.Identity, stored)
		changes := step.Baton != nil && step.Baton.Advertised != stored.Advertised || len(step.Write) > 0
		takes := step.Baton != nil && step.Baton.Latch.Set() && !latched
		follows := o.managementLatched()
		switch {
		case (o.Operator.Freeze || o.conflict() != nil || !o.Baton.Known) && changes:
			t.Fatalf("changes what is told, frozen, in conflict or blind: %+v", step)
		case o.conflict() != nil && (step.Phase != Conflict || step.Baton != nil):
			t.Fatalf("conflict, and the step is %+v", step)
		case latched && step.Baton != nil && !Latched(o.Role, o.Identity, *step.Baton):
			t.Fatalf("the latch is taken back: %+v", step.Baton)
		case latched && !follows && step.Baton != nil && step.Baton.Latch.Endpoint.Addr != stored.Latch.Endpoint.Addr:
			t.Fatalf("the latch goes elsewhere: %+v", step.Baton)
		case latched && !follows && o.Operator.Override.IsZero() && changes && step.Advertise.Addr != stored.Latch.Endpoint.Addr:
			t.Fatalf("latched, and tells %s", step.Advertise.Addr)
		case latched && step.Baton != nil && !step.Baton.Latch.At.Equal(stored.Latch.At):
			t.Fatalf("latched at another time: %+v", step.Baton)
		case takes && !follows && !o.forced() && o.proof(o.stand()) == "":
			t.Fatalf("latches without evidence: %+v", step.Baton)
		case takes && !follows && !o.forced() && (o.AtTinkerbell.Addr != step.Advertise.Addr || o.AtTinkerbell.TinkServer != "" || step.Streak.Rounds < 3):
			t.Fatalf("latches without probes: %+v", step.Baton)
		case step.Baton != nil && stored.exists() && step.Baton.Fence.Less(stored.Fence) && !o.stand().foreign:
			t.Fatalf("the fence sinks from %+v to %+v", stored.Fence, step.Baton.Fence)
		case o.Role != RoleBootstrap && o.Role != RoleManagement && (step.Baton != nil || len(step.Write) > 0):
			t.Fatalf("writes without a role: %+v", step)
		}
		for _, s := range o.Services {
			if slices.Contains(step.Write, s.Name) && (s.Unreadable != "" || step.Mark.Fence.Less(s.Mark.Fence) || s.Mark.Cluster != "" && s.Mark.Cluster != o.Cluster || s.Says == step.Advertise && s.Mark == step.Mark) {
				t.Fatalf("writes %+v with %+v", s, step.Mark)
			}
			if takes && !follows && s.Says.Addr != step.Advertise.Addr {
				t.Fatalf("latches before %s was read back: %+v", s.Name, s)
			}
		}
	})
}
