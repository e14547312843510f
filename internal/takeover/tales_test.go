package takeover

import (
	"net/netip"
	"slices"
	"time"
)

// tales are the stories beside the plain creation.
func tales() map[string]func(*story) {
	return map[string]func(*story){
		"remote-check":       remoteCheck,
		"late-install":       lateInstall,
		"re-creation":        reCreation,
		"upgrade":            upgrade,
		"workload-cluster":   workloadCluster,
		"cluster-deletion":   clusterDeletion,
		"override-and-clear": overrideAndClear,
		"freeze":             freeze,
		"force":              force,
		"dying-bootstrap":    dyingBootstrap,
		"edited-configmap":   editedConfigMap,
		"degraded":           degraded,
		"down-during-move":   downDuringMove,
		"restored-baton":     restoredBaton,
	}
}

func remoteCheck(s *story) {
	s.services, s.remote = kea(), true
	s.creation("")
	s.ends()
}

// managed is a cluster that has taken over, some time ago.
func (s *story) managed() {
	s.services = kea()
	s.creation("")
	s.bootstrap.runs = false
	s.wait(time.Minute)
}

func lateInstall(s *story) {
	s.services, s.evident = kea(), true
	s.stacks[addrM].serves, s.stacks[addrM].hardware = true, true
	c := s.management
	s.do("Tugboot installed in a cluster that has managed itself for long", func() {
		c.up, c.runs, c.cluster, c.tinkerbellIP = true, true, "lab", netip.MustParseAddr(addrM)
		c.hardware = slices.Clone(machines)
		c.capi = ClusterView{Found: true, Provisioned: true, Nodes: 2, NodesHere: 2}
	})
	s.wait(time.Minute)
	s.ends()
}

// reCreation makes the cluster again, under the same name and addresses, on the same services.
func reCreation(s *story) {
	s.managed()
	s.do("== the cluster is gone; it is created anew", func() {
		w := newWorld(s.shape)
		s.now = s.now.Add(24 * time.Hour)
		w.bootstrap.identity, w.bootstrap.born = "kind-2", s.now.Unix()-60
		w.management.identity, w.management.born = "management-2", s.now.Unix()+600
		w.services, w.now, w.begun = s.services, s.now, s.begun
		s.world, s.evident, s.last = w, true, map[Role]string{} // the services still say the old M
	})
	s.creation("4")
	for _, v := range s.services {
		if v.says.Addr != netip.MustParseAddr(addrB) {
			s.t.Errorf("the service %s says %s, want the new bootstrap stack", v.name, where(v.says))
		}
	}
	s.evident = false
	s.nodesJoined()
	s.stackAtM()
	s.stackAtBGone()
	s.paused()
	s.created()
	s.batonDeleted()
	s.hardwareDeleted()
	s.unpaused()
	s.recreated()
	s.kindDeleted()
	s.ends()
	if got := s.services[0].mark.Identity; got != "management-2" {
		s.t.Errorf("the mark's identity is %q, want the new cluster's", got)
	}
}

// newKinD is a bootstrap cluster that is made for an existing management cluster.
func (s *story) newKinD() {
	s.do("KinD cluster for it, with a stack at B and Tugboot", func() {
		s.bootstrap = &site{role: RoleBootstrap, identity: "kind-3", born: s.now.Unix(), up: true, runs: true,
			cluster: "lab", bootstrapIP: netip.MustParseAddr(addrB), tinkerbellIP: netip.MustParseAddr(addrM)}
		s.stacks[addrB].serves, s.stacks[addrB].hardware = true, true
	})
	s.wait(20 * time.Second)
}

// moveBetween moves everything, one way or the other.
func (s *story) moveBetween(from, to *site) {
	s.do("paused, and created in the "+to.role.String()+" cluster", func() {
		view := from.capi
		from.capi.Paused = true
		to.capi = ClusterView{Found: true, Provisioned: view.Provisioned, Nodes: view.Nodes}
		if to.role == RoleManagement {
			to.capi.NodesHere = to.capi.Nodes
		}
		to.hardware = slices.Clone(from.hardware)
		s.copyBaton(from, to)
	})
	s.do("deleted in the "+from.role.String()+" cluster", func() {
		from.deleteBaton()
		from.hardwareMoved, from.hardware, from.capi = from.hardware, nil, ClusterView{}
	})
	s.wait(40 * time.Second)
}

func upgrade(s *story) {
	s.managed()
	s.newKinD()
	s.moveBetween(s.management, s.bootstrap)
	s.ends()
	s.moveBetween(s.bootstrap, s.management)
	s.do("KinD deleted", func() { s.bootstrap.up = false; s.stacks[addrB].serves = false })
	s.wait(time.Minute)
	s.ends()
}

func clusterDeletion(s *story) {
	s.managed()
	s.newKinD()
	s.moveBetween(s.management, s.bootstrap)
	s.do("the management cluster is gone", func() { s.management.up = false })
	s.wait(time.Minute)
	if c := s.bootstrap; s.stance(c).Advertise.Addr != netip.MustParseAddr(addrM) {
		s.t.Errorf("the bootstrap instance went back to %s", where(s.stance(c).Advertise))
	}
}

func workloadCluster(s *story) {
	s.managed()
	s.do("a workload cluster is created", func() {
		s.management.workflows = []string{"eksa-system/w01"}
		s.management.hardware = append(s.management.hardware, "52:54:00:00:00:09 192.168.2.19")
	})
	s.wait(20 * time.Second)
	s.do("it is ready", func() { s.management.workflows = nil })
	s.wait(20 * time.Second)
	s.ends()
}

func overrideAndClear(s *story) {
	s.services = kea()
	s.creation("5a")
	other := netip.MustParseAddr("192.168.2.60")
	s.do("override to an address where nothing serves", func() { s.bootstrap.operator.Override = Endpoint{Addr: other} })
	s.wait(20 * time.Second)
	s.do("a stack serves there", func() {
		s.word = true
		e := s.shape.at(addrB)
		e.Addr = other
		s.stacks[other.String()] = &stack{serves: true, endpoint: e, proof: other.String()}
	})
	s.wait(20 * time.Second)
	s.do("override removed", func() { s.bootstrap.operator.Override = Endpoint{} })
	s.wait(20 * time.Second)
	s.word = false
	for _, step := range []func(){s.stackAtM, s.stackAtBGone, s.paused, s.created, s.batonDeleted, s.hardwareDeleted, s.unpaused, s.recreated, s.kindDeleted} {
		step()
	}
	s.ends()
	s.do("rollback: a whole URL at B", func() { s.word = true; s.management.operator.Override = s.shape.at(addrB) })
	s.wait(20 * time.Second)
	s.do("override removed", func() { s.management.operator.Override = Endpoint{} })
	s.wait(20 * time.Second)
	s.ends()
}

func freeze(s *story) {
	s.services = kea()
	s.creation("5b")
	s.do("freeze", func() { s.bootstrap.operator.Freeze, s.management.operator.Freeze = true, true })
	for _, step := range []func(){s.stackAtBGone, s.paused, s.created, s.batonDeleted, s.hardwareDeleted, s.unpaused, s.recreated} {
		step()
	}
	s.do("freeze removed", func() { s.bootstrap.operator.Freeze, s.management.operator.Freeze = false, false })
	s.wait(50 * time.Second)
	s.ends()
}

func force(s *story) {
	s.services = kea()
	s.creation("6a")
	s.do("policy Manual, and the word for another cluster", func() {
		for _, c := range []*site{s.bootstrap, s.management} {
			c.policy, c.operator.Force = PolicyManual, "management-0"
		}
	})
	for _, step := range []func(){s.paused, s.created, s.batonDeleted, s.hardwareDeleted, s.unpaused, s.recreated} {
		step()
	}
	s.do("the right word in the management cluster", func() { s.management.operator.Force = "management-1" })
	s.wait(20 * time.Second)
	s.kindDeleted()
	s.ends()
}

// dyingBootstrap has the bootstrap instance write B late, to a service that cannot compare marks.
func dyingBootstrap(s *story) {
	s.services = []*service{{name: "kea"}, {name: "old", deaf: true}}
	s.creation("7b")
	b := Mark{Cluster: "lab", Fence: Fence{Born: s.bootstrap.born, Epoch: 1}}
	s.do("the bootstrap instance writes B late", func() {
		for _, v := range s.services {
			v.write(s.shape.at(addrB), b)
		}
	})
	s.wait(20 * time.Second)
	s.kindDeleted()
	s.ends()
}

func editedConfigMap(s *story) {
	s.managed()
	right := s.management.baton[keyLatch+keyAddress]
	s.do("somebody edits the ConfigMap", func() { s.management.baton[keyLatch+keyAddress] = "M" })
	s.wait(20 * time.Second)
	s.do("somebody puts it right", func() { s.management.baton[keyLatch+keyAddress] = right })
	s.wait(20 * time.Second)
	s.ends()
}

func degraded(s *story) {
	s.managed()
	s.do("M fails", func() { s.stacks[addrM].serves = false })
	s.wait(time.Hour)
	s.do("M serves again, at another port", func() { s.stacks[addrM].serves = true; s.stacks[addrM].endpoint.HTTPPort = 7080 })
	s.wait(20 * time.Second)
	s.ends()
	s.do("somebody names another tinkerbellIP", func() { s.management.tinkerbellIP = netip.MustParseAddr("192.168.2.51") })
	s.wait(20 * time.Second)
	s.ends()
}

// downDuringMove loses all evidence that a bootstrap instance can see: it must do no harm, and the other one takes over.
func downDuringMove(s *story) {
	s.services = kea()
	s.creation("6c")
	s.do("the bootstrap instance goes down", func() { s.bootstrap.runs = false; s.bootstrap.restart() })
	s.batonDeleted()
	s.hardwareDeleted()
	s.do("it comes back", func() { s.bootstrap.restart(); s.bootstrap.runs = true })
	s.unpaused()
	s.recreated()
	s.kindDeleted()
	s.ends()
}

// restoredBaton puts the baton of another cluster, with its latch, into this one.
func restoredBaton(s *story) {
	s.managed()
	s.do("restored into a new management cluster", func() {
		s.management.restart()
		s.management.identity, s.management.born = "management-5", s.now.Unix()
	})
	s.wait(time.Minute)
	s.ends()
}
