package dhcp4

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// settings is what a client may be told besides its address and lease.
type settings struct {
	request     *Request
	client      boot.Client
	reservation *reservation.Reservation
	decision    *boot.Decision
}

// usual are the options for a client that does not say what it wants (no option 55), in the order they go out.
func usual() [10]uint8 {
	return [...]uint8{optClasslessRoutes, optRouter, optNameServer, optHostName, optDomainName, optBroadcast, optTimeServer,
		optTFTPServerName, optBootFile, optDomainSearch}
}

// always are the options that go out asked for or not: the router, without which an address is of little use, and what
// firmware and iPXE look for. Only a boot file that does not fit in the file field goes out unasked in option 67.
func always() [5]uint8 {
	return [...]uint8{optRouter, optVendorClass, optVendorSpecific, optMachineIdentifier, optIPXE}
}

// append appends what is to be said in an option, nothing where there is nothing to say.
func (s settings) append(b []byte, code uint8) []byte {
	r := s.reservation
	switch code {
	case optSubnetMask:
		return binary.BigEndian.AppendUint32(b, mask(r.Address))
	case optRouter:
		return appendAddress(b, r.Gateway)
	case optNameServer:
		return appendAddresses(b, r.NameServers)
	case optHostName:
		return append(b, r.Hostname...)
	case optDomainName:
		return append(b, r.DomainName...)
	case optBroadcast:
		return appendAddress(b, broadcastAddress(r.Address))
	case optTimeServer:
		return appendAddresses(b, r.TimeServers)
	case optVendorSpecific:
		return s.appendVendorSpecific(b)
	case optVendorClass:
		return append(b, s.decision.VendorClass.String()...)
	case optTFTPServerName:
		return append(b, s.decision.ServerName...)
	case optBootFile:
		return append(b, s.decision.BootFile...)
	case optMachineIdentifier:
		if s.client.Netboot {
			return append(b, s.request.MachineIdentifier...)
		}
	case optDomainSearch:
		return appendDomainSearch(b, r.DomainName)
	case optClasslessRoutes:
		return appendRoutes(b, r)
	case optIPXE:
		if s.decision.NoProxyDHCP {
			return append(b, ipxeNoProxyDHCP, 1, 1)
		}
		if s.decision.ProxyPriority {
			return append(b, ipxePriority, 1, 1)
		}
	default:
		if i := slices.IndexFunc(r.Options, func(o reservation.Option) bool { return o.Code == code }); i >= 0 {
			return append(b, r.Options[i].Value...)
		}
	}
	return b
}

func mask(p reservation.Prefix) uint32 { return ^uint32(0) << (32 - p.Bits()) }

// broadcastAddress returns the subnet's; there is none with fewer than four addresses (RFC 3021).
func broadcastAddress(p reservation.Prefix) netip.Addr {
	if p.Bits() > 30 {
		return netip.Addr{}
	}
	a := p.Addr().As4()
	binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(a[:])|^mask(p))
	return netip.AddrFrom4(a)
}

func appendAddresses(b []byte, list []netip.Addr) []byte {
	for _, a := range list {
		b = appendAddress(b, a)
	}
	return b
}

// appendVendorSpecific is option 43, for netboot clients only: to others its sub-options mean something else. Raspberry Pi
// boards go on when they find a menu with their own name in it; the VLAN is in decimal digits, as iPXE scripts read it.
// PXE clients believe a proxy's boot file without asking port 4011 when discovery control says so.
func (s settings) appendVendorSpecific(b []byte) []byte {
	if !s.client.Netboot {
		return b
	}
	start := len(b)
	if s.request.Arrival.Mode.Proxies() && s.client.VendorClass == boot.VendorPXEClient {
		b = appendSub(b, pxeDiscoveryControl, "\x08") // look for no boot server: the boot file of this answer is the one
	}
	if s.decision.RaspberryPiMenu {
		b = appendSub(b, pxeBootMenu, "\x00\x00\x11Raspberry Pi Boot") // server type 0: boot from next-server; 0x11 is the length
		b = appendSub(b, pxeMenuPrompt, "\x00PXE")                     // 0 seconds: do not wait for a key
	}
	if s.reservation != nil && s.reservation.VLAN != 0 {
		var digits [5]byte
		b = appendSub(b, vendorVLAN, string(strconv.AppendUint(digits[:0], uint64(s.reservation.VLAN), 10)))
	}
	if len(b) == start {
		return b
	}
	return append(b, optEnd)
}

func appendSub(b []byte, code uint8, value string) []byte {
	return append(append(b, code, uint8(len(value))), value...)
}

// appendDomainSearch is option 119 (RFC 3397): the client's own domain. A name that DNS could not hold is not sent.
func appendDomainSearch(b []byte, name string) []byte {
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > 253 {
		return b
	}
	start := len(b)
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return b[:start]
		}
		b = append(append(b, uint8(len(label))), label...)
	}
	return append(b, 0)
}

// appendRoutes is option 121. Clients that understand it ignore option 3, hence the default route in it (RFC 3442).
func appendRoutes(b []byte, r *reservation.Reservation) []byte {
	if len(r.Routes) == 0 {
		return b
	}
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
	to := route.Destination.Masked().Addr()
	if !to.Is4() || !route.Router.Is4() {
		return b
	}
	bits, destination := route.Destination.Bits(), to.As4()
	b = append(b, uint8(bits))
	b = append(b, destination[:(bits+7)/8]...)
	return appendAddress(b, route.Router)
}
