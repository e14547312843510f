package controllers

import (
	"context"
	"fmt"
	"os"
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
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	tugboot "github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
)

// plane is the control plane of the tests that do not disturb it, started when the first of them asks for it. Each works
// in namespaces of its own.
var plane struct {
	once    sync.Once
	env     *envtest.Environment
	config  *rest.Config
	failure error
}

// shared returns the way to that control plane.
func shared(t *testing.T) *rest.Config {
	t.Helper()
	needsAssets(t)
	plane.once.Do(func() {
		plane.env = &envtest.Environment{CRDDirectoryPaths: []string{crdPath()}, ErrorIfCRDPathMissing: true}
		plane.config, plane.failure = plane.env.Start()
	})
	if plane.failure != nil {
		t.Fatalf("start a control plane: %v", plane.failure)
	}
	return plane.config
}

func needsAssets(t *testing.T) {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("this test needs etcd and kube-apiserver in the folder that KUBEBUILDER_ASSETS names: `make test` sets it, " +
			"or run `KUBEBUILDER_ASSETS=$(hack/kube/build.sh) go test ./controllers/...`")
	}
}

func TestMain(m *testing.M) {
	ctrllog.SetLogger(logr.Discard())
	code := m.Run()
	if plane.env != nil {
		if err := plane.env.Stop(); err != nil {
			fmt.Println("stop the control plane:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// crdPath is the CRD of Hardware: ours, or another that TUGBOOT_HARDWARE_CRD names, such as Tinkerbell's own.
func crdPath() string {
	if path := os.Getenv("TUGBOOT_HARDWARE_CRD"); path != "" {
		return path
	}
	return "../config/crd/bases"
}

// newClient returns a client with all rights.
func newClient(t *testing.T, config *rest.Config) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, tugboot.AddToScheme, clientgoscheme.AddToScheme} {
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
	return c
}

// namespace makes a namespace for one test.
func namespace(t *testing.T, c client.Client, name string) string {
	t.Helper()
	if err := c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
		t.Fatal(err)
	}
	return name
}

// machine is a Hardware with one interface, 52:54:00:00:xx:yy at 10.0.xx.yy.
func machine(namespace, name string, n int) *v1alpha1.Hardware {
	allow := true
	return &v1alpha1.Hardware{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.HardwareSpec{Interfaces: []v1alpha1.Interface{{
			DHCP: &v1alpha1.DHCP{
				MAC: mac(n).String(),
				IP:  &v1alpha1.IP{Address: address(n), Netmask: "255.255.0.0", Gateway: "10.0.255.1"},
			},
			Netboot: &v1alpha1.Netboot{AllowPXE: &allow},
		}}},
	}
}

func mac(n int) reservation.MAC {
	return reservation.MAC{0x52, 0x54, 0, byte(n >> 16), byte(n >> 8), byte(n)}
}

func address(n int) string { return fmt.Sprintf("10.0.%d.%d", n/250, n%250+1) }

// fixture is a running controller and all that it said.
type fixture struct {
	*HardwareController
	store    *inventory.Store
	registry *prometheus.Registry
	stop     func()

	mu       sync.Mutex
	reported []reservation.Problem
	lines    []string
}

// follow runs a controller until the test ends. Its problems also go to the given reports.
func follow(t *testing.T, config *rest.Config, namespaces []string, reports ...func(reservation.Problem)) *fixture {
	t.Helper()
	return followWith(t, HardwareOptions{Config: config, Namespaces: namespaces}, reports...)
}

// followWith does the same with further options.
func followWith(t *testing.T, o HardwareOptions, reports ...func(reservation.Problem)) *fixture {
	t.Helper()
	f := &fixture{store: inventory.NewStore(), registry: prometheus.NewRegistry()}
	o.Store, o.Registerer = f.store, f.registry
	o.Log = funcr.New(func(_, args string) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.lines = append(f.lines, args)
	}, funcr.Options{})
	o.Report = func(p reservation.Problem) {
		f.mu.Lock()
		f.reported = append(f.reported, p)
		f.mu.Unlock()
		for _, report := range reports {
			report(p)
		}
	}
	var err error
	f.HardwareController, err = NewHardwareController(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Start(ctx) }()
	f.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Start: %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Error("the controller does not stop")
		}
	})
	t.Cleanup(f.stop)
	return f
}

func (f *fixture) problems() []reservation.Problem {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.reported)
}

func (f *fixture) logged(words string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, line := range f.lines {
		if strings.Contains(line, words) {
			n++
		}
	}
	return n
}

// ready waits for the first snapshot.
func (f *fixture) ready(t *testing.T) {
	t.Helper()
	select {
	case <-f.store.Ready():
	case <-time.After(20 * time.Second):
		f.mu.Lock()
		defer f.mu.Unlock()
		t.Fatalf("no snapshot; log: %q", f.lines)
	}
}

// served waits until the machines, and no others, are in the snapshot.
func (f *fixture) served(t *testing.T, want ...int) {
	t.Helper()
	eventually(t, func() string {
		s := f.store.Load()
		if s.Len() != len(want) {
			return fmt.Sprintf("%d reservations, want %v", s.Len(), want)
		}
		for _, n := range want {
			if r, ok := s.ByMAC(mac(n)); !ok || r.Address.Addr().String() != address(n) {
				return fmt.Sprintf("machine %d is missing", n)
			}
		}
		return ""
	})
}

// eventually waits until complaint has none.
func eventually(t *testing.T, complaint func() string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		text := complaint()
		if text == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(text)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// metric returns the value of a gauge, with the label where one is given.
func (f *fixture) metric(t *testing.T, name string, label ...string) float64 {
	t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			if len(label) == 0 || m.GetLabel()[0].GetValue() == label[0] {
				return m.GetGauge().GetValue()
			}
		}
	}
	t.Fatalf("no metric %s %v", name, label)
	return 0
}
