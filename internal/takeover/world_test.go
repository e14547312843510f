package takeover

import (
	"maps"
	"net/netip"
	"slices"
	"time"
)

// The addresses of the lab.
const (
	addrB = "192.168.2.112"
	addrM = "192.168.2.50"
)

// shape is where the stacks of one EKS Anywhere release serve.
type shape struct {
	name                 string
	portB, portM         uint16
	scriptAtB, scriptAtM string
}

func shapes() []shape {
	return []shape{
		{"0.19", 80, 80, "/auto.ipxe", "/auto.ipxe"},
		{"0.21", 80, 7171, "/auto.ipxe", "/auto.ipxe"},
		{"0.24", 7171, 7171, "/auto.ipxe", "/auto.ipxe"},
		{"0.26", 7171, 7171, "/ipxe/script/auto.ipxe", "/ipxe/script/auto.ipxe"},
	}
}

func (s shape) at(addr string) Endpoint {
	e := Endpoint{Addr: netip.MustParseAddr(addr), TFTPPort: 69, HTTPPort: s.portM, ScriptPath: s.scriptAtM, BootFiles: "bios=undionly.kpxe uefi-x86-64=ipxe.efi"}
	if addr == addrB {
		e.HTTPPort, e.ScriptPath = s.portB, s.scriptAtB
	}
	return e
}

// site is one cluster with its API, and the Tugboot in it.
type site struct {
	role     Role
	identity string
	born     int64
	up       bool // the API answers
	// What the API shows.
	baton           map[string]string
	cluster         string
	bootstrapIP     netip.Addr
	tinkerbellIP    netip.Addr
	hardware        []Pair
	capi            ClusterView
	workflows       []string
	problems        []Problem
	operator        Operator
	policy          Policy
	skipLB, isoBoot bool
	// The Tugboot in it, and what that has in memory only.
	runs          bool
	streak        Streak
	left          Baton
	hardwareMoved []Pair
	failures      int
	lastStep      Step
}

// service is an existing DHCP service, which refuses a lower fence, unless it has no way to compare.
type service struct {
	name         string
	says         Endpoint
	mark         Mark
	broken, deaf bool
}

// world is two clusters, two stacks and some existing DHCP services.
type world struct {
	now        time.Time
	shape      shape
	bootstrap  *site
	management *site
	services   []*service
	stacks     map[string]*stack
	remote     bool // the bootstrap instance may look over there
	begun      time.Time
}

// stack is what serves at one address.
type stack struct {
	serves   bool
	hardware bool // it knows the machines
	endpoint Endpoint
	broken   string // the name of the one probe that fails
	proof    string // the address that its scripts name
}

func newWorld(sh shape) *world {
	begun := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	w := &world{
		now: begun, begun: begun, shape: sh,
		bootstrap:  &site{role: RoleBootstrap, identity: "kind-1", born: begun.Unix() - 60},
		management: &site{role: RoleManagement, identity: "management-1", born: begun.Unix() + 600},
		stacks:     map[string]*stack{addrB: {endpoint: sh.at(addrB), proof: addrB}, addrM: {endpoint: sh.at(addrM), proof: addrM}},
	}
	return w
}

// probe asks the stack at addr as internal/probe does.
func (w *world) probe(addr netip.Addr) Stack {
	s := Stack{At: w.now, Addr: addr}
	at := w.stacks[addr.String()]
	if at == nil || !at.serves {
		s.BootFile, s.Healthcheck, s.Script, s.TinkServer = "no answer", "no answer", "no answer", "no answer"
		return s
	}
	s.Endpoint = at.endpoint
	switch at.broken {
	case GateBootFileServed:
		s.BootFile, s.Endpoint.TFTPPort = "undionly.kpxe: no answer", 0
	case GateHealthcheckAnswered:
		s.Healthcheck = "503"
	case GateScriptServed:
		s.Script = "500"
	case GateTinkServerReachable:
		s.TinkServer = "connection refused"
	}
	if at.hardware {
		s.Proof, s.ProofMAC = netip.MustParseAddr(at.proof), "52:54:00:00:00:01"
	}
	return s
}

// seen is the baton as the API of c shows it.
func (c *site) seen() BatonSeen {
	if !c.up {
		return BatonSeen{}
	}
	if c.baton == nil {
		return BatonSeen{Known: true, Left: c.left}
	}
	b, problem := ParseBaton("lab", c.baton)
	return BatonSeen{Known: true, Present: problem == nil, Baton: b, Problem: problem}
}

// observe gathers what the Tugboot in c sees.
func (w *world) observe(c *site) Observation {
	o := Observation{
		At: w.now, Role: c.role, Policy: c.policy, Identity: c.identity, Born: c.born, Cluster: c.cluster,
		BootstrapIP: c.bootstrapIP, TinkerbellIP: c.tinkerbellIP, ISOBoot: c.isoBoot, SkipLoadBalancer: c.skipLB, Problems: c.problems,
		Baton: c.seen(), Evidence: Evidence{Local: c.capi}, Workflows: c.workflows, WorkflowsKnown: true, Operator: c.operator, Streak: c.streak,
		BootstrapFailures: c.failures, AllowPXE: 1,
	}
	for _, s := range w.services {
		seen := Service{Name: s.name, Says: s.says, Mark: s.mark}
		if s.broken {
			seen = Service{Name: s.name, Unreadable: "no route to host"}
		}
		o.Services = append(o.Services, seen)
	}
	o.AtBootstrap = w.probe(c.bootstrapIP)
	o.AtTinkerbell = w.probe(o.ManagementAddr())
	if c.operator.Override.Addr.IsValid() {
		o.Operator.OverrideSeen = w.probe(c.operator.Override.Addr)
	}
	o.Reservations = append(slices.Clone(c.hardware), c.hardwareMoved...)
	if c.role == RoleManagement {
		o.LoadBalancer = LoadBalancer{Known: true, Service: "tinkerbell/stack", ReadyEndpoints: 1}
		if !w.stacks[addrM].serves {
			o.LoadBalancer = LoadBalancer{Known: true}
		}
		o.Parity = compare(o.Baton.stored().Reservations, c.hardware)
		return o
	}
	o.Evidence.BatonMoved = c.baton == nil && c.left.exists()
	o.Evidence.HardwareMoved = len(c.hardwareMoved) > 0 && len(c.hardware) == 0
	o.Parity.Why = "spec.remoteCheck is Disabled"
	if w.remote && w.management.up {
		o.Evidence.Remote = &Remote{Identity: w.management.identity, Cluster: w.management.capi, Baton: w.management.seen().stored()}
		o.Parity = compare(o.Baton.stored().Reservations, w.management.hardware)
	}
	return o
}

func compare(advertised, there []Pair) Parity {
	p := Parity{Known: true, Of: len(advertised)}
	for _, pair := range advertised {
		if !slices.Contains(there, pair) {
			p.Missing = append(p.Missing, pair)
		}
	}
	return p
}

// step has the Tugboot in c look, judge and act once.
func (w *world) step(c *site) (Observation, Step) {
	o := w.observe(c)
	if _, serves := o.bootstrapServing(); serves {
		c.failures = 0
	} else {
		c.failures++
	}
	o.BootstrapFailures = c.failures
	step := Next(o, Gates(DefaultRule())...)
	c.streak, c.lastStep = step.Streak, step
	for _, s := range w.services {
		if slices.Contains(step.Write, s.name) {
			s.write(step.Advertise, step.Mark)
		}
	}
	if step.Baton != nil && c.up {
		c.baton = step.Baton.Data()
	}
	return o, step
}

func (s *service) write(e Endpoint, m Mark) {
	if s.broken || !s.deaf && m.Fence.Less(s.mark.Fence) {
		return
	}
	s.says, s.mark = e, m
}

// stance is what the servers of the Tugboot in c do.
func (w *world) stance(c *site) Stance {
	own := w.shape.at(addrB)
	if c.role == RoleManagement {
		own = w.shape.at(addrM)
	}
	return Serve(c.role, c.identity, c.seen(), own, c.bootstrapIP, w.now)
}

// restart loses what the Tugboot in c has in memory only.
func (c *site) restart() {
	c.streak, c.left, c.hardwareMoved, c.failures = Streak{}, Baton{}, nil, 0
}

// move copies the baton as `clusterctl move` does, over whatever is there.
func (w *world) copyBaton(from, to *site) {
	if from.baton != nil && from.baton[keyHandover] == "" {
		to.baton = maps.Clone(from.baton)
		to.left = Baton{}
	}
}

// deleteBaton deletes it with the mark of a move.
func (c *site) deleteBaton() {
	if c.baton == nil || c.baton[keyHandover] != "" {
		return
	}
	if c.runs {
		c.left = c.seen().Baton
	}
	c.baton = nil
}
