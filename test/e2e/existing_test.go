package e2e

import (
	"context"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/test/lab"
)

// A machine boots through a Kea, and then one through a dnsmasq, that knew nothing but its subnet, from the bootstrap
// stack; the cluster takes over; and another boots through the same service from the management stack, when nothing else
// is left. Nobody but Tugboot configures the service: its two instances a Kea, one after the other, and the agent that
// follows both a dnsmasq.
func TestMachinesBootThroughAnExistingService(t *testing.T) {
	needSite(t)
	for _, kind := range []lab.DaemonKind{lab.Kea, lab.Dnsmasq} {
		d := daemonOf(t, kind)
		t.Run(d.Name, func(t *testing.T) { throughTakeover(t, d) })
	}
}

// daemonOf is the one that Debian installs.
func daemonOf(t *testing.T, kind lab.DaemonKind) lab.Daemon {
	t.Helper()
	servers := os.Getenv("TUGBOOT_DHCP_SERVERS")
	if servers == "" {
		t.Fatal("the DHCP servers are missing: set TUGBOOT_DHCP_SERVERS to the folder that hack/dhcp-servers.sh prints")
	}
	daemons, err := lab.Daemons(servers)
	if err != nil {
		t.Fatal(err)
	}
	return daemons[slices.IndexFunc(daemons, func(d lab.Daemon) bool { return d.Kind == kind })]
}

func throughTakeover(t *testing.T, d lab.Daemon) {
	ctx, cancel := context.WithTimeout(t.Context(), takeoverLimit)
	defer cancel()
	parts, err := siteParts()
	if err != nil {
		t.Fatal(err)
	}
	c, err := lab.StartCreation(ctx, "e2e-existing", folder+"-"+d.Name, parts, lab.Watch{}, lab.CreationOptions{Existing: d})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		var table strings.Builder
		if err := c.Print(&table); err != nil {
			t.Error(err)
		}
		if t.Failed() && c.Agent != nil {
			t.Logf("the end of the agent's log:\n%s", lab.Tail(c.Agent.Log, 15))
		}
		t.Logf("%s; timeline:\n%s", d.Name, table.String())
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
	answered := func(by, from netip.Addr) bool {
		for _, span := range c.Sampler.Spans() {
			if span.Server == by && span.NextServer == from {
				return true
			}
		}
		return false
	}
	do(c.BeginBootstrap, c.AddHardware, c.CreateCluster)
	wait(ctx, t, "the service sends machines to the bootstrap stack", func() bool { return answered(lab.ExistingAddr, lab.ServerAddr) })
	bootsThrough(ctx, t, c, c.Bootstrap, worker, lab.ServerAddr)
	do(c.FinishMachines, c.InstallStack, c.Move, c.FinishCreation)
	wait(ctx, t, "the service sends machines to the management stack", c.TakenOver)
	c.DeleteBootstrapCluster()
	c.StopServing(c.Bootstrap)
	bootsThrough(ctx, t, c, c.Management, spare, lab.ManagementAddr)
	for _, span := range c.Sampler.Spans() {
		if span.NextServer.IsValid() && span.Server != lab.ExistingAddr {
			t.Errorf("%s answered DHCP", span.Server)
		}
	}
}

// bootsThrough boots a machine whose DHCP is somebody else's, and asks whether it was served by the stack at addr.
func bootsThrough(ctx context.Context, t *testing.T, c *lab.Creation, side *lab.Side, who known, stack netip.Addr) {
	t.Helper()
	m := start(ctx, t, c, lab.BIOSChain, who)
	marker, _, err := m.WaitUp(ctx)
	if err != nil {
		t.Fatalf("%v\nthe end of the log of the %s instance:\n%s\nthe end of the DHCP service's:\n%s", err, side.Role,
			lab.Tail(side.Tugboot.Log, 20), lab.Tail(c.Existing.Log(), 10))
	}
	if !strings.Contains(marker, "syslog="+stack.String()+" ") {
		t.Errorf("the init says %q, want it to log to %s", marker, stack)
	}
	told, err := c.Site(side).Events(ctx, m, who.addr)
	if err != nil {
		t.Fatal(err)
	}
	checkSteps(t, m, told, []string{"tftp Binary", "script Script"})
	if err := m.PowerOff(); err != nil {
		t.Error(err)
	}
}
