package v1alpha1

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxOverride is the longest value of the annotation that is read, in bytes.
const maxOverride = 512

// Override is the value of AnnotationOverride.
//
// +kubebuilder:object:generate=false
type Override struct {
	Addr netip.Addr
	// HTTPPort and ScriptPath are set when the value is a URL. It is complete then and is taken as it is; with an address
	// alone, the rest is what is seen to serve there.
	HTTPPort   uint16
	ScriptPath string
}

// Complete reports whether nothing needs to be found out.
func (o Override) Complete() bool { return o.HTTPPort != 0 }

// ParseOverride reads an IPv4 address, or the http URL of a script at one. The error says what to write instead, without
// the value.
func ParseOverride(value string) (Override, error) {
	if len(value) > maxOverride {
		return Override{}, errors.New("longer than 512 characters: write the URL of a script, such as http://192.168.2.50:7171/auto.ipxe")
	}
	if addr, err := netip.ParseAddr(value); err == nil {
		return Override{Addr: addr}, reachable(addr)
	}
	if !strings.Contains(value, "/") {
		return Override{}, errors.New("neither an IPv4 address nor a URL: write 192.168.2.50, or http://192.168.2.50:7171/auto.ipxe")
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Scheme != "http" || u.Opaque != "":
		return Override{}, errors.New("not a URL that begins with http://: write the script's, such as http://192.168.2.50:7171/auto.ipxe")
	case u.User != nil || strings.ContainsAny(value, "?#"):
		return Override{}, errors.New("a script's URL has no user, query or fragment: write it like http://192.168.2.50:7171/auto.ipxe")
	case len(u.Path) < 2 || strings.ContainsFunc(u.EscapedPath(), notInPath):
		return Override{}, errors.New("the path must be that of a script, of letters, digits and -._~/: write it like http://192.168.2.50:7171/auto.ipxe")
	}
	addr, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return Override{}, errors.New("the URL's host must be an IPv4 address: write it like http://192.168.2.50:7171/auto.ipxe")
	}
	port := uint64(80)
	if strings.HasSuffix(u.Host, ":") || u.Port() != "" {
		if port, err = strconv.ParseUint(u.Port(), 10, 16); err != nil || port == 0 {
			return Override{}, errors.New("the URL's port must be a number from 1 to 65535: write it like http://192.168.2.50:7171/auto.ipxe")
		}
	}
	return Override{Addr: addr, HTTPPort: uint16(port), ScriptPath: u.Path}, reachable(addr)
}

// notInPath is true for what no stack's script path holds. A percent sign or a dollar sign would be read by iPXE.
func notInPath(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~/", r)
}

// reachable says what is wrong with an address that machines cannot reach; the schema has the same rule for spec.
func reachable(addr netip.Addr) error {
	if !addr.Is4() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.As4()[0] == 0 || addr.As4()[0] >= 224 {
		return errors.New("machines cannot be sent there: write an IPv4 address that is not unspecified, loopback, link-local, multicast or reserved")
	}
	return nil
}
