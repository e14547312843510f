package e2e

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/test/lab"
)

// gaveUp is what the PXE ROM says when it was given an address and nothing to boot.
var gaveUp = regexp.MustCompile(`Nothing to boot|No bootable device|No more network devices`)

// TestMachineThatMayNotNetboot switches on a machine whose Hardware says allowPXE false, as it does once the machine is
// installed: it is given its address and nothing to boot.
func TestMachineThatMayNotNetboot(t *testing.T) {
	t.Parallel()
	s := site(t)
	over := make(chan string, 1)
	m := powerOn(t, s, lab.BIOS, "52:54:00:00:02:21", func(line string) {
		if gaveUp.MatchString(line) {
			select {
			case over <- line:
			default:
			}
		}
	})
	select {
	case line := <-over:
		t.Logf("%.1f s after power-on the firmware says: %s", time.Since(m.PowerOn).Seconds(), line)
	case <-time.After(bootLimit):
		t.Error("the firmware did not give up")
	}
	told := events(t, s, m, netip.MustParseAddr("192.168.2.31"), func(e lab.Event) bool { return strings.Contains(e.What, "ACK 192.168.2.31") })
	checkSteps(t, m, told, []string{"dhcp NetbootNotAllowed"})
	for _, e := range told {
		if e.Stage != lab.StagePower && e.Stage != string(journal.StageDHCP) {
			t.Errorf("the machine was given something to boot: %s %s; the timeline:\n%s", e.Stage, e.What, story(m, told))
		}
	}
}
