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
	// BySource is true for a stack that does not know URLs with a MAC in them, and tells machines by their source address.
	BySource bool
}

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
	return "tftp://" + e.authority(e.TFTPPort, DefaultTFTPPort) + "/" + e.withMAC(m, file)
}

func (e Endpoint) httpURL(dir string, m reservation.MAC, file string) string {
	return "http://" + e.authority(e.HTTPPort, 80) + "/" + strings.TrimPrefix(dir, "/") + e.withMAC(m, file)
}

func (e Endpoint) authority(port, standard uint16) string {
	if port == standard {
		return e.Addr.String()
	}
	return e.Addr.String() + ":" + strconv.Itoa(int(port))
}

func (e Endpoint) withMAC(m reservation.MAC, file string) string {
	if m.IsZero() || e.BySource {
		return file
	}
	return m.String() + "/" + file
}
