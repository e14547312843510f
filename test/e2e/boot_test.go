package e2e

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/test/lab"
)

// TestMachineBoots switches on one machine of each kind and follows it until its init's marker is on the serial line and
// its syslog line has arrived. steps are Tugboot's answers that must come in this order, as "stage Reason"; others may
// stand between them.
func TestMachineBoots(t *testing.T) {
	for _, c := range []struct {
		kind      lab.Kind
		mac, addr string
		arch      string
		steps     []string
	}{
		{lab.BIOS, "52:54:00:00:02:01", "192.168.2.11", "x86_64", []string{
			"dhcp StockIPXEScript", "script Script", "dhcp NotNetbootClient", "syslog Received"}},
		{lab.BIOSChain, "52:54:00:00:02:22", "192.168.2.32", "x86_64", []string{
			"dhcp FirmwareBinary", "tftp Binary", "dhcp StockIPXEScript", "script Script", "dhcp NotNetbootClient", "syslog Received"}},
		{lab.UEFI, "52:54:00:00:02:02", "192.168.2.12", "x86_64", []string{
			"dhcp FirmwareBinary", "tftp Binary", "tftp Autoexec", "dhcp Script", "script Script", "dhcp NotNetbootClient", "syslog Received"}},
		{lab.UEFIHTTP, "52:54:00:00:02:03", "192.168.2.13", "x86_64", []string{
			"dhcp HTTPBinary", "http Binary", "script Autoexec", "dhcp Script", "script Script", "dhcp NotNetbootClient", "syslog Received"}},
		{lab.ARM64, "52:54:00:00:02:04", "192.168.2.14", "aarch64", []string{
			"dhcp FirmwareBinary", "tftp Binary", "tftp Autoexec", "dhcp Script", "script Script", "dhcp NotNetbootClient", "syslog Received"}},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			t.Parallel()
			s := site(t)
			m := powerOn(t, s, c.kind, c.mac, nil)
			ctx, cancel := context.WithTimeout(t.Context(), bootLimit)
			defer cancel()
			marker, at, err := m.WaitUp(ctx)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s is up %.1f s after power-on: %s", c.kind, at.Sub(m.PowerOn).Seconds(), marker)
			for _, want := range []string{"mac=" + c.mac + " ", "arch=" + c.arch + " ", "ip=" + c.addr + " ", "syslog=" + lab.ServerAddr.String() + " "} {
				if !strings.Contains(marker, want) {
					t.Errorf("the init says %q, which lacks %q", marker, want)
				}
			}
			told := events(t, s, m, netip.MustParseAddr(c.addr), isSyslogMarker)
			checkSteps(t, m, told, c.steps)
			checkKernel(t, m, told, c.arch)
			if !strings.Contains(lastSyslog(told), "mac="+c.mac) {
				t.Errorf("no syslog line of the machine's init arrived at Tugboot; the timeline:\n%s", story(m, told))
			}
		})
	}
}

func isSyslogMarker(e lab.Event) bool {
	return e.Stage == string(journal.StageSyslog) && strings.Contains(e.What, strings.TrimSpace(lab.Marker))
}

func lastSyslog(told []lab.Event) string {
	text := ""
	for _, e := range told {
		if isSyslogMarker(e) {
			text = e.What
		}
	}
	return text
}

// checkSteps finds steps in told, in order.
func checkSteps(t *testing.T, m *lab.Machine, told []lab.Event, steps []string) {
	t.Helper()
	rest := steps
	for _, e := range told {
		if len(rest) > 0 && e.Stage+" "+e.Reason == rest[0] {
			rest = rest[1:]
		}
	}
	if len(rest) > 0 {
		t.Errorf("the boot lacks the step %q, or it came too early; the timeline:\n%s", rest[0], story(m, told))
	}
}

// checkKernel finds that kernel and initrd were fetched whole.
func checkKernel(t *testing.T, m *lab.Machine, told []lab.Event, arch string) {
	t.Helper()
	for _, name := range []string{"vmlinuz-" + arch, "initramfs-" + arch} {
		file, err := os.Stat(filepath.Join(root, "build", "lab-os", name))
		if err != nil {
			t.Fatal(err)
		}
		fetched := false
		for _, e := range told {
			fetched = fetched || e.Stage == lab.StageKernel && e.What == "GET "+name && e.Bytes == file.Size()
		}
		if !fetched {
			t.Errorf("%s (%d bytes) was not fetched whole; the timeline:\n%s", name, file.Size(), story(m, told))
		}
	}
}
