package lab

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
)

// DaemonKind is the family of a DHCP server program.
type DaemonKind uint8

// The kinds.
const (
	Dnsmasq DaemonKind = iota
	Kea
	DHCPD // ISC dhcpd
)

// Daemon is one DHCP server program in one version.
type Daemon struct {
	// Name is the kind and the version, such as "kea-2.2.0"; it is unique among Daemons.
	Name    string
	Kind    DaemonKind
	Version string
	// Program is its path. A version that is not the host's brings its own libraries along, and its Kea knows by itself
	// where its hook libraries are.
	Program string

	confined bool // AppArmor may know the program by this path
}

// Debian's packages, by kind.
var daemonPackages = map[DaemonKind]struct{ program, debian string }{
	Dnsmasq: {"dnsmasq", "dnsmasq-base"}, Kea: {"kea-dhcp4", "kea-dhcp4-server"}, DHCPD: {"dhcpd", "isc-dhcp-server"},
}

// Daemons returns the DHCP servers that are installed and those in the folder that hack/dhcp-servers.sh printed, empty for
// none; the installed ones first. An installed one that is missing is an error that names its package.
func Daemons(newer string) ([]Daemon, error) {
	var all []Daemon
	for _, kind := range []DaemonKind{Dnsmasq, Kea, DHCPD} {
		p := daemonPackages[kind]
		path, err := exec.LookPath(p.program)
		if err != nil {
			path, err = exec.LookPath("/usr/sbin/" + p.program)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w: apt-get install %s", p.program, err, p.debian)
		}
		d, err := daemon(kind, path)
		if err != nil {
			return nil, err
		}
		d.confined = kind != Dnsmasq
		all = append(all, d)
	}
	if newer == "" {
		return all, nil
	}
	suites, err := filepath.Glob(filepath.Join(newer, "*", "bin"))
	if err != nil || len(suites) == 0 {
		return nil, errors.Join(fmt.Errorf("there are no DHCP servers in %s: take the folder that hack/dhcp-servers.sh prints", newer), err)
	}
	for _, kind := range []DaemonKind{Dnsmasq, Kea} {
		for _, bin := range suites {
			d, err := daemon(kind, filepath.Join(bin, daemonPackages[kind].program))
			if err != nil {
				return nil, err
			}
			// The host's may be the same version.
			if !slices.ContainsFunc(all, func(other Daemon) bool { return other.Name == d.Name }) {
				all = append(all, d)
			}
		}
	}
	return all, nil
}

var versionForm = regexp.MustCompile(`\d+\.\d+(\.\d+(-P\d+)?)?`)

// daemon asks a program for its version.
func daemon(kind DaemonKind, path string) (Daemon, error) {
	flag := map[DaemonKind]string{Dnsmasq: "--version", Kea: "-v", DHCPD: "--version"}[kind]
	out, err := exec.Command(path, flag).CombinedOutput()
	version := versionForm.FindString(string(out))
	if err != nil || version == "" {
		return Daemon{}, errors.Join(fmt.Errorf("%s does not tell its version: %.200q", path, out), err)
	}
	return Daemon{Name: filepath.Base(path) + "-" + version, Kind: kind, Version: version, Program: path}, nil
}

// environment keeps Kea's files in the folder; from 2.6.3 on it takes paths in the folders named here only.
func (k DaemonKind) environment(dir string) []string {
	if k != Kea {
		return nil
	}
	var all []string
	for _, name := range []string{"KEA_LOCKFILE_DIR", "KEA_PIDFILE_DIR", "KEA_CONTROL_SOCKET_DIR", "KEA_DHCP_DATA_DIR", "KEA_LOG_FILE_DIR"} {
		all = append(all, name+"="+dir)
	}
	return all
}

// arguments make the daemon serve on the place's interface, in the foreground. Kea's configuration says where it serves.
func (k DaemonKind) arguments(f *Foreign) []string {
	switch k {
	case Kea:
		return []string{"-c", f.Config}
	case DHCPD:
		return []string{"-4", "-f", "-d", "-cf", f.Config, "-lf", f.path(foreignLeases), "-pf", f.path(foreignPID), f.iface}
	default:
		return []string{"--keep-in-foreground", "--conf-file=" + f.Config, "--port=0", "--interface=" + f.iface, "--bind-interfaces",
			"--user=root", "--log-facility=-", "--pid-file=" + f.path(foreignPID), "--dhcp-leasefile=" + f.path(foreignLeases)}
	}
}

// serving is what the daemon logs once it serves.
func (k DaemonKind) serving() string {
	switch k {
	case Kea:
		return "DHCP4_STARTED"
	case DHCPD:
		return "Server starting service."
	default:
		return "DHCP, sockets bound"
	}
}

// checker is how the daemon checks a file.
func (k DaemonKind) checker(file string) []string {
	switch k {
	case Kea:
		return []string{"-t", file}
	case DHCPD:
		return []string{"-4", "-t", "-cf", file}
	default:
		return []string{"--test", "--conf-file=" + file}
	}
}
