package e2e

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/test/lab"
	"github.com/tugboot/tugboot/test/need"
)

// The API is away for so long while a machine boots.
const apiOutage = time.Minute

// third is a machine that is made known by kubectl when the management cluster is on its own.
var third = known{"52:54:00:a0:00:24", netip.MustParseAddr("192.168.2.24")}

// TestTakeoverBetweenTwoClusters installs the chart in two clusters with real nodes, as users do: a machine boots from the pod in the
// bootstrap cluster; the objects move; the takeover latches; the bootstrap cluster is shut down; a machine boots from the pod in the
// management cluster, at the virtual address of its node; the node is rebooted, and the chart uninstalled and installed again; one
// more machine boots while the API is away. Meanwhile a machine asks all the time, and no answer is wrong.
func TestTakeoverBetweenTwoClusters(t *testing.T) {
	needSite(t)
	ctx, cancel := context.WithTimeout(t.Context(), takeoverLimit)
	defer cancel()
	parts, err := siteParts()
	if err != nil {
		t.Fatal(err)
	}
	parts.StandIns = cmp.Or(os.Getenv("TUGBOOT_UPSTREAM_CRDS"), parts.StandIns)
	c, err := lab.StartCreation(ctx, "e2e-clusters", folder+"-clusters", parts, lab.Watch{}, lab.CreationOptions{Pods: podParts(ctx, t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		var table strings.Builder
		if err := c.Print(&table); err != nil {
			t.Error(err)
		}
		t.Logf("timeline:\n%s", table.String())
		for _, side := range c.Sides() {
			if t.Failed() && side.Cluster != nil && (side == c.Management || !c.TakenOver()) {
				t.Logf("the end of the log of the %s instance:\n%s", side.Role, side.Logs(ctx))
			}
		}
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
	bootsFrom(ctx, t, c, lab.BIOS, worker, lab.ServerAddr)
	do(c.FinishMachines, c.InstallStack, c.Move, c.FinishCreation)
	wait(ctx, t, "both instances send machines to the management stack", c.TakenOver)
	nothingForbidden(ctx, t, c.Bootstrap)
	if err := c.ShutDownBootstrap(); err != nil {
		t.Fatal(err)
	}
	bootsFrom(ctx, t, c, lab.BIOS, spare, lab.ManagementAddr)

	useServices(ctx, t, c)
	doctorInThePod(ctx, t, c.Management)
	do(c.RebootManagement)
	nothingForbidden(ctx, t, c.Management)
	// From here on without NET_RAW: answers to machines without an address are broadcast.
	do(func(ctx context.Context) error { return c.Reinstall(ctx, c.Management, "netRaw=false") })
	wait(ctx, t, "machines are sent to the management stack", c.TakenOver)
	saysBroadcast(ctx, t, c.Management)

	// The last, for Kubernetes' own controllers take minutes to find an API again that was away for one.
	apply(ctx, t, c.Management, filepath.Join("testdata", "third.yaml"))
	wait(ctx, t, "the third machine is known", func() bool { return knows(ctx, t, c.Management, third) })
	// Before the outage, for an API that starts refuses everything until it has read its roles.
	nothingForbidden(ctx, t, c.Management)
	rightsAreUsed(ctx, t, c)
	c.Management.Cluster.StopAPI()
	away := time.Now()
	bootsFrom(ctx, t, c, lab.UEFI, third, lab.ManagementAddr)
	time.Sleep(time.Until(away.Add(apiOutage)))
	do(c.Management.Cluster.StartAPI)
	restarts(ctx, t, c.Management, 0)
	for _, problem := range c.Sampler.Problems() {
		t.Error(problem)
	}
}

// podParts are what pods are made of.
func podParts(ctx context.Context, t *testing.T) *lab.Pods {
	t.Helper()
	kube := os.Getenv("TUGBOOT_KUBE")
	if kube == "" {
		need.File(t, "TUGBOOT_KUBE", "run `make e2e`, which sets it, or set it to what hack/kube/build.sh prints")
	}
	p := &lab.Pods{Kube: kube, Pause: filepath.Join(t.TempDir(), "pause"), Image: filepath.Join(t.TempDir(), "image.tar"), Chart: filepath.Join(root, "charts", "tugboot")}
	pause := exec.CommandContext(ctx, "go", "build", "-o", p.Pause, "./test/lab/pause")
	pause.Dir, pause.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	image := exec.CommandContext(ctx, filepath.Join(root, "hack", "image.sh"), p.Image)
	image.Env = append(os.Environ(), "IMAGE="+lab.ImageName+":"+lab.ImageTag)
	for _, command := range []*exec.Cmd{pause, image} {
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	return p
}

// bootsFrom boots a machine, which is to be told to log to, and so is served by, the stack at addr.
func bootsFrom(ctx context.Context, t *testing.T, c *lab.Creation, kind lab.Kind, who known, stack netip.Addr) {
	t.Helper()
	m := start(ctx, t, c, kind, who)
	marker, up, err := m.WaitUp(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(marker, "syslog="+stack.String()+" ") {
		t.Errorf("the init says %q, want it to log to %s", marker, stack)
	}
	t.Logf("a %s machine booted from %s in %.1f s", kind, stack, up.Sub(m.PowerOn).Seconds())
	if err := m.PowerOff(); err != nil {
		t.Error(err)
	}
}

func apply(ctx context.Context, t *testing.T, s *lab.Side, file string) {
	t.Helper()
	if _, err := s.API.Kubectl(ctx, nil, "apply", "--filename="+file); err != nil {
		t.Fatal(err)
	}
}

// knows reports whether a side's Tugboot has a reservation for a machine: its script is served then.
func knows(ctx context.Context, t *testing.T, s *lab.Side, who known) bool {
	t.Helper()
	// By loopback, for others than the machine are given no script.
	return s.Fetch(ctx, fmt.Sprintf("http://127.0.0.1:7171/%s/auto.ipxe", who.mac)) == nil
}

// restarts asserts how often the container at a side was started again.
func restarts(ctx context.Context, t *testing.T, s *lab.Side, want int) {
	t.Helper()
	out, err := s.API.Kubectl(ctx, nil, "get", "pods", "--namespace="+lab.KubernetesNamespace, "--selector=app.kubernetes.io/name=tugboot",
		"--output=jsonpath={.items[*].status.containerStatuses[*].restartCount}")
	if err != nil || string(out) != fmt.Sprint(want) {
		t.Errorf("the container was started again %s times (%v), want %d", out, err, want)
	}
}
