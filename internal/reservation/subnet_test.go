package reservation

import (
	"net/netip"
	"testing"
)

func TestPrefixLength(t *testing.T) {
	for mask, want := range map[string]int{
		"255.255.255.0": 24, "255.255.254.0": 23, "255.255.255.255": 32, "128.0.0.0": 1, "255.255.255.252": 30,
	} {
		if got, ok := PrefixLength(netip.MustParseAddr(mask)); !ok || got != want {
			t.Errorf("PrefixLength(%s) = %d, %v; want %d", mask, got, ok, want)
		}
	}
	for _, mask := range []string{"0.0.0.0", "255.0.255.0", "0.0.0.255", "255.255.255.1", "::1"} {
		if got, ok := PrefixLength(netip.MustParseAddr(mask)); ok {
			t.Errorf("PrefixLength(%s) = %d; want a refusal", mask, got)
		}
	}
}

func TestRoleIn(t *testing.T) {
	for _, tt := range []struct {
		subnet, address string
		want            Role
	}{
		{"192.168.2.0/24", "192.168.2.0", RoleNetwork},
		{"192.168.2.0/24", "192.168.2.255", RoleBroadcast},
		{"192.168.2.0/24", "192.168.2.10", RoleHost},
		{"192.168.2.77/24", "192.168.2.0", RoleNetwork},
		{"10.10.50.0/23", "10.10.50.255", RoleHost},
		{"10.10.50.0/23", "10.10.51.255", RoleBroadcast},
		{"10.0.0.0/30", "10.0.0.3", RoleBroadcast},
		{"10.0.0.0/31", "10.0.0.0", RoleHost},
		{"10.0.0.1/32", "10.0.0.1", RoleHost},
	} {
		if got := RoleIn(netip.MustParsePrefix(tt.subnet), netip.MustParseAddr(tt.address)); got != tt.want {
			t.Errorf("RoleIn(%s, %s) = %v, want %v", tt.subnet, tt.address, got, tt.want)
		}
	}
}
