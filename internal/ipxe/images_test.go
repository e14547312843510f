package ipxe

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hookFolder is a folder with a kernel, and with what must not be given out.
func hookFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	for name, text := range map[string]string{"vmlinuz-x86_64": "kernel", "vmlinuz-x86_64.sig": "signature", ".hidden": "secret"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.WriteFile(outside, []byte("secret"), 0o644), os.Symlink(outside, filepath.Join(folder, "escape")),
		os.Symlink("vmlinuz-x86_64", filepath.Join(folder, "kernel")), os.Mkdir(filepath.Join(folder, "sub"), 0o755),
		syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o644)); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestImagesAreFilesOfTheFolderOnly(t *testing.T) {
	folder := hookFolder(t)
	images, err := OpenImages(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := images.Close(); err != nil {
			t.Error(err)
		}
	})
	kernels, err := images.Kernels()
	if diff := cmp.Diff([]string{"vmlinuz-x86_64"}, kernels); diff != "" || err != nil {
		t.Errorf("kernels: %v\n%s", err, diff)
	}
	for name, want := range map[string]string{"vmlinuz-x86_64": "kernel", "vmlinuz-x86_64.sig": "signature", "kernel": "kernel"} {
		f, err := images.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(f)
		if string(text) != want || errors.Join(err, f.Close()) != nil {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	for _, name := range []string{".hidden", "sub", "pipe", "absent", "..", ".", "", "a\x00b", strings.Repeat("x", 300)} {
		if f, err := images.Open(name); !errors.Is(err, fs.ErrNotExist) && name != "" || err == nil {
			t.Errorf("%q: %v, %v, want that it does not exist", name, f, err)
		}
	}
	if f, err := images.Open("escape"); err == nil {
		t.Errorf("a link that leads out of the folder was followed to %s", f.Name())
	}
	// A new kernel is put there by renaming.
	if err := errors.Join(os.WriteFile(filepath.Join(folder, "new"), []byte("newer"), 0o644),
		os.Rename(filepath.Join(folder, "new"), filepath.Join(folder, "vmlinuz-x86_64"))); err != nil {
		t.Fatal(err)
	}
	f, err := images.Open("vmlinuz-x86_64")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(f); string(text) != "newer" || errors.Join(err, f.Close()) != nil {
		t.Errorf("after a rename: %q, %v", text, err)
	}
}

func TestAFolderWithoutKernelIsRefused(t *testing.T) {
	for _, folder := range []string{t.TempDir(), "/does/not/exist", "/etc/hostname"} {
		images, err := OpenImages(folder)
		if err == nil {
			t.Fatalf("%s: opened: %v", folder, images)
		}
		if words := err.Error(); !strings.Contains(words, folder) || !strings.Contains(words, "vmlinuz-ARCH") || strings.Contains(words, "\n") {
			t.Errorf("%q does not name the folder and the remedy in one line", words)
		}
	}
}

// TestScriptsNameTheFolderThatIsServed: by the endpoint's address and the scripts' protocol.
func TestScriptsNameTheFolderThatIsServed(t *testing.T) {
	images, err := OpenImages(hookFolder(t))
	if err != nil {
		t.Fatal(err)
	}
	e := endpoint()
	e.HTTPPort = 7171
	for _, tc := range []struct {
		httpsPort uint16
		want      string
	}{{0, "http://192.168.2.112:7171/hook/vmlinuz-${arch}"}, {7443, "https://192.168.2.112:7443/hook/vmlinuz-${arch}"}} {
		e.HTTPSPort = tc.httpsPort
		c, _ := catalog(t, ScriptOptions{Images: images}, e, machine(nil))
		content, err := c.Get("/auto.ipxe", machineAddr)
		if err != nil || !strings.Contains(string(content.Body), tc.want) {
			t.Errorf("%v; no %s in\n%s", err, tc.want, content.Body)
		}
	}
	c, _ := catalog(t, ScriptOptions{Images: images}, e, machine(nil))
	content, err := c.Get("/hook/vmlinuz-x86_64", machineAddr)
	if err != nil || content.Open == nil || content.Machine != machineMAC || content.Reason != ReasonImage {
		t.Fatalf("%+v, %v", content, err)
	}
	if err := images.Close(); err != nil {
		t.Error(err)
	}
}
