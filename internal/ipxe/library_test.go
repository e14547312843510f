package ipxe

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/boot"
)

// directory makes a directory of files, each of which holds its own name.
func directory(t testing.TB, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLibraryNames(t *testing.T) {
	debian := []string{"ipxe-amd64.efi", "ipxe-arm64.efi", "ipxe-loong64.efi", "ipxe-riscv64.efi", "ipxe.iso", "ipxe.lkrn",
		"ipxe.pxe", "snponly.efi", "undionly.kkpxe", "undionly.kpxe"}
	for name, tc := range map[string]struct {
		files   []string
		links   map[string]string
		options LibraryOptions
		// want says which file's bytes each family is given under which name.
		want    map[boot.Family]string
		missing []boot.Family
	}{
		"the distribution's": {debian, map[string]string{"ipxe.efi": "ipxe-amd64.efi"}, LibraryOptions{}, map[boot.Family]string{
			boot.FamilyBIOS: "undionly.kpxe=undionly.kpxe", boot.FamilyX64: "ipxe.efi=ipxe-amd64.efi",
			boot.FamilyARM64: "snp-arm64.efi=ipxe-arm64.efi", boot.FamilyRISCV64: "ipxe-riscv64.efi=ipxe-riscv64.efi",
			boot.FamilyRaspberryPi: "snp-arm64.efi=ipxe-arm64.efi",
		}, []boot.Family{boot.FamilyIA32, boot.FamilyARM32}},
		"snponly named": {debian, nil, LibraryOptions{BootFiles: map[boot.Family]string{boot.FamilyX64: "snponly.efi"}}, map[boot.Family]string{
			boot.FamilyBIOS: "undionly.kpxe=undionly.kpxe", boot.FamilyX64: "snponly.efi=snponly.efi",
			boot.FamilyARM64: "snp-arm64.efi=ipxe-arm64.efi", boot.FamilyRISCV64: "ipxe-riscv64.efi=ipxe-riscv64.efi",
			boot.FamilyRaspberryPi: "snp-arm64.efi=ipxe-arm64.efi",
		}, []boot.Family{boot.FamilyIA32, boot.FamilyARM32}},
		"a shim and what it fetches": {[]string{"shimx64.efi", "grubx64.efi"}, nil,
			LibraryOptions{BootFiles: map[boot.Family]string{boot.FamilyX64: "shimx64.efi"}}, map[boot.Family]string{
				boot.FamilyX64: "shimx64.efi=shimx64.efi",
			}, []boot.Family{boot.FamilyBIOS, boot.FamilyARM64, boot.FamilyIA32, boot.FamilyARM32, boot.FamilyRISCV64, boot.FamilyRaspberryPi}},
		"the user's own": {[]string{"ipxe.efi", "ipxe-amd64.efi", "snp-arm64.efi", "ipxe-arm64.efi", "snp-x86_64.efi"}, nil,
			LibraryOptions{}, map[boot.Family]string{
				boot.FamilyX64: "ipxe.efi=ipxe.efi", boot.FamilyARM64: "snp-arm64.efi=snp-arm64.efi",
				boot.FamilyRaspberryPi: "snp-arm64.efi=snp-arm64.efi",
			}, []boot.Family{boot.FamilyBIOS, boot.FamilyIA32, boot.FamilyARM32, boot.FamilyRISCV64}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := directory(t, tc.files...)
			for link, target := range tc.links {
				if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
					t.Fatal(err)
				}
			}
			l, err := Load(dir, tc.options)
			if err != nil {
				t.Fatal(err)
			}
			got := map[boot.Family]string{}
			for _, f := range boot.Families() {
				if wire := l.Binaries().For(f); wire != "" {
					content := l.get(wire)
					got[f] = wire + "=" + string(content.Body)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var missing []boot.Family
			for _, m := range l.Missing() {
				missing = append(missing, m.Family)
			}
			if diff := cmp.Diff(tc.missing, missing); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
			if slices.Contains(l.Names(), "ipxe.iso") {
				t.Error("a file that is no first-stage binary is served")
			}
			for _, name := range l.Names() {
				if !l.Binaries().Has(name) {
					t.Errorf("%s is served and may not be named in ipxe.binary", name)
				}
			}
		})
	}
}

func TestLibraryWithoutANamedFile(t *testing.T) {
	dir := directory(t, "ipxe.efi", "undionly.kpxe", "shim.txt")
	_, err := Load(dir, LibraryOptions{BootFiles: map[boot.Family]string{boot.FamilyX64: "shimx64.efi", boot.FamilyARM64: "shim.txt",
		boot.FamilyBIOS: "undionly.kpxe"}})
	if err == nil {
		t.Fatal("a boot file that is not there was taken")
	}
	for _, want := range []string{dir, "uefi-x86-64=shimx64.efi", "uefi-arm64=shim.txt", "which has ipxe.efi, undionly.kpxe"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %s: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "bios=") {
		t.Errorf("the error names a file that is there: %v", err)
	}
}

func TestLibraryMediaTypes(t *testing.T) {
	l, err := Load(directory(t, "ipxe.efi", "undionly.kpxe"), LibraryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"ipxe.efi": "application/efi", "undionly.kpxe": "application/octet-stream"} {
		if got := l.get(name); got.Body == nil || got.Type != want || got.Modified.IsZero() {
			t.Errorf("%s: %q %q %v, want type %q and a time", name, got.Body, got.Type, got.Modified, want)
		}
	}
}

func TestLibraryTakesNothingFromOutside(t *testing.T) {
	outside := directory(t, "secret.efi", "secret")
	dir := directory(t, "undionly.kpxe", "passwords")
	for link, target := range map[string]string{
		"absolute.efi": filepath.Join(outside, "secret.efi"), "relative.efi": "../" + filepath.Base(outside) + "/secret.efi",
		"nowhere.efi": "gone.efi", "folder.efi": ".",
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.efi"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int64{"big.efi": MaxFileSize + 1, "empty.efi": 0} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(filepath.Join(dir, name), size); err != nil {
			t.Fatal(err)
		}
	}
	l, err := Load(dir, LibraryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"undionly.kpxe"}, l.Names()); diff != "" {
		t.Errorf("served (-want +got):\n%s", diff)
	}
	skipped := fmt.Sprint(l.Skipped())
	if !strings.Contains(skipped, `"pipe.efi" is not served: it is a p`) {
		t.Errorf("a pipe was opened, or nothing says what it is: %s", skipped)
	}
	for _, name := range []string{"absolute.efi", "relative.efi", "nowhere.efi", "folder.efi", "pipe.efi", "big.efi", "empty.efi"} {
		if !strings.Contains(skipped, name) {
			t.Errorf("nothing says that %s was skipped: %s", name, skipped)
		}
	}
}

func TestLibraryWithoutBinariesIsAnError(t *testing.T) {
	file := filepath.Join(directory(t, "file"), "file")
	for name, dir := range map[string]string{"empty": t.TempDir(), "absent": filepath.Join(t.TempDir(), "gone"), "no directory": file} {
		_, err := Load(dir, LibraryOptions{})
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range []string{dir, "undionly.kpxe", "uefi-x86-64: ipxe.efi, ipxe-x86_64.efi", "ipxe-amd64.efi", "uefi-arm64: snp-arm64.efi, snponly-arm64.efi, ipxe-arm64.efi"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the error does not say %q: %v", name, want, err)
			}
		}
	}
}
