package interop

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

// suite is what all tests share; it is set before the first one runs.
var suite struct {
	// ctx ends when the run is interrupted: every wait ends with it, and so each test removes what it made.
	ctx context.Context
	// program is Tugboot's binary, ipxe the folder with the iPXE binaries.
	program, ipxe string
}

// sideBySide is how many tests run at a time: they wait for timers more than they compute.
const sideBySide = "4"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", sideBySide); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	if os.Geteuid() != 0 {
		return 0, errors.New("run as root: only root may make network namespaces")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	suite.ctx = ctx
	root, err := moduleRoot()
	if err != nil {
		return 0, err
	}
	suite.ipxe = os.Getenv("TUGBOOT_IPXE_DIR")
	if suite.ipxe == "" {
		suite.ipxe = filepath.Join(root, "build", "ipxe")
	}
	if _, err := os.Stat(filepath.Join(suite.ipxe, "ipxe.efi")); err != nil {
		return 0, fmt.Errorf("the iPXE binaries are missing (%w): run `make ipxe`, or name their folder in TUGBOOT_IPXE_DIR", err)
	}
	folder, err := os.MkdirTemp("", "tugboot-interop-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	if suite.program, err = program(ctx, root, folder); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// program returns the binary that TUGBOOT_BIN names, or builds one.
func program(ctx context.Context, root, folder string) (string, error) {
	if named := os.Getenv("TUGBOOT_BIN"); named != "" {
		return filepath.Abs(named)
	}
	built := filepath.Join(folder, "tugboot")
	build := exec.CommandContext(ctx, "go", "build", "-o", built, ".")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build tugboot: %w: %s", err, out)
	}
	return built, nil
}

// moduleRoot is the nearest folder above that holds go.mod.
func moduleRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("no go.mod here or above: run the tests inside the module")
		}
		folder = parent
	}
}
