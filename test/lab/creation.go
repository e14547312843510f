package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// ClusterName is the cluster that is created.
const ClusterName = "lab"

// ManagementAddr is the tinkerbellIP of that cluster: where the management cluster's stack and API are. ServerAddr is
// where the bootstrap cluster's are.
var ManagementAddr = netip.AddrFrom4([4]byte{192, 168, 2, 50})

// Machines of the creation, as testdata/takeover/hardware.yaml has them: one that becomes a node of the cluster, and one
// that is there for later. The Sampler plays a third.
const (
	BootstrapMachine  = "worker01"
	ManagementMachine = "spare01"
)

// What the Sampler's machine is known as, the management station's MAC, and the port of Tink servers.
const (
	samplerMAC    = "52:54:00:a0:00:23"
	managementMAC = "52:54:00:a0:01:50"
	tinkPort      = "42113"
)

var samplerAddr = netip.AddrFrom4([4]byte{192, 168, 2, 23})

// Side is one of the two clusters, with the Tugboot that serves for it.
type Side struct {
	*Station
	// Role is "bootstrap" or "management".
	Role string
	API  *ControlPlane
	// Cluster is nil where Tugboot is a process beside an API without nodes.
	Cluster *Cluster
	// Tugboot is nil before the first Serve.
	Tugboot *Tugboot

	objects dynamic.Interface
	args    []string
	starts  int
	outages []Outage

	mu        sync.Mutex
	latchedAt time.Time
	phase     string
}

// Stack is the address at which the side's stack serves: with a node, that is not the node's own in the management cluster.
func (s *Side) Stack() netip.Addr {
	if s.Role == "management" {
		return ManagementAddr
	}
	return s.Addr
}

// Outage is a time in which the lab itself kept a Tugboot from serving. To is zero while it goes on.
type Outage struct{ From, To time.Time }

// Outages returns the side's, the oldest first.
func (s *Side) Outages() []Outage { return s.outages }

func (s *Side) outage() { s.outages = append(s.outages, Outage{From: time.Now()}) }

// Creation is a site in which a cluster is created as EKS Anywhere does it: in a bootstrap cluster first, from which it
// moves into itself. Each cluster has a Tugboot, at an address of its own.
type Creation struct {
	*Lab
	Chronicle
	Bootstrap, Management *Side
	Files                 *FileServer
	Sampler               *Sampler
	// Existing is nil where the instances answer DHCP themselves, Agent where no agent is beside it.
	Existing *Foreign
	Agent    *Process

	parts       Parts
	watch       Watch
	definitions map[string]definition
	remoteCheck bool
	existing    Daemon
	pods        *Pods
}

// CreationOptions are what differs from one Creation to another.
type CreationOptions struct {
	// RemoteCheck lets the bootstrap instance look into the management cluster.
	RemoteCheck bool
	// Existing is a Kea or a dnsmasq that serves DHCP in the place of both instances, each of which has a DHCPService for it; the zero
	// Daemon leaves DHCP to the instances.
	Existing Daemon
	// Pods has each Tugboot run as a pod in a real cluster, in the place of a process beside an API; nil for the latter.
	Pods *Pods
	// Moment is told everything that happens; it may be nil and must not block.
	Moment func(Moment)
}

// StartCreation makes the LAN, both APIs and the Sampler; nothing is served yet. When it fails, everything is removed
// again. See New for name and dir.
func StartCreation(ctx context.Context, name, dir string, p Parts, w Watch, o CreationOptions) (*Creation, error) {
	definitions, err := definitionsIn(p.CRD, p.StandIns)
	if err != nil {
		return nil, err
	}
	l, err := New(ctx, name, dir)
	if err != nil {
		return nil, err
	}
	l.PXEROM = filepath.Join(p.IPXE, "ipxe.lkrn")
	c := &Creation{Lab: l, Chronicle: Chronicle{tell: o.Moment}, parts: p, watch: w, definitions: definitions, remoteCheck: o.RemoteCheck, existing: o.Existing, pods: o.Pods}
	if err := c.start(ctx); err != nil {
		closing := l.Close()
		if ctx.Err() != nil && closing == nil {
			return nil, ErrStopped
		}
		return nil, errors.Join(err, closing)
	}
	return c, nil
}

func (c *Creation) start(ctx context.Context) (err error) {
	management, err := c.AddStation(ctx, "management", managementMAC, c.managementNode())
	if err != nil {
		return err
	}
	c.Bootstrap = &Side{Station: c.ServerStation(), Role: "bootstrap"}
	c.Management = &Side{Station: management, Role: "management"}
	c.watch.step("lab", "bootstrap cluster at %s, management cluster at %s", c.Bootstrap.Addr, ManagementAddr)
	if c.Files, err = c.ServeFiles(c.parts.OS, c.watch.Fetch); err != nil {
		return err
	}
	var both errgroup.Group
	for _, side := range c.Sides() {
		both.Go(func() error { return c.startAPI(ctx, side) })
	}
	if err := both.Wait(); err != nil {
		return err
	}
	c.watch.step("api", "both Kubernetes APIs are ready")
	if c.existing.Program != "" {
		if err := c.startExisting(ctx, c.existing); err != nil {
			return err
		}
	}
	c.Sampler, err = c.StartSampler(ctx, samplerMAC, samplerAddr, func(change Change) { c.add(answers(change, c.instance(change.Server))) })
	return err
}

// Site is what the site is like for a machine that a side's Tugboot serves.
func (c *Creation) Site(s *Side) *Site {
	return &Site{Lab: c.Lab, API: s.API, Files: c.Files, Tugboot: s.Tugboot}
}

// TakenOver reports whether both instances tell machines to boot from the management cluster's stack.
func (c *Creation) TakenOver() bool {
	told := map[netip.Addr]netip.Addr{}
	for _, span := range c.Sampler.Spans() {
		told[span.Server] = span.NextServer
	}
	if c.Existing != nil {
		return told[ExistingAddr] == ManagementAddr
	}
	return told[c.Bootstrap.Stack()] == ManagementAddr && told[c.Management.Stack()] == ManagementAddr
}

// Sides returns both sides.
func (c *Creation) Sides() []*Side { return []*Side{c.Bootstrap, c.Management} }

// startAPI starts a side's control plane, and watches its baton and its Takeover until the lab is closed.
func (c *Creation) startAPI(ctx context.Context, s *Side) (err error) {
	if c.pods != nil {
		err = c.startCluster(ctx, s)
	} else {
		s.API, err = s.StartControlPlane(ctx, c.parts.Assets)
	}
	if err != nil {
		return err
	}
	if s.objects, err = s.API.Client(); err != nil {
		return err
	}
	if _, err := s.API.Kubectl(ctx, nil, "create", "namespace", KubernetesNamespace); err != nil {
		return err
	}
	state := filepath.Join(s.Dir, s.Role+"-state")
	if err := os.RemoveAll(state); err != nil { // another creation's
		return fmt.Errorf("%s cluster: %w", s.Role, err)
	}
	s.args = s.TugbootArgs(c.parts.Tugboot, c.parts.IPXE, c.Files.URL, "--kubeconfig="+s.API.Kubeconfig,
		"--takeover-namespace="+KubernetesNamespace, "--state-dir="+state)
	following, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.follow(following, configMaps, batonName, c.seeBaton(s)) })
	running.Go(func() { s.follow(following, takeovers, ClusterName, c.seePhase(s)) })
	c.onClose(func() error {
		stop()
		running.Wait()
		return nil
	})
	return nil
}

// instance names who answers from addr.
func (c *Creation) instance(addr netip.Addr) string {
	for _, s := range c.Sides() {
		if s.Stack() == addr {
			return s.Role + " instance"
		}
	}
	if c.Existing != nil && addr == ExistingAddr {
		return "existing DHCP service"
	}
	return "a stranger at " + addr.String()
}

// Serve starts the side's Tugboot, or starts it once more, and returns when it says that it is ready.
func (c *Creation) Serve(ctx context.Context, s *Side) (err error) {
	s.starts++
	c.note("lab", "the %s instance is started", s.Role)
	if c.pods != nil {
		err = c.installChart(ctx, s)
	} else {
		s.Tugboot, err = s.StartTugboot(ctx, fmt.Sprintf("tugboot-%d", s.starts), s.args)
	}
	if err == nil && len(s.outages) > 0 {
		s.outages[len(s.outages)-1].To = time.Now()
		c.Sampler.Excuse(s.Stack(), false)
	}
	return err
}

// Crash kills the side's Tugboot without a warning. Answers that name its stack are excused until it serves again.
func (c *Creation) Crash(s *Side) {
	s.outage()
	c.Sampler.Excuse(s.Stack(), true)
	s.Tugboot.Kill()
	c.note("lab", "the %s instance is killed", s.Role)
}

// StopServing stops the side's Tugboot for good, in order.
func (c *Creation) StopServing(s *Side) {
	s.outage()
	c.note("lab", "the %s instance is told to stop", s.Role)
	s.Tugboot.Stop(stopGrace)
}

// DeleteBootstrapCluster takes the bootstrap cluster's API away for good.
func (c *Creation) DeleteBootstrapCluster() {
	c.note("lab", "the bootstrap cluster is deleted")
	c.Bootstrap.API.Delete()
}

// Resources that the creation is about.
var (
	configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	secrets    = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	services   = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	hardware   = schema.GroupVersionResource{Group: "tinkerbell.org", Version: "v1alpha1", Resource: "hardware"}
	workflows  = schema.GroupVersionResource{Group: "tinkerbell.org", Version: "v1alpha1", Resource: "workflows"}
	takeovers  = schema.GroupVersionResource{Group: "tugboot.dev", Version: "v1alpha1", Resource: "takeovers"}
	eksCluster = schema.GroupVersionResource{Group: "anywhere.eks.amazonaws.com", Version: "v1alpha1", Resource: "clusters"}
	clusters   = schema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"}
	machines   = schema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "machines"}
)
