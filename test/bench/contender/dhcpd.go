package contender

import (
	"bufio"
	"fmt"

	"github.com/tugboot/tugboot/test/bench/fleet"
)

const dhcpdHead = `authoritative;
ddns-update-style none;
default-lease-time 86400;
max-lease-time 86400;
deny unknown-clients;
ping-check false;
next-server %[1]v;
if exists user-class and option user-class = "Tinkerbell" {
  filename %[2]q;
} else {
  filename %[3]q;
}
subnet %[4]v netmask %[5]v {
  option routers %[1]v;
  option domain-name-servers %[1]v;
}
`

// dhcpd is ISC's. It cannot read its reservations again: it has to be started again.
func dhcpd() Contender {
	return Contender{
		Name: "dhcpd", Title: "ISC dhcpd", Roles: []Role{DHCP}, Package: "isc-dhcp-server", Reload: Restart, Script: webScript,
		Version: func(Programs) []string { return []string{"dhcpd", "--version"} },
		Configure: func(s Setting) (Start, error) {
			err := s.write("dhcpd.conf", func(w *bufio.Writer) error {
				if _, err := fmt.Fprintf(w, dhcpdHead, fleet.Server, webScript, fleet.BootFile, fleet.Network.Addr(), fleet.Mask); err != nil {
					return err
				}
				return s.machines(func(m fleet.Machine, address string) error {
					_, err := fmt.Fprintf(w, "host m%07d { hardware ethernet %v; fixed-address %s; }\n", m, m.MAC(), address)
					return err
				})
			})
			if err == nil {
				err = s.text("leases", "")
			}
			return Start{Live: []string{"dhcpd.conf"}, Args: []string{"dhcpd", "-4", "-f", "-q", "-cf", s.path("dhcpd.conf"),
				"-lf", s.path("leases"), "-pf", s.path("pid"), fleet.ServerInterface},
				Check: []string{"dhcpd", "-t", "-cf", s.path("dhcpd.conf")}}, err
		},
	}
}
