package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/events"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

// memory is a DHCP service that keeps what it is told. It implements dhcpservice.Driver.
type memory struct {
	mu                    sync.Mutex
	stands                render.Wanted
	drift                 []string
	found                 dhcpservice.Findings
	read, rejects, writes error
	written               int
}

func (m *memory) Read(_ context.Context, want render.Wanted) (dhcpservice.Standing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := dhcpservice.Standing{Word: m.stands.Word, Reservations: m.stands.Reservations(), Drift: m.drift, Drifts: len(m.drift), Findings: m.found}
	if m.drift == nil && s.Present() && s.Reservations != want.Reservations() {
		s.Drift, s.Drifts = []string{fmt.Sprintf("%d reservations, want %d", s.Reservations, want.Reservations())}, 1
	}
	return s, m.read
}

func (m *memory) Check(context.Context, render.Wanted) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rejects
}

func (m *memory) Keep(context.Context) (func(context.Context) error, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.stands
	return func(context.Context) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.stands = before
		return nil
	}, nil
}

func (m *memory) Write(_ context.Context, want render.Wanted) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.written++
	m.stands, m.drift = want, nil
	return m.writes
}

func (m *memory) set(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

func (m *memory) seen() (w render.Wanted, written int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stands, m.written
}

// office is a running DHCPServiceController with everything around it.
type office struct {
	*DHCPServiceController
	t      *testing.T
	ns     string
	api    client.Client
	store  *inventory.Store
	kea    *memory
	cancel func()

	mu       sync.Mutex
	word     render.Word
	speaks   bool
	wrong    error // what verification finds
	notices  []events.Notice
	problems []reservation.Problem
	lines    []string
	disabled []string // lint's rules
}

var endpointB = takeover.Endpoint{Addr: netip.MustParseAddr(bootstrapIP), TFTPPort: 69, HTTPPort: 7171, ScriptPath: "/ipxe/script/auto.ipxe", BootFiles: "bios=undionly.kpxe"}

func wordOf(epoch int64, e takeover.Endpoint) render.Word {
	return render.Word{Mark: takeover.Mark{Cluster: "lab", Fence: takeover.Fence{Born: 1700000000, Epoch: epoch}}, Says: e}
}

// account is the service account that config/rbac/dhcpservice gives rights to.
const accountName = "system:serviceaccount:tugboot:tugboot"

// newOffice starts a controller in a namespace of its own, as the service account that config/rbac/dhcpservice names.
func newOffice(t *testing.T, name string) *office {
	t.Helper()
	config := shared(t)
	o := &office{t: t, ns: name, api: newClient(t, config), store: inventory.NewStore(), kea: &memory{}, speaks: true, word: wordOf(1, endpointB)}
	namespace(t, o.api, name)
	o.grant()
	account := rest.CopyConfig(config)
	account.Impersonate = rest.ImpersonationConfig{UserName: accountName, Groups: []string{"system:authenticated"}}
	core, err := kubernetes.NewForConfig(account)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	log := funcr.New(func(_, args string) { o.locked(func() { o.lines = append(o.lines, args) }) }, funcr.Options{})
	leader, err := NewLeader(LeaderOptions{Client: core, Namespace: name, Name: "tugboot", Instance: name, Log: log})
	must(err)
	o.DHCPServiceController, err = NewDHCPServiceController(DHCPServiceOptions{
		Config: account, Namespace: name, Leader: leader, Log: log, Registerer: prometheus.NewRegistry(),
		Snapshot: func() (*inventory.Snapshot, bool) { return o.store.Load(), isPublished(o.store) },
		Word: func(*v1alpha1.DHCPService) (w render.Word, speaks bool) {
			o.locked(func() { w, speaks = o.word, o.speaks })
			return w, speaks
		},
		Render: func(kind v1alpha1.DHCPServiceType, w render.Wanted) (render.Output, error) {
			return render.Output{Live: []render.File{{Name: "tugboot.ps1", Text: fmt.Sprintf("# %s, %d\n", kind, w.Reservations())}}}, nil
		},
		Kea: func(s KeaServer) (dhcpservice.Driver, error) {
			o.locked(func() { o.disabled = s.Disable })
			return o.kea, nil
		},
		Verify: func(dhcpservice.Ask, []netip.Prefix) (dhcpservice.Verify, error) {
			return func(context.Context, render.Wanted) (err error) {
				o.locked(func() { err = o.wrong })
				return err
			}, nil
		},
		Announce: func(n events.Notice) { o.locked(func() { o.notices = append(o.notices, n) }) },
		Report:   func(p reservation.Problem) { o.locked(func() { o.problems = append(o.problems, p) }) },
		Times: DHCPServiceTimes{
			Settle: 200 * time.Millisecond, Gather: 2 * time.Second, Look: 500 * time.Millisecond, Retry: 100 * time.Millisecond,
			RetryMost: 500 * time.Millisecond, Agent: time.Second,
		},
	})
	must(err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{leader.Start, o.Start} {
		running.Go(func() {
			if err := run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	o.cancel = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(func() {
		o.cancel()
		for _, line := range o.lines {
			if strings.Contains(line, "forbidden") {
				t.Errorf("a right is missing: %s", line)
			}
		}
	})
	return o
}

// grant applies config/rbac/dhcpservice in the office's namespace.
func (o *office) grant() {
	o.t.Helper()
	for _, file := range []string{"role.yaml", "role_binding.yaml"} {
		for _, object := range objectsIn(o.t, filepath.Join("..", "config", "rbac", "dhcpservice", file)) {
			object.SetNamespace(o.ns)
			if err := o.api.Create(o.t.Context(), object); err != nil {
				o.t.Fatal(err)
			}
		}
	}
}

func (o *office) locked(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

// publish makes n machines what the Hardware says.
func (o *office) publish(n int) {
	var all []*reservation.Reservation
	for i := range n {
		all = append(all, &reservation.Reservation{
			Source: reservation.Source{Namespace: o.ns, Name: fmt.Sprintf("m%d", i)}, MAC: mac(i + 1), Address: reservation.MustParsePrefix(address(i+1) + "/16"),
			Settings: &reservation.Settings{Lease: 3600},
		})
	}
	o.store.Publish(inventory.New(all))
	o.Trigger()
}

// create makes a DHCPService of that type.
func (o *office) create(kind v1alpha1.DHCPServiceType, edit func(*v1alpha1.DHCPService)) *v1alpha1.DHCPService {
	o.t.Helper()
	s := &v1alpha1.DHCPService{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.ns, Name: "hall"},
		Spec:       v1alpha1.DHCPServiceSpec{Type: kind, Subnets: []string{"10.0.0.0/16"}},
	}
	if kind == v1alpha1.DHCPServiceKea {
		s.Spec.Kea = &v1alpha1.KeaService{Peers: []v1alpha1.KeaPeer{{URL: "unix:///run/kea/kea4-ctrl-socket"}}}
	}
	if edit != nil {
		edit(s)
	}
	if err := o.api.Create(o.t.Context(), s); err != nil {
		o.t.Fatal(err)
	}
	return s
}

func (o *office) now() *v1alpha1.DHCPService {
	o.t.Helper()
	s := &v1alpha1.DHCPService{}
	if err := o.api.Get(o.t.Context(), client.ObjectKey{Namespace: o.ns, Name: "hall"}, s); err != nil {
		o.t.Fatal(err)
	}
	return s
}

// shows waits until each condition, written TYPE=STATUS/REASON, is there.
func (o *office) shows(conditions ...string) *v1alpha1.DHCPService {
	o.t.Helper()
	var s *v1alpha1.DHCPService
	eventually(o.t, func() string {
		s = o.now()
		var have []string
		for _, c := range s.Status.Conditions {
			have = append(have, fmt.Sprintf("%s=%s/%s", c.Type, c.Status, c.Reason))
		}
		for _, want := range conditions {
			if !slices.Contains(have, want) {
				text := fmt.Sprintf("want %s, have %q", want, have)
				if ready := meta.FindStatusCondition(s.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
					text += ": " + ready.Message
				}
				return text
			}
		}
		return ""
	})
	return s
}

func (o *office) edit(f func(*v1alpha1.DHCPService)) {
	o.t.Helper()
	s := o.now()
	patch := client.MergeFrom(s.DeepCopy())
	f(s)
	if err := o.api.Patch(o.t.Context(), s, patch); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) configMap(name string) *corev1.ConfigMap {
	o.t.Helper()
	m := &corev1.ConfigMap{}
	if err := o.api.Get(o.t.Context(), client.ObjectKey{Namespace: o.ns, Name: name}, m); err != nil {
		o.t.Fatal(err)
	}
	return m
}

// reasons lists those of the Events so far.
func (o *office) reasons() (reasons []string) {
	o.locked(func() {
		for _, n := range o.notices {
			reasons = append(reasons, n.Reason)
		}
	})
	return reasons
}
