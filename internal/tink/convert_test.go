package tink

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/reservation"
)

// sound is an object without a fault, changed by the tests.
func sound(change func(*v1alpha1.Interface)) *v1alpha1.Hardware {
	allow := true
	i := v1alpha1.Interface{
		DHCP: &v1alpha1.DHCP{
			MAC: "52:54:00:12:34:56",
			IP:  &v1alpha1.IP{Address: "192.168.2.10", Netmask: "255.255.255.0", Gateway: "192.168.2.1", Family: 4},
		},
		Netboot: &v1alpha1.Netboot{AllowPXE: &allow},
	}
	change(&i)
	hw := &v1alpha1.Hardware{Spec: v1alpha1.HardwareSpec{Interfaces: []v1alpha1.Interface{i}}}
	hw.Namespace, hw.Name = "tink-system", "wk01"
	return hw
}

func one(t *testing.T, hw *v1alpha1.Hardware) (*reservation.Reservation, []reservation.Problem) {
	t.Helper()
	reservations, problems := Convert(hw)
	if len(reservations) != 1 {
		t.Fatalf("%d reservations, want 1; problems: %v", len(reservations), problems)
	}
	return reservations[0], problems
}

func TestLeaseTime(t *testing.T) {
	for written, want := range map[int64]uint32{
		0: 86400, 1: 1, 4294967294: 4294967294, 4294967295: reservation.Infinite, -1: 86400, 4294967296: 86400, math.MinInt64: 86400,
	} {
		r, problems := one(t, sound(func(i *v1alpha1.Interface) { i.DHCP.LeaseTime = written }))
		if r.Lease != want {
			t.Errorf("lease_time %d: lease %d, want %d", written, r.Lease, want)
		}
		if faulty := written < 0 || written > math.MaxUint32; faulty != (len(problems) == 1) {
			t.Errorf("lease_time %d: problems %v", written, problems)
		}
	}
}

func TestVLAN(t *testing.T) {
	for written, want := range map[string]uint16{"": 0, "0": 0, "1": 1, "4094": 4094} {
		r, problems := one(t, sound(func(i *v1alpha1.Interface) { i.DHCP.VLANID = written }))
		if r.VLAN != want || len(problems) > 0 {
			t.Errorf("vlan_id %q: VLAN %d, want %d; problems %v", written, r.VLAN, want, problems)
		}
	}
	for _, written := range []string{"4095", "4096", "-1", "+1", "1,2", "0x10", " 1", "65537"} {
		r, problems := one(t, sound(func(i *v1alpha1.Interface) { i.DHCP.VLANID = written }))
		if r.VLAN != 0 || len(problems) != 1 {
			t.Errorf("vlan_id %q: VLAN %d, problems %v; want none and one", written, r.VLAN, problems)
		}
	}
}

func TestMACIsWrittenInAnyNotation(t *testing.T) {
	want := reservation.MAC{0x52, 0x54, 0, 0x12, 0x34, 0xab}
	for _, written := range []string{"52:54:00:12:34:ab", "52-54-00-12-34-AB", "5254001234ab", "5254.0012.34ab"} {
		r, problems := one(t, sound(func(i *v1alpha1.Interface) { i.DHCP.MAC = written }))
		if r.MAC != want || len(problems) > 0 {
			t.Errorf("mac %q: %s, problems %v", written, r.MAC, problems)
		}
	}
}

func TestNetbootNotAllowedWithoutItsWord(t *testing.T) {
	no := false
	for name, netboot := range map[string]*v1alpha1.Netboot{"no block": nil, "no word": {}, "false": {AllowPXE: &no}} {
		r, problems := one(t, sound(func(i *v1alpha1.Interface) { i.Netboot = netboot }))
		if r.Netboot.Allow || len(problems) > 0 {
			t.Errorf("%s: allow %t, problems %v", name, r.Netboot.Allow, problems)
		}
	}
}

// TestWrongBootKeepsTheAddress: a machine that is up must not lose its address over a typing error in a URL, and must
// not boot what nobody wrote.
func TestWrongBootKeepsTheAddress(t *testing.T) {
	hw := sound(func(i *v1alpha1.Interface) {
		i.DHCP.TFTPServerName, i.DHCP.BootFileName = "192.168.2.1", "nvos.bin"
		i.Netboot.IPXE = &v1alpha1.IPXE{URL: "nonsense", Binary: "ipxe.efi"}
	})
	r, problems := one(t, hw)
	if diff := cmp.Diff(reservation.Netboot{Withheld: true}, r.Netboot, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("boots something all the same (-want +got):\n%s", diff)
	}
	if len(problems) != 1 || problems[0].Fatal || problems[0].Field != "spec.interfaces[0].netboot.ipxe.url" {
		t.Errorf("problems %v", problems)
	}
}

func TestListsAreCutToOneOption(t *testing.T) {
	r, problems := one(t, sound(func(i *v1alpha1.Interface) {
		for n := range 70 {
			i.DHCP.NameServers = append(i.DHCP.NameServers, fmt.Sprintf("10.0.0.%d", n+1))
			i.DHCP.ClasslessStaticRoutes = append(i.DHCP.ClasslessStaticRoutes, v1alpha1.ClasslessStaticRoute{
				DestinationDescriptor: fmt.Sprintf("10.1.%d.0/24", n), Router: "192.168.2.2",
			})
		}
	}))
	if len(r.NameServers) != 63 || len(r.Routes) != 28 || len(problems) != 2 {
		t.Errorf("%d servers, %d routes, problems %v; want 63, 28 and one each", len(r.NameServers), len(r.Routes), problems)
	}
}

func TestDefaultRouteAmongTheRoutes(t *testing.T) {
	for _, test := range []struct {
		gateway, router, want string
		problems              int
	}{
		{"192.168.2.1", "192.168.2.1", "192.168.2.1", 0},
		{"", "192.168.2.7", "192.168.2.7", 0},
		{"192.168.2.1", "192.168.2.7", "192.168.2.1", 1},
		{"", "192.168.3.1", "", 1},
		{"", "192.168.2.10", "", 1},
		{"", "192.168.2.255", "", 1},
		{"", "0.0.0.0", "", 1},
	} {
		r, problems := one(t, sound(func(i *v1alpha1.Interface) {
			i.DHCP.IP.Gateway = test.gateway
			i.DHCP.ClasslessStaticRoutes = []v1alpha1.ClasslessStaticRoute{{DestinationDescriptor: "0.0.0.0/0", Router: test.router}}
		}))
		var want netip.Addr
		if test.want != "" {
			want = netip.MustParseAddr(test.want)
		}
		if r.Gateway != want || len(r.Routes) != 0 || len(problems) != test.problems {
			t.Errorf("%+v: gateway %s, routes %v, problems %v", test, r.Gateway, r.Routes, problems)
		}
	}
}

func TestSecretsStayOutOfMessages(t *testing.T) {
	for _, url := range []string{"ftp://user:secret@h/", "ftp://user:sec/secret@h/", "http://u:secret@h@h/${x}", "//secret@"} {
		_, problems := one(t, sound(func(i *v1alpha1.Interface) {
			i.Netboot.IPXE = &v1alpha1.IPXE{URL: url}
			i.Netboot.OSIE = &v1alpha1.OSIE{BaseURL: url + " "}
		}))
		if len(problems) != 2 {
			t.Errorf("%q: problems %v", url, problems)
		}
		for _, p := range problems {
			if strings.Contains(p.Value+p.Error(), "secret") {
				t.Errorf("%q: the message shows the password: %s", url, p.Error())
			}
		}
	}
}
