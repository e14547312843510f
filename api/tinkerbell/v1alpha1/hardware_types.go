package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Hardware describes one bare-metal machine: its network interfaces with their reserved addresses, and what it may boot.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=hardware,singular=hardware,scope=Namespaced,shortName=hw,categories=tinkerbell
// +kubebuilder:printcolumn:name="MAC",type=string,JSONPath=`.spec.interfaces[0].dhcp.mac`,description="MAC of the first interface"
// +kubebuilder:printcolumn:name="Address",type=string,JSONPath=`.spec.interfaces[0].dhcp.ip.address`,description="Address reserved for the first interface"
// +kubebuilder:printcolumn:name="Netboot",type=boolean,JSONPath=`.spec.interfaces[0].netboot.allowPXE`,description="Whether the first interface may boot from the network"
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`,description="State that Tinkerbell reports"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Hardware struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the object's standard metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the machine as its owner wants it.
	// +optional
	Spec HardwareSpec `json:"spec,omitzero"`
	// status is the machine as Tinkerbell sees it. Tugboot does not write it.
	// +optional
	Status HardwareStatus `json:"status,omitzero"`
}

// HardwareList is a list of Hardware.
//
// +kubebuilder:object:root=true
type HardwareList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Hardware `json:"items"`
}

// HardwareSpec is the machine as its owner wants it.
//
// +kubebuilder:pruning:PreserveUnknownFields
type HardwareSpec struct {
	// bmcRef names the object, in the same namespace, that controls the machine's power (its baseboard management
	// controller).
	// +optional
	BMCRef *BMCReference `json:"bmcRef,omitempty"`
	// interfaces are the machine's network interfaces. Each with an address is one DHCP reservation.
	// +optional
	Interfaces []Interface `json:"interfaces,omitempty"`
	// metadata is what the machine can read about itself, and the site it stands at.
	// +optional
	Metadata *HardwareMetadata `json:"metadata,omitempty"`
	// agentID is the name by which the machine's agent asks Tinkerbell for work. The MAC of the booting interface is used
	// where it is empty. Printable ASCII without spaces.
	// +optional
	AgentID string `json:"agentID,omitempty"`
	// disks are the machine's block devices that may be written to.
	// +optional
	Disks []Disk `json:"disks,omitempty"`
	// userData is handed to the installed operating system as it stands.
	// +optional
	UserData *string `json:"userData,omitempty"`
}

// BMCReference names the object that controls a machine's power.
//
// +structType=atomic
// +kubebuilder:pruning:PreserveUnknownFields
type BMCReference struct {
	// apiGroup is the group of the object's kind.
	// +optional
	APIGroup *string `json:"apiGroup,omitempty"`
	// kind is the object's kind, as a rule Machine.
	// +optional
	Kind string `json:"kind,omitempty"`
	// name is the object's name, in the namespace of the Hardware.
	// +optional
	Name string `json:"name,omitempty"`
}

// Disk is one block device.
//
// +kubebuilder:pruning:PreserveUnknownFields
type Disk struct {
	// device is the path of the device file, such as /dev/sda.
	// +optional
	Device string `json:"device,omitempty"`
}

// HardwareStatus is the machine as Tinkerbell sees it.
//
// +kubebuilder:pruning:PreserveUnknownFields
type HardwareStatus struct {
	// state is one word about the machine, such as Ready or Error.
	// +optional
	State string `json:"state,omitempty"`
}
