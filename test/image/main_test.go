package image

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// reference is the image's name in the archive.
const reference = "localhost/tugboot:test"

// archives are two archives, made one after the other from the same sources, and afresh.
var archives [2]string

func TestMain(m *testing.M) {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, m)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		code = 1
	}
	os.Exit(code)
}

func run(ctx context.Context, m *testing.M) (int, error) {
	folder, err := os.MkdirTemp("", "tugboot-image-test-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	for i := range archives {
		archives[i] = filepath.Join(folder, fmt.Sprintf("%d.tar", i))
		c := exec.CommandContext(ctx, "hack/image.sh", archives[i])
		c.Dir = filepath.Join("..", "..")
		c.Env = append(os.Environ(), "IMAGE="+reference, "PLATFORM=linux/amd64")
		if out, err := c.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("hack/image.sh: %w: %s", err, bytes.TrimSpace(out))
		}
	}
	return m.Run(), nil
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
