package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tugboot/tugboot/test/lab"
	"github.com/tugboot/tugboot/test/need"
)

const (
	bootLimit = 3 * time.Minute
	// atOnce is how many machines are emulated at a time; each keeps a core busy.
	atOnce = 2
)

// One site serves all tests: it takes as long to start as a machine's firmware does.
var (
	theSite  = sync.OnceValues(startSite)
	siteUsed bool
	emulated = make(chan struct{}, atOnce)
	root     = filepath.Join("..", "..")
	folder   = filepath.Join(root, "build", "e2e")
)

func TestMain(m *testing.M) {
	code := m.Run()
	if siteUsed {
		if site, err := theSite(); err == nil {
			if err := site.Close(); err != nil {
				fmt.Fprintln(os.Stderr, "e2e: the lab is not removed:", err)
				code = max(code, 1)
			}
		}
	}
	os.Exit(code)
}

// siteParts are what a site is made of, with absolute paths.
func siteParts() (lab.Parts, error) {
	parts := lab.PartsIn(root, os.Getenv("KUBEBUILDER_ASSETS"))
	parts.CRD = cmp.Or(os.Getenv("TUGBOOT_HARDWARE_CRD"), parts.CRD)
	parts.Tugboot = cmp.Or(os.Getenv("TUGBOOT_BIN"), parts.Tugboot)
	for _, path := range []*string{&parts.Tugboot, &parts.CRD, &parts.StandIns, &parts.Hardware, &parts.IPXE, &parts.OS} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return parts, err
		}
		*path = absolute
	}
	return parts, nil
}

func startSite() (*lab.Site, error) {
	siteUsed = true
	parts, err := siteParts()
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	s, err := lab.StartSite(ctx, "e2e", folder, parts, lab.Watch{Step: func(name, text string) {
		fmt.Printf("e2e: %-9s %s\n", name, text)
	}})
	if err != nil {
		return nil, err
	}
	if _, err := s.API.Kubectl(ctx, nil, "apply", "--filename="+filepath.Join("testdata", "hardware.yaml")); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// needSite needs everything that a site is made of.
func needSite(t *testing.T) {
	t.Helper()
	need.Root(t)
	for program, debianPackage := range map[string]string{"qemu-system-x86_64": "qemu-system-x86", "qemu-system-aarch64": "qemu-system-arm",
		"ip": "iproute2", "tcpdump": "tcpdump"} {
		need.Program(t, program, debianPackage)
	}
	for _, path := range []string{"bin/tugboot", "build/ipxe/ipxe-amd64.efi", "build/lab-os/vmlinuz-x86_64"} {
		need.File(t, filepath.Join(root, path), "run `make e2e`, which makes it")
	}
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		need.File(t, "KUBEBUILDER_ASSETS", "run `make e2e`, which sets it, or set it to what hack/control-plane.sh prints")
	}
}

// site returns the site, with a capture of its wire that is kept when the test fails.
func site(t *testing.T) *lab.Site {
	t.Helper()
	needSite(t)
	s, err := theSite()
	if err != nil {
		t.Fatal(err)
	}
	capture, err := s.StartCapture(t.Context(), strings.ReplaceAll(t.Name(), "/", "-"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		capture.Stop()
		if t.Failed() {
			t.Logf("packets: %s; Tugboot's log: %s, its end:\n%s", capture.Path, s.Tugboot.Log, lab.Tail(s.Tugboot.Log, 20))
			return
		}
		if err := os.Remove(capture.Path); err != nil {
			t.Error(err)
		}
	})
	return s
}

// powerOn switches a machine on and off again when the test ends. It waits while atOnce others are on.
func powerOn(t *testing.T, s *lab.Site, kind lab.Kind, mac string, onLine func(string)) *lab.Machine {
	t.Helper()
	emulated <- struct{}{}
	m, err := s.Boot(t.Context(), kind, mac, onLine)
	if err != nil {
		<-emulated
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.PowerOff(); err != nil {
			t.Error(err)
		}
		<-emulated
	})
	return m
}

// events returns the machine's timeline once it holds an entry that done accepts, or as it is after a few seconds: what
// arrived at Tugboot last may take a moment to be seen.
func events(t *testing.T, s *lab.Site, m *lab.Machine, addr netip.Addr, done func(lab.Event) bool) []lab.Event {
	t.Helper()
	var last []lab.Event
	for range 20 {
		var err error
		if last, err = s.Events(context.WithoutCancel(t.Context()), m, addr); err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(last, done) {
			break
		}
		time.Sleep(250 * time.Millisecond)
	}
	return last
}

// story writes events one a line, for a failure's message.
func story(m *lab.Machine, all []lab.Event) string {
	var text strings.Builder
	for _, e := range all {
		fmt.Fprintf(&text, "%8.3f %-7s %s [%s] %d bytes\n", e.At.Sub(m.PowerOn).Seconds(), e.Stage, e.What, e.Reason, e.Bytes)
	}
	return text.String()
}
