package tink

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/reservation"
)

// domain checks a host or domain name (RFC 1123 section 2.1). A final dot, which option 15 does without, is dropped.
func (c *check) domain(reason, field, s string) string {
	name := strings.TrimSuffix(s, ".")
	if s == "" || isDomain(name) {
		return name
	}
	c.leaveOut(reason, field, s, "is not a name by RFC 1123 (labels of 1 to 63 letters, digits and inner dashes, 253 characters in all): correct it")
	return ""
}

func isDomain(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if len(label) < 1 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if !isAlphanumeric(label[i]) && label[i] != '-' {
				return false
			}
		}
	}
	return true
}

func isAlphanumeric(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}

// maxServers is how many addresses fit into one option of 255 bytes.
const maxServers = 63

func (c *check) servers(reason, field string, list []string) []netip.Addr {
	var servers []netip.Addr
	for i, s := range list {
		field := fmt.Sprintf("%s[%d]", field, i)
		if len(servers) == maxServers {
			c.leaveOut(reason, field, s, fmt.Sprintf("is more than the %d servers that fit into the option: shorten the list", maxServers))
			break
		}
		addr, err := netip.ParseAddr(s)
		if err != nil || !isHost(addr) {
			c.leaveOut(reason, field, s, "is not the IPv4 address of a server, which is all that DHCP can send: write it like 192.168.2.1")
			continue
		}
		servers = append(servers, addr)
	}
	return servers
}

func (c *check) lease(seconds int64) uint32 {
	switch {
	case seconds == 0:
		return reservation.DefaultLease
	case seconds < 0 || seconds > math.MaxUint32:
		c.leaveOut(ReasonInvalidLeaseTime, "dhcp.lease_time", decimal(seconds),
			fmt.Sprintf("is not a lease time: write 1 to %d seconds, the last for ever, or nothing for %d", uint32(math.MaxUint32), reservation.DefaultLease))
		return reservation.DefaultLease
	}
	return uint32(seconds)
}

func (c *check) vlan(s string) uint16 {
	if s == "" {
		return 0
	}
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n > 4094 {
		remedy := "is not a VLAN identifier: write 1 to 4094, or nothing for untagged"
		if strings.Contains(s, ",") {
			remedy = "is a list, and firmware can be told one VLAN only: write 1 to 4094, or nothing for untagged"
		}
		c.leaveOut(ReasonInvalidVLAN, "dhcp.vlan_id", s, remedy)
		return 0
	}
	return uint16(n)
}

func (c *check) arch(s string) string {
	if len(s) <= 64 && isWord(s) {
		return s
	}
	c.leaveOut(ReasonInvalidArch, "dhcp.arch", s, "is not an architecture: write one like x86_64 or aarch64")
	return ""
}

// maxRoutes is how many routes surely fit into one option of 255 bytes: nine bytes each at most (RFC 3442).
const maxRoutes = 28

// routes returns the routes of option 121 without the default route, and the gateway. Clients that read option 121
// ignore option 3 (RFC 3442), so that people write the default route into the list: it is the gateway where ip.gateway
// is empty.
func (c *check) routes(list []v1alpha1.ClasslessStaticRoute, subnet netip.Prefix, gateway netip.Addr) ([]reservation.Route, netip.Addr) {
	var routes []reservation.Route
	for i, written := range list {
		field := fmt.Sprintf("dhcp.classless_static_routes[%d]", i)
		if len(routes) == maxRoutes {
			c.leaveOut(ReasonInvalidRoute, field, written.DestinationDescriptor,
				fmt.Sprintf("is more than the %d routes that fit into the option: shorten the list", maxRoutes))
			break
		}
		route, ok := c.route(field, written)
		switch {
		case !ok:
		case route.Destination.Bits() > 0:
			routes = append(routes, route)
		case route.Router == gateway || !subnet.IsValid(): // it says nothing new, or the address was refused already
		case !gateway.IsValid() && isNeighbour(route.Router, subnet):
			gateway = route.Router
		default:
			c.leaveOut(ReasonInvalidRoute, field+".router", written.Router,
				"is a default route that ip.gateway does not agree with: write the default router, in the machine's subnet, as ip.gateway")
		}
	}
	return routes, gateway
}

// isNeighbour reports whether router is another host of the subnet.
func isNeighbour(router netip.Addr, subnet netip.Prefix) bool {
	return subnet.Contains(router) && router != subnet.Addr() && reserved(subnet, router) == ""
}

func (c *check) route(field string, r v1alpha1.ClasslessStaticRoute) (reservation.Route, bool) {
	destination, err := netip.ParsePrefix(r.DestinationDescriptor)
	switch {
	case err != nil || !destination.Addr().Is4():
		c.leaveOut(ReasonInvalidRoute, field+".destination_descriptor", r.DestinationDescriptor,
			"is not a destination: write an IPv4 prefix, like 10.0.0.0/8")
		return reservation.Route{}, false
	case destination != destination.Masked():
		c.leaveOut(ReasonInvalidRoute, field+".destination_descriptor", r.DestinationDescriptor,
			"has bits set beyond its length: write "+destination.Masked().String())
		return reservation.Route{}, false
	}
	router, err := netip.ParseAddr(r.Router)
	if err != nil || !isHost(router) && router != netip.IPv4Unspecified() {
		c.leaveOut(ReasonInvalidRoute, field+".router", r.Router,
			"is not a router: write its IPv4 address, or 0.0.0.0 for a destination on the link itself")
		return reservation.Route{}, false
	}
	return reservation.Route{Destination: destination, Router: router}, true
}
