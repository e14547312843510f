package hardwarecsv

import (
	"maps"
	"net/netip"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
)

// DefaultNamespace is where EKS Anywhere keeps Hardware.
const DefaultNamespace = "eksa-system"

// leaseTime is what EKS Anywhere writes, in seconds: as long as a lease can be without being infinite (RFC 2131 section 3.3).
const leaseTime = 1<<32 - 2

// Objects are what one row stands for in a cluster.
type Objects struct {
	Hardware *v1alpha1.Hardware
	// BMC is nil for a machine without one; Machine and Secret are written from it.
	BMC *BMC
}

// Objects returns the objects of the row. The Hardware is the caller's own.
func (r Row) Objects(namespace string) Objects {
	ip := r.ip()
	hw := &v1alpha1.Hardware{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.HardwareKind},
		ObjectMeta: metav1.ObjectMeta{Name: r.Hostname, Namespace: namespace, Labels: maps.Clone(r.Labels)},
		Spec: v1alpha1.HardwareSpec{
			Disks:      []v1alpha1.Disk{{Device: r.Disk}},
			Interfaces: []v1alpha1.Interface{r.networkInterface(ip)},
			Metadata:   r.metadata(ip),
		},
	}
	if r.BMC != nil {
		hw.Spec.BMCRef = &v1alpha1.BMCReference{Kind: machineKind, Name: machineName(r.Hostname)}
	}
	return Objects{Hardware: hw, BMC: r.BMC}
}

func (r Row) networkInterface(ip v1alpha1.IP) v1alpha1.Interface {
	allow := true
	dhcp := &v1alpha1.DHCP{
		MAC:       r.MAC.String(),
		Hostname:  r.Hostname,
		LeaseTime: leaseTime,
		// What EKS Anywhere writes for every machine; firmware's own word (option 93) has precedence when it boots.
		Arch: "x86_64",
		UEFI: true,
		IP:   &ip,
	}
	for _, server := range r.NameServers {
		dhcp.NameServers = append(dhcp.NameServers, server.String())
	}
	if r.VLAN != 0 {
		dhcp.VLANID = strconv.Itoa(int(r.VLAN))
	}
	return v1alpha1.Interface{DHCP: dhcp, Netboot: &v1alpha1.Netboot{AllowPXE: &allow, AllowWorkflow: &allow}}
}

// metadata holds the constants that EKS Anywhere's templates and Tinkerbell's metadata service expect.
func (r Row) metadata(ip v1alpha1.IP) *v1alpha1.HardwareMetadata {
	return &v1alpha1.HardwareMetadata{
		Facility: &v1alpha1.Facility{FacilityCode: "onprem", PlanSlug: "c2.medium.x86"},
		Instance: &v1alpha1.Instance{
			ID:              r.MAC.String(),
			Hostname:        r.Hostname,
			AllowPXE:        true,
			AlwaysPXE:       true,
			OperatingSystem: &v1alpha1.OperatingSystem{},
			IPs: []v1alpha1.InstanceIP{{
				Address: ip.Address, Netmask: ip.Netmask, Gateway: ip.Gateway, Family: ip.Family, Public: true,
			}},
		},
	}
}

func (r Row) ip() v1alpha1.IP {
	var mask [4]byte
	for i := range r.Address.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return v1alpha1.IP{Address: r.Address.Addr().String(), Netmask: netip.AddrFrom4(mask).String(), Gateway: r.Gateway.String(), Family: 4}
}
