package hardwarecsv

import (
	"net/netip"

	"github.com/tugboot/tugboot/internal/reservation"
)

// isHost reports whether addr is an IPv4 address that one host can have on a network: not 0.0.0.0/8 ("this network"),
// loopback, multicast, 240.0.0.0/4 (reserved) or broadcast.
func isHost(addr netip.Addr) bool {
	return addr.Is4() && addr.As4()[0] != 0 && addr.As4()[0] < 224 && !addr.IsLoopback()
}

// addressing reads address, netmask and gateway, and what they have to do with each other.
func (c *cells) addressing() (netip.Prefix, netip.Addr) {
	address, addressOK := c.host(columnAddress, "192.168.2.10")
	length, maskOK := c.netmask()
	gateway, gatewayOK := c.host(columnGateway, "192.168.2.1")
	if !addressOK || !maskOK {
		return netip.Prefix{}, gateway
	}
	subnet := netip.PrefixFrom(address, length)
	inSubnet := c.get(columnAddress) + "/" + c.get(columnNetmask)
	if what := reserved(subnet, address); what != "" {
		c.refuseValue(columnAddress, c.get(columnAddress), what+" of its subnet "+subnet.Masked().String()+": choose another")
	}
	if !gatewayOK {
		return subnet, gateway
	}
	switch what := reserved(subnet, gateway); {
	case gateway == address:
		c.refuseValue(columnAddress, c.get(columnAddress), "is the gateway's address too: give the machine another")
	case !subnet.Contains(gateway):
		c.refuseValue(columnGateway, c.get(columnGateway), "is outside the machine's subnet, "+c.show(columnNetmask, inSubnet)+": correct gateway, ip_address or netmask")
	case what != "":
		c.refuseValue(columnGateway, c.get(columnGateway), what+" of the machine's subnet: write the router's own address")
	}
	return subnet, gateway
}

func (c *cells) host(column, example string) (netip.Addr, bool) {
	s := c.get(column)
	addr, err := netip.ParseAddr(s)
	switch {
	case s == "":
		c.refuse(column, "is empty: write an IPv4 address like "+example)
	case err != nil:
		c.refuseValue(column, s, "is not an IPv4 address: write it like "+example)
	case addr.Is6():
		c.refuseValue(column, s, "is for IPv6, which is not served: write an IPv4 address like "+example)
	case !isHost(addr):
		c.refuseValue(column, s, "is not an address that a host can have: write one like "+example)
	default:
		return addr, true
	}
	return netip.Addr{}, false
}

func (c *cells) netmask() (length int, ok bool) {
	s := c.get(columnNetmask)
	addr, err := netip.ParseAddr(s)
	switch {
	case s == "":
		c.refuse(columnNetmask, "is empty: write it like 255.255.255.0")
		return 0, false
	case err != nil || !addr.Is4():
		c.refuseValue(columnNetmask, s, "is not a netmask: write it like 255.255.255.0")
		return 0, false
	}
	length, ok = reservation.PrefixLength(addr)
	if !ok {
		c.refuseValue(columnNetmask, s, "is not a netmask, which is ones and then zeros (RFC 950): write it like 255.255.255.0")
		return 0, false
	}
	return length, true
}

// reserved says in words whether addr is the subnet's own or its broadcast address; "" when it is neither. Subnets of
// one or two addresses have none of these (RFC 3021).
func reserved(subnet netip.Prefix, addr netip.Addr) string {
	switch reservation.RoleIn(subnet, addr) {
	case reservation.RoleNetwork:
		return "is the network address"
	case reservation.RoleBroadcast:
		return "is the broadcast address"
	case reservation.RoleHost:
	}
	return ""
}
