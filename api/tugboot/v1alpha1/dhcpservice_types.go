package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// DHCPService is an existing DHCP service, one that is not ours, which is kept in step: the reservations of the Hardware
// objects, and the rules by which machines boot from the address that is advertised. Everything else in it is its
// operator's and stays as it is.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=dhcpservices,singular=dhcpservice,scope=Namespaced,shortName=dhcps,categories=tugboot
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`,description="Kind of the DHCP service"
// +kubebuilder:printcolumn:name="Next-Server",type=string,JSONPath=`.status.nextServer`,description="Address that machines are told to boot from"
// +kubebuilder:printcolumn:name="Reservations",type=integer,JSONPath=`.status.reservations.applied`,description="Reservations of ours that stand in the service"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether the service says what it should say"
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why, or why not"
// +kubebuilder:printcolumn:name="Drifted",type=string,JSONPath=`.status.conditions[?(@.type=="Drifted")].status`,priority=1,description="Whether what is ours was changed by somebody else"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type DHCPService struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the object's standard metadata. The annotation tugboot.dev/withdraw is a person's word on reservations
	// that are to be withdrawn; status.reservations.withheld says when it is needed.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec says what the service is, how it is reached, and what it is to be told.
	// +required
	Spec DHCPServiceSpec `json:"spec"`
	// status is how the service stands, as the leader saw it last. Nothing is decided from it.
	// +optional
	Status DHCPServiceStatus `json:"status,omitzero"`
}

// DHCPServiceList is a list of DHCPServices.
//
// +kubebuilder:object:root=true
type DHCPServiceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []DHCPService `json:"items"`
}

// DHCPServiceSpec says what the service is, how it is reached, and what it is to be told.
//
// +kubebuilder:validation:XValidation:rule="(self.type == 'Kea') == has(self.kea)",message="kea must be given for type Kea, and for no other"
// +kubebuilder:validation:XValidation:rule="self.type == oldSelf.type",message="type cannot be changed: make another DHCPService"
type DHCPServiceSpec struct {
	// type is Kea, which is driven over its control channel; Dnsmasq or ISC, beside which `tugboot agent` runs; or
	// Microsoft, for which a PowerShell script is rendered that a person, or their tooling, runs.
	// +required
	Type DHCPServiceType `json:"type"`
	// policy is Sync, by which the service is written whenever it does not say what it should say, or Plan, by which
	// nothing is written and status tells what would be. Sync by default.
	// +optional
	// +kubebuilder:default=Sync
	Policy DHCPServicePolicy `json:"policy,omitempty"`
	// clusterName is the name under which everything of ours stands in the service, where no takeover decides: several
	// clusters that share one service each have their own. A takeover's own name of the cluster has precedence. "default"
	// by default.
	// +optional
	// +kubebuilder:default=default
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="must be a cluster's name: lower-case letters, digits and dashes"
	ClusterName string `json:"clusterName,omitempty"`
	// subnets are those that the service serves, each an IPv4 subnet such as 192.168.2.0/24: 1 to 256 of them, none twice.
	// Reservations outside of them are left to others.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=18
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self) && cidr(self).ip().family() == 4 && cidr(self) == cidr(self).masked()",message="must be an IPv4 subnet without host bits, such as 192.168.2.0/24"
	Subnets []string `json:"subnets,omitempty"`
	// kea says how a Kea server is reached; for type Kea only.
	// +optional
	Kea *KeaService `json:"kea,omitempty"`
	// verify says how the service is asked, as machines would ask, whether it answers what it should.
	// +optional
	// +kubebuilder:default={}
	Verify DHCPVerify `json:"verify,omitzero"`
}

// DHCPServiceType is the kind of an existing DHCP service.
//
// +kubebuilder:validation:Enum=Kea;Dnsmasq;ISC;Microsoft
type DHCPServiceType string

// The types.
const (
	DHCPServiceKea       DHCPServiceType = "Kea"
	DHCPServiceDnsmasq   DHCPServiceType = "Dnsmasq"
	DHCPServiceISC       DHCPServiceType = "ISC"
	DHCPServiceMicrosoft DHCPServiceType = "Microsoft"
)

// DHCPServicePolicy says whether a service is written.
//
// +kubebuilder:validation:Enum=Sync;Plan
type DHCPServicePolicy string

// The policies.
const (
	DHCPServiceSync DHCPServicePolicy = "Sync"
	DHCPServicePlan DHCPServicePolicy = "Plan"
)

// KeaService says how a Kea server is reached.
type KeaService struct {
	// peers are the servers of a high-availability relation, each of which is written and verified; one for a server that
	// stands alone. 1 to 4 of them.
	// +required
	// +listType=map
	// +listMapKey=url
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	Peers []KeaPeer `json:"peers,omitempty"`
	// secretName names the Secret, in this namespace, that holds what the control channel asks for: username and password
	// (HTTP basic authentication), ca.crt (the authority of its certificate), tls.crt and tls.key (ours). All are optional.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="must be a Secret's name"
	SecretName string `json:"secretName,omitempty"`
	// lintDisable are the IDs of lint's rules that are not looked at in these servers: Kea keeps no comment in which a rule
	// could be turned off at its place. docs/lint.md lists the rules.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	LintDisable []KeaLintRule `json:"lintDisable,omitempty"`
}

// KeaLintRule is the ID of one of lint's rules for Kea.
//
// +kubebuilder:validation:Enum=kea-syntax;kea-include-unreadable;kea-x64-arch-9-missing;kea-bios-gets-efi;kea-uefi-gets-bios;kea-http-gets-bare-name;kea-http-no-option-60;kea-stock-ipxe-loops;kea-stale-script-url;kea-next-server-unusable;kea-next-server-outside;kea-next-server-typo;kea-next-server-differs;kea-duplicate-address;kea-duplicate-mac;kea-address-outside;kea-mark-edited;kea-host-boot-file;kea-scope-option-66-67;kea-option-60-everywhere;kea-subnet-missing;kea-user-class-exact;kea-next-server-missing
type KeaLintRule string

// KeaPeer is one Kea server.
type KeaPeer struct {
	// url is that of its control channel: unix:///run/kea/kea4-ctrl-socket, http://HOST:PORT/ or https://HOST:PORT/. Over
	// HTTP it is kea-dhcp4's own (2.7.2 and later) or that of a Control Agent.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^(unix:///[A-Za-z0-9._/-]+|https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?)$')",message="must be unix:///PATH, http://HOST:PORT/ or https://HOST:PORT/"
	URL string `json:"url"`
}

// DHCPVerify says how the service is asked whether it answers what it should.
//
// +kubebuilder:validation:XValidation:rule="!has(self.mode) || self.mode != 'Relay' || (has(self.server) && size(self.server) > 0 && has(self.relay) && size(self.relay) > 0)",message="mode Relay needs server and relay"
type DHCPVerify struct {
	// mode is Broadcast, which asks on the network that this instance (or the agent) is attached to; Relay, which asks the
	// server as a relay agent would; or Off, which leaves the condition Verified Unknown. Broadcast by default.
	// +optional
	// +kubebuilder:default=Broadcast
	Mode DHCPVerifyMode `json:"mode,omitempty"`
	// interface is the network interface that is asked on, with mode Broadcast. Empty: the one with an address in one of
	// the subnets.
	// +optional
	// +kubebuilder:validation:MaxLength=15
	Interface string `json:"interface,omitempty"`
	// server is the service's IPv4 address, with mode Relay.
	// +optional
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || isIP(self) && ip(self).family() == 4",message="must be an IPv4 address"
	Server string `json:"server,omitempty"`
	// relay is the IPv4 address, one of this instance's own, that is given as the relay agent's (giaddr), with mode Relay.
	// +optional
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || isIP(self) && ip(self).family() == 4",message="must be an IPv4 address"
	Relay string `json:"relay,omitempty"`
}

// DHCPVerifyMode says how a service is asked.
//
// +kubebuilder:validation:Enum=Broadcast;Relay;Off
type DHCPVerifyMode string

// The modes.
const (
	DHCPVerifyBroadcast DHCPVerifyMode = "Broadcast"
	DHCPVerifyRelay     DHCPVerifyMode = "Relay"
	DHCPVerifyOff       DHCPVerifyMode = "Off"
)
