package contender

import (
	"bufio"
	"fmt"

	"github.com/tugboot/tugboot/test/bench/fleet"
)

// dnsmasq is as its manual has it: leases go to a file, which is written anew for every lease.
func dnsmasq() Contender { return dnsmasqWith("dnsmasq", "dnsmasq", "", DHCP, TFTP) }

// dnsmasqMemory keeps no lease file.
func dnsmasqMemory() Contender {
	return dnsmasqWith("dnsmasq-memory", "dnsmasq, no lease file", "leasefile-ro\n", DHCP)
}

const dnsmasqMain = `port=0
interface=%[1]s
bind-interfaces
except-interface=lo
user=root
pid-file=%[2]s
log-facility=%[3]s
quiet-dhcp
no-ping
dhcp-authoritative
dhcp-range=%[4]v,static,%[5]v,24h
dhcp-hostsfile=%[6]s
dhcp-leasefile=%[7]s
dhcp-lease-max=%[8]d
dhcp-option=option:router,%[9]v
dhcp-option=option:dns-server,%[9]v
dhcp-userclass=set:script,Tinkerbell
dhcp-boot=tag:script,%[10]s,,%[9]v
dhcp-boot=tag:!script,%[11]s,,%[9]v
enable-tftp
tftp-root=%[12]s
tftp-max=4000
%[13]s`

func dnsmasqWith(name, title, more string, roles ...Role) Contender {
	return Contender{
		Name: name, Title: title, Roles: roles, Variant: more != "", Package: "dnsmasq-base", Reload: Hangup, Script: webScript,
		Version: func(Programs) []string { return []string{"dnsmasq", "--version"} },
		Configure: func(s Setting) (Start, error) {
			err := s.write("hosts", func(w *bufio.Writer) error {
				return s.machines(func(m fleet.Machine, address string) error {
					_, err := fmt.Fprintf(w, "%v,%s,m%07d,24h\n", m.MAC(), address, m)
					return err
				})
			})
			if err == nil {
				err = s.text("dnsmasq.conf", dnsmasqMain, fleet.ServerInterface, s.path("pid"), s.path("log"), fleet.Network.Addr(), fleet.Mask,
					s.path("hosts"), s.path("leases"), s.Machines+1000, fleet.Server, webScript, fleet.BootFile, s.Files, more)
			}
			if err == nil {
				err = s.text("leases", "")
			}
			return Start{Live: []string{"hosts"}, Args: []string{"dnsmasq", "--keep-in-foreground", "--conf-file=" + s.path("dnsmasq.conf")},
				Check: []string{"dnsmasq", "--test", "--conf-file=" + s.path("dnsmasq.conf")}}, err
		},
	}
}
