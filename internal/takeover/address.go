package takeover

import "net/netip"

// bridges returns the networks that container engines make on the hosts themselves: docker0's 172.17.0.0/16 and podman's
// 10.88.0.0/16. KinD runs on such a host, so that its addresses are easily mistaken for the stack's; no machine on the
// network reaches them. A site whose own network is one of these says so by forcing the takeover.
func bridges() []netip.Prefix {
	return []netip.Prefix{
		netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 17, 0, 0}), 16),
		netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 88, 0, 0}), 16),
	}
}

// unreachable says why no machine on any network could be sent to a, or "".
func unreachable(a netip.Addr) string {
	switch {
	case !a.Is4():
		return "is not an IPv4 address"
	case a.As4()[0] == 0:
		return "is the unspecified address, or on its network"
	case a.IsLoopback():
		return "is a loopback address"
	case a.IsLinkLocalUnicast():
		return "is a link-local address"
	case a.IsMulticast(), a.As4()[0] >= 240:
		return "is a multicast or reserved address"
	}
	return ""
}

// unusable says why machines should not be sent to a, or "".
func unusable(a netip.Addr) string {
	if why := unreachable(a); why != "" {
		return why
	}
	for _, bridge := range bridges() {
		if bridge.Contains(a) {
			return "is on " + bridge.String() + ", the bridge of a container engine"
		}
	}
	return ""
}
