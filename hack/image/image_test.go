package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sys/unix"
	libcap "kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/tugboot/tugboot/internal/capability"
	"github.com/tugboot/tugboot/test/need"
)

// tree lays out a small file system whose modes and times are not those that an image has.
func tree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{"tugboot": "program", "usr/lib/ipxe/ipxe-amd64.efi": "iPXE", "etc/passwd": "root"} {
		path := filepath.Join(root, name)
		check(t, os.MkdirAll(filepath.Dir(path), 0o700))
		check(t, os.WriteFile(path, []byte(text), 0o600))
	}
	check(t, os.Chmod(filepath.Join(root, "etc/passwd"), 0o4777|fs.ModeSetuid))
	check(t, os.Symlink("ipxe-amd64.efi", filepath.Join(root, "usr/lib/ipxe/ipxe.efi")))
	return root
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLayerIsMadeOfContentAlone(t *testing.T) {
	when := time.Unix(1700000000, 0)
	first, err := tarOf(tree(t), when)
	check(t, err)
	other := tree(t)
	check(t, os.Chtimes(filepath.Join(other, "tugboot"), time.Unix(1, 0), time.Unix(1, 0)))
	second, err := tarOf(other, when)
	check(t, err)
	if !bytes.Equal(first, second) {
		t.Error("two folders with the same content make different layers")
	}
	var got []string
	for r := tar.NewReader(bytes.NewReader(first)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		check(t, err)
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || !h.ModTime.Equal(when) {
			t.Errorf("%s: owner %d:%d %q, time %s", h.Name, h.Uid, h.Gid, h.Uname, h.ModTime)
		}
		_, carries := h.PAXRecords[capabilityRecord]
		if carries != (h.Name == program) {
			t.Errorf("%s: carries file capabilities: %t", h.Name, carries)
		}
		got = append(got, strings.TrimSpace(h.FileInfo().Mode().String()+" "+h.Name+" "+h.Linkname))
	}
	want := []string{
		"drwxr-xr-x etc/", "-rw-r--r-- etc/passwd", "-rwxr-xr-x tugboot", "drwxr-xr-x usr/", "drwxr-xr-x usr/lib/",
		"drwxr-xr-x usr/lib/ipxe/", "-rw-r--r-- usr/lib/ipxe/ipxe-amd64.efi", "Lrwxrwxrwx usr/lib/ipxe/ipxe.efi ipxe-amd64.efi",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLayerRefusesWhatIsNoFile(t *testing.T) {
	root := tree(t)
	check(t, syscall.Mkfifo(filepath.Join(root, "pipe"), 0o600))
	if _, err := tarOf(root, time.Unix(0, 0)); err == nil || !strings.Contains(err.Error(), "pipe is a p") {
		t.Errorf("a named pipe: %v", err)
	}
}

// TestFileCapabilitiesAsTheKernelReadsThem has the kernel and libcap say what the bytes mean.
func TestFileCapabilitiesAsTheKernelReadsThem(t *testing.T) {
	need.Root(t)
	file := filepath.Join(t.TempDir(), "program")
	for _, tt := range []struct {
		values []libcap.Value
		want   string
	}{
		{capability.Serving(), "cap_net_bind_service,cap_net_raw=p"},
		{[]libcap.Value{libcap.BPF}, "cap_bpf=p"}, // in the second word
	} {
		check(t, os.WriteFile(file, nil, 0o755))
		check(t, unix.Setxattr(file, "security.capability", []byte(fileCapabilities(tt.values)), 0))
		set, err := libcap.GetFile(file)
		check(t, err)
		if got := set.String(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func TestSetcapGivesWhatTheArchiveGives(t *testing.T) {
	need.Root(t)
	file := filepath.Join(t.TempDir(), "program")
	check(t, os.WriteFile(file, nil, 0o755))
	var stderr strings.Builder
	if code := run([]string{"setcap", file}, &stderr); code != 0 {
		t.Fatal(stderr.String())
	}
	value := make([]byte, 64)
	n, err := unix.Getxattr(file, "security.capability", value)
	check(t, err)
	if got := string(value[:n]); got != fileCapabilities(capability.Serving()) {
		t.Errorf("%x", got)
	}
}

func archive(t *testing.T, platforms ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "image.tar")
	args := []string{"archive", "--output", file, "--name", "localhost/tugboot:test", "--version", "v1", "--revision", "abc",
		"--epoch", "1700000000"}
	for _, p := range platforms {
		args = append(args, p+"="+tree(t))
	}
	var stderr strings.Builder
	if code := run(args, &stderr); code != 0 {
		t.Fatal(stderr.String())
	}
	return file
}

// unpack unpacks an archive and opens the layout in it.
func unpack(t *testing.T, file string) v1.ImageIndex {
	t.Helper()
	f, err := os.Open(file)
	check(t, err)
	defer f.Close()
	dir := t.TempDir()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		check(t, err)
		path := filepath.Join(dir, h.Name)
		if h.Typeflag == tar.TypeDir {
			check(t, os.MkdirAll(path, 0o755))
			continue
		}
		text, err := io.ReadAll(r)
		check(t, err)
		check(t, os.WriteFile(path, text, 0o644))
	}
	index, err := layout.ImageIndexFromPath(dir)
	check(t, err)
	return index
}

func TestArchiveIsReproducible(t *testing.T) {
	var sums [][sha256.Size]byte
	for range 2 {
		text, err := os.ReadFile(archive(t, "linux/amd64"))
		check(t, err)
		sums = append(sums, sha256.Sum256(text))
	}
	if sums[0] != sums[1] {
		t.Error("two archives of the same content differ")
	}
}

func TestArchiveOfOnePlatform(t *testing.T) {
	file := archive(t, "linux/arm64")
	manifest, err := unpack(t, file).IndexManifest()
	check(t, err)
	if len(manifest.Manifests) != 1 || manifest.Manifests[0].MediaType != types.OCIManifestSchema1 {
		t.Fatalf("%+v", manifest.Manifests)
	}
	wantNames := map[string]string{"io.containerd.image.name": "localhost/tugboot:test", "org.opencontainers.image.ref.name": "test"}
	if diff := cmp.Diff(wantNames, manifest.Manifests[0].Annotations); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	// What `docker load` reads leads to the same image.
	image, err := tarball.ImageFromPath(file, nil)
	check(t, err)
	layers, err := image.Layers()
	check(t, err)
	c, err := image.ConfigFile()
	check(t, err)
	if len(layers) != 1 || c.Architecture != "arm64" || c.OS != "linux" || !c.Created.Equal(time.Unix(1700000000, 0)) {
		t.Errorf("%d layers, %s/%s, made at %s", len(layers), c.OS, c.Architecture, c.Created)
	}
	text, err := json.MarshalIndent(c.Config, "", "  ")
	check(t, err)
	want, err := os.ReadFile(filepath.Join("testdata", "config.json"))
	check(t, err)
	if diff := cmp.Diff(strings.TrimSpace(string(want)), string(text)); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

func TestArchiveOfTwoPlatforms(t *testing.T) {
	index := unpack(t, archive(t, "linux/amd64", "linux/arm64"))
	manifest, err := index.IndexManifest()
	check(t, err)
	if len(manifest.Manifests) != 1 || manifest.Manifests[0].MediaType != types.OCIImageIndex {
		t.Fatalf("%+v", manifest.Manifests)
	}
	named, err := index.ImageIndex(manifest.Manifests[0].Digest)
	check(t, err)
	both, err := named.IndexManifest()
	check(t, err)
	var got []string
	for _, m := range both.Manifests {
		image, err := named.Image(m.Digest)
		check(t, err)
		c, err := image.ConfigFile()
		check(t, err)
		got = append(got, m.Platform.String()+" "+c.Architecture)
	}
	if want := []string{"linux/amd64 amd64", "linux/arm64 arm64"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestArchiveIsAskedForWrongly(t *testing.T) {
	for want, args := range map[string][]string{
		"--output and --name": {"archive", "linux/amd64=" + t.TempDir()},
		"PLATFORM=FOLDER":     {"archive", "--output", "x", "--name", "y", "linux/amd64"},
		"no such file":        {"archive", "--output", "x", "--name", "y", "linux/amd64=" + filepath.Join(t.TempDir(), "absent")},
	} {
		var stderr strings.Builder
		if code := run(args, &stderr); code != 1 || !strings.Contains(stderr.String(), want) {
			t.Errorf("exit code %d, %s; want it to say %q", code, stderr.String(), want)
		}
	}
}
