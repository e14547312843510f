package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	tinkerbell "github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/capi"
	"github.com/tugboot/tugboot/internal/events"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/probe"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

const (
	bootstrapIP  = "192.0.2.10"
	tinkerbellIP = "192.0.2.20"
	system       = "eksa-system"
)

// stacks stand for the servers at the two addresses: what probes see there.
type stacks struct {
	mu      sync.Mutex
	serving map[string]bool
}

func (s *stacks) serve(addr string, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving[addr] = yes
}

// Stack implements prober.
func (s *stacks) Stack(_ context.Context, t probe.Target, now func() time.Time) takeover.Stack {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := takeover.Stack{At: now(), Addr: t.Addr}
	if !s.serving[t.Addr.String()] {
		seen.BootFile, seen.Healthcheck, seen.Script, seen.TinkServer = "no answer", "no answer", "no answer", "no answer"
		return seen
	}
	seen.Endpoint = takeover.Endpoint{Addr: t.Addr, TFTPPort: 69, HTTPPort: 7171, ScriptPath: "/ipxe/script/auto.ipxe", BootFiles: "bios=undionly.kpxe uefi-x86-64=ipxe.efi"}
	if !t.Machine.IsZero() {
		seen.Proof, seen.ProofMAC = t.Addr, t.Machine.String()
	}
	return seen
}

// kept is an existing DHCP service that keeps what it is told.
type kept struct {
	name string

	mu     sync.Mutex
	says   takeover.Endpoint
	mark   takeover.Mark
	fails  error
	writes []string
}

func (k *kept) Name() string { return k.name }

func (k *kept) ReadBack(context.Context) (takeover.Endpoint, takeover.Mark, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.says, k.mark, nil
}

func (k *kept) Apply(_ context.Context, e takeover.Endpoint, m takeover.Mark) (takeover.Endpoint, takeover.Mark, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.fails != nil:
		return k.says, k.mark, k.fails
	case m.Fence.Less(k.mark.Fence):
		return k.says, k.mark, fmt.Errorf("the mark there is above: %+v", k.mark.Fence)
	}
	k.says, k.mark = e, m
	k.writes = append(k.writes, fmt.Sprintf("%s epoch %d", e.Addr, m.Fence.Epoch))
	return k.says, k.mark, nil
}

func (k *kept) fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fails = err
}

func (k *kept) written() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.writes)
}

// side is one cluster of the two.
type side struct {
	t      *testing.T
	config *rest.Config
	client client.Client
}

// newSide starts a control plane with every CRD of a management cluster.
func newSide(t *testing.T) *side {
	t.Helper()
	_, config := ownPlane(t)
	if _, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{Paths: takeoverCRDs(), ErrorIfPathMissing: true}); err != nil {
		t.Fatal(err)
	}
	return sideOf(t, config)
}

func sideOf(t *testing.T, config *rest.Config) *side {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, tinkerbell.AddToScheme, clientgoscheme.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	config = rest.CopyConfig(config)
	config.QPS = -1
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	s := &side{t: t, config: config, client: c}
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: system}})
	return s
}

func (s *side) create(objects ...client.Object) {
	s.t.Helper()
	create(s.t, s.client, objects...)
}

// identity is the UID of kube-system.
func (s *side) identity() string {
	s.t.Helper()
	ns := &corev1.Namespace{}
	if err := s.client.Get(s.t.Context(), client.ObjectKey{Name: "kube-system"}, ns); err != nil {
		s.t.Fatal(err)
	}
	return string(ns.UID)
}

// object makes an object of a foreign kind.
func object(apiVersion, kind, namespace, name string, spec map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	u.SetNamespace(namespace)
	u.SetName(name)
	return u
}

func eksaCluster() *unstructured.Unstructured {
	u := object("anywhere.eks.amazonaws.com/v1alpha1", "Cluster", "default", "lab", map[string]any{
		"managementCluster": map[string]any{"name": "lab"},
		"datacenterRef":     map[string]any{"kind": "TinkerbellDatacenterConfig", "name": "lab"},
	})
	u.SetAnnotations(map[string]string{"anywhere.eks.amazonaws.com/tinkerbell-bootstrap-ip": bootstrapIP})
	return u
}

func datacenter() *unstructured.Unstructured {
	return object("anywhere.eks.amazonaws.com/v1alpha1", "TinkerbellDatacenterConfig", "default", "lab", map[string]any{
		"tinkerbellIP": tinkerbellIP, "osImageURL": "", "skipLoadBalancerDeployment": true,
	})
}

const capiVersion = "cluster.x-k8s.io/v1beta2"

func capiCluster() *unstructured.Unstructured {
	return object(capiVersion, "Cluster", system, "lab", map[string]any{"paused": false})
}

func capiMachine() *unstructured.Unstructured {
	u := object(capiVersion, "Machine", system, "lab-cp-1", map[string]any{
		"clusterName": "lab", "providerID": "tinkerbell://eksa-system/one",
		"bootstrap":         map[string]any{"dataSecretName": "lab-cp-1"},
		"infrastructureRef": map[string]any{"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "TinkerbellMachine", "name": "lab-cp-1"},
	})
	u.SetLabels(map[string]string{"cluster.x-k8s.io/cluster-name": "lab"})
	return u
}

func node(name, providerID string) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.NodeSpec{ProviderID: providerID}}
}

// status writes the status of a foreign object, as its own controllers do.
func (s *side) status(u *unstructured.Unstructured, status map[string]any) {
	s.t.Helper()
	now := u.DeepCopy()
	if err := s.client.Get(s.t.Context(), client.ObjectKeyFromObject(u), now); err != nil {
		s.t.Fatal(err)
	}
	now.Object["status"] = status
	if err := s.client.Status().Update(s.t.Context(), now); err != nil {
		s.t.Fatal(err)
	}
}

// atWork gives cluster and machine the status that they have once the cluster works.
func (s *side) atWork() {
	s.t.Helper()
	s.status(capiCluster(), map[string]any{"phase": "Provisioned", "initialization": map[string]any{"infrastructureProvisioned": true, "controlPlaneInitialized": true}})
	s.status(capiMachine(), map[string]any{"phase": "Running", "nodeRef": map[string]any{"name": "lab-cp-1"}})
}

// moveOut deletes an object as clusterctl does in the source cluster: the annotations are replaced by the mark, then it goes.
func (s *side) moveOut(o client.Object) {
	s.t.Helper()
	now := o.DeepCopyObject().(client.Object)
	if err := s.client.Get(s.t.Context(), client.ObjectKeyFromObject(o), now); err != nil {
		s.t.Fatal(err)
	}
	now.SetAnnotations(map[string]string{v1alpha1.DeleteForMove: ""})
	if err := s.client.Update(s.t.Context(), now); err != nil {
		s.t.Fatal(err)
	}
	if err := s.client.Delete(s.t.Context(), now); err != nil {
		s.t.Fatal(err)
	}
}

// moveIn creates a copy of an object as clusterctl does in the target cluster.
func (s *side) moveIn(from *side, o client.Object) {
	s.t.Helper()
	copied := o.DeepCopyObject().(client.Object)
	if err := from.client.Get(s.t.Context(), client.ObjectKeyFromObject(o), copied); err != nil {
		s.t.Fatal(err)
	}
	copied.SetUID(types.UID(""))
	copied.SetResourceVersion("")
	copied.SetManagedFields(nil)
	s.create(copied)
}

// instance is a Tugboot: all that it runs for the takeover.
type instance struct {
	*TakeoverController
	store  *inventory.Store
	cancel func()

	mu      sync.Mutex
	notices []events.Notice
	stances []takeover.Stance
	lines   []string
}

// run starts an instance on a side; what it has wrong is the test's.
func (s *side) run(world *stacks, services ...DHCPService) *instance {
	s.t.Helper()
	return s.runAs(s.config, world, services...)
}

func (s *side) runAs(config *rest.Config, world *stacks, services ...DHCPService) *instance {
	t := s.t
	t.Helper()
	in := &instance{store: inventory.NewStore()}
	log := funcr.New(func(_, args string) {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.lines = append(in.lines, args)
	}, funcr.Options{})
	core, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	hardware, err := NewHardwareController(HardwareOptions{Config: config, Store: in.store, Report: func(reservation.Problem) {}, Log: logr.Discard(), Registerer: prometheus.NewRegistry()})
	must(err)
	cluster, err := capi.New(capi.Options{Config: config, Log: log})
	must(err)
	var stance *StanceFollower
	baton, err := NewBatonFollower(BatonFollowerOptions{
		Client: core.CoreV1(), Namespace: system, Cluster: func() string { return "lab" }, Log: log,
		Changed: func() { in.Trigger(); stance.Trigger() },
	})
	must(err)
	leader, err := NewLeader(LeaderOptions{Client: core, Namespace: system, Name: "tugboot", Instance: fmt.Sprintf("%p", in), Log: log})
	must(err)
	in.TakeoverController, err = NewTakeoverController(TakeoverOptions{
		Config: config, Namespace: system, Cluster: cluster, Baton: baton, Leader: leader, Services: func() []DHCPService { return services },
		Snapshot: func() (*inventory.Snapshot, bool) { return in.store.Load(), isPublished(in.store) }, Moved: hardware.Moved, InFlight: func(time.Time) int { return 0 },
		Announce: func(n events.Notice) {
			in.mu.Lock()
			defer in.mu.Unlock()
			in.notices = append(in.notices, n)
		},
		Log: log, Registerer: prometheus.NewRegistry(), Rule: takeover.Rule{Times: 3, Span: time.Second},
	})
	must(err)
	in.probes.prober = func(time.Duration) prober { return world }
	stance, err = NewStanceFollower(StanceOptions{
		Local: baton, Part: in.Part, Own: takeover.Endpoint{}, Log: log,
		Set: func(s takeover.Stance) {
			in.mu.Lock()
			defer in.mu.Unlock()
			in.stances = append(in.stances, s)
		},
	})
	must(err)
	in.start(t, hardware.Start, cluster.Start, baton.Start, leader.Start, in.Start, stance.Start)
	return in
}

// start runs everything until stop or the end of the test.
func (in *instance) start(t *testing.T, runs ...func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range runs {
		running.Go(func() {
			if err := run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	in.cancel = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	t.Cleanup(in.cancel)
}

// stance is the last one that was set.
func (in *instance) stance() takeover.Stance {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.stances) == 0 {
		return takeover.Stance{Silent: true}
	}
	return in.stances[len(in.stances)-1]
}

// said lists the reasons of the Events, in their order.
func (in *instance) said() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	var reasons []string
	for _, n := range in.notices {
		reasons = append(reasons, n.Reason)
	}
	return reasons
}

// takeoverNow returns the Takeover as the API shows it.
func (s *side) takeoverNow(name string) *v1alpha1.Takeover {
	s.t.Helper()
	to := &v1alpha1.Takeover{}
	if err := s.client.Get(s.t.Context(), client.ObjectKey{Namespace: system, Name: name}, to); err != nil {
		s.t.Fatal(err)
	}
	return to
}

// reaches waits until the Takeover is in a phase and tells its reason.
func (s *side) reaches(in *instance, phase v1alpha1.Phase, address string) *v1alpha1.Takeover {
	s.t.Helper()
	var to *v1alpha1.Takeover
	eventually(s.t, func() string {
		to = s.takeoverNow("tugboot")
		now := ""
		if to.Status.Advertised != nil {
			now = to.Status.Advertised.Address
		}
		if to.Status.Phase == phase && now == address {
			return ""
		}
		text := fmt.Sprintf("%s advertising %q, want %s advertising %q", to.Status.Phase, now, phase, address)
		for _, c := range to.Status.Conditions {
			text += fmt.Sprintf("\n  %s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message)
		}
		in.mu.Lock()
		defer in.mu.Unlock()
		return text + "\n" + strings.Join(in.lines[max(0, len(in.lines)-10):], "\n")
	})
	return to
}

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }
