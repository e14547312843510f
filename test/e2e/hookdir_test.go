package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/tugboot/tugboot/test/lab"
)

// TestMachineBootsWithoutAnotherServer: kernel and initrd come from Tugboot too, and are in the machine's timeline whole.
func TestMachineBootsWithoutAnotherServer(t *testing.T) {
	t.Parallel()
	needSite(t)
	parts, err := siteParts()
	if err != nil {
		t.Fatal(err)
	}
	l, err := lab.New(t.Context(), "e2e-hook", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &lab.Site{Lab: l}
	s.Tugboot, err = l.StartTugboot(t.Context(), "tugboot", lab.TugbootArgs(parts.Tugboot, parts.IPXE, parts.OS, "--hardware="+parts.Hardware))
	if err != nil {
		t.Fatal(err)
	}
	m := powerOn(t, s, lab.UEFIHTTP, "52:54:00:00:02:03", nil)
	ctx, cancel := context.WithTimeout(t.Context(), bootLimit)
	defer cancel()
	marker, at, err := m.WaitUp(ctx)
	if err != nil {
		t.Fatalf("%v; the end of Tugboot's log:\n%s", err, lab.Tail(s.Tugboot.Log, 20))
	}
	t.Logf("up %.1f s after power-on: %s", at.Sub(m.PowerOn).Seconds(), marker)
	told := events(t, s, m, netip.Addr{}, isSyslogMarker)
	checkSteps(t, m, told, []string{"dhcp HTTPBinary", "http Binary", "dhcp Script", "script Script", "http Image", "http Image", "syslog Received"})
	for _, name := range []string{"vmlinuz-x86_64", "initramfs-x86_64"} {
		file, err := os.Stat(filepath.Join(parts.OS, name))
		if err != nil {
			t.Fatal(err)
		}
		whole := false
		for _, e := range told {
			whole = whole || e.What == fmt.Sprintf("GET /hook/%s -> 200", name) && e.Bytes == file.Size()
		}
		if !whole {
			t.Errorf("%s (%d bytes) was not fetched whole; the timeline:\n%s", name, file.Size(), story(m, told))
		}
	}
}
