package doctor

import (
	"net/netip"

	"github.com/tugboot/tugboot/internal/reservation"
)

// Facts are what is known of the flags, the host, its network and its cluster.
type Facts struct {
	Flags        Flags
	Ports        []Port
	Capabilities Capabilities
	Interfaces   []Interface
	// Undetected says why there is no address to advertise, with the remedy; empty where there is one.
	Undetected Trouble
	Buffer     Buffer
	Asked      []Asked
	API        API
	Hardware   Hardware
	Files      Files
	Hook       Hook
	State      State
}

// Trouble is what went wrong, and what to do about it.
type Trouble struct{ What, Remedy string }

// Flags are those flags of `tugboot serve` that a judgement depends on.
type Flags struct {
	// DHCP is true where DHCP is answered; Interfaces are those it is answered on, none for all.
	DHCP       bool
	Interfaces []string
	// Advertise is the address that machines are sent to, given where the flags name it.
	Advertise netip.Addr
	Given     bool
	// Management is true for --role management.
	Management bool
	// Cluster is true where Hardware comes from a cluster, Files where it comes from files; both may be.
	Cluster, Files bool
	// Services is true where existing DHCP services are kept in step.
	Services bool
}

// Fault is why a port could not be taken.
type Fault uint8

// The faults.
const (
	Free     Fault = iota
	Taken          // EADDRINUSE
	NoRight        // EACCES, EPERM
	NotLocal       // EADDRNOTAVAIL
	NoDevice       // ENODEV: there is no such interface
	Refused        // anything else
)

// Port is one port that serve takes, and what became of trying.
type Port struct {
	// Server is whose port it is: DHCP, TFTP, HTTP, HTTPS, syslog, metrics or health.
	Server string
	// Network is udp or tcp, Device the interface that the socket is bound to, empty for none.
	Network, Device string
	At              netip.AddrPort
	Fault           Fault
	// Cause is the kernel's word on a Fault.
	Cause string
	// Holders are the processes that hold the port, as far as they can be seen; MaySee is true where processes of all users can.
	Holders []Holder
	MaySee  bool
	// Usual names those that hold the port on many hosts.
	Usual string
}

// Holder is a process that holds a port; Self is true for the process that tries.
type Holder struct {
	PID  int
	Name string
	Self bool
}

// Capabilities are those that serve wants.
type Capabilities struct {
	// Unprivileged is the lowest port that needs no capability (sysctl net.ipv4.ip_unprivileged_port_start).
	Unprivileged uint16
	Missing      []Capability
	// Failed says why it is not known; empty where it is.
	Failed string
}

// Capability is one that is missing, with its cause and the remedy.
type Capability struct{ Name, Cause, Remedy string }

// Interface is a network interface of the host.
type Interface struct {
	Name string
	// Up is true where the administrator has it up, Carrier where a cable or a peer is there too.
	Up, Carrier bool
	Loopback    bool
	// Inner is true for one that leads to containers or virtual machines of this host.
	Inner    bool
	Prefixes []netip.Prefix // IPv4
}

// Buffer is the receive buffer of a socket in bytes: what serve asks for, and what the kernel grants.
type Buffer struct {
	Wanted, Granted int
	Failed          string
}

// Asked is one interface that was asked on with DISCOVERs.
type Asked struct {
	Interface string
	Answers   []Answer
	// Proxy is true where Tugboot leaves the addresses on this interface to another server.
	Proxy bool
	// Failed says why nobody could be asked; the zero Trouble where somebody was.
	Failed Trouble
}

// Answer is one OFFER.
type Answer struct {
	// Server is the server identifier, From the sender's address.
	Server, From netip.Addr
	// Machine is the MAC that was asked for, Known whether Hardware reserves an address for it.
	Machine reservation.MAC
	Known   bool
	// Address, NextServer and BootFile are what was offered; BootFile comes from the network.
	Address, NextServer netip.Addr
	BootFile            string
}

// API is what is known of the cluster's API.
type API struct {
	// Server is its URL, Version what it says of itself, Account whom it takes us for, empty where it does not say.
	Server, Version, Account string
	// Unusable says why serve does not even try, such as a kubeconfig that is none; Away why the API does not answer.
	Unusable, Away Trouble
	Resources      []Resource
	// Denied are the rights that are missing among the Asked ones; RightsFailed says why it is not known.
	Denied       []Right
	Asked        int
	RightsFailed string
	// Management is what is known of the other cluster that --management-kubeconfig names; nil without one.
	Management *Management
}

// Resource is a kind of objects that serve needs.
type Resource struct {
	// Name is that of its CustomResourceDefinition, File where that is in this project.
	Name, File string
	Served     bool
	// Why it is not served, where that is known.
	Why string
}

// Management is the cluster that --management-kubeconfig names.
type Management struct {
	File, Server, Version string
	// Later is true while the file is not there; Away says why it or the API is of no use.
	Later bool
	Away  string
}

// Hardware is what the sources of Hardware hold.
type Hardware struct {
	Sources []Source
}

// Source is one source of Hardware: the cluster or files.
type Source struct {
	// Name is what it is called: "the cluster" or the path of the files.
	Name string
	// Reservations is how many addresses are reserved, Netboot how many of those may boot from the network.
	Reservations, Netboot int
	Problems              []reservation.Problem
	// Failed says why it could not be read; the zero Trouble where it was. Fatal is true where serve would not start.
	Failed Trouble
	Fatal  bool
}

// Files are the first-stage binaries.
type Files struct {
	// Off is true where neither TFTP nor HTTP is served.
	Off bool
	Dir string
	// Served are the names of the boot files that are advertised and there, Absent those that are not there.
	Served, Absent []string
	// Missing are the machines that no file is for, with the names that were sought; Skipped why files are not served.
	Missing []Missing
	Skipped []string
	// Failed says why there is none at all; empty where there is.
	Failed string
}

// Missing is a family of machines without a file. Usual is true for those that data centres are made of.
type Missing struct {
	Machines, Sought string
	Usual            bool
}

// Hook is the folder of the kernel and the initrd.
type Hook struct {
	// Off is true where no scripts are served; Base is the URL of --hook-url, Dir the folder of --hook-dir, empty without.
	Off       bool
	Base, Dir string
	// Kernels are the names of those in Dir; Failed says why there are none.
	Kernels []string
	// URL is what was asked for, Status the answer's (HTTP), Failed why there was none.
	URL    string
	Status int
	Failed string
}

// State is the folder of --state-dir.
type State struct {
	Dir    string // empty without
	Made   bool   // it is there
	Failed string // why it cannot be written to
}
