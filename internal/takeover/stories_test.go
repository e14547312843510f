package takeover

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

var machines = []Pair{"52:54:00:00:00:01 192.168.2.10", "52:54:00:00:00:02 192.168.2.11"}

// The steps of `eksctl anywhere create cluster`, as facts have it.

func (s *story) bootstrapUp() {
	s.do("1 KinD cluster; stack at B; Tugboot in it", func() {
		s.bootstrap.up, s.bootstrap.runs = true, true
		s.stacks[addrB].serves = true
	})
}

func (s *story) hardwareApplied() {
	s.do("2 Hardware applied", func() { s.bootstrap.hardware = slices.Clone(machines); s.stacks[addrB].hardware = true })
}

func (s *story) clusterApplied() {
	s.do("3 EKS-A Cluster applied; Workflows run", func() {
		c := s.bootstrap
		c.cluster, c.bootstrapIP, c.tinkerbellIP = "lab", netip.MustParseAddr(addrB), netip.MustParseAddr(addrM)
		c.capi = ClusterView{Found: true}
		c.workflows = []string{"eksa-system/lab-cp-1"}
	})
	s.wait(20 * time.Second)
}

func (s *story) nodesJoined() {
	s.do("4 nodes joined; EKS-A Cluster Ready; Tugboot in the management cluster", func() {
		s.bootstrap.capi = ClusterView{Found: true, Provisioned: true, Nodes: 2}
		s.bootstrap.workflows = nil
		s.management.up, s.management.runs = true, true
	})
	s.wait(20 * time.Second)
}

func (s *story) stackAtM() {
	s.do("5a stack at M", func() { s.stacks[addrM].serves = true })
	s.wait(40 * time.Second)
}

func (s *story) stackAtBGone() {
	s.do("5b stack at B removed", func() { s.stacks[addrB].serves = false })
	s.wait(40 * time.Second)
}

func (s *story) paused() {
	s.do("6a spec.paused true", func() { s.bootstrap.capi.Paused = true })
}

func (s *story) created() {
	s.do("6b objects created in the target, paused", func() {
		s.management.capi = ClusterView{Found: true, Paused: true}
		s.management.hardware = slices.Clone(machines)
		s.stacks[addrM].hardware = true
		s.copyBaton(s.bootstrap, s.management)
	})
}

func (s *story) batonDeleted() {
	s.do("6c ConfigMap deleted in the source with delete-for-move", func() { s.evident = true; s.bootstrap.deleteBaton() })
}

func (s *story) hardwareDeleted() {
	s.do("6d Cluster and Hardware deleted in the source with delete-for-move", func() {
		s.bootstrap.capi = ClusterView{}
		s.bootstrap.hardwareMoved, s.bootstrap.hardware = s.bootstrap.hardware, nil
	})
	s.wait(40 * time.Second)
}

func (s *story) unpaused() {
	s.do("6e unpaused; Provisioned", func() {
		s.management.capi = ClusterView{Found: true, Provisioned: true, Nodes: 2, NodesHere: 2}
	})
	s.wait(20 * time.Second)
}

func (s *story) recreated() {
	s.do("7a EKS-A objects made in the management cluster", func() {
		s.management.cluster, s.management.tinkerbellIP = "lab", netip.MustParseAddr(addrM)
	})
	s.wait(50 * time.Second)
}

func (s *story) kindDeleted() {
	s.do("7b KinD deleted", func() { s.bootstrap.up = false })
	s.wait(20 * time.Second)
}

// creation plays all of it, up to and without the given step.
func (s *story) creation(without string) {
	for _, step := range []struct {
		name string
		play func()
	}{
		{"1", s.bootstrapUp}, {"2", s.hardwareApplied}, {"3", s.clusterApplied}, {"4", s.nodesJoined}, {"5a", s.stackAtM},
		{"5b", s.stackAtBGone}, {"6a", s.paused}, {"6b", s.created}, {"6c", s.batonDeleted}, {"6d", s.hardwareDeleted},
		{"6e", s.unpaused}, {"7a", s.recreated}, {"7b", s.kindDeleted},
	} {
		if step.name == without {
			return
		}
		step.play()
	}
}

// ends checks that everybody says M.
func (s *story) ends() {
	s.t.Helper()
	m := s.stacks[addrM].endpoint
	for _, c := range []*site{s.bootstrap, s.management} {
		if !c.runs || !c.up {
			continue
		}
		if stance := s.stance(c); stance.Silent || stance.Withheld || stance.Advertise != m {
			s.t.Errorf("the %s instance ends with %+v, want %s\n%s", c.role, stance, where(m), s.log.String())
		}
		if c.lastStep.Baton != nil || len(c.lastStep.Write) > 0 {
			s.t.Errorf("the %s instance still writes at the end: %v, %v", c.role, c.lastStep.Baton, c.lastStep.Write)
		}
	}
	for _, v := range s.services {
		if v.says != m {
			s.t.Errorf("the service %s ends with %s, want %s\n%s", v.name, where(v.says), where(m), s.log.String())
		}
	}
}

func kea() []*service { return []*service{{name: "dnsmasq"}, {name: "kea"}} }

// TestStories plays each story as it is, for the golden log, and with a restart after every step, for the same end.
func TestStories(t *testing.T) {
	for _, sh := range shapes() {
		playBoth(t, "creation-"+sh.name, sh, func(s *story) {
			s.services = kea()
			s.creation("")
			s.ends()
		})
	}
	for name, play := range tales() {
		playBoth(t, name, shapes()[3], play)
	}
}

func playBoth(t *testing.T, name string, sh shape, play func(*story)) {
	t.Run(name, func(t *testing.T) {
		s := newStory(t, sh, false)
		play(s)
		s.golden(name)
	})
	t.Run(name+"-restarted", func(t *testing.T) { play(newStory(t, sh, true)) })
}

// TestCreationWithEachGateShut holds one thing back until the end: nobody says M before, everybody does after.
func TestCreationWithEachGateShut(t *testing.T) {
	holds := map[string]struct{ hold, release func(*story) }{
		GateConfigurationValid: {
			func(s *story) {
				p := Problem{Reason: "TinkerbellIPInvalid", Object: "TinkerbellDatacenterConfig default/lab", Field: "spec.tinkerbellIP", Value: "M", Remedy: "give an IPv4 address"}
				s.bootstrap.problems, s.management.problems = []Problem{p}, []Problem{p}
			},
			func(s *story) { s.bootstrap.problems, s.management.problems = nil, nil },
		},
		GateHardwareParity: {
			func(s *story) { s.remote = true; s.management.hardware = s.management.hardware[:1] },
			func(s *story) { s.management.hardware = slices.Clone(machines) },
		},
		GateStackProven: {func(s *story) { s.stacks[addrM].proof = addrB }, func(s *story) { s.stacks[addrM].proof = addrM }},
		GateNoWorkflowActive: {
			func(s *story) {
				s.bootstrap.workflows, s.management.workflows = []string{"eksa-system/w"}, []string{"eksa-system/w"}
			},
			func(s *story) { s.bootstrap.workflows, s.management.workflows = nil, nil },
		},
		GateAddressUsable: {
			func(s *story) {
				s.bootstrap.bootstrapIP, s.management.bootstrapIP = netip.MustParseAddr(addrM), netip.MustParseAddr(addrM)
			},
			func(s *story) {
				s.bootstrap.bootstrapIP, s.management.bootstrapIP = netip.MustParseAddr(addrB), netip.Addr{}
			},
		},
		GateNotFrozen: {
			func(s *story) { s.bootstrap.operator.Freeze, s.management.operator.Freeze = true, true },
			func(s *story) { s.bootstrap.operator.Freeze, s.management.operator.Freeze = false, false },
		},
		GateServicesWritten: {func(s *story) { s.services[1].broken = true }, func(s *story) { s.services[1].broken = false }},
	}
	for _, name := range []string{GateBootFileServed, GateHealthcheckAnswered, GateScriptServed, GateTinkServerReachable} {
		holds[name] = struct{ hold, release func(*story) }{func(s *story) { s.stacks[addrM].broken = name }, func(s *story) { s.stacks[addrM].broken = "" }}
	}
	for name, h := range holds {
		for _, restarts := range []bool{false, true} {
			t.Run(name, func(t *testing.T) { holdBack(t, name, h.hold, h.release, restarts) })
		}
	}
}

func holdBack(t *testing.T, name string, hold, release func(*story), restarts bool) {
	s := newStory(t, shapes()[3], restarts)
	s.services = kea()
	s.creation("6c")
	s.do("hold back "+name, func() { hold(s) })
	s.batonDeleted()
	s.hardwareDeleted()
	s.unpaused()
	s.recreated()
	for _, c := range []*site{s.bootstrap, s.management} {
		if c.seen().Baton.Latch.Set() {
			t.Fatalf("the %s instance latched with %s shut\n%s", c.role, name, s.log.String())
		}
		found := false
		for _, f := range c.lastStep.Findings {
			found = found || f.Gate == name && !f.State.Passes()
		}
		if !found && name != GateAddressUsable && name != GateServicesWritten {
			t.Errorf("the %s instance does not say that %s is shut: %+v", c.role, name, c.lastStep.Findings)
		}
	}
	s.do("released", func() { release(s) })
	s.wait(time.Minute)
	s.ends()
}
