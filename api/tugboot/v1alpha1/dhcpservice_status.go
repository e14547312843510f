package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// DHCPServiceStatus is how an existing DHCP service stands.
type DHCPServiceStatus struct {
	// observedGeneration is the metadata.generation of the spec that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions are Rendered (what the service is to say could be written down), Validated (checked offline and by the
	// service), Applied (written and read back), Verified (asked as machines ask), Drifted (what is ours was changed by
	// somebody else) and Ready.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// nextServer is the address that machines are told to boot from: the last that was verified on the wire, or read back
	// where verify.mode is Off.
	// +optional
	NextServer string `json:"nextServer,omitempty"`
	// epoch is that of the word which stands in the service.
	// +optional
	Epoch int64 `json:"epoch,omitempty"`
	// reservations counts them.
	// +optional
	Reservations ReservationCounts `json:"reservations,omitzero"`
	// version is what the service says of itself; with more than one peer, the first one's.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Version string `json:"version,omitempty"`
	// appliedAt is when the service was written last.
	// +optional
	AppliedAt *metav1.Time `json:"appliedAt,omitempty"`
	// lastError is what went wrong last; empty once all is well again.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	LastError string `json:"lastError,omitempty"`
	// drift is how what stands in the service differs from what should, the first few of it.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Drift []string `json:"drift,omitempty"`
	// findings are what lint finds in the operator's configuration of the service, the worst of it: place, severity, why,
	// remedy and rule. The condition Validated counts all.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Findings []string `json:"findings,omitempty"`
}

// ReservationCounts counts reservations.
type ReservationCounts struct {
	// wanted counts those that the service should have.
	// +optional
	Wanted int32 `json:"wanted"`
	// applied counts those of ours that stand in it.
	// +optional
	Applied int32 `json:"applied"`
	// notCarried counts the settings that the service cannot express; Events on the Hardware name them.
	// +optional
	NotCarried int32 `json:"notCarried,omitempty"`
	// leaving counts those whose Hardware was deleted and that stay until the grace is over.
	// +optional
	Leaving int32 `json:"leaving,omitempty"`
	// withheld counts those that would be withdrawn and are too many to be withdrawn without a person's word: the
	// annotation tugboot.dev/withdraw with this number.
	// +optional
	Withheld int32 `json:"withheld,omitempty"`
}

// The types of a DHCPService's conditions, besides Ready.
const (
	ConditionRendered  = "Rendered"
	ConditionValidated = "Validated"
	ConditionApplied   = "Applied"
	ConditionVerified  = "Verified"
	ConditionDrifted   = "Drifted"
)

// DefaultClusterName is the name under which reservations stand in a service where nothing says another.
const DefaultClusterName = "default"

// AnnotationWithdraw is a person's word that as many reservations as it says may be withdrawn from a DHCPService at once.
const AnnotationWithdraw = "tugboot.dev/withdraw"

// DHCPServiceResource is the plural by which the API serves DHCPServices, DHCPServiceKind the kind of one.
const (
	DHCPServiceResource = "dhcpservices"
	DHCPServiceKind     = "DHCPService"
)

// RenderedPrefix is, with the DHCPService's name behind it, the name of the ConfigMap that holds what was rendered for it;
// with ReportSuffix behind that, the name of the one into which an agent reports.
const (
	RenderedPrefix = "tugboot-dhcp-"
	ReportSuffix   = "-report"
)
