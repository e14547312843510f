package boot

import "github.com/tugboot/tugboot/internal/reservation"

// Client is what one DHCP request says about the program that sent it.
type Client struct {
	MAC reservation.MAC
	// Netboot is true for a DISCOVER or REQUEST with option 60 beginning PXEClient or HTTPClient, options 93 and 94,
	// and option 97 either absent or 17 bytes starting with 0 (PXE 2.1 section 2.2.1).
	Netboot bool
	// Arch is the first known architecture of option 93, else the first.
	Arch        Arch
	VendorClass VendorClass
	// UserClass is option 77 as it was sent, raw or in the length-prefixed form of RFC 3004.
	UserClass string
	IPXE      IPXEInfo
}

// VendorClass is the beginning of option 60.
type VendorClass uint8

// The vendor classes that netboot clients send.
const (
	VendorOther VendorClass = iota
	VendorPXEClient
	VendorHTTPClient
)

// String returns the vendor class as it stands on the wire.
func (v VendorClass) String() string {
	switch v {
	case VendorPXEClient:
		return "PXEClient"
	case VendorHTTPClient:
		return "HTTPClient"
	case VendorOther:
	}
	return ""
}

// IPXEInfo is what iPXE says of itself in option 175.
type IPXEInfo struct {
	// HTTP is sub-option 19: this build can fetch http URLs.
	HTTP bool
	// Version is sub-option 235: major, minor, patch. Zero when not sent.
	Version [3]byte
}

// minIPXE is the oldest iPXE that runs our script. Its predecessors (0.9.x, gPXE) lack what the script uses.
var minIPXE = [3]byte{1, 0, 0}

// Capable reports whether this iPXE can fetch the script by HTTP and run it.
func (i IPXEInfo) Capable() bool {
	for n := range minIPXE {
		if i.Version[n] != minIPXE[n] {
			return i.HTTP && i.Version[n] > minIPXE[n]
		}
	}
	return i.HTTP
}

// The user classes of option 77 that matter.
const (
	UserClassTinkerbell = "Tinkerbell"
	UserClassIPXE       = "iPXE"
)

// HasUserClass reports whether raw, the bytes of option 77, names class: as bare text, or as an element of the
// length-prefixed list that RFC 3004 section 4 asks for.
func HasUserClass(raw, class string) bool {
	if class == "" {
		return false
	}
	if raw == class {
		return true
	}
	for len(raw) > 0 {
		n := int(raw[0])
		if n == 0 || n > len(raw)-1 {
			return false
		}
		if raw[1:1+n] == class {
			return true
		}
		raw = raw[1+n:]
	}
	return false
}
