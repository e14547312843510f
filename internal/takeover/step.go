package takeover

import (
	"net/netip"
	"time"
)

// Phase is where the takeover stands. It is derived from what is advertised and seen, never remembered.
type Phase uint8

// The phases, in the order in which a creation passes through them, and those beside that order.
const (
	// Idle: nothing is advertised.
	Idle Phase = iota
	// Bootstrap: the bootstrap stack is advertised.
	Bootstrap
	// HandoverSeen: there is hard evidence that the management cluster has taken over, and a gate is shut.
	HandoverSeen
	// Verifying: all gates but the last are open; the stack at the tinkerbellIP is seen to serve until that is certain.
	Verifying
	// Managed: the management stack is advertised, for good.
	Managed
	// Degraded: as Managed, and a probe fails.
	Degraded
	// Override: a person's endpoint is advertised.
	Override
	// Conflict: two words stand against each other; nothing is changed until a person solves it.
	Conflict
)

// State is what a gate says.
type State uint8

// The states of a gate.
const (
	// Shut: the takeover must wait.
	Shut State = iota
	// Open: nothing in the way.
	Open
	// Unknown: it cannot be seen yet; the takeover must wait.
	Unknown
	// Skipped: not asked here; nothing in the way.
	Skipped
)

// Finding is a gate's word on an observation: a CamelCase reason and a sentence that names what, and the remedy.
type Finding struct {
	Gate    string
	State   State
	Reason  string
	Message string
}

// Gate is one thing that the takeover waits for. Name is CamelCase and is the type of the condition that shows it.
type Gate struct {
	Name  string
	Judge func(Observation) Finding
}

// Step is what follows from an observation.
type Step struct {
	Phase Phase
	// Ready is true when machines are told what they should be told: Bootstrap, Managed, Override. Reason and Message
	// say why, or why not.
	Ready           bool
	Reason, Message string
	// Advertise is what machines are to be told; zero means nothing, which is silence to everybody.
	Advertise Endpoint
	// Write names the existing DHCP services that do not say so yet and are to be written with Mark.
	Write []string
	Mark  Mark
	// Baton is what to store; nil to leave what is stored. A latch is never in it before every service was read back.
	Baton *Baton
	// Streak is to be put into the next observation.
	Streak Streak
	// Findings are the words of all gates, in their order.
	Findings []Finding
}

// Rule is how often and for how long all gates must be open before the endpoint changes: at least Times rounds of probes,
// the last at least Span after the first.
type Rule struct {
	Times int
	Span  time.Duration
}

// DefaultRule is three times over thirty seconds.
func DefaultRule() Rule { return Rule{Times: 3, Span: 30 * time.Second} }

// Streak is a series of rounds of probes in which all gates were open, for one endpoint of one management cluster.
type Streak struct {
	Identity    string
	Endpoint    Endpoint
	First, Last time.Time
	Rounds      int
}

// Stance is what the servers of one replica do, whether or not it is the leader.
type Stance struct {
	// Keep is true when nothing can be said now: whoever has a stance keeps it, whoever has none takes the rest of this one.
	Keep bool
	// Silent is true when DHCP is not answered at all; Reason says why then.
	Silent bool
	Reason string
	// Advertise is what machines are told. With Withheld they get addresses and nothing to boot.
	Advertise Endpoint
	Withheld  bool
	// Also is the other instance's address, by which a machine may have chosen a server during the change; zero after.
	Also netip.Addr
}
