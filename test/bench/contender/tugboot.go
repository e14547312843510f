package contender

import (
	"bufio"
	"errors"
	"fmt"

	"github.com/tugboot/tugboot/test/bench/fleet"
)

const tugbootPort = 7171

// tugboot is run as its users run it on a host without a cluster: everything served, answers logged as far as the log takes them. The
// limits are those of a site with as many packets from each of few machines as are sent here: they are asked all the same.
func tugboot() Contender {
	return Contender{
		Name: "tugboot", Title: "Tugboot", Roles: []Role{DHCP, TFTP, HTTP}, Reload: Follows,
		Script: fmt.Sprintf("http://%v:%d/", fleet.Server, tugbootPort), Web: tugbootPort,
		Paths:   map[string]string{InitrdFile: "/hook/" + InitrdFile},
		Version: func(p Programs) []string { return []string{p.Tugboot, "--version"} },
		Configure: func(s Setting) (Start, error) {
			files, err := s.hardware()
			path := s.path(files[0])
			if len(files) > 1 {
				path = s.Dir
			}
			return Start{Live: files[:1], Check: []string{s.Tugboot, "hardware", s.path(files[0])},
				Args: s.serve("--hardware=" + path)}, err
		},
	}
}

// TugbootOf is Tugboot with its reservations in the Kubernetes API that a kubeconfig file names, where a change is made.
func TugbootOf(kubeconfig string) Contender {
	c := tugboot()
	c.Reload = ""
	c.Configure = func(s Setting) (Start, error) { return Start{Args: s.serve("--kubeconfig=" + kubeconfig)}, nil }
	return c
}

// serve is the command line with which Tugboot serves the reservations of a source.
func (s Setting) serve(source string) []string {
	return []string{s.Tugboot, "serve", source, "--interfaces=" + fleet.ServerInterface,
		"--dhcp-machine-rate=1000000", "--dhcp-total-rate=1000000", "--tftp-source-rate=1000000", "--tftp-total-rate=1000000",
		"--http-rate=1000000", "--http-rate-per-client=1000000",
		"--advertise=" + fleet.Server.String(), "--ipxe-dir=" + s.Files, "--hook-dir=" + s.Files}
}

// rows is how many machines one hardware.csv has at most: Tugboot reads no file over 64 MiB, but a folder of them.
const rows = 250_000

// hardware writes the machines' files and returns their names, of which there is one at least.
func (s Setting) hardware() (files []string, err error) {
	for first := 0; first < s.Machines || first == 0; first += rows {
		files = append(files, fmt.Sprintf("hardware-%d.csv", first/rows))
		err = errors.Join(err, s.write(files[first/rows], func(w *bufio.Writer) error {
			if _, err := fmt.Fprintln(w, "hostname,mac,ip_address,netmask,gateway,nameservers,disk,labels"); err != nil {
				return err
			}
			return s.machines(func(m fleet.Machine, address string) error {
				if int(m)/rows != first/rows {
					return nil
				}
				_, err := fmt.Fprintf(w, "m%07d,%v,%s,%v,%v,%[5]v,/dev/sda,type=worker\n", m, m.MAC(), address, fleet.Mask, fleet.Server)
				return err
			})
		}))
	}
	return files, err
}
