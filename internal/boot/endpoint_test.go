package boot

import (
	"strings"
	"testing"
)

func TestHTTPSIsToldWhereItIsAskedFor(t *testing.T) {
	const path = "/ipxe/script/52:54:00:00:02:01/auto.ipxe"
	for name, tc := range map[string]struct {
		http, https    uint16
		binaries       bool
		script, binary string // "" where there is none to tell
	}{
		"HTTP":                 {7171, 0, false, "http://192.168.2.112:7171", "http://192.168.2.112:7171"},
		"scripts":              {7171, 7443, false, "https://192.168.2.112:7443", "http://192.168.2.112:7171"},
		"all":                  {7171, 7443, true, "https://192.168.2.112:7443", "https://192.168.2.112:7443"},
		"the usual port":       {80, 443, true, "https://192.168.2.112", "https://192.168.2.112"},
		"HTTPS alone":          {0, 7443, true, "https://192.168.2.112:7443", "https://192.168.2.112:7443"},
		"HTTPS alone, halfway": {0, 7443, false, "https://192.168.2.112:7443", ""},
		"not served":           {0, 0, true, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := endpoint()
			e.HTTPPort, e.HTTPSPort, e.HTTPSBinaries = tc.http, tc.https, tc.binaries
			script := Decide(pxe(ArchX64, UserClassTinkerbell), allowed(), e)
			if tc.script == "" && script.Reason != ReasonHTTPNotServed || tc.script != "" && script.BootFile != tc.script+path {
				t.Errorf("the script is %q (%s), want it at %q", script.BootFile, script.Reason, tc.script)
			}
			client := pxe(ArchX64HTTP, "")
			client.VendorClass = VendorHTTPClient
			binary := Decide(client, allowed(), e)
			if tc.binary == "" && binary.Reason != ReasonHTTPNotServed || tc.binary != "" && !strings.HasPrefix(binary.BootFile, tc.binary+"/ipxe/binary/") {
				t.Errorf("the binary is %q (%s), want it at %q", binary.BootFile, binary.Reason, tc.binary)
			}
		})
	}
}

// A shim that is named reaches every kind of client of its family, as a table and as text.
func TestNamedFirstFileReachesTheTable(t *testing.T) {
	e := endpoint()
	e.Binaries = NewBinaries(map[Family]string{FamilyX64: "shimx64.efi", FamilyBIOS: "undionly.kpxe"}, []string{"grubx64.efi"})
	for _, rule := range Table(e) {
		if strings.HasSuffix(rule.Name, FamilyX64.String()) && !strings.HasSuffix(rule.Decision.BootFile, "shimx64.efi") {
			t.Errorf("%s is told %q", rule.Name, rule.Decision.BootFile)
		}
	}
	if got := e.Binaries.String(); got != "bios=undionly.kpxe uefi-x86-64=shimx64.efi" {
		t.Errorf("written as %q", got)
	}
}
