package v1alpha1

// Interface is one network interface of a machine.
//
// +kubebuilder:pruning:PreserveUnknownFields
type Interface struct {
	// netboot says what the machine may boot through this interface. Without it the interface gets its address and
	// nothing to boot.
	// +optional
	Netboot *Netboot `json:"netboot,omitempty"`
	// dhcp is the reservation of this interface. Without it DHCP requests of the interface stay unanswered.
	// +optional
	DHCP *DHCP `json:"dhcp,omitempty"`
	// disableDhcp set to true leaves DHCP requests of this interface unanswered.
	// +optional
	DisableDHCP bool `json:"disableDhcp,omitempty"`
}

// DHCP is the reservation of one interface: its MAC, its fixed address and the options of the answer.
//
// +kubebuilder:pruning:PreserveUnknownFields
type DHCP struct {
	// mac is the interface's hardware address, such as 52:54:00:12:34:56, and nothing besides.
	// +optional
	MAC string `json:"mac,omitempty"`
	// hostname is option 12: a host name by RFC 1123, up to 253 characters.
	// +optional
	Hostname string `json:"hostname,omitempty"`
	// domain_name is options 15 and 119: a domain name by RFC 1123, up to 253 characters.
	// +optional
	DomainName string `json:"domain_name,omitempty"`
	// lease_time is option 51 in seconds, 1 to 4294967295, where the last never ends. 0 or nothing means 86400, one day.
	// +optional
	LeaseTime int64 `json:"lease_time,omitempty"`
	// name_servers is option 6: IPv4 addresses of DNS servers in order of preference.
	// +optional
	NameServers []string `json:"name_servers,omitempty"`
	// time_servers is option 42: IPv4 addresses of NTP servers in order of preference. DNS names cannot be sent.
	// +optional
	TimeServers []string `json:"time_servers,omitempty"`
	// arch is the machine's processor architecture, such as x86_64 or aarch64. What firmware says in option 93 has
	// precedence.
	// +optional
	Arch string `json:"arch,omitempty"`
	// uefi is true for a machine that boots by UEFI. What firmware says in option 93 has precedence.
	// +optional
	UEFI bool `json:"uefi,omitempty"`
	// iface_name is the name of the interface in the operating system, such as eno1. DHCP makes no use of it.
	// +optional
	IfaceName string `json:"iface_name,omitempty"`
	// ip is the reserved address. Without it DHCP requests of the interface stay unanswered.
	// +optional
	IP *IP `json:"ip,omitempty"`
	// vlan_id is the 802.1Q identifier that the boot firmware is to use, 1 to 4094 in decimal; empty or 0 means untagged.
	// +optional
	VLANID string `json:"vlan_id,omitempty"`
	// classless_static_routes is option 121 (RFC 3442), up to 28 routes. The default route is made from ip.gateway.
	// +optional
	ClasslessStaticRoutes []ClasslessStaticRoute `json:"classless_static_routes,omitempty"`
	// tftp_server_name is option 66. Together with boot_file_name, and only together, it replaces everything that netboot
	// says. Printable ASCII, up to 255 characters.
	// +optional
	TFTPServerName string `json:"tftp_server_name,omitempty"`
	// boot_file_name is option 67. Together with tftp_server_name, and only together, it replaces everything that netboot
	// says. Printable ASCII, up to 255 characters.
	// +optional
	BootFileName string `json:"boot_file_name,omitempty"`
}

// IP is an IPv4 address with the subnet it belongs to.
//
// +kubebuilder:pruning:PreserveUnknownFields
type IP struct {
	// address is the IPv4 address that is reserved, such as 192.168.2.10.
	// +optional
	Address string `json:"address,omitempty"`
	// netmask is the subnet mask (option 1), such as 255.255.255.0.
	// +optional
	Netmask string `json:"netmask,omitempty"`
	// gateway is the default router (option 3), in the subnet of the address; empty for none.
	// +optional
	Gateway string `json:"gateway,omitempty"`
	// family is the IP version. Only 4 is served; nothing or 0 means 4.
	// +optional
	Family int64 `json:"family,omitempty"`
}

// ClasslessStaticRoute is one route of option 121 (RFC 3442).
//
// +kubebuilder:pruning:PreserveUnknownFields
type ClasslessStaticRoute struct {
	// destination_descriptor is the destination in CIDR notation, such as 10.0.0.0/8.
	// +optional
	DestinationDescriptor string `json:"destination_descriptor,omitempty"`
	// router is the IPv4 address of the next hop; 0.0.0.0 says that the destination is on the link itself.
	// +optional
	Router string `json:"router,omitempty"`
}

// Netboot says what a machine may boot through an interface.
//
// +kubebuilder:pruning:PreserveUnknownFields
type Netboot struct {
	// allowPXE set to true lets the machine boot from the network. Tinkerbell sets it to false when a machine is
	// installed.
	// +optional
	AllowPXE *bool `json:"allowPXE,omitempty"`
	// allowWorkflow set to true lets Tinkerbell run workflows on the machine. DHCP makes no use of it.
	// +optional
	AllowWorkflow *bool `json:"allowWorkflow,omitempty"`
	// ipxe replaces parts of the boot through iPXE.
	// +optional
	IPXE *IPXE `json:"ipxe,omitempty"`
	// osie replaces the kernel and initrd that are booted.
	// +optional
	OSIE *OSIE `json:"osie,omitempty"`
}

// IPXE replaces parts of the boot through iPXE.
//
// +kubebuilder:pruning:PreserveUnknownFields
type IPXE struct {
	// url is fetched and run in place of the iPXE script: absolute http, https or tftp, up to 255 characters.
	// +optional
	URL string `json:"url,omitempty"`
	// contents is served in place of the iPXE script.
	// +optional
	Contents string `json:"contents,omitempty"`
	// binary is the file name of the first-stage iPXE binary, in place of the one for the client architecture.
	// +optional
	Binary string `json:"binary,omitempty"`
}

// OSIE names an operating system installation environment.
//
// +kubebuilder:pruning:PreserveUnknownFields
type OSIE struct {
	// baseURL is the URL of the folder that holds kernel and initrd.
	// +optional
	BaseURL string `json:"baseURL,omitempty"`
	// kernel is the kernel's file name under baseURL.
	// +optional
	Kernel string `json:"kernel,omitempty"`
	// initrd is the initrd's file name under baseURL.
	// +optional
	Initrd string `json:"initrd,omitempty"`
	// kernelParams are added to the kernel's command line.
	// +optional
	KernelParams []string `json:"kernelParams,omitempty"`
}
