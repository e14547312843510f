package offers

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/tugboot/tugboot/internal/boot"
)

var endpoint = boot.Endpoint{
	Addr: netip.MustParseAddr("192.168.2.112"), TFTPPort: 69, HTTPPort: 7171, ScriptPath: boot.DefaultScriptPath,
	Binaries: boot.NewBinaries(map[boot.Family]string{
		boot.FamilyBIOS: "undionly.kpxe", boot.FamilyX64: "ipxe.efi", boot.FamilyARM64: "snp-arm64.efi",
	}, nil),
}

// Every rule of boot.Table is asked for, as each of its architectures, and boot.Decide says of each client what the table
// says.
func TestKindsAreTheTable(t *testing.T) {
	for _, e := range []boot.Endpoint{endpoint, {}, {Addr: endpoint.Addr, HTTPPort: 80, ScriptPath: "/auto.ipxe", UserClass: "Ours"}} {
		kinds := Kinds(e)
		seen := map[string]bool{}
		for _, k := range kinds {
			if seen[k.Name] {
				t.Errorf("%s stands twice", k.Name)
			}
			seen[k.Name] = true
			if got := boot.Decide(k.Client(), allowed, e); got != k.Want {
				t.Errorf("%s: Decide says %+v, the table %+v", k.Name, got, k.Want)
			}
		}
		for _, rule := range boot.Table(e) {
			for _, arch := range rule.Archs {
				asked := slices.ContainsFunc(kinds, func(k Kind) bool { return k.Rule == rule.Name && k.Arch == arch })
				if asked == (arch.Family() == boot.FamilyRaspberryPi) {
					t.Errorf("rule %s, architecture %d: asked is %v", rule.Name, arch, asked)
				}
			}
		}
		for _, s := range Stages() {
			if !slices.ContainsFunc(kinds, func(k Kind) bool { return k.Stage == s }) {
				t.Errorf("nobody asks at stage %v", s)
			}
		}
	}
}

// With a user class, each architecture asks in both forms of option 77.
func TestUserClassForms(t *testing.T) {
	forms := map[string]int{}
	for _, k := range Kinds(endpoint) {
		if k.Arch == boot.ArchEBC {
			forms[k.userClass()]++
		}
	}
	for class, want := range map[string]int{"": 1, "iPXE": 2, "\x04iPXE": 2, "Tinkerbell": 1, "\x0aTinkerbell": 1} {
		if forms[class] != want {
			t.Errorf("user class %q: %d kinds, want %d", class, forms[class], want)
		}
	}
}
