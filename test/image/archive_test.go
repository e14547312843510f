package image

import (
	"archive/tar"
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// file is one entry of the image's layer.
type file struct {
	header *tar.Header
	text   []byte
}

func open(t *testing.T) v1.Image {
	t.Helper()
	image, err := tarball.ImageFromPath(archives[0], nil)
	check(t, err)
	return image
}

// files are the entries of the image's one layer, in their order.
func files(t *testing.T) []file {
	t.Helper()
	layers, err := open(t).Layers()
	check(t, err)
	if len(layers) != 1 {
		t.Fatalf("%d layers, want one", len(layers))
	}
	content, err := layers[0].Uncompressed()
	check(t, err)
	defer content.Close()
	var found []file
	for r := tar.NewReader(content); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		check(t, err)
		text, err := io.ReadAll(r)
		check(t, err)
		found = append(found, file{h, text})
	}
}

// named returns the text of one file of the image.
func named(t *testing.T, name string) []byte {
	t.Helper()
	for _, f := range files(t) {
		if f.header.Name == name {
			return f.text
		}
	}
	t.Fatalf("%s is not in the image", name)
	return nil
}

func TestTwoArchivesAreTheSame(t *testing.T) {
	first, err := os.ReadFile(archives[0])
	check(t, err)
	second, err := os.ReadFile(archives[1])
	check(t, err)
	if !bytes.Equal(first, second) {
		t.Error("two archives of the same sources differ")
	}
}

func TestContents(t *testing.T) {
	var got strings.Builder
	for _, f := range files(t) {
		h := f.header
		if strings.HasPrefix(h.Name, "usr/share/doc/tugboot/licenses/") {
			continue // as many as there are modules: TestBillOfMaterialsNamesAllModules
		}
		fmt.Fprintf(&got, "%s %d:%d %s", h.FileInfo().Mode(), h.Uid, h.Gid, h.Name)
		if h.Linkname != "" {
			fmt.Fprintf(&got, " -> %s", h.Linkname)
		}
		got.WriteByte('\n')
	}
	golden(t, "contents.txt", got.String())
}

func TestConfig(t *testing.T) {
	c, err := open(t).ConfigFile()
	check(t, err)
	for _, label := range []string{"version", "revision"} { // they change with each commit
		if c.Config.Labels["org.opencontainers.image."+label] == "" {
			t.Errorf("the label %s is empty", label)
		}
		c.Config.Labels["org.opencontainers.image."+label] = "(any)"
	}
	text, err := json.MarshalIndent(c.Config, "", "  ")
	check(t, err)
	golden(t, "config.json", string(text)+"\n")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		check(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	check(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); is the change meant? then run with -update:\n%s", name, diff)
	}
}

func TestNothingButTheProgramMayBeRun(t *testing.T) {
	shell := regexp.MustCompile(`(^|/)(ba|da|a|z|k)?sh$|busybox|toybox`)
	for _, f := range files(t) {
		h := f.header
		if shell.MatchString(h.Name) {
			t.Errorf("%s: a shell", h.Name)
		}
		if h.Mode&0o7000 != 0 || h.Mode&0o022 != 0 && h.Typeflag != tar.TypeSymlink {
			t.Errorf("%s: mode %o is setuid, setgid, sticky, or others may write it", h.Name, h.Mode)
		}
		if h.Typeflag == tar.TypeReg && h.Mode&0o111 != 0 && h.Name != "tugboot" {
			t.Errorf("%s may be executed", h.Name)
		}
		for record := range h.PAXRecords {
			if strings.HasPrefix(record, "SCHILY.xattr.") && h.Name != "tugboot" {
				t.Errorf("%s carries %s", h.Name, record)
			}
		}
	}
	program, err := elf.NewFile(bytes.NewReader(named(t, "tugboot")))
	check(t, err)
	libraries, err := program.ImportedLibraries()
	check(t, err)
	if len(libraries) > 0 || program.Section(".interp") != nil {
		t.Errorf("the program is linked with %v", libraries)
	}
}

// TestProgramCarriesPermittedCapabilities reads struct vfs_cap_data of linux/capability.h by hand.
func TestProgramCarriesPermittedCapabilities(t *testing.T) {
	all := files(t)
	at := slices.IndexFunc(all, func(f file) bool { return f.header.Name == "tugboot" })
	var words [5]uint32
	value := all[at].header.PAXRecords["SCHILY.xattr.security.capability"]
	if err := binary.Read(strings.NewReader(value), binary.LittleEndian, &words); err != nil || len(value) != 20 {
		t.Fatalf("%d bytes, want 20: %v", len(value), err)
	}
	// Revision 2, not effective; NET_BIND_SERVICE is 10, NET_RAW 13; nothing is inheritable.
	if want := [5]uint32{0x02000000, 1<<10 | 1<<13, 0, 0, 0}; words != want {
		t.Errorf("%x, want %x", words, want)
	}
}

func TestBillOfMaterialsNamesAllModules(t *testing.T) {
	text := named(t, "usr/share/doc/tugboot/sbom.cdx.json")
	var bom struct {
		BOMFormat, SerialNumber string
		Metadata                struct{ Timestamp string }
		Components              []struct{ Name, Version, PURL string }
	}
	check(t, json.Unmarshal(text, &bom))
	if bom.BOMFormat != "CycloneDX" || bom.SerialNumber != "" || bom.Metadata.Timestamp != "" {
		t.Errorf("format %q, serial number %q, timestamp %q", bom.BOMFormat, bom.SerialNumber, bom.Metadata.Timestamp)
	}
	versions, licensed := map[string]string{}, map[string]bool{}
	for _, c := range bom.Components {
		versions[c.Name] = c.Version
	}
	for _, f := range files(t) {
		if rest, is := strings.CutPrefix(filepath.Dir(f.header.Name), "usr/share/doc/tugboot/licenses/"); is && f.header.Typeflag == tar.TypeReg {
			licensed[rest] = true
		}
	}
	build, err := buildinfo.Read(bytes.NewReader(named(t, "tugboot")))
	check(t, err)
	if len(build.Deps) < 20 {
		t.Errorf("the program is linked with %d modules only", len(build.Deps))
	}
	for _, m := range build.Deps {
		if versions[m.Path] != m.Version || !licensed[m.Path] {
			t.Errorf("%s %s: the bill of materials says %q; licence: %t", m.Path, m.Version, versions[m.Path], licensed[m.Path])
		}
	}
	if versions["std"] != build.GoVersion && "go"+versions["std"] != build.GoVersion || !licensed["std"] {
		t.Errorf("Go's library: %q, want %s; licence: %t", versions["std"], build.GoVersion, licensed["std"])
	}
}

func TestIPXEComesWithItsTerms(t *testing.T) {
	pins, err := os.ReadFile(filepath.Join("..", "..", "hack", "ipxe.pin"))
	check(t, err)
	source := string(named(t, "usr/share/doc/ipxe/SOURCE"))
	version := regexp.MustCompile(`source package ipxe, version (\S+):`).FindStringSubmatch(source)
	if version == nil || !strings.Contains(string(pins), version[1]+" ") && !strings.HasPrefix(os.Getenv("IPXE_PIN"), version[1]+" ") {
		t.Errorf("the source offer names none of the pinned versions:\n%s", source)
	}
	copyright := named(t, "usr/share/doc/ipxe/copyright")
	if !bytes.Contains(copyright, []byte("Michael Brown")) {
		t.Error("the copyright file is not that of iPXE")
	}
	if gpl := named(t, "usr/share/common-licenses/GPL-2"); !bytes.Contains(gpl, []byte("Version 2, June 1991")) {
		t.Error("the text of the licence is missing")
	}
	if v := version; v != nil && !bytes.Contains(named(t, "usr/share/doc/tugboot/sbom.cdx.json"), []byte(`"version": "`+v[1]+`"`)) {
		t.Error("the bill of materials does not name iPXE's version")
	}
}
