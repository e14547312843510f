package options

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// LocalAddress is an IPv4 address of this host, or an interface without one: then Addr is the zero Addr.
type LocalAddress struct {
	Interface string
	Addr      netip.Addr
}

// bridges are beginnings of the names of interfaces that lead inside.
var bridges = []string{"docker", "br-", "cni", "flannel", "veth", "cali", "cilium", "lxc", "virbr", "kube-", "podman", "nerdctl", "nodelocaldns"}

// detect returns the one address of this host that machines could be sent to. With names, only interfaces of those
// names count.
func detect(local []LocalAddress, names []string) (netip.Addr, error) {
	var found []LocalAddress
	for _, l := range local {
		switch {
		case !l.Addr.Is4() || !l.Addr.IsGlobalUnicast():
		case len(names) > 0 && !slices.Contains(names, l.Interface):
		case len(names) == 0 && LeadsInside(l.Interface):
		default:
			found = append(found, l)
		}
	}
	switch len(found) {
	case 1:
		return found[0].Addr, nil
	case 0:
		where := "this host has"
		if len(names) > 0 {
			where = fmt.Sprintf("the --interfaces %q have", names)
		}
		return netip.Addr{}, fmt.Errorf("--advertise: not given, and %s no address that machines could reach: give it, or look at `ip addr`", where)
	}
	list := make([]string, len(found))
	for i, l := range found {
		list[i] = l.Addr.String() + " on " + l.Interface
	}
	return netip.Addr{}, fmt.Errorf("--advertise: not given, and this host has several addresses (%s): give the one that machines reach",
		strings.Join(list, ", "))
}

// LeadsInside reports whether an interface of that name leads to containers or virtual machines of this host, not to the
// network that machines boot from.
func LeadsInside(name string) bool {
	return slices.ContainsFunc(bridges, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}
