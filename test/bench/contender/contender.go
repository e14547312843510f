package contender

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/tugboot/tugboot/test/bench/fleet"
)

// Role is what a contender serves.
type Role string

// The roles.
const (
	DHCP Role = "dhcp"
	TFTP Role = "tftp"
	HTTP Role = "http"
)

// Reload is what makes a contender read its reservations again.
type Reload string

// The ways.
const (
	Follows Reload = "follows the file"
	Hangup  Reload = "SIGHUP"
	Restart Reload = "restart"
)

// WebPort is the port of those who serve HTTP and have none of their own.
const WebPort = 8000

// Names of the files to serve, beside fleet.BootFile.
const (
	InitrdFile = "initrd.img"
	ScriptFile = "auto.ipxe"
	// KernelFile is not fetched; a folder of installers without a kernel is refused.
	KernelFile = "vmlinuz-x86_64"
)

// Setting is what a contender is set up for.
type Setting struct {
	// Dir is its folder while it runs. Into is where its files are written: Dir, or another folder, to be swapped in later.
	Dir, Into string
	// Machines is the number of reservations. Moved gives machine 0 its other address.
	Machines int
	Moved    bool
	// Files is the folder with what is served by TFTP and HTTP.
	Files string
	Programs
}

// Programs are those that no package brings.
type Programs struct {
	// Tugboot and Bench are our own, Stub the compiled C program.
	Tugboot, Bench, Stub string
	// TFTP is the folder with in.tftpd and atftpd, of hack/tftp-servers.sh.
	TFTP string
}

// Start is how a configured contender is started. It must stay in the foreground.
type Start struct {
	Args, Env []string
	// Check is a command that checks the configuration, if the contender has one.
	Check []string
	// Live are the files, below Dir, that hold the reservations.
	Live []string
}

// Contender is a server that is measured.
type Contender struct {
	Name string
	// Title says in a few words what it is, for the tables.
	Title string
	Roles []Role
	// Limit marks what does no work, and so shows what is possible.
	Limit bool
	// Variant marks another way to run one of the others; only its rates are measured.
	Variant bool
	// Package is the Debian package that brings it; empty for what is built here.
	Package string
	// Version is the command whose output's first line says which version it is; nil when there is none.
	Version func(Programs) []string
	// Configure writes all that it needs, and says how to start it.
	Configure func(Setting) (Start, error)
	Reload    Reload
	// Script is how the URL begins that iPXE is told; empty for what does not know one.
	Script string
	// Web is the port of its HTTP server; Paths are those of files that it serves elsewhere than at /FILE.
	Web   int
	Paths map[string]string
}

// Path is where the contender serves a file by HTTP.
func (c Contender) Path(file string) string { return cmp.Or(c.Paths[file], "/"+file) }

// All are the contenders, in the order of the tables.
func All() []Contender {
	return []Contender{tugboot(), kea(), keaMemory(), dnsmasq(), dnsmasqMemory(), dhcpd(), tftpdHPA(), atftpd(), nginx(), goHTTP(), stub()}
}

// Named returns the contender of that name.
func Named(name string) (Contender, error) {
	all := All()
	i := slices.IndexFunc(all, func(c Contender) bool { return c.Name == name })
	if i < 0 {
		return Contender{}, fmt.Errorf("contender %q: there is none of that name", name)
	}
	return all[i], nil
}

// In returns the contenders that have the role.
func In(role Role) []Contender {
	return slices.DeleteFunc(All(), func(c Contender) bool { return !slices.Contains(c.Roles, role) })
}

// Stack is what boots machines from DHCP to script: one contender, or some that belong together.
type Stack struct {
	Name, Title string
	Members     []string
}

// Stacks are those that are measured.
func Stacks() []Stack {
	return []Stack{
		{"tugboot", "Tugboot", []string{"tugboot"}},
		{"dnsmasq-nginx", "dnsmasq (DHCP, TFTP) and nginx", []string{"dnsmasq", "nginx"}},
		{"kea-tftpd-nginx", "Kea, tftpd-hpa and nginx", []string{"kea", "tftpd-hpa", "nginx"}},
	}
}

// machines are the numbers of the reservations, with the address of each.
func (s Setting) machines(each func(m fleet.Machine, address string) error) error {
	for m := range fleet.Machine(s.Machines) {
		address := m.Address()
		if m == 0 && s.Moved {
			address = fleet.Moved()
		}
		if err := each(m, address.String()); err != nil {
			return err
		}
	}
	return nil
}

// write makes one of the contender's files.
func (s Setting) write(name string, content func(*bufio.Writer) error) (err error) {
	file, err := os.Create(filepath.Join(s.Into, name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriterSize(file, 1<<20)
	return errors.Join(content(w), w.Flush())
}

// text makes a file from a format.
func (s Setting) text(name, format string, values ...any) error {
	return s.write(name, func(w *bufio.Writer) error {
		_, err := fmt.Fprintf(w, format, values...)
		return err
	})
}

// path is where a file is while the contender runs.
func (s Setting) path(name string) string { return filepath.Join(s.Dir, name) }

// fresh removes what an earlier run left, such as leases, which would make the next one faster or slower.
func (s Setting) fresh(patterns ...string) error {
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(s.Into, pattern))
		if err != nil {
			return err
		}
		for _, file := range found {
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	return nil
}

// webScript is the script's URL of those who serve it on WebPort.
var webScript = fmt.Sprintf("http://%v:%d/%s", fleet.Server, WebPort, ScriptFile)
