package dhcp4

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"github.com/insomniacslk/dhcp/rfc1035label"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// settings is what a client may be told besides its address and lease.
type settings struct {
	request     *Request
	client      boot.Client
	reservation *reservation.Reservation
	decision    boot.Decision
}

// usual are the options for a client that does not say what it wants (no option 55), in the order they go out.
func usual() []uint8 {
	return []uint8{optClasslessRoutes, optRouter, optNameServer, optHostName, optDomainName, optBroadcast, optTimeServer,
		optTFTPServerName, optBootFile, optDomainSearch}
}

// always are the options that go out asked for or not: the router, without which an address is of little use, and what
// firmware and iPXE look for. Only a boot file that does not fit in the file field goes out unasked in option 67.
func always(d boot.Decision) []uint8 {
	codes := []uint8{optRouter, optVendorClass, optVendorSpecific, optMachineIdentifier, optIPXE}
	if !inFileField(d.BootFile) {
		codes = append(codes, optBootFile)
	}
	return codes
}

// value returns what is to be said in an option, nil for nothing.
func (s settings) value(code uint8) []byte {
	r := s.reservation
	switch code {
	case optSubnetMask:
		return binary.BigEndian.AppendUint32(nil, mask(r.Address))
	case optRouter:
		return octets(r.Gateway)
	case optNameServer:
		return addresses(r.NameServers)
	case optHostName:
		return []byte(r.Hostname)
	case optDomainName:
		return []byte(r.DomainName)
	case optBroadcast:
		return broadcastAddress(r.Address)
	case optTimeServer:
		return addresses(r.TimeServers)
	case optVendorSpecific:
		return s.vendorSpecific()
	case optVendorClass:
		return []byte(s.decision.VendorClass.String())
	case optTFTPServerName:
		return []byte(s.decision.ServerName)
	case optBootFile:
		return []byte(s.decision.BootFile)
	case optMachineIdentifier:
		if s.client.Netboot {
			return s.request.MachineIdentifier
		}
	case optDomainSearch:
		return domainSearch(r.DomainName)
	case optClasslessRoutes:
		return classlessRoutes(r)
	case optIPXE:
		if s.decision.NoProxyDHCP {
			return []byte{ipxeNoProxyDHCP, 1, 1}
		}
		if s.decision.ProxyPriority {
			return []byte{ipxePriority, 1, 1}
		}
	}
	return nil
}

func mask(p netip.Prefix) uint32 { return ^uint32(0) << (32 - p.Bits()) }

// broadcastAddress returns the subnet's; there is none with fewer than four addresses (RFC 3021).
func broadcastAddress(p netip.Prefix) []byte {
	if p.Bits() > 30 {
		return nil
	}
	a := p.Addr().As4()
	return binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(a[:])|^mask(p))
}

func addresses(list []netip.Addr) []byte {
	var b []byte
	for _, a := range list {
		b = append(b, octets(a)...)
	}
	return b
}

// vendorSpecific is option 43, for netboot clients only: to others its sub-options mean something else. Raspberry Pi
// boards go on when they find a menu with their own name in it; the VLAN is in decimal digits, as iPXE scripts read it.
// PXE clients believe a proxy's boot file without asking port 4011 when discovery control says so.
func (s settings) vendorSpecific() []byte {
	if !s.client.Netboot {
		return nil
	}
	var b []byte
	add := func(code uint8, value string) { b = append(append(b, code, uint8(len(value))), value...) }
	if s.request.Arrival.Mode.Proxies() && s.client.VendorClass == boot.VendorPXEClient {
		add(pxeDiscoveryControl, "\x08") // look for no boot server: the boot file of this answer is the one
	}
	if s.decision.RaspberryPiMenu {
		add(pxeBootMenu, "\x00\x00\x11Raspberry Pi Boot") // server type 0: boot from next-server; 0x11 is the length
		add(pxeMenuPrompt, "\x00PXE")                     // 0 seconds: do not wait for a key
	}
	if s.reservation != nil && s.reservation.VLAN != 0 {
		add(vendorVLAN, strconv.Itoa(int(s.reservation.VLAN)))
	}
	if b == nil {
		return nil
	}
	return append(b, optEnd)
}

// domainSearch is option 119 (RFC 3397): the client's own domain. A name that DNS could not hold is not sent.
func domainSearch(name string) []byte {
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > 253 {
		return nil
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return nil
		}
	}
	return (&rfc1035label.Labels{Labels: []string{name}}).ToBytes()
}

// classlessRoutes is option 121. Clients that understand it ignore option 3, hence the default route in it (RFC 3442).
func classlessRoutes(r *reservation.Reservation) []byte {
	if len(r.Routes) == 0 {
		return nil
	}
	var b []byte
	if r.Gateway.Is4() {
		b = appendRoute(b, reservation.Route{Destination: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Router: r.Gateway})
	}
	for _, route := range r.Routes {
		b = appendRoute(b, route)
	}
	return b
}

// appendRoute appends the prefix length, as many bytes of the destination as that needs, and the router.
func appendRoute(b []byte, route reservation.Route) []byte {
	destination := octets(route.Destination.Masked().Addr())
	router := octets(route.Router)
	if destination == nil || router == nil {
		return b
	}
	bits := route.Destination.Bits()
	b = append(b, uint8(bits))
	b = append(b, destination[:(bits+7)/8]...)
	return append(b, router...)
}
