package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Takeover watches how a management cluster takes over from the bootstrap cluster that creates it, and changes the
// address that machines boot from (next-server) once that is proven. It is made in both clusters; each tells its own part.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=takeovers,singular=takeover,scope=Namespaced,shortName=to,categories=tugboot
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`,description="Where the takeover stands"
// +kubebuilder:printcolumn:name="Next-Server",type=string,JSONPath=`.status.advertised.address`,description="Address that machines are told to boot from"
// +kubebuilder:printcolumn:name="Since",type=date,JSONPath=`.status.since`,description="How long ago that address changed last"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether machines are told what they should be told"
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1,description="Why, or why not"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Takeover struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the object's standard metadata. Three annotations are a person's word: tugboot.dev/override,
	// tugboot.dev/freeze and tugboot.dev/force; `tugboot takeover` sets them.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec says which cluster is meant and when its takeover may happen. An empty one fits a cluster that EKS Anywhere
	// makes: everything is found out.
	// +optional
	// +kubebuilder:default={}
	Spec TakeoverSpec `json:"spec,omitzero"`
	// status is how the takeover stands, as the leader saw it last. Nothing is decided from it; the latch is in the
	// ConfigMap tugboot-baton-CLUSTER.
	// +optional
	Status TakeoverStatus `json:"status,omitzero"`
}

// TakeoverList is a list of Takeovers.
//
// +kubebuilder:object:root=true
type TakeoverList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Takeover `json:"items"`
}

// TakeoverSpec says which cluster is meant and when its takeover may happen.
//
// +kubebuilder:validation:XValidation:rule="!has(self.bootstrapIP) || !has(self.tinkerbellIP) || size(self.bootstrapIP) == 0 || self.bootstrapIP != self.tinkerbellIP",message="bootstrapIP and tinkerbellIP must differ: the management cluster's stack takes over at an address of its own"
type TakeoverSpec struct {
	// clusterName is the name of the self-managed (management) EKS Anywhere cluster. Empty: the only self-managed cluster
	// that is found. At most 63 lower-case letters, digits and hyphens.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="must be a cluster's name: lower-case letters, digits and hyphens, with a letter or digit at both ends"
	ClusterName string `json:"clusterName,omitempty"`
	// bootstrapIP is the IPv4 address of the bootstrap cluster's stack. Empty: in the bootstrap cluster, the cluster's
	// annotation anywhere.eks.amazonaws.com/tinkerbell-bootstrap-ip.
	// +optional
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$')",message="must be an IPv4 address, such as 192.168.2.112"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^(0|127|169[.]254|22[4-9]|2[3-5][0-9])[.]')",message="must be an address that machines on the network can reach: not unspecified, loopback, link-local, multicast or reserved"
	BootstrapIP string `json:"bootstrapIP,omitempty"`
	// tinkerbellIP is the IPv4 address of the management cluster's stack. Empty: spec.tinkerbellIP of the cluster's
	// TinkerbellDatacenterConfig.
	// +optional
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$')",message="must be an IPv4 address, such as 192.168.2.112"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^(0|127|169[.]254|22[4-9]|2[3-5][0-9])[.]')",message="must be an address that machines on the network can reach: not unspecified, loopback, link-local, multicast or reserved"
	TinkerbellIP string `json:"tinkerbellIP,omitempty"`
	// policy is Automatic, by which the takeover happens as soon as it is proven, or Manual, by which it then waits for
	// `tugboot takeover now`. Automatic by default.
	// +optional
	// +kubebuilder:default=Automatic
	Policy Policy `json:"policy,omitempty"`
	// role is the part of the cluster that this object is in: Bootstrap, Management, or Auto, which goes by the provider
	// of the cluster's nodes (kind or tinkerbell). Auto by default.
	// +optional
	// +kubebuilder:default=Auto
	Role Role `json:"role,omitempty"`
	// remoteCheck is Enabled or Disabled. When Enabled, the bootstrap instance reads the management cluster's API with
	// the Secret CLUSTER-kubeconfig and so sees the takeover from its other side. Disabled by default.
	// +optional
	// +kubebuilder:default=Disabled
	RemoteCheck RemoteCheck `json:"remoteCheck,omitempty"`
	// probe says how the stacks at the two addresses are asked whether they serve.
	// +optional
	// +kubebuilder:default={}
	Probe Probe `json:"probe,omitzero"`
}

// Policy says whether the takeover waits for a person.
//
// +kubebuilder:validation:Enum=Automatic;Manual
type Policy string

// The policies.
const (
	PolicyAutomatic Policy = "Automatic"
	PolicyManual    Policy = "Manual"
)

// Role is the part of a cluster in the takeover, as its owner wants it.
//
// +kubebuilder:validation:Enum=Auto;Bootstrap;Management
type Role string

// The roles.
const (
	RoleAuto       Role = "Auto"
	RoleBootstrap  Role = "Bootstrap"
	RoleManagement Role = "Management"
)

// RemoteCheck says whether the management cluster's API is read from the bootstrap cluster.
//
// +kubebuilder:validation:Enum=Enabled;Disabled
type RemoteCheck string

// The values of RemoteCheck.
const (
	RemoteCheckEnabled  RemoteCheck = "Enabled"
	RemoteCheckDisabled RemoteCheck = "Disabled"
)

// Probe says how a stack is asked whether it serves.
//
// +kubebuilder:validation:XValidation:rule="!has(self.interval) || !has(self.timeout) || !self.interval.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') || !self.timeout.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') || duration(self.timeout) < duration(self.interval)",message="timeout must be shorter than interval"
type Probe struct {
	// interval is the time from one round of probes to the next, a duration of 1s to 5m. 10s by default.
	// +optional
	// +kubebuilder:default="10s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('5m')",message="must be a duration of 1s to 5m, such as 10s"
	Interval metav1.Duration `json:"interval,omitzero"`
	// timeout is how long an answer to one probe is waited for, a duration of 100ms to 30s and shorter than interval. 3s
	// by default.
	// +optional
	// +kubebuilder:default="3s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('100ms') && duration(self) <= duration('30s')",message="must be a duration of 100ms to 30s, such as 3s"
	Timeout metav1.Duration `json:"timeout,omitzero"`
	// bootFiles are the first-stage binaries whose first block a stack must hand out by TFTP: 1 to 8 plain file names.
	// undionly.kpxe and ipxe.efi by default.
	// +optional
	// +listType=set
	// +kubebuilder:default={undionly.kpxe,ipxe.efi}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[A-Za-z0-9][A-Za-z0-9._-]*$')",message="must be a plain file name, such as ipxe.efi: letters, digits, dots, hyphens and underscores, and no folder"
	BootFiles []string `json:"bootFiles,omitempty"`
	// tinkServerPort is the TCP port of the stack's Tink server, from 1 to 65535. 42113 by default.
	// +optional
	// +kubebuilder:default=42113
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	TinkServerPort int32 `json:"tinkServerPort,omitempty"`
}
