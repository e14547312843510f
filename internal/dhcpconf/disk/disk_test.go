package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/dhcpconf"
)

func TestReader(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{"b": "on disk", "c": "on disk too"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	read := Reader(folder, map[string]string{filepath.Join(folder, "a"): "not yet", filepath.Join(folder, "b"): "not yet either", "/elsewhere/d": "far"})
	for name, want := range map[string]string{
		"a": "not yet", "b": "not yet either", "c": "on disk too", filepath.Join(folder, "c"): "on disk too",
		filepath.Join(folder, "sub", "..", "a"): "not yet", "/elsewhere/d": "far",
	} {
		if text, err := read(name); err != nil || text != want {
			t.Errorf("%s: %q, %v; want %q", name, text, err, want)
		}
	}
	if names, err := read(folder); !errors.Is(err, dhcpconf.ErrFolder) || names != "a\nb\nc\n" {
		t.Errorf("the folder: %q, %v", names, err)
	}
	if _, err := read("absent"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
}

func TestAPipeIsNotWaitedFor(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := Reader("/", nil)(pipe)
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "regular") {
			t.Errorf("%v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits")
	}
}
