package doctor

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/reservation"
)

var update = flag.Bool("update", false, "write the golden files anew")

func mac(n byte) reservation.MAC { return reservation.MAC{0x52, 0x54, 0, 0, 2, n} }

func port(server, network string, n uint16, fault Fault, holders ...Holder) Port {
	return Port{Server: server, Network: network, At: netip.AddrPortFrom(netip.IPv4Unspecified(), n), Fault: fault, Holders: holders}
}

func on(name, prefix string) Interface {
	i := Interface{Name: name, Up: true, Carrier: true}
	if prefix != "" {
		i.Prefixes = []netip.Prefix{netip.MustParsePrefix(prefix)}
	}
	return i
}

var (
	here  = netip.MustParseAddr("192.168.2.112")
	there = netip.MustParseAddr("192.168.2.5")
)

// well is a site where all is well.
func well() *Facts {
	f := &Facts{}
	f.Flags = Flags{DHCP: true, Interfaces: []string{"eth1"}, Advertise: here, Given: true, Cluster: true}
	f.Ports = []Port{port("DHCP", "udp", 67, Free), port("HTTP", "tcp", 7171, Free)}
	f.Capabilities.Unprivileged = 1024
	f.Interfaces = []Interface{{Name: "lo", Up: true, Carrier: true, Loopback: true}, on("eth1", "192.168.2.112/24")}
	f.Buffer = Buffer{Wanted: 4 << 20, Granted: 4 << 20}
	f.Asked = []Asked{{Interface: "eth1"}}
	f.API = API{Server: "https://192.168.2.20:6443", Version: "v1.33.0", Account: "system:serviceaccount:tugboot:tugboot", Asked: 3,
		Resources: []Resource{{Name: "hardware.tinkerbell.org", Served: true}}}
	f.Hardware.Sources = []Source{{Name: "the cluster's Hardware", Reservations: 3, Netboot: 2}}
	f.Files = Files{Dir: "/usr/lib/ipxe", Served: []string{"undionly.kpxe", "ipxe.efi"}}
	f.Hook = Hook{Base: "http://192.168.2.1/hook", URL: "http://192.168.2.1/hook/vmlinuz-x86_64", Status: 200}
	return f
}

// situations are sites where something is not well, or is another way.
func situations() map[string]func(*Facts) {
	return map[string]func(*Facts){
		"all-well": func(*Facts) {},
		"proxy": func(f *Facts) {
			f.Asked = []Asked{
				{Interface: "eth1", Proxy: true, Answers: []Answer{
					{Server: there, From: there, Machine: mac(9), Address: netip.MustParseAddr("192.168.2.200"), NextServer: there},
					{Server: here, From: here, Machine: mac(1), Known: true, NextServer: here, BootFile: "ipxe.efi"}}},
				{Interface: "eth2", Proxy: true, Answers: []Answer{
					{Server: there, From: there, Machine: mac(9), Address: netip.MustParseAddr("192.168.2.200"), NextServer: there, BootFile: "pxelinux.0"}}},
				{Interface: "eth3", Proxy: true, Answers: []Answer{{Server: here, From: here, Machine: mac(9), NextServer: here, BootFile: "ipxe.efi"}}},
				{Interface: "eth4", Proxy: true},
			}
		},
		"ports": func(f *Facts) {
			f.Ports = []Port{
				port("DHCP", "udp", 67, Taken, Holder{PID: 812, Name: "dnsmasq"}, Holder{PID: 813, Name: "tugboot"}),
				port("TFTP", "udp", 69, Taken), port("HTTP", "tcp", 7171, Taken), port("syslog", "udp", 514, Taken, Holder{PID: 1, Name: "tugboot"}),
				port("metrics", "tcp", 8080, Taken, Holder{PID: 9, Name: "tugboot", Self: true}), port("health", "tcp", 8081, NotLocal),
				port("DHCP", "udp", 67, NoDevice), port("syslog", "tcp", 514, NoRight), port("HTTP", "tcp", 7171, Refused),
			}
			f.Ports[1].MaySee, f.Ports[1].Usual = true, "Tinkerbell's Smee"
			f.Ports[2].Usual = "Tinkerbell's Smee"
			f.Ports[6].Device = "eth7"
			f.Ports[7].Cause, f.Ports[8].Cause = "permission denied", "no buffer space available"
		},
		"capabilities": func(f *Facts) {
			f.Capabilities.Missing = []Capability{{"NET_BIND_SERVICE", "the bounding set lacks it", "grant NET_BIND_SERVICE"}, {"NET_RAW", "the bounding set lacks it", "grant NET_RAW"}}
		},
		"no-low-ports": func(f *Facts) {
			f.Capabilities.Unprivileged = 0
			f.Capabilities.Missing = []Capability{{"NET_BIND_SERVICE", "a", "b"}, {"NET_RAW", "c", "d"}}
			f.Flags.DHCP, f.Flags.Services = false, true
		},
		"capabilities-unknown": func(f *Facts) { f.Capabilities.Failed = "capabilities of this process: operation not permitted" },
		"interfaces": func(f *Facts) {
			f.Flags.Interfaces = []string{"eth1", "eth2", "eth3", "eth4", "eth9"}
			down, pulled := on("eth2", "10.0.0.1/24"), on("eth3", "10.0.1.1/24")
			down.Up, pulled.Carrier = false, false
			f.Interfaces = append(f.Interfaces, down, pulled, on("eth4", ""))
			f.Flags.Advertise = netip.MustParseAddr("10.0.2.1")
			f.Interfaces = append(f.Interfaces, on("eth5", "10.0.2.1/24"))
		},
		"all-interfaces": func(f *Facts) {
			f.Flags.Interfaces, f.Flags.Given = nil, false
			down, docker := on("eth2", ""), on("docker0", "172.17.0.1/16")
			down.Up, docker.Inner = false, true
			f.Interfaces = append(f.Interfaces, down, docker)
		},
		"no-interface": func(f *Facts) {
			f.Flags.Interfaces, f.Interfaces, f.Asked = nil, f.Interfaces[:1], nil
			f.Undetected = Trouble{"--advertise: not given, and this host has no address that machines could reach", "give it, or look at `ip addr`"}
		},
		"elsewhere":  func(f *Facts) { f.Flags.Advertise = netip.MustParseAddr("192.168.2.50") },
		"virtual":    func(f *Facts) { f.Flags.Advertise, f.Flags.Management = netip.MustParseAddr("192.168.2.50"), true },
		"no-buffer":  func(f *Facts) { f.Buffer.Granted = 212992 },
		"no-buffer2": func(f *Facts) { f.Buffer.Failed = "too many open files" },
		"foreign": func(f *Facts) {
			f.Asked[0].Answers = []Answer{
				{Server: there, From: there, Machine: mac(9), Address: netip.MustParseAddr("192.168.2.201"), NextServer: there, BootFile: "pxe\n"},
				{Server: here, From: here, Machine: mac(1), Known: true, Address: netip.MustParseAddr("192.168.2.11"), NextServer: here, BootFile: "ipxe.efi"},
				{From: netip.MustParseAddr("192.168.2.6"), Machine: mac(9)},
			}
			for i := range byte(4) {
				f.Asked[0].Answers = append(f.Asked[0].Answers, Answer{Server: netip.AddrFrom4([4]byte{10, 0, 0, i}), From: there})
			}
			f.Asked = append(f.Asked, Asked{Interface: "eth2", Failed: Trouble{"this process may not send a DISCOVER", "grant the capability NET_RAW"}})
		},
		"existing-service": func(f *Facts) {
			f.Flags.DHCP, f.Flags.Interfaces = false, nil
			f.Asked[0].Answers = []Answer{{Server: there, From: there, Address: there}}
		},
		"ours-by-name": func(f *Facts) { f.Asked[0].Answers = []Answer{{Server: here, From: there, Address: there}} }, // a stranger with our address
		"files-only": func(f *Facts) {
			f.Flags.Cluster, f.Flags.Files = false, true
			f.API = API{Management: &Management{File: "/etc/mgmt", Later: true}}
		},
		"api-away": func(f *Facts) {
			f.API = API{Server: "https://192.168.2.20:6443", Away: Trouble{"connection refused", "look at the API server"}, Management: &Management{File: "/etc/mgmt", Away: "refused"}}
			f.Hardware.Sources = nil
		},
		"api-away-files": func(f *Facts) {
			f.Flags.Files = true
			f.API = API{Server: "https://x", Away: Trouble{"connection refused", "look at the API server"}, Management: &Management{File: "/etc/mgmt", Server: "https://y", Version: "v1.33.0"}}
			f.Hardware.Sources = []Source{{Name: "--hardware x.csv", Failed: Trouble{"no such file", "correct it"}, Fatal: true}}
		},
		"api-unusable": func(f *Facts) {
			f.API = API{Unusable: Trouble{`--kubeconfig "x": names no cluster`, "give a file with which kubectl reaches yours"}}
		},
		"rights": func(f *Facts) {
			f.API.Resources = append(f.API.Resources, Resource{Name: "takeovers.tugboot.dev", File: "config/crd/bases/tugboot.dev_takeovers.yaml", Why: "there is no such CustomResourceDefinition"})
			f.API.Denied = Rights(Need{Takeover: "eksa-system", Services: "dhcp", KeaSecrets: []string{"kea"}, RemoteCheck: true, RemoteSecret: "lab-kubeconfig"})
		},
		"rights-unknown": func(f *Facts) { f.API.RightsFailed = "the server could not find the requested resource" },
		"hardware": func(f *Facts) {
			s := &f.Hardware.Sources[0]
			for n := range 12 {
				s.Problems = append(s.Problems, reservation.Problem{Source: reservation.Source{Namespace: "tink", Name: fmt.Sprint("m", n)},
					Reason: "InvalidMAC", Field: "spec.interfaces[0].dhcp.mac", Value: "zz\n", Remedy: "not a MAC: write it like 52:54:00:12:34:56"})
			}
			f.Hardware.Sources = append(f.Hardware.Sources, Source{Name: "--hardware empty.csv"}, Source{Name: "x", Failed: Trouble{"forbidden", "have list granted"}})
		},
		"ipxe": func(f *Facts) {
			f.Files.Absent = []string{"snp-arm64.efi"}
			f.Files.Missing = []Missing{{"uefi-arm64", "snp-arm64.efi, ipxe-arm64.efi", true}, {"uefi-ia32", "ipxe-i386.efi", false}}
			f.Files.Skipped = []string{`file "ipxe.efi" is not served: it is empty`}
		},
		"no-ipxe":   func(f *Facts) { f.Files.Failed = `"/nope" cannot be read: no such file or directory` },
		"no-files":  func(f *Facts) { f.Files, f.Hook = Files{Off: true}, Hook{Off: true} },
		"hook-away": func(f *Facts) { f.Hook.Failed = "connection refused"; f.State = State{Dir: "/var/lib/x"} },
		"hook-dir": func(f *Facts) {
			f.Hook = Hook{Dir: "/srv/hook", Kernels: []string{"vmlinuz-aarch64", "vmlinuz-x86_64"}}
		},
		"hook-empty": func(f *Facts) {
			f.Hook = Hook{Dir: "/srv/hook", Failed: `hook directory "/srv/hook": no kernel there: put one there`}
		},
		"hook-status": func(f *Facts) { f.Hook.Status = 404; f.State = State{Dir: "/var/lib/x", Made: true} },
		"no-hook":     func(f *Facts) { f.Hook = Hook{}; f.State = State{Dir: "/x", Failed: `"/": read-only file system`} },
	}
}

// TestFindings: for each situation, the lines that differ from those of a site where all is well.
func TestFindings(t *testing.T) {
	ordinary := text(Judge(well()))
	var b strings.Builder
	all := situations()
	names := slices.Collect(func(yield func(string) bool) {
		for name := range all {
			if !yield(name) {
				return
			}
		}
	})
	slices.Sort(names)
	for _, name := range names {
		f := well()
		all[name](f)
		findings := Judge(f)
		fmt.Fprintf(&b, "== %s: %d errors, %d warnings\n", name, Count(findings, Error), Count(findings, Warning))
		for _, line := range text(findings) {
			if name == "all-well" || !slices.Contains(ordinary, line) {
				b.WriteString(line)
			}
		}
		complete(t, name, findings)
	}
	golden := filepath.Join("testdata", "findings.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("(-golden +got; -update writes it anew):\n%s", diff)
	}
}

func text(findings []Finding) []string {
	var lines []string
	for _, f := range findings {
		lines = append(lines, fmt.Sprintf("%-4s %-10s %s; %s\n", f.Level.Word(), f.Check, f.What, f.Remedy))
	}
	return lines
}

// complete: every check says something, in order, and what is not well has a remedy and what is well none.
func complete(t *testing.T, name string, findings []Finding) {
	t.Helper()
	var order []string
	for _, f := range findings {
		order = append(order, f.Check)
		if f.What == "" || (f.Remedy == "") != (f.Level == OK) || f.Level != OK && f.Level != Warning && f.Level != Error {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if diff := cmp.Diff(Checks(), slices.Compact(order)); diff != "" {
		t.Errorf("%s: checks (-want +got):\n%s", name, diff)
	}
}
