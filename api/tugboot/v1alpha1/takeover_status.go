package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// TakeoverStatus is how the takeover stands.
type TakeoverStatus struct {
	// observedGeneration is the metadata.generation of the spec that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// phase is where the takeover stands. Idle: nothing is advertised. Bootstrap: the bootstrap stack is. HandoverSeen:
	// likewise, the management cluster has taken over, and a gate is shut. Verifying: likewise, and its stack is seen to
	// serve until that is certain. Managed: the management stack is advertised, for good. Degraded: as Managed, and a
	// probe fails. Override: a person's endpoint is advertised. Conflict: two words stand against each other.
	// +optional
	Phase Phase `json:"phase,omitempty"`
	// clusterName is the name of the cluster whose takeover this is, as determined.
	// +optional
	ClusterName string `json:"clusterName,omitempty"`
	// role is the part of the cluster that this object is in, as determined; empty while it is not known.
	// +optional
	Role Role `json:"role,omitempty"`
	// bootstrapIP is the address of the bootstrap cluster's stack, as determined.
	// +optional
	BootstrapIP string `json:"bootstrapIP,omitempty"`
	// tinkerbellIP is the address of the management cluster's stack, as determined.
	// +optional
	TinkerbellIP string `json:"tinkerbellIP,omitempty"`
	// advertised is what machines are told now; absent while nothing is advertised.
	// +optional
	Advertised *Advertised `json:"advertised,omitempty"`
	// next is what machines would be told once every gate is open, as far as it was found; absent while nothing would
	// change.
	// +optional
	Next *Advertised `json:"next,omitempty"`
	// since is when the advertised address changed last.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`
	// epoch counts the changes of the advertised address. Whoever holds a lower one may not write over a higher one.
	// +optional
	Epoch int64 `json:"epoch,omitempty"`
	// identity is the latch identity, the UID of the management cluster's Namespace kube-system; empty while it is not
	// known. The annotation tugboot.dev/force must have this value.
	// +optional
	Identity string `json:"identity,omitempty"`
	// inFlightMachines counts the machines that are in the middle of a boot, and still use what they were told before.
	// +optional
	InFlightMachines int32 `json:"inFlightMachines,omitempty"`
	// conditions are Ready (machines are told what they should be told) and one for each gate, in the order in which they
	// are asked: True when nothing is in the way, False when the takeover must wait, Unknown while it cannot be seen.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// history are the changes of the advertised address, the newest first, the last 16 of them.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	History []Change `json:"history,omitempty"`
}

// Phase is where a takeover stands.
//
// +kubebuilder:validation:Enum=Idle;Bootstrap;HandoverSeen;Verifying;Managed;Degraded;Override;Conflict
type Phase string

// The phases, named as in internal/takeover.
const (
	PhaseIdle         Phase = "Idle"
	PhaseBootstrap    Phase = "Bootstrap"
	PhaseHandoverSeen Phase = "HandoverSeen"
	PhaseVerifying    Phase = "Verifying"
	PhaseManaged      Phase = "Managed"
	PhaseDegraded     Phase = "Degraded"
	PhaseOverride     Phase = "Override"
	PhaseConflict     Phase = "Conflict"
)

// Advertised is an endpoint as machines are told.
type Advertised struct {
	// address is the IPv4 address that machines are sent to (next-server).
	// +required
	Address string `json:"address"`
	// tftpPort is the UDP port at which the boot files are had by TFTP; absent when the stack was not seen to serve TFTP.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	TFTPPort int32 `json:"tftpPort,omitempty"`
	// httpPort is the TCP port at which scripts are had by HTTP; absent when the stack was not seen to serve HTTP.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	HTTPPort int32 `json:"httpPort,omitempty"`
	// scriptURL is the URL of the iPXE script; absent when the stack was not seen to serve one.
	// +optional
	ScriptURL string `json:"scriptURL,omitempty"`
	// bootFiles names the first-stage binary for each family of machines, as FAMILY=FILE.
	// +optional
	// +listType=atomic
	BootFiles []string `json:"bootFiles,omitempty"`
	// withheld is true while machines get their addresses and nothing to boot, because the stack at this address does not
	// serve.
	// +optional
	Withheld bool `json:"withheld,omitempty"`
}

// Change is one change of the advertised address.
type Change struct {
	// at is when machines were first told the new address.
	// +required
	At metav1.Time `json:"at"`
	// reason is the CamelCase word for why.
	// +required
	Reason string `json:"reason"`
	// from is the address that was advertised before; empty for none.
	// +optional
	From string `json:"from,omitempty"`
	// to is the address that is advertised since; empty for none.
	// +optional
	To string `json:"to,omitempty"`
	// epoch is the count of changes with this one.
	// +optional
	Epoch int64 `json:"epoch,omitempty"`
}
