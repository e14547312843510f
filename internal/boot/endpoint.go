package boot

import (
	"net/netip"
	"path"
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/internal/reservation"
)

// Defaults of an endpoint: the ports and the script path of EKS Anywhere 0.25 and later and of the Tinkerbell chart.
const (
	DefaultTFTPPort   = 69
	DefaultHTTPPort   = 7171
	DefaultScriptPath = "/ipxe/script/auto.ipxe"
	binaryPath        = "/ipxe/binary/"
)

// Endpoint is what one stack offers and where. It is one immutable value, handed over whole, so that every answer is
// made from one endpoint and never from halves of two.
type Endpoint struct {
	// Addr is next-server.
	Addr netip.Addr
	// TFTPPort and HTTPPort are 0 when the stack does not serve that protocol.
	TFTPPort, HTTPPort uint16
	// ScriptPath is the path of the iPXE script; a MAC is put in front of its last element.
	ScriptPath string
	// Binaries are the first-stage binaries there; nil means none.
	Binaries *Binaries
	// UserClass is a class that counts as Tinkerbell besides Tinkerbell itself; empty means none.
	UserClass string
}

// Binaries are the names under which a stack serves first-stage binaries. It is immutable.
type Binaries struct {
	byFamily map[Family]string
	all      map[string]bool
}

// NewBinaries returns the set of files, of which byFamily names the one for each family of machines.
func NewBinaries(byFamily map[Family]string, files []string) *Binaries {
	b := &Binaries{byFamily: map[Family]string{}, all: map[string]bool{}}
	for f, name := range byFamily {
		b.byFamily[f] = name
		b.all[name] = true
	}
	for _, name := range files {
		b.all[name] = true
	}
	return b
}

// For returns the file for family f, or "" where there is none.
func (b *Binaries) For(f Family) string {
	if b == nil {
		return ""
	}
	return b.byFamily[f]
}

// Has reports whether a file of that name is served.
func (b *Binaries) Has(name string) bool { return b != nil && b.all[name] }

// ScriptURL returns the URL of the iPXE script: the machine's own, or with the zero MAC the one that the server looks
// up by the source address.
func (e Endpoint) ScriptURL(m reservation.MAC) string {
	dir, file := path.Split(e.ScriptPath)
	return e.httpURL(dir, m, file)
}

// BinaryURL returns the HTTP URL of a first-stage binary.
func (e Endpoint) BinaryURL(m reservation.MAC, file string) string {
	return e.httpURL(binaryPath, m, file)
}

// TFTPURL returns the TFTP URL of a first-stage binary.
func (e Endpoint) TFTPURL(m reservation.MAC, file string) string {
	return "tftp://" + e.authority(e.TFTPPort, DefaultTFTPPort) + "/" + withMAC(m, file)
}

func (e Endpoint) httpURL(dir string, m reservation.MAC, file string) string {
	return "http://" + e.authority(e.HTTPPort, 80) + "/" + strings.TrimPrefix(dir, "/") + withMAC(m, file)
}

func (e Endpoint) authority(port, standard uint16) string {
	if port == standard {
		return e.Addr.String()
	}
	return e.Addr.String() + ":" + strconv.Itoa(int(port))
}

func withMAC(m reservation.MAC, file string) string {
	if m.IsZero() {
		return file
	}
	return m.String() + "/" + file
}
