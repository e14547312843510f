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
	hookPath          = "/hook/"
)

// Endpoint is what one stack offers and where. It is one immutable value, handed over whole, so that every answer is
// made from one endpoint and never from halves of two.
type Endpoint struct {
	// Addr is next-server.
	Addr netip.Addr
	// TFTPPort and HTTPPort are 0 when the stack does not serve that protocol.
	TFTPPort, HTTPPort uint16
	// HTTPSPort is that of HTTPS where scripts are told by https URLs, else 0; HTTPSBinaries tells those of first-stage
	// binaries likewise.
	HTTPSPort     uint16
	HTTPSBinaries bool
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
	return e.url(dir, m, file, e.HTTPSPort != 0)
}

// ServesScripts reports whether a script can be fetched here.
func (e Endpoint) ServesScripts() bool { return e.HTTPPort != 0 || e.HTTPSPort != 0 }

// BinaryURL returns the URL of a first-stage binary, by which UEFI HTTP boot loads it.
func (e Endpoint) BinaryURL(m reservation.MAC, file string) string {
	return e.url(binaryPath, m, file, e.securesBinaries())
}

// ServesBinaryURLs reports whether a binary can be fetched here by its URL.
func (e Endpoint) ServesBinaryURLs() bool { return e.HTTPPort != 0 || e.securesBinaries() }

func (e Endpoint) securesBinaries() bool { return e.HTTPSBinaries && e.HTTPSPort != 0 }

// HookURL returns the URL of the folder of kernel and initrd, by the protocol of scripts and without a slash at its end.
func (e Endpoint) HookURL() string {
	return strings.TrimSuffix(e.url(hookPath, reservation.MAC{}, "", e.HTTPSPort != 0), "/")
}

// TFTPURL returns the TFTP URL of a first-stage binary.
func (e Endpoint) TFTPURL(m reservation.MAC, file string) string {
	return "tftp://" + e.authority(e.TFTPPort, DefaultTFTPPort) + "/" + e.withMAC(m, file)
}

func (e Endpoint) url(dir string, m reservation.MAC, file string, secure bool) string {
	origin := "http://" + e.authority(e.HTTPPort, 80)
	if secure {
		origin = "https://" + e.authority(e.HTTPSPort, 443)
	}
	return origin + "/" + strings.TrimPrefix(dir, "/") + e.withMAC(m, file)
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
