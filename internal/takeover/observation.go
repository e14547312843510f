package takeover

import (
	"net/netip"
	"time"
)

// Role is the part of a cluster in the takeover.
type Role uint8

// The roles.
const (
	RoleUnknown Role = iota
	// RoleBootstrap: the temporary cluster that creates the management cluster.
	RoleBootstrap
	// RoleManagement: the cluster that manages itself from the takeover on.
	RoleManagement
)

// Policy says whether the takeover waits for a person.
type Policy uint8

// The policies.
const (
	// PolicyAutomatic changes the endpoint as soon as all gates are open.
	PolicyAutomatic Policy = iota
	// PolicyManual also wants a person's word (Operator.Force).
	PolicyManual
)

// Observation is everything that was seen, and when. The judge knows nothing else: the same observation has the same step.
type Observation struct {
	// At is when it was complete.
	At     time.Time
	Role   Role
	Policy Policy
	// Identity and Born are the UID and the creation, in Unix seconds, of the kube-system namespace of the cluster that
	// this instance runs in.
	Identity string
	Born     int64

	// Cluster is the name of the self-managed EKS Anywhere cluster, empty while none is known.
	Cluster string
	// BootstrapIP and TinkerbellIP are the zero Addr while they are not known.
	BootstrapIP, TinkerbellIP netip.Addr
	// ISOBoot: machines boot from virtual media, and nobody needs to ask the network.
	ISOBoot bool
	// SkipLoadBalancer: the stack has no Service of type LoadBalancer.
	SkipLoadBalancer bool
	// Problems are what is wrong with the objects that say all this, the most important first.
	Problems []Problem

	// Baton is what is stored in the cluster we run in.
	Baton BatonSeen
	// Services are the existing DHCP services, as read back, sorted by name.
	Services []Service

	Evidence Evidence
	// AtBootstrap and AtTinkerbell are what the last round of probes saw at the two addresses.
	AtBootstrap, AtTinkerbell Stack
	Parity                    Parity
	// AllowPXE counts the machines that may boot from the network now; the script of one of them proves which stack answers.
	AllowPXE int
	// Workflows names the Workflows that are pending or running, sorted. WorkflowsKnown is false while they cannot be read.
	Workflows      []string
	WorkflowsKnown bool
	LoadBalancer   LoadBalancer
	Operator       Operator
	// Streak is that of the step before this one.
	Streak Streak
	// BootstrapFailures counts the rounds of probes, the last ones in a row, in which the bootstrap stack did not serve.
	BootstrapFailures int
	// Reservations are what this cluster's Hardware says now, moved ones included, sorted; nil while that is not known.
	// ReservationsOmitted is true when they are too many to be listed.
	Reservations        []Pair
	ReservationsOmitted bool
	// InFlight counts the machines that are in the middle of a boot.
	InFlight int
}

// Problem is one thing that is wrong with an object, worded for the person who can put it right.
type Problem struct {
	// Reason is a CamelCase word that stays the same from release to release.
	Reason string
	// Object is kind, namespace and name, such as "TinkerbellDatacenterConfig default/lab".
	Object string
	Field  string
	Value  string
	Remedy string
	// Conflict is true when nothing may be changed, by nobody, until it is solved: two words stand against each other.
	Conflict bool
}

// BatonSeen is a baton as it was read.
type BatonSeen struct {
	// Known is false while the API does not tell whether there is one.
	Known bool
	// Present is false when there is none; Baton is the zero value then.
	Present bool
	Baton   Baton
	// Problem is set when the ConfigMap is there and is not what any Tugboot wrote; Baton is the zero value then.
	Problem *Problem
	// Left is the baton that was here and was moved away, as it was last; the zero value while one is present, and when
	// none was seen to leave. It counts until another is stored.
	Left Baton
}

// Service is an existing DHCP service as it was read back.
type Service struct {
	Name string
	// Says is what it tells machines, the zero Endpoint when it tells nothing of ours.
	Says Endpoint
	Mark Mark
	// Unreadable says why it could not be read; Says and Mark are the zero values then.
	Unreadable string
}

// Evidence is what proves that the management cluster has taken over. A bootstrap instance sees objects leave, a
// management instance sees them at work, and a bootstrap instance that is let look over there sees that too.
type Evidence struct {
	// BatonMoved: the baton was deleted while it carried delete-for-move.
	BatonMoved bool
	// HardwareMoved: all Hardware was deleted while it carried delete-for-move, and there was some.
	HardwareMoved bool
	// Local is the self-managed Cluster API cluster as this cluster's API shows it.
	Local ClusterView
	// Remote is what the management cluster's API shows; nil when it is not asked or does not answer.
	Remote *Remote
}

// ClusterView is a Cluster API cluster.
type ClusterView struct {
	Found, Paused, Provisioned bool
	// Nodes counts its Machines that have a Node, NodesHere those whose Node is one of the cluster that was asked.
	Nodes, NodesHere int
}

// SelfManaged reports whether the cluster manages itself: it is at work, where it is looked at.
func (v ClusterView) SelfManaged() bool {
	return v.Found && !v.Paused && v.Provisioned && v.Nodes > 0 && v.NodesHere == v.Nodes
}

// Remote is the management cluster as a bootstrap instance sees it through its kubeconfig.
type Remote struct {
	Identity string
	Cluster  ClusterView
	// Baton is the zero value when there is none over there.
	Baton Baton
}

// Stack is what one round of probes saw at an address. An empty string means that there was nothing wrong.
type Stack struct {
	// At is when the round ended; zero when there was none.
	At   time.Time
	Addr netip.Addr
	// BootFile says what is wrong with the boot files: the first block of each that is required must be had by TFTP.
	BootFile string
	// Healthcheck says what is wrong with GET /healthcheck.
	Healthcheck string
	// Script says what is wrong with the script's URL.
	Script string
	// TinkServer says what is wrong with the TCP connection to the Tink server.
	TinkServer string
	// Proof is the address that a machine's script names as its Tink server; zero when no script was had. ProofMAC is
	// that machine.
	Proof    netip.Addr
	ProofMAC string
	// Endpoint is what was discovered: the parts that answered. The zero Endpoint when nothing did.
	Endpoint Endpoint
}

// Parity compares the advertised reservations with the management cluster's Hardware.
type Parity struct {
	// Known is false while the management cluster's Hardware cannot be read. Why says why not.
	Known bool
	Why   string
	// Of counts the advertised reservations, Missing lists those that the management cluster lacks or has with another
	// address, sorted.
	Of      int
	Missing []Pair
}

// LoadBalancer is the Service through which the management stack is reached.
type LoadBalancer struct {
	// Known is false where it cannot be looked at, which is the case in the bootstrap cluster without a remote read.
	Known bool
	// Service is namespace/name of the Service of type LoadBalancer whose ingress is the tinkerbellIP; empty for none.
	Service string
	// ReadyEndpoints counts the endpoints behind it that are ready.
	ReadyEndpoints int
}

// Operator is a person's word, read from annotations on the Takeover.
type Operator struct {
	// Freeze: nothing is changed.
	Freeze bool
	// Override is what is advertised in place of everything else. With an address alone, the rest is what probes see
	// there (OverrideSeen); a complete endpoint is taken as it is.
	Override     Endpoint
	OverrideSeen Stack
	// Force is the latch identity for which the takeover goes ahead whatever evidence and gates say; it needs a
	// discovered endpoint all the same.
	Force string
	// Problems are what is wrong with the annotations.
	Problems []Problem
}
