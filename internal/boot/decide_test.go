package boot

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/tugboot/tugboot/internal/reservation"
)

var (
	machine = reservation.MAC{0x52, 0x54, 0, 0, 2, 1}
	addr    = netip.MustParseAddr("192.168.2.112")
)

func endpoint() Endpoint {
	return Endpoint{
		Addr: addr, TFTPPort: DefaultTFTPPort, HTTPPort: DefaultHTTPPort, ScriptPath: DefaultScriptPath,
		Binaries: NewBinaries(map[Family]string{
			FamilyBIOS: "undionly.kpxe", FamilyX64: "ipxe.efi", FamilyARM64: "snp-arm64.efi", FamilyRaspberryPi: "snp-arm64.efi",
		}, []string{"snponly.efi"}),
	}
}

func allowed(change ...func(*reservation.Netboot)) *reservation.Reservation {
	r := &reservation.Reservation{MAC: machine, Settings: &reservation.Settings{Netboot: reservation.Netboot{Allow: true}}}
	for _, c := range change {
		c(&r.Netboot)
	}
	return r
}

func pxe(a Arch, userClass string) Client {
	return Client{MAC: machine, Netboot: true, Arch: a, VendorClass: VendorPXEClient, UserClass: userClass}
}

func with(c Client, change func(*Client)) Client { change(&c); return c }

const scriptURL = "http://192.168.2.112:7171/ipxe/script/52:54:00:00:02:01/auto.ipxe"

var capable = IPXEInfo{HTTP: true, Version: [3]byte{1, 21, 1}}

func TestLadder(t *testing.T) {
	firmware := func(file string) Decision {
		return Decision{Action: Boot, NextServer: addr, ServerName: "192.168.2.112", BootFile: file, Reason: ReasonFirmwareBinary}
	}
	pi := reservation.MAC{0xdc, 0xa6, 0x32, 1, 2, 3}
	tests := []struct {
		name string
		c    Client
		r    *reservation.Reservation
		e    func(*Endpoint)
		want Decision
	}{
		{"BIOS firmware", pxe(ArchBIOS, ""), allowed(), nil, firmware("undionly.kpxe")},
		{"UEFI x86-64 firmware, architecture 7", pxe(7, ""), allowed(), nil, firmware("ipxe.efi")},
		{"UEFI x86-64 firmware, architecture 9", pxe(9, ""), allowed(), nil, firmware("ipxe.efi")},
		{"UEFI arm64 firmware", pxe(11, ""), allowed(), nil, firmware("snp-arm64.efi")},
		{"U-Boot arm64", pxe(22, ""), allowed(), nil, firmware("snp-arm64.efi")},
		{"ia32 without a binary", pxe(6, ""), allowed(), nil, none(ReasonArchUnsupported)},
		{"an architecture nobody knows", pxe(999, ""), allowed(), nil, none(ReasonArchUnsupported)},
		{"another vendor's user class is firmware to us", pxe(7, "PXELINUX"), allowed(), nil, firmware("ipxe.efi")},
		{
			"Raspberry Pi by its vendor prefix", with(pxe(0, ""), func(c *Client) { c.MAC = pi }), allowed(), nil,
			Decision{
				Action: Boot, NextServer: addr, ServerName: "192.168.2.112", BootFile: "snp-arm64.efi",
				RaspberryPiMenu: true, VendorClass: VendorPXEClient, Reason: ReasonFirmwareBinary,
			},
		},
		{
			"our iPXE", pxe(7, "Tinkerbell"), allowed(), nil,
			Decision{Action: Boot, NextServer: addr, BootFile: scriptURL, NoProxyDHCP: true, Reason: ReasonScript},
		},
		{
			"our iPXE, user class with length", pxe(0, "\x0aTinkerbell"), allowed(), nil,
			Decision{Action: Boot, NextServer: addr, BootFile: scriptURL, NoProxyDHCP: true, Reason: ReasonScript},
		},
		{
			"a configured user class", pxe(7, "acme"), allowed(), func(e *Endpoint) { e.UserClass = "acme" },
			Decision{Action: Boot, NextServer: addr, BootFile: scriptURL, NoProxyDHCP: true, Reason: ReasonScript},
		},
		{
			"our iPXE, started by HTTP boot", with(pxe(16, "Tinkerbell"), func(c *Client) { c.VendorClass = VendorHTTPClient }), allowed(), nil,
			Decision{Action: Boot, NextServer: addr, BootFile: scriptURL, NoProxyDHCP: true, Reason: ReasonScript},
		},
		{
			"HTTP boot", with(pxe(16, ""), func(c *Client) { c.VendorClass = VendorHTTPClient }), allowed(), nil,
			Decision{
				Action: Boot, NextServer: addr, BootFile: "http://192.168.2.112:7171/ipxe/binary/52:54:00:00:02:01/ipxe.efi",
				VendorClass: VendorHTTPClient, Reason: ReasonHTTPBinary,
			},
		},
		{
			"stock iPXE that can fetch by HTTP", with(pxe(0, "iPXE"), func(c *Client) { c.IPXE = capable }), allowed(), nil,
			Decision{Action: Boot, NextServer: addr, BootFile: scriptURL, NoProxyDHCP: true, Reason: ReasonStockIPXEScript},
		},
		{
			"stock iPXE without HTTP", with(pxe(0, "iPXE"), func(c *Client) { c.IPXE = IPXEInfo{Version: [3]byte{1, 21, 1}} }), allowed(), nil,
			Decision{
				Action: Boot, NextServer: addr, BootFile: "tftp://192.168.2.112/52:54:00:00:02:01/undionly.kpxe",
				NoProxyDHCP: true, Reason: ReasonStockIPXEBinary,
			},
		},
		{
			"stock iPXE of another age", with(pxe(0, "iPXE"), func(c *Client) { c.IPXE = IPXEInfo{HTTP: true, Version: [3]byte{0, 9, 9}} }), allowed(), nil,
			Decision{
				Action: Boot, NextServer: addr, BootFile: "tftp://192.168.2.112/52:54:00:00:02:01/undionly.kpxe",
				NoProxyDHCP: true, Reason: ReasonStockIPXEBinary,
			},
		},
		{"an operating system", Client{MAC: machine}, allowed(), nil, none(ReasonNotNetbootClient)},
		{"an invalid boot setting", pxe(7, ""), allowed(func(n *reservation.Netboot) { n.Withheld = true }), nil, none(ReasonNetbootWithheld)},
		{"netboot not allowed", pxe(7, ""), &reservation.Reservation{Settings: &reservation.Settings{}}, nil, none(ReasonNetbootNotAllowed)},
		{
			"our iPXE, netboot not allowed", pxe(7, "Tinkerbell"), &reservation.Reservation{Settings: &reservation.Settings{}}, nil,
			Decision{NoProxyDHCP: true, Reason: ReasonNetbootNotAllowed},
		},
		{
			"the Hardware's own boot file", Client{MAC: machine},
			&reservation.Reservation{Settings: &reservation.Settings{Netboot: reservation.Netboot{TFTPServerName: "10.1.1.1", BootFileName: "nvos.bin"}}}, nil,
			Decision{
				Action: Boot, NextServer: netip.MustParseAddr("10.1.1.1"), ServerName: "10.1.1.1", BootFile: "nvos.bin",
				Reason: ReasonBootFileOverride,
			},
		},
		{
			"the Hardware's own boot file on a named server", pxe(7, "Tinkerbell"),
			&reservation.Reservation{Settings: &reservation.Settings{Netboot: reservation.Netboot{TFTPServerName: "tftp.example", BootFileName: "nvos.bin"}}}, nil,
			Decision{Action: Boot, ServerName: "tftp.example", BootFile: "nvos.bin", NoProxyDHCP: true, Reason: ReasonBootFileOverride},
		},
		{
			"the Hardware's own boot file on a server that siaddr cannot name", pxe(7, ""),
			&reservation.Reservation{Settings: &reservation.Settings{Netboot: reservation.Netboot{TFTPServerName: "fd00::1", BootFileName: "nvos.bin"}}}, nil,
			Decision{Action: Boot, ServerName: "fd00::1", BootFile: "nvos.bin", Reason: ReasonBootFileOverride},
		},
		{
			"the Hardware's own script", pxe(7, "Tinkerbell"), allowed(func(n *reservation.Netboot) { n.IPXEURL = "http://boot.example/me.ipxe" }), nil,
			Decision{Action: Boot, NextServer: addr, BootFile: "http://boot.example/me.ipxe", NoProxyDHCP: true, Reason: ReasonScriptOverride},
		},
		{"the Hardware's own binary", pxe(7, ""), allowed(func(n *reservation.Netboot) { n.IPXEBinary = "snponly.efi" }), nil, firmware("snponly.efi")},
		{
			"the Hardware's own binary, not here", pxe(7, ""), allowed(func(n *reservation.Netboot) { n.IPXEBinary = "gone.efi" }), nil,
			none(ReasonBinaryNotServed),
		},
		{"firmware where TFTP is off", pxe(7, ""), allowed(), func(e *Endpoint) { e.TFTPPort = 0 }, none(ReasonTFTPNotServed)},
		{
			"HTTP boot where HTTP is off", with(pxe(16, ""), func(c *Client) { c.VendorClass = VendorHTTPClient }), allowed(),
			func(e *Endpoint) { e.HTTPPort = 0 }, none(ReasonHTTPNotServed),
		},
		{
			"our iPXE where HTTP is off", pxe(7, "Tinkerbell"), allowed(), func(e *Endpoint) { e.HTTPPort = 0 },
			Decision{NoProxyDHCP: true, Reason: ReasonHTTPNotServed},
		},
		{
			"other ports and path", pxe(7, "Tinkerbell"), allowed(), func(e *Endpoint) { e.HTTPPort, e.ScriptPath = 80, "/auto.ipxe" },
			Decision{
				Action: Boot, NextServer: addr, BootFile: "http://192.168.2.112/52:54:00:00:02:01/auto.ipxe", NoProxyDHCP: true, Reason: ReasonScript,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := endpoint()
			if tt.e != nil {
				tt.e(&e)
			}
			if diff := cmp.Diff(tt.want, Decide(tt.c, tt.r, e), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestHasUserClass(t *testing.T) {
	for raw, want := range map[string]bool{
		"Tinkerbell": true, "\x0aTinkerbell": true, "\x04iPXE\x0aTinkerbell": true, "\x0aTinkerbell\x04iPXE": true,
		"": false, "tinkerbell": false, "Tinkerbell2": false, "\x0bTinkerbell": false, "\x09Tinkerbell": false, "\x00Tinkerbell": false,
		"xTinkerbell": false, "\x04iPXE": false, "\xffTinkerbell": false,
	} {
		if got := HasUserClass(raw, UserClassTinkerbell); got != want {
			t.Errorf("HasUserClass(%q) = %v, want %v", raw, got, want)
		}
	}
	if HasUserClass("", "") {
		t.Error("no class counts as a class")
	}
}

func FuzzHasUserClass(f *testing.F) {
	f.Add("\x04iPXE\x0aTinkerbell", "Tinkerbell")
	f.Add("Tinkerbell", "Tinkerbell")
	f.Add("\xff", "x")
	f.Fuzz(func(t *testing.T, raw, class string) {
		if HasUserClass(raw, class) && !strings.Contains(raw, class) {
			t.Fatalf("%q has no %q in it", raw, class)
		}
	})
}

func TestCapable(t *testing.T) {
	for _, tt := range []struct {
		info IPXEInfo
		want bool
	}{
		{IPXEInfo{HTTP: true, Version: [3]byte{1, 0, 0}}, true},
		{IPXEInfo{HTTP: true, Version: [3]byte{2, 0, 0}}, true},
		{IPXEInfo{HTTP: true, Version: [3]byte{0, 255, 255}}, false},
		{IPXEInfo{HTTP: true}, false},
		{IPXEInfo{Version: [3]byte{1, 21, 1}}, false},
	} {
		if got := tt.info.Capable(); got != tt.want {
			t.Errorf("%+v.Capable() = %v, want %v", tt.info, got, tt.want)
		}
	}
}

func TestEveryArchitectureBelongsToOneFamily(t *testing.T) {
	seen := map[Arch]Family{}
	for _, f := range Families() {
		for _, a := range slices.Concat(f.PXEArchs(), f.HTTPArchs()) {
			if other, twice := seen[a]; twice {
				t.Errorf("architecture %d belongs to %v and %v", a, other, f)
			}
			seen[a] = f
			if a.Family() != f {
				t.Errorf("architecture %d: Family() = %v, want %v", a, a.Family(), f)
			}
		}
		if f.String() == "unknown" {
			t.Errorf("family %d has no name", f)
		}
	}
	if Arch(12).Known() || Arch(0xffff).Known() || !ArchEBC.Known() {
		t.Error("Known does not tell the registry's netboot architectures from others")
	}
}

func TestURLsNamePortsThatAreNotTheStandardOnes(t *testing.T) {
	for want, ports := range map[string][2]uint16{
		"tftp://192.168.2.112/f http://192.168.2.112/ipxe/binary/f":           {69, 80},
		"tftp://192.168.2.112:1069/f http://192.168.2.112:7171/ipxe/binary/f": {1069, 7171},
	} {
		e := Endpoint{Addr: addr, TFTPPort: ports[0], HTTPPort: ports[1]}
		if got := e.TFTPURL(reservation.MAC{}, "f") + " " + e.BinaryURL(reservation.MAC{}, "f"); got != want {
			t.Errorf("ports %v: %s, want %s", ports, got, want)
		}
	}
}

// TestWhatEachArchitectureIsGiven has the numbers of IANA's registry, and is right where the code may not be.
func TestWhatEachArchitectureIsGiven(t *testing.T) {
	e := endpoint()
	files := map[Family]string{}
	for _, f := range Families() {
		files[f] = f.String()
	}
	e.Binaries = NewBinaries(files, nil)
	const byHTTP = "http://192.168.2.112:7171/ipxe/binary/52:54:00:00:02:01/"
	for file, archs := range map[string][]Arch{
		"bios": {0, 1, 2, 3, 4, 5}, "uefi-ia32": {6}, "uefi-x86-64": {7, 8, 9}, "uefi-arm32": {10}, "uefi-arm64": {11, 22},
		"uefi-riscv32": {25}, "uefi-riscv64": {27}, "uefi-riscv128": {29}, "raspberry-pi": {41},
		byHTTP + "bios": {20}, byHTTP + "uefi-ia32": {15}, byHTTP + "uefi-x86-64": {16, 17}, byHTTP + "uefi-arm32": {18},
		byHTTP + "uefi-arm64": {19}, byHTTP + "uefi-riscv32": {26}, byHTTP + "uefi-riscv64": {28}, byHTTP + "uefi-riscv128": {30},
		"": {12, 13, 14, 21, 23, 24, 31, 40, 42, 256, 0xffff},
	} {
		for _, a := range archs {
			c := pxe(a, "")
			if strings.HasPrefix(file, byHTTP) {
				c.VendorClass = VendorHTTPClient
			}
			if got := Decide(c, allowed(), e).BootFile; got != file {
				t.Errorf("architecture %d is given %q, want %q", a, got, file)
			}
		}
	}
}

func TestRaspberryPisAreToldByTheirVendorPrefixes(t *testing.T) {
	for _, s := range []string{"b8:27:eb:00:00:01", "dc:a6:32:00:00:01", "e4:5f:01:00:00:01", "28:cd:c1:00:00:01", "d8:3a:dd:00:00:01", "2c:cf:67:00:00:01"} {
		mac, err := reservation.ParseMAC(s)
		if err != nil {
			t.Fatal(err)
		}
		board := with(pxe(0, ""), func(c *Client) { c.MAC = mac })
		if d := Decide(board, allowed(), endpoint()); !d.RaspberryPiMenu || d.BootFile != "snp-arm64.efi" {
			t.Errorf("%s: %+v", s, d)
		}
		board.Arch = ArchARM64 // its UEFI firmware, or iPXE on it, says what it is and needs no menu
		if d := Decide(board, allowed(), endpoint()); d.RaspberryPiMenu || d.BootFile != "snp-arm64.efi" {
			t.Errorf("%s as arm64: %+v", s, d)
		}
	}
	if RaspberryPi(machine) {
		t.Errorf("%v counts as a Raspberry Pi", machine)
	}
}

func TestTableNamesEveryKindOnceAndAgreesWithDecide(t *testing.T) {
	e := endpoint()
	e.UserClass = "acme"
	names := map[string]bool{}
	for _, rule := range Table(e) {
		if names[rule.Name] {
			t.Errorf("rule %q stands twice", rule.Name)
		}
		names[rule.Name] = true
		for _, a := range rule.Archs {
			c := rule.Client
			c.Arch = a
			if got := Decide(c, allowed(), e); got != rule.Decision {
				t.Errorf("%s, architecture %d: Decide says %+v, the rule %+v", rule.Name, a, got, rule.Decision)
			}
		}
		if strings.Contains(rule.Decision.BootFile, "00:00:00") {
			t.Errorf("%s: the boot file %q carries a MAC", rule.Name, rule.Decision.BootFile)
		}
	}
	for _, want := range []string{"tinkerbell", "custom-user-class", "ipxe", "http-uefi-x86-64", "firmware-bios", "old-ipxe-bios", "firmware-raspberry-pi"} {
		if !names[want] {
			t.Errorf("no rule %q", want)
		}
	}
}

// TestAdvertisedIsWithinWhatTheEndpointOffers: whatever a client says of itself, it is never sent to a protocol that is
// off, to a file that is not there, or to another address than the endpoint's.
func TestAdvertisedIsWithinWhatTheEndpointOffers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := endpoint()
		e.TFTPPort = rapid.SampledFrom([]uint16{0, 69, 1069}).Draw(t, "tftp")
		e.HTTPPort = rapid.SampledFrom([]uint16{0, 80, 7171}).Draw(t, "http")
		c := Client{
			MAC: machine, Netboot: rapid.Bool().Draw(t, "netboot"), Arch: Arch(rapid.Uint16Range(0, 45).Draw(t, "arch")),
			VendorClass: VendorClass(rapid.ByteRange(0, 2).Draw(t, "vendor")),
			UserClass:   rapid.SampledFrom([]string{"", "iPXE", "Tinkerbell", "\x04iPXE", "other"}).Draw(t, "class"),
			IPXE:        IPXEInfo{HTTP: rapid.Bool().Draw(t, "ipxe http"), Version: [3]byte{rapid.ByteRange(0, 2).Draw(t, "version")}},
		}
		r := allowed()
		r.Netboot.Allow = rapid.Bool().Draw(t, "allow")
		d := Decide(c, r, e)
		if d.Reason == "" {
			t.Fatal("no reason")
		}
		if d.Action == AddressOnly {
			if d.NextServer.IsValid() || d.BootFile != "" || d.ServerName != "" || d.VendorClass != VendorOther || d.RaspberryPiMenu {
				t.Fatalf("an address-only decision carries boot settings: %+v", d)
			}
			return
		}
		if !c.Netboot || !r.Netboot.Allow {
			t.Fatalf("boots what may not: %+v", d)
		}
		if d.NextServer != e.Addr {
			t.Fatalf("next-server %v", d.NextServer)
		}
		file := d.BootFile[strings.LastIndex(d.BootFile, "/")+1:]
		isScript := file == "auto.ipxe"
		switch {
		case strings.HasPrefix(d.BootFile, "http://"):
			if e.HTTPPort == 0 {
				t.Fatal("HTTP is off")
			}
		case e.TFTPPort == 0:
			t.Fatal("TFTP is off")
		}
		if !isScript && !e.Binaries.Has(file) {
			t.Fatalf("%q is not served", file)
		}
	})
}
