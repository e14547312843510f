package boot

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestBinariesReadAndWritten(t *testing.T) {
	var none *Binaries
	for _, test := range []struct {
		binaries *Binaries
		want     string
	}{
		{none, ""},
		{NewBinaries(nil, []string{"of-no-family.efi"}), ""},
		{endpoint().Binaries, "bios=undionly.kpxe raspberry-pi=snp-arm64.efi uefi-arm64=snp-arm64.efi uefi-x86-64=ipxe.efi"},
		{NewBinaries(map[Family]string{FamilyBIOS: "a b.kpxe", FamilyX64: "../ipxe.efi", FamilyIA32: "ipxe32.efi"}, nil), "uefi-ia32=ipxe32.efi"},
	} {
		if got := test.binaries.String(); got != test.want {
			t.Errorf("written %q, want %q", got, test.want)
		}
	}
}

func TestBinariesThatAreNotTaken(t *testing.T) {
	for text, want := range map[string]string{
		"ipxe.efi":                          `"ipxe.efi": no family`,
		"unknown=ipxe.efi":                  "no family",
		"vax=ipxe.efi":                      "no family",
		"bios":                              "not the name of a file",
		"bios=":                             "not the name of a file",
		"bios=a/b":                          "not the name of a file",
		"bios=..":                           "not the name of a file",
		"bios=-o":                           "not the name of a file",
		"bios=a\n":                          "not the name of a file",
		"bios=a;b":                          "not the name of a file",
		"bios=${x}":                         "not the name of a file",
		"bios=\u00e9.kpxe":                  "not the name of a file",
		"bios=" + strings.Repeat("a", 128):  "not the name of a file",
		"uefi-x86-64=ipxe.efi bios=a":       "sort the families",
		"bios=a bios=a":                     "stands twice",
		"bios=a bios=b":                     "a second file",
		"bios=a  uefi-x86-64=b":             "no family",
		" bios=a":                           "no family",
		"bios=a ":                           "no family",
		"vax=" + strings.Repeat("x", 10000): "no family",
	} {
		b, err := ParseBinaries(text)
		if err == nil || b != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, %v, want an error that says %q", text, b, err, want)
		} else if strings.ContainsAny(err.Error(), "\n\u00e9") || len(err.Error()) > 400 {
			t.Errorf("%.60q: what is wrong stands in the error as it came: %s", text, err)
		}
	}
}

func TestBinariesSurviveBeingWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		files := map[Family]string{}
		for _, f := range Families() {
			if rapid.Bool().Draw(t, "served") {
				files[f] = rapid.StringMatching(`[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,126}`).Draw(t, "file")
			}
		}
		written := NewBinaries(files, nil)
		read, err := ParseBinaries(written.String())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range Families() {
			if read.For(f) != files[f] || files[f] != "" && !read.Has(files[f]) {
				t.Fatalf("%v: %q was written, %q was read", f, files[f], read.For(f))
			}
		}
	})
}

// FuzzParseBinaries: what is read is written as it stood, and every file in it is a bare name.
func FuzzParseBinaries(f *testing.F) {
	for _, seed := range []string{"", "bios=undionly.kpxe uefi-x86-64=ipxe.efi", "uefi-x86-64=ipxe.efi bios=a", "bios=../a", "bios=a bios=b", "=", " "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := ParseBinaries(text)
		if err != nil {
			if b != nil {
				t.Error("binaries with an error")
			}
			return
		}
		if b.String() != text {
			t.Errorf("%q is written as %q", text, b.String())
		}
		for _, family := range Families() {
			if name := b.For(family); strings.ContainsAny(name, "/\\ \n\x00\"'`$;") || name == ".." {
				t.Errorf("%v: the file %q", family, name)
			}
		}
	})
}

func TestURLsOfAStackThatTellsMachinesByTheirAddress(t *testing.T) {
	e := endpoint()
	e.BySource, e.HTTPPort, e.ScriptPath = true, 80, "/auto.ipxe"
	for _, test := range []struct{ got, want string }{
		{e.ScriptURL(machine), "http://192.168.2.112/auto.ipxe"},
		{e.BinaryURL(machine, "ipxe.efi"), "http://192.168.2.112/ipxe/binary/ipxe.efi"},
		{e.TFTPURL(machine, "ipxe.efi"), "tftp://192.168.2.112/ipxe.efi"},
	} {
		if test.got != test.want {
			t.Errorf("%s, want %s", test.got, test.want)
		}
	}
}
