package v1alpha1

// HardwareMetadata is what a machine can read about itself, and the site it stands at.
//
// +kubebuilder:pruning:PreserveUnknownFields
type HardwareMetadata struct {
	// state is one word about the machine's place in its life cycle.
	// +optional
	State string `json:"state,omitempty"`
	// facility is the site at which the machine stands.
	// +optional
	Facility *Facility `json:"facility,omitempty"`
	// instance is the operating system installation on the machine.
	// +optional
	Instance *Instance `json:"instance,omitempty"`
}

// Facility is the site at which a machine stands.
//
// +kubebuilder:pruning:PreserveUnknownFields
type Facility struct {
	// facility_code names the site; the machine gets it on the kernel's command line. Printable ASCII without spaces.
	// +optional
	FacilityCode string `json:"facility_code,omitempty"`
	// plan_slug names the machine's model.
	// +optional
	PlanSlug string `json:"plan_slug,omitempty"`
	// plan_version_slug names the revision of the model.
	// +optional
	PlanVersionSlug string `json:"plan_version_slug,omitempty"`
}

// Instance is the operating system installation on a machine.
//
// +kubebuilder:pruning:PreserveUnknownFields
type Instance struct {
	// id identifies the installation; EKS Anywhere uses the MAC.
	// +optional
	ID string `json:"id,omitempty"`
	// state is one word about the installation.
	// +optional
	State string `json:"state,omitempty"`
	// hostname is the host name of the installed system.
	// +optional
	Hostname string `json:"hostname,omitempty"`
	// allow_pxe repeats that the machine may boot from the network. Tugboot goes by interfaces[].netboot.allowPXE.
	// +optional
	AllowPXE bool `json:"allow_pxe,omitempty"`
	// always_pxe says that the machine boots from the network each time. Tugboot goes by interfaces[].netboot.allowPXE.
	// +optional
	AlwaysPXE bool `json:"always_pxe,omitempty"`
	// operating_system names the installed system; EKS Anywhere writes it empty.
	// +optional
	OperatingSystem *OperatingSystem `json:"operating_system,omitempty"`
	// ips are the addresses of the installed system.
	// +optional
	IPs []InstanceIP `json:"ips,omitempty"`
}

// OperatingSystem names an operating system.
//
// +kubebuilder:pruning:PreserveUnknownFields
type OperatingSystem struct {
	// slug is the short name with the version, such as ubuntu_22_04.
	// +optional
	Slug string `json:"slug,omitempty"`
	// distro is the name of the distribution.
	// +optional
	Distro string `json:"distro,omitempty"`
	// version is the version of the distribution.
	// +optional
	Version string `json:"version,omitempty"`
	// image_tag is the tag of the installed image.
	// +optional
	ImageTag string `json:"image_tag,omitempty"`
	// os_slug is the short name of the operating system.
	// +optional
	OSSlug string `json:"os_slug,omitempty"`
}

// InstanceIP is one address of the installed system.
//
// +kubebuilder:pruning:PreserveUnknownFields
type InstanceIP struct {
	// address is the address itself.
	// +optional
	Address string `json:"address,omitempty"`
	// netmask is the subnet mask.
	// +optional
	Netmask string `json:"netmask,omitempty"`
	// gateway is the default router.
	// +optional
	Gateway string `json:"gateway,omitempty"`
	// family is the IP version, 4 or 6.
	// +optional
	Family int64 `json:"family,omitempty"`
	// public is true for an address that is reached from outside.
	// +optional
	Public bool `json:"public,omitempty"`
	// management is true for an address by which the machine is managed.
	// +optional
	Management bool `json:"management,omitempty"`
}
