package e2e

import (
	"cmp"
	"context"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/test/lab"
)

// The takeover's own limits: the whole of it, and the change after the move, which 30 s of probes come before.
const (
	takeoverLimit = 8 * time.Minute
	changeLimit   = 2 * time.Minute
)

// powerOnEarly is how long before the change the machine that is to live through it is switched on, as far as that can be
// foreseen: its firmware has asked by then, and its kernel has not come.
const powerOnEarly = 12 * time.Second

// known is a machine that the creation knows.
type known struct {
	mac  string
	addr netip.Addr
}

// The machines lab.BootstrapMachine and lab.ManagementMachine.
var (
	worker = known{"52:54:00:a0:00:21", netip.MustParseAddr("192.168.2.21")}
	spare  = known{"52:54:00:a0:00:22", netip.MustParseAddr("192.168.2.22")}
)

// TestMachinesBootThroughATakeover boots a machine from the bootstrap instance, one while the endpoint changes, and one
// from the management instance when nothing else is left.
func TestMachinesBootThroughATakeover(t *testing.T) {
	needSite(t)
	ctx, cancel := context.WithTimeout(t.Context(), takeoverLimit)
	defer cancel()
	parts, err := siteParts()
	if err != nil {
		t.Fatal(err)
	}
	parts.StandIns = cmp.Or(os.Getenv("TUGBOOT_UPSTREAM_CRDS"), parts.StandIns)
	c, err := lab.StartCreation(ctx, "e2e-takeover", folder+"-takeover", parts, lab.Watch{}, lab.CreationOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		var table strings.Builder
		if err := c.Print(&table); err != nil {
			t.Error(err)
		}
		t.Logf("timeline:\n%s", table.String())
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	do := func(steps ...func(context.Context) error) {
		t.Helper()
		for _, step := range steps {
			if err := step(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	do(c.BeginBootstrap, c.AddHardware, c.CreateCluster)
	boots(ctx, t, c, c.Bootstrap, lab.BIOSChain, worker, lab.ServerAddr)
	do(c.FinishMachines, c.InstallStack, c.Move, c.FinishCreation)

	wait(ctx, t, "the stack is being verified", func() bool { return c.Management.Phase() == "Verifying" || c.TakenOver() })
	time.Sleep(30*time.Second - powerOnEarly)
	on := time.Now()
	m := start(ctx, t, c, lab.UEFI, spare)
	wait(ctx, t, "the endpoint changes", c.TakenOver)
	changed := time.Now()
	marker, up, err := m.WaitUp(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("switched on %.1f s before both instances had changed, up %.1f s after: %s", changed.Sub(on).Seconds(), up.Sub(changed).Seconds(), marker)
	if err := m.PowerOff(); err != nil {
		t.Error(err)
	}

	c.DeleteBootstrapCluster()
	c.StopServing(c.Bootstrap)
	boots(ctx, t, c, c.Management, lab.BIOSChain, spare, lab.ManagementAddr)
}

// wait waits until done says true.
func wait(ctx context.Context, t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(changeLimit); !done(); time.Sleep(50 * time.Millisecond) {
		if ctx.Err() != nil || time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", changeLimit, what)
		}
	}
}

// start switches a machine of the creation on.
func start(ctx context.Context, t *testing.T, c *lab.Creation, kind lab.Kind, who known) *lab.Machine {
	t.Helper()
	m, err := c.Boot(ctx, kind, who.mac, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.PowerOff(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// boots boots a machine, and asks whether it was told to log to, and so was served by, the stack at addr.
func boots(ctx context.Context, t *testing.T, c *lab.Creation, side *lab.Side, kind lab.Kind, who known, stack netip.Addr) {
	t.Helper()
	m := start(ctx, t, c, kind, who)
	marker, _, err := m.WaitUp(ctx)
	if err != nil {
		t.Fatalf("%v\nthe end of the log of the %s instance:\n%s", err, side.Role, lab.Tail(side.Tugboot.Log, 20))
	}
	if !strings.Contains(marker, "syslog="+stack.String()+" ") {
		t.Errorf("the init says %q, want it to log to %s", marker, stack)
	}
	told, err := c.Site(side).Events(ctx, m, who.addr)
	if err != nil {
		t.Fatal(err)
	}
	checkSteps(t, m, told, []string{"dhcp FirmwareBinary", "tftp Binary", "dhcp StockIPXEScript", "script Script"})
	if err := m.PowerOff(); err != nil {
		t.Error(err)
	}
}
