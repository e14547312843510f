package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/dhcpconf"
	"github.com/tugboot/tugboot/internal/hardwarecsv"
)

// imported are the machines of a configuration, and what of it could not be carried.
type imported struct {
	machines []dhcpconf.Host
	left     []dhcpconf.Problem
}

// importHosts takes over every reservation that can become Hardware. Names are unique afterwards.
func importHosts(hosts []dhcpconf.Host, o *options.Import) *imported {
	i := &imported{}
	names, taken := map[string]bool{}, map[string]bool{}
	for _, h := range hosts {
		switch {
		case !h.Address.IsValid():
			i.drop(h, "reservation of %s: has no address: give it one in the DHCP service, or leave it out of Hardware", h.MAC)
			continue
		case !h.Network.Prefix.IsValid() || !h.Network.Prefix.Contains(h.Address):
			i.drop(h, "reservation of %s: %s is in no subnet of the configuration, so its netmask is not known: add the subnet", h.MAC, h.Address)
			continue
		}
		if taken[h.MAC.String()] || taken[h.Address.String()] {
			i.drop(h, "reservation of %s: its MAC, or %s, is reserved already further up: keep one of the two", h.MAC, h.Address)
			continue
		}
		taken[h.MAC.String()], taken[h.Address.String()] = true, true
		given := h.Name
		if h.Name = strings.ToLower(strings.TrimSuffix(h.Name, ".")); len(validation.IsDNS1123Subdomain(h.Name)) > 0 {
			h.Name = "machine-" + h.MAC.Dashed()
			i.leave(h, "reservation of %s: host name %+.60q cannot name a Hardware object (RFC 1123): it is called %s", h.MAC, given, h.Name)
		}
		if names[h.Name] {
			h.Name = "machine-" + h.MAC.Dashed()
			i.leave(h, "reservation of %s: host name %+.60q is that of another one: it is called %s", h.MAC, given, h.Name)
		}
		names[h.Name] = true
		if len(h.Settings.Routers) > 1 {
			i.leave(h, "reservation of %s: %d routers where Hardware has one gateway: the first, %s, is taken", h.MAC, len(h.Settings.Routers), h.Settings.Routers[0])
		}
		if o.Output == "csv" {
			i.columns(h)
		}
		i.machines = append(i.machines, h)
	}
	return i
}

func (i *imported) leave(h dhcpconf.Host, format string, args ...any) {
	i.left = append(i.left, dhcpconf.Problem{Pos: h.Pos, Kind: dhcpconf.NotCarried, Text: fmt.Sprintf(format, args...)})
}

func (i *imported) drop(h dhcpconf.Host, format string, args ...any) {
	i.left = append(i.left, dhcpconf.Problem{Pos: h.Pos, Kind: dhcpconf.LeftOut, Text: fmt.Sprintf(format, args...)})
}

// columns reports what hardware.csv has no column for, and what it asks for and DHCP does not have.
func (i *imported) columns(h dhcpconf.Host) {
	s := h.Settings
	for _, c := range []struct {
		lost bool
		what string
	}{
		{s.Domain != "", "the domain name " + fmt.Sprintf("%+.60q", s.Domain)},
		{len(s.TimeServers) > 0, "the NTP servers"},
		{len(s.Routes) > 0, "the static routes"},
	} {
		if c.lost {
			i.leave(h, "reservation of %s: hardware.csv has no column for %s: use -o yaml", h.MAC, c.what)
		}
	}
	if len(s.Routers) == 0 {
		i.leave(h, "reservation of %s: no router: fill in the column gateway", h.MAC)
	}
	if len(s.NameServers) == 0 {
		i.leave(h, "reservation of %s: no name server: fill in the column nameservers", h.MAC)
	}
}

func (i *imported) write(w io.Writer, o *options.Import) error {
	if o.Output == "csv" {
		return i.csv(w, o.Disk)
	}
	objects := make([]hardwarecsv.Objects, 0, len(i.machines))
	for _, h := range i.machines {
		objects = append(objects, hardwarecsv.Objects{Hardware: hardwareOf(h, o)})
	}
	return hardwarecsv.Write(w, objects)
}

// csv writes the columns that hardware.csv must have. Cells hold checked names, addresses and numbers only.
func (i *imported) csv(w io.Writer, disk string) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"hostname", "mac", "ip_address", "netmask", "gateway", "nameservers", "disk", "labels"}}
	for _, h := range i.machines {
		rows = append(rows, []string{
			h.Name, h.MAC.String(), h.Address.String(), netmask(h.Network.Prefix), first(h.Settings.Routers),
			strings.Join(texts(h.Settings.NameServers), "|"), disk, "",
		})
	}
	return out.WriteAll(rows)
}

// hardwareOf is the Hardware object of a reservation, which may boot from the network as EKS Anywhere writes it.
func hardwareOf(h dhcpconf.Host, o *options.Import) *v1alpha1.Hardware {
	s := h.Settings
	dhcp := &v1alpha1.DHCP{
		MAC: h.MAC.String(), Hostname: h.Name, DomainName: s.Domain, LeaseTime: int64(s.Lease),
		NameServers: texts(s.NameServers), TimeServers: texts(s.TimeServers),
		IP: &v1alpha1.IP{Address: h.Address.String(), Netmask: netmask(h.Network.Prefix), Gateway: first(s.Routers), Family: 4},
	}
	for _, r := range s.Routes {
		dhcp.ClasslessStaticRoutes = append(dhcp.ClasslessStaticRoutes,
			v1alpha1.ClasslessStaticRoute{DestinationDescriptor: r.Destination.String(), Router: r.Router.String()})
	}
	allow := true
	hw := &v1alpha1.Hardware{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.HardwareKind},
		ObjectMeta: metav1.ObjectMeta{Name: h.Name, Namespace: o.Namespace},
		Spec: v1alpha1.HardwareSpec{Interfaces: []v1alpha1.Interface{{
			DHCP: dhcp, Netboot: &v1alpha1.Netboot{AllowPXE: &allow, AllowWorkflow: &allow},
		}}},
	}
	if o.Disk != "" {
		hw.Spec.Disks = []v1alpha1.Disk{{Device: o.Disk}}
	}
	return hw
}

func netmask(p netip.Prefix) string { return net.IP(net.CIDRMask(p.Bits(), 32)).String() }

func first(addrs []netip.Addr) string {
	if len(addrs) == 0 {
		return ""
	}
	return addrs[0].String()
}

func texts(addrs []netip.Addr) []string {
	var list []string
	for _, a := range addrs {
		list = append(list, a.String())
	}
	return list
}
