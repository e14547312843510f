package tink

import (
	"net/netip"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/reservation"
)

func (c *check) mac(s string) reservation.MAC {
	const field = "dhcp.mac"
	m, err := reservation.ParseMAC(s)
	switch {
	case s == "":
		c.refuse(ReasonInvalidMAC, field, s, "is missing: write the interface's address, like 52:54:00:12:34:56")
	case err != nil:
		c.refuse(ReasonInvalidMAC, field, s, "is not a 48-bit MAC address: write it like 52:54:00:12:34:56, with nothing around it")
	case m.IsZero():
		c.refuse(ReasonInvalidMAC, field, s, "stands for no address: write the one of the network card")
	case m.IsGroup():
		c.refuse(ReasonInvalidMAC, field, s, "is a multicast or broadcast address, which no machine has: write the one of the network card")
	}
	return m
}

// isIPv6 reports whether ip is for IPv6, and says that it is not served.
func (c *check) isIPv6(ip *v1alpha1.IP) bool {
	addr, err := netip.ParseAddr(ip.Address)
	if ip.Family == 6 || err == nil && addr.Is6() {
		c.refuse(ReasonIPv6NotServed, "dhcp.ip.address", ip.Address, "is for IPv6, and DHCPv4 is all there is: give the machine an IPv4 address")
		return true
	}
	if ip.Family != 0 && ip.Family != 4 {
		c.leaveOut(ReasonInvalidFamily, "dhcp.ip.family", decimal(ip.Family), "is not an IP version: write 4")
	}
	return false
}

// addressing returns the address with its subnet, and the gateway or the zero Addr. A gateway that is wrong is refused,
// not left out: leases are as a rule endless, so a machine would keep half a network configuration for good.
func (c *check) addressing(ip *v1alpha1.IP) (netip.Prefix, netip.Addr) {
	address, addressOK := c.host(ReasonInvalidAddress, "dhcp.ip.address", ip.Address)
	length, maskOK := c.netmask(ip.Netmask)
	var gateway netip.Addr
	gatewayOK := false
	if ip.Gateway != "" {
		gateway, gatewayOK = c.host(ReasonInvalidGateway, "dhcp.ip.gateway", ip.Gateway)
	}
	if !addressOK || !maskOK {
		return netip.Prefix{}, netip.Addr{}
	}
	subnet := netip.PrefixFrom(address, length)
	if what := reserved(subnet, address); what != "" {
		c.refuse(ReasonInvalidAddress, "dhcp.ip.address", ip.Address, what+" "+subnet.Masked().String()+": choose another")
	}
	if !gatewayOK {
		return subnet, netip.Addr{}
	}
	const field = "dhcp.ip.gateway"
	switch what := reserved(subnet, gateway); {
	case gateway == address:
		c.refuse(ReasonInvalidGateway, field, ip.Gateway, "is the machine's own address: write the router's, or nothing")
	case !subnet.Contains(gateway):
		c.refuse(ReasonInvalidGateway, field, ip.Gateway, "is outside the machine's subnet "+subnet.Masked().String()+": correct gateway, address or netmask")
	case what != "":
		c.refuse(ReasonInvalidGateway, field, ip.Gateway, what+" "+subnet.Masked().String()+": write the router's own address")
	}
	return subnet, gateway
}

// host reads an address that one host can have.
func (c *check) host(reason, field, s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(s)
	switch {
	case s == "":
		c.refuse(reason, field, s, "is missing: write an IPv4 address, like 192.168.2.10")
	case err != nil || !addr.Is4():
		c.refuse(reason, field, s, "is not an IPv4 address: write it like 192.168.2.10")
	case !isHost(addr):
		c.refuse(reason, field, s, "is not an address that one host can have (it is loopback, multicast or reserved): choose another")
	default:
		return addr, true
	}
	return netip.Addr{}, false
}

// isHost reports whether addr is an IPv4 address that one host can have on a network: not 0.0.0.0/8 ("this network"),
// loopback, multicast, 240.0.0.0/4 (reserved) or broadcast.
func isHost(addr netip.Addr) bool {
	return addr.Is4() && addr.As4()[0] != 0 && addr.As4()[0] < 224 && !addr.IsLoopback()
}

func (c *check) netmask(s string) (length int, ok bool) {
	const field = "dhcp.ip.netmask"
	addr, err := netip.ParseAddr(s)
	switch {
	case s == "":
		c.refuse(ReasonInvalidNetmask, field, s, "is missing: write it like 255.255.255.0")
		return 0, false
	case err != nil || !addr.Is4():
		c.refuse(ReasonInvalidNetmask, field, s, "is not a netmask: write it like 255.255.255.0")
		return 0, false
	}
	length, ok = reservation.PrefixLength(addr)
	if !ok {
		c.refuse(ReasonInvalidNetmask, field, s, "is not a netmask (ones, then zeros): write it like 255.255.255.0")
		return 0, false
	}
	return length, true
}

// reserved says in words whether addr is the subnet's own or its broadcast address; "" when it is neither. Subnets of
// one or two addresses have none of these (RFC 3021).
func reserved(subnet netip.Prefix, addr netip.Addr) string {
	switch reservation.RoleIn(subnet, addr) {
	case reservation.RoleNetwork:
		return "is the address of the subnet itself,"
	case reservation.RoleBroadcast:
		return "is the broadcast address of the subnet"
	case reservation.RoleHost:
	}
	return ""
}
