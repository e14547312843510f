package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tugboot/tugboot/test/lab"
)

// suite is what all tests share; it is set before the first one runs.
var suite struct {
	// ctx ends when the run is interrupted.
	ctx context.Context
	// root is the module's folder, tugboot and conformance are the two programs, ipxe is the folder with the iPXE binaries.
	root, tugboot, conformance, ipxe string
}

// bootFile is the TFTP file that is read: large enough for block numbers to wrap.
const bootFile = "ipxe.efi"

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := prepare(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		code = 1
	}
	os.Exit(code)
}

func prepare(m *testing.M) (int, error) {
	if os.Geteuid() != 0 {
		return 0, errors.New("run as root: only root may make network namespaces")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	suite.ctx = ctx
	var err error
	if suite.root, err = filepath.Abs("../.."); err != nil {
		return 0, err
	}
	if suite.ipxe = os.Getenv("TUGBOOT_IPXE_DIR"); suite.ipxe == "" {
		suite.ipxe = filepath.Join(suite.root, "build", "ipxe")
	}
	if _, err := os.Stat(filepath.Join(suite.ipxe, bootFile)); err != nil {
		return 0, fmt.Errorf("the iPXE binaries are missing (%w): run `make ipxe`, or name their folder in TUGBOOT_IPXE_DIR", err)
	}
	folder, err := os.MkdirTemp("", "tugboot-conformance-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	if suite.conformance, err = build(ctx, "./test/conformance", filepath.Join(folder, "conformance")); err != nil {
		return 0, err
	}
	if suite.tugboot = os.Getenv("TUGBOOT_BIN"); suite.tugboot == "" {
		if suite.tugboot, err = build(ctx, ".", filepath.Join(folder, "tugboot")); err != nil {
			return 0, err
		}
	}
	return m.Run(), nil
}

func build(ctx context.Context, what, program string) (string, error) {
	command := exec.CommandContext(ctx, "go", "build", "-o", program, what)
	command.Dir = suite.root
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", what, err, out)
	}
	return program, nil
}

// site is a LAN with a host that asks. What is asked is started at the lab's server.
type site struct {
	*lab.Lab
	t     *testing.T
	asker *lab.Host
}

func newSite(t *testing.T, name string) *site {
	t.Helper()
	l, err := lab.New(suite.ctx, "conformance-"+name, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &site{Lab: l, t: t}
	s.asker, err = l.AddHost(suite.ctx, "asker")
	s.must(err)
	s.must(s.asker.PlugIn(suite.ctx, "eth0", "52:54:00:cf:00:99"))
	_, err = s.asker.Run(suite.ctx, nil, "ip", "address", "add", "192.168.2.9/24", "dev", "eth0")
	s.must(err)
	// Where requests to 255.255.255.255 leave, and how the server reaches relay agents of the other network.
	_, err = s.asker.Run(suite.ctx, nil, "ip", "route", "add", "default", "dev", "eth0")
	s.must(err)
	return s
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// known are the machines of testdata, in the order in which rows use them.
func known() []string {
	return []string{"52:54:00:cf:00:01=192.168.2.21", "52:54:00:cf:00:02=192.168.2.22", "52:54:00:cf:00:03=192.168.2.23",
		"b8:27:eb:cf:00:04=192.168.2.24", "52:54:00:cf:00:05=192.168.2.25", "52:54:00:cf:00:06=10.77.0.21",
		"52:54:00:cf:00:99=192.168.2.9"}
}

// ask runs the command at the asker and returns its report.
func (s *site) ask(args ...string) report {
	s.t.Helper()
	command := []string{suite.conformance, "--server=" + lab.ServerAddr.String(), "--interface=eth0", "-o=json"}
	for _, machine := range known() {
		command = append(command, "--known="+machine)
	}
	out, err := s.asker.Run(suite.ctx, nil, append(command, args...)...)
	s.must(err)
	var all report
	s.must(json.Unmarshal(out, &all))
	return all
}

// askTugboot starts Tugboot and asks it.
func askTugboot(t *testing.T) report {
	s := newSite(t, "tugboot")
	args := lab.TugbootArgs(suite.tugboot, suite.ipxe, "http://"+lab.ServerAddr.String()+":7180/hook",
		"--hardware="+filepath.Join(suite.root, "test", "conformance", "testdata", "hardware.yaml"))
	tugboot, err := s.StartTugboot(suite.ctx, "tugboot", args)
	s.must(err)
	all := s.ask("--tftp-file="+bootFile, "--patience="+patience)
	if log, err := os.ReadFile(tugboot.Log); err != nil || strings.Contains(string(log), "panic") {
		t.Errorf("Tugboot's log, %v, or it panicked; its end:\n%s", err, lab.Tail(tugboot.Log, 20))
	}
	return all
}
