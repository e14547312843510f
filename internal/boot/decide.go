package boot

import (
	"net/netip"

	"github.com/tugboot/tugboot/internal/reservation"
)

// Action says whether a client is given something to boot.
type Action uint8

// The actions.
const (
	// AddressOnly: the reservation's settings, no boot file and no next-server.
	AddressOnly Action = iota
	// Boot: the boot file and next-server of the decision.
	Boot
)

// Decision is what a reserved machine is told to boot, and why.
type Decision struct {
	Action Action
	// NextServer is siaddr; the zero Addr leaves it 0.0.0.0.
	NextServer netip.Addr
	// ServerName is option 66.
	ServerName string
	// BootFile is the header's file and option 67: a bare file name or a URL.
	BootFile string
	// VendorClass is option 60 of the answer; VendorOther sends none. PXEClient goes with a menu only: EDK2 answers a
	// PXEClient offer without option 43 by asking port 4011, and stalls.
	VendorClass VendorClass
	// RaspberryPiMenu asks for option 43 with sub-options 9 and 10, without which the boards' ROM does not go on.
	RaspberryPiMenu bool
	// NoProxyDHCP asks for option 175 sub-option 176, which spares iPXE the wait for proxyDHCP offers.
	NoProxyDHCP bool
	// ProxyPriority asks for option 175 sub-option 1, by which iPXE takes this proxyDHCP offer rather than that of a server
	// which says PXEClient and has nothing to boot.
	ProxyPriority bool
	Reason        Reason
}

// Decide says what the client c, whose reservation is r, is told to boot by the stack at e.
func Decide(c Client, r *reservation.Reservation, e Endpoint) Decision {
	d := choose(c, r, e)
	d.NoProxyDHCP = HasUserClass(c.UserClass, UserClassIPXE) || e.ours(c)
	return d
}

func choose(c Client, r *reservation.Reservation, e Endpoint) Decision {
	n := &r.Netboot
	switch {
	case n.BootFileName != "":
		return override(n)
	case !c.Netboot:
		return none(ReasonNotNetbootClient)
	case n.Withheld:
		return none(ReasonNetbootWithheld)
	case !n.Allow:
		return none(ReasonNetbootNotAllowed)
	case e.ours(c):
		return script(c, n, e, ReasonScript)
	case c.VendorClass == VendorHTTPClient:
		return binary(c, n, e, byHTTP)
	case HasUserClass(c.UserClass, UserClassIPXE) && c.IPXE.Capable():
		return script(c, n, e, ReasonStockIPXEScript)
	case HasUserClass(c.UserClass, UserClassIPXE):
		return binary(c, n, e, byTFTPURL)
	default:
		return binary(c, n, e, byName)
	}
}

// ours reports whether the client is iPXE that says our user class.
func (e Endpoint) ours(c Client) bool {
	return HasUserClass(c.UserClass, UserClassTinkerbell) || HasUserClass(c.UserClass, e.UserClass)
}

func none(why Reason) Decision { return Decision{Reason: why} }

// override is the Hardware's own server and file, which replace all netboot logic.
func override(n *reservation.Netboot) Decision {
	d := Decision{Action: Boot, ServerName: n.TFTPServerName, BootFile: n.BootFileName, Reason: ReasonBootFileOverride}
	if addr, err := netip.ParseAddr(n.TFTPServerName); err == nil && addr.Is4() {
		d.NextServer = addr
	}
	return d
}

func script(c Client, n *reservation.Netboot, e Endpoint, why Reason) Decision {
	if n.IPXEURL != "" {
		return Decision{Action: Boot, NextServer: e.Addr, BootFile: n.IPXEURL, Reason: ReasonScriptOverride}
	}
	if !e.ServesScripts() {
		return none(ReasonHTTPNotServed)
	}
	return Decision{Action: Boot, NextServer: e.Addr, BootFile: e.ScriptURL(c.MAC), Reason: why}
}

// delivery is how a client is told where its binary is.
type delivery uint8

const (
	byName    delivery = iota // a bare name at next-server, by TFTP
	byTFTPURL                 // a tftp URL
	byHTTP                    // an http URL
)

func binary(c Client, n *reservation.Netboot, e Endpoint, how delivery) Decision {
	family := c.family()
	file := e.Binaries.For(family)
	if n.IPXEBinary != "" {
		file = n.IPXEBinary
		if !e.Binaries.Has(file) {
			return none(ReasonBinaryNotServed)
		}
	}
	switch {
	case file == "":
		return none(ReasonArchUnsupported)
	case how == byHTTP && !e.ServesBinaryURLs():
		return none(ReasonHTTPNotServed)
	case how != byHTTP && e.TFTPPort == 0:
		return none(ReasonTFTPNotServed)
	}
	d := Decision{Action: Boot, NextServer: e.Addr}
	switch how {
	case byHTTP:
		d.BootFile, d.VendorClass, d.Reason = e.BinaryURL(c.MAC, file), VendorHTTPClient, ReasonHTTPBinary
	case byTFTPURL:
		d.BootFile, d.Reason = e.TFTPURL(c.MAC, file), ReasonStockIPXEBinary
	case byName:
		d.BootFile, d.ServerName, d.Reason = file, e.Addr.String(), ReasonFirmwareBinary
		if family == FamilyRaspberryPi {
			d.RaspberryPiMenu, d.VendorClass = true, VendorPXEClient
		}
	}
	return d
}

// family is the client's family, with boards that send architecture 0 told apart by their vendor prefix.
func (c Client) family() Family {
	if c.Arch == ArchBIOS && RaspberryPi(c.MAC) {
		return FamilyRaspberryPi
	}
	return c.Arch.Family()
}
