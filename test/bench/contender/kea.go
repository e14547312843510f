package contender

import (
	"bufio"
	"fmt"

	"github.com/tugboot/tugboot/test/bench/fleet"
)

// kea is as Debian ships it: leases go to a file.
func kea() Contender { return keaWith("kea", "Kea", true) }

// keaMemory keeps no lease file, which is faster and forgets its leases.
func keaMemory() Contender { return keaWith("kea-memory", "Kea, no lease file", false) }

const keaHead = `{"Dhcp4": {
"interfaces-config": {"interfaces": [%[1]q], "dhcp-socket-type": "udp"},
"lease-database": {"type": "memfile", "persist": %[2]t, "name": %[3]q, "lfc-interval": 0},
"host-reservation-identifiers": ["hw-address"], "reservations-in-subnet": true, "reservations-out-of-pool": true,
"valid-lifetime": 86400, "next-server": "%[4]v", "boot-file-name": %[5]q,
"client-classes": [{"name": "script", "test": "option[77].hex == 'Tinkerbell'", "boot-file-name": %[6]q}],
"option-data": [{"name": "routers", "data": "%[4]v"}, {"name": "domain-name-servers", "data": "%[4]v"}],
"loggers": [{"name": "kea-dhcp4", "severity": "WARN", "output_options": [{"output": "stderr"}]}],
"subnet4": [{"subnet": "%[7]v", "reservations": [
`

func keaWith(name, title string, persist bool) Contender {
	return Contender{
		Name: name, Title: title, Roles: []Role{DHCP}, Variant: !persist, Package: "kea-dhcp4-server", Reload: Hangup, Script: webScript,
		Version: func(Programs) []string { return []string{"kea-dhcp4", "-v"} },
		Configure: func(s Setting) (Start, error) {
			err := s.write("kea.conf", func(w *bufio.Writer) error {
				if _, err := fmt.Fprintf(w, keaHead, fleet.ServerInterface, persist, s.path("leases.csv"), fleet.Server,
					fleet.BootFile, webScript, fleet.Network); err != nil {
					return err
				}
				if err := s.machines(func(m fleet.Machine, address string) error {
					comma := ","
					if int(m) == s.Machines-1 {
						comma = ""
					}
					_, err := fmt.Fprintf(w, "{\"hw-address\": \"%v\", \"ip-address\": %q, \"hostname\": \"m%07d\"}%s\n", m.MAC(), address, m, comma)
					return err
				}); err != nil {
					return err
				}
				_, err := fmt.Fprintln(w, "]}]}}")
				return err
			})
			if err == nil {
				err = s.fresh("leases.csv*", "*.pid")
			}
			return Start{Live: []string{"kea.conf"}, Args: []string{"kea-dhcp4", "-c", s.path("kea.conf")},
				Check: []string{"kea-dhcp4", "-t", s.path("kea.conf")},
				Env:   []string{"KEA_PIDFILE_DIR=" + s.Dir, "KEA_LOCKFILE_DIR=" + s.Dir}}, err
		},
	}
}
