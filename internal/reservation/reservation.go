package reservation

import (
	"net/netip"
	"strconv"
)

// Infinite is the lease time that never ends (RFC 2131 section 3.3).
const Infinite uint32 = 0xffffffff

// DefaultLease is the lease time, in seconds, of a reservation whose source names none: one day.
const DefaultLease uint32 = 86400

// Reservation is the fixed address of one network interface, with all that a DHCP answer for it may carry. Every string
// in it was checked where it entered; it is shared between goroutines and must not be changed.
//
// What a machine has to itself stands here, and what it as a rule has in common with others in Settings, of which equal
// reservations point to the same: a hall has a hundred thousand machines and a few networks. See Pool.
type Reservation struct {
	Source Source
	MAC    MAC
	// Address is the IPv4 address together with the prefix length of its subnet.
	Address Prefix
	// Hostname is option 12; empty means none.
	Hostname string
	// AgentID is handed to the operating system installer on the kernel's command line.
	AgentID string
	// Settings are never nil.
	*Settings
}

// Settings are what a reservation may have in common with others. They must not be changed once a Pool has seen them.
type Settings struct {
	// Gateway is the default router; the zero Addr means none.
	Gateway netip.Addr
	// DomainName is options 15 and 119; empty means none.
	DomainName string
	// NameServers is option 6, TimeServers option 42, both in order of preference.
	NameServers, TimeServers []netip.Addr
	// Lease is the lease time in seconds; Infinite never ends. It is never zero.
	Lease uint32
	// VLAN is the 802.1Q identifier that the firmware is told to use, 1..4094; 0 means untagged.
	VLAN uint16
	// Routes is option 121 without the default route, which is derived from Gateway (RFC 3442).
	Routes []Route
	// Options are sent besides those that the fields above make, in this order; none of their codes is one of those.
	Options []Option
	// Arch and UEFI repeat what the inventory says of the machine; firmware's own word (option 93) has precedence.
	Arch string
	UEFI bool
	// Netboot says what may be booted.
	Netboot Netboot
}

// Route is one classless static route (RFC 3442).
type Route struct {
	Destination netip.Prefix
	Router      netip.Addr
}

// Option is a DHCP option as it goes out, 1 to 255 bytes long (RFC 2132 section 2).
type Option struct {
	Code  uint8
	Value []byte
}

// Netboot says what a machine may boot and by which means.
type Netboot struct {
	// Allow is false for a machine that gets its address only.
	Allow bool
	// Withheld is true for a machine whose source names something to boot that could not be taken as it stands. It gets
	// its address only, until the source is put right: booting something else could wipe it.
	Withheld bool
	// TFTPServerName (option 66) and BootFileName (option 67), always given together, replace all netboot logic.
	TFTPServerName, BootFileName string
	// IPXEBinary replaces the first-stage binary that the architecture would choose.
	IPXEBinary string
	// IPXEURL replaces the URL of the iPXE script; IPXEContents replaces the script's text.
	IPXEURL, IPXEContents string
	// OSIE overrides where the kernel and initrd come from.
	OSIE OSIE
	// Facility is handed to the operating system installer on the kernel's command line.
	Facility string
}

// OSIE names an operating system installation environment: kernel, initrd and arguments. Empty fields mean the default.
type OSIE struct {
	BaseURL, Kernel, Initrd string
	KernelParams            []string
}

// Source says where a reservation was read, so that every message about it can name the place.
type Source struct {
	// Namespace and Name are those of a Hardware object; a file's name stands in Name with an empty Namespace.
	Namespace, Name string
	// UID is the object's, for Events; empty when it came from a file.
	UID string
	// Generation is the object's spec generation when it was read.
	Generation int64
	// Created is the creation time in Unix seconds; the older of two claimants keeps what both claim.
	Created int64
	// Interface is the index in spec.interfaces.
	Interface int
}

// String names the source as messages do: namespace/name interfaces[i], or the file's name.
func (s Source) String() string {
	return s.Object() + " interfaces[" + strconv.Itoa(s.Interface) + "]"
}

// Object names the object without the interface: namespace/name, or just the name where there is no namespace.
func (s Source) Object() string {
	if s.Namespace == "" {
		return s.Name
	}
	return s.Namespace + "/" + s.Name
}

// Problem is one thing wrong with a reservation's source, worded for the person who can put it right.
type Problem struct {
	Source Source
	// Reason is a CamelCase word that stays the same from release to release.
	Reason string
	// Field is the path of the field, such as spec.interfaces[0].dhcp.mac.
	Field string
	// Value is what stood there, as it was; print it quoted.
	Value string
	// Remedy says what is wrong and what to write instead.
	Remedy string
	// Fatal is true when the interface is not served because of it.
	Fatal bool
}

// Error makes one line of the problem: object, field, value, remedy.
func (p Problem) Error() string {
	value := ""
	if p.Value != "" {
		v := p.Value
		if len(v) > 80 {
			v = v[:80] + "..."
		}
		value = " " + strconv.Quote(v)
	}
	return p.Source.Object() + ": " + p.Field + value + ": " + p.Remedy
}
