package controllers

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/events"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/tink"
)

var (
	_ manager.Runnable               = &HardwareController{}
	_ manager.LeaderElectionRunnable = &HardwareController{}
	_ manager.LeaderElectionRunnable = &events.Recorder{}
)

func create(t *testing.T, c client.Client, objects ...client.Object) {
	t.Helper()
	for _, o := range objects {
		if err := c.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFollowsAddUpdateDelete(t *testing.T) {
	c := newClient(t, shared(t))
	ns := namespace(t, c, "follows")
	f := follow(t, shared(t), []string{ns})
	f.ready(t)
	f.served(t)

	one, two := machine(ns, "one", 1), machine(ns, "two", 2)
	create(t, c, one, two)
	f.served(t, 1, 2)
	if r, _ := f.store.Load().ByMAC(mac(1)); r.Source.UID != string(one.UID) || r.Source.Object() != ns+"/one" || !r.Netboot.Allow {
		t.Errorf("reservation %+v", r)
	}

	*one = *changed(t, c, one, func(hw *v1alpha1.Hardware) {
		hw.Spec.Interfaces[0].DHCP.MAC = mac(3).String()
		hw.Spec.Interfaces[0].DHCP.IP.Address = address(3)
	})
	f.served(t, 2, 3)

	changed(t, c, two, func(hw *v1alpha1.Hardware) { hw.Annotations = map[string]string{v1alpha1.AnnotationDisabled: ""} })
	f.served(t, 3)

	if err := c.Delete(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	f.served(t)
	eventually(t, func() string {
		if n := f.metric(t, "tugboot_hardware_objects"); n != 1 {
			return fmt.Sprintf("%v objects, want the disabled one", n)
		}
		return ""
	})
	if f.metric(t, "tugboot_hardware_api_connected") != 1 || f.metric(t, "tugboot_hardware_last_sync_timestamp_seconds") < float64(time.Now().Unix()-60) {
		t.Error("the metrics do not show that the API is there")
	}
}

// changed updates the object as it stands in the API now.
func changed(t *testing.T, c client.Client, hw *v1alpha1.Hardware, change func(*v1alpha1.Hardware)) *v1alpha1.Hardware {
	t.Helper()
	now := &v1alpha1.Hardware{}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(hw), now); err != nil {
		t.Fatal(err)
	}
	change(now)
	if err := c.Update(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	return now
}

func TestStatusAndLabelsPublishNothing(t *testing.T) {
	c := newClient(t, shared(t))
	ns := namespace(t, c, "status")
	one := machine(ns, "one", 1)
	create(t, c, one)
	f := follow(t, shared(t), []string{ns})
	f.served(t, 1)
	before := f.store.Load()

	one = changed(t, c, one, func(hw *v1alpha1.Hardware) { hw.Labels = map[string]string{"type": "worker"} })
	one.Status.State = "Ready"
	if err := c.Status().Update(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string {
		f.records.mu.Lock()
		defer f.records.mu.Unlock()
		if v := f.records.byKey[objectKey{ns, "one"}].version.resourceVersion; v != one.ResourceVersion {
			return fmt.Sprintf("seen up to version %s, want %s", v, one.ResourceVersion)
		}
		return ""
	})
	time.Sleep(2 * minPause)
	if f.store.Load() != before {
		t.Error("a new snapshot, and nothing in it is new")
	}
}

func TestNamespaces(t *testing.T) {
	c := newClient(t, shared(t))
	a, b, other := namespace(t, c, "select-a"), namespace(t, c, "select-b"), namespace(t, c, "select-c")
	create(t, c, machine(a, "one", 60001), machine(b, "one", 60002), machine(other, "one", 60003))
	f := follow(t, shared(t), []string{a, b, a})
	f.ready(t)
	f.served(t, 60001, 60002)

	all := follow(t, shared(t), nil)
	all.ready(t)
	for n := 60001; n <= 60003; n++ {
		if _, ok := all.store.Load().ByMAC(mac(n)); !ok {
			t.Errorf("machine %d is not in the first snapshot of all namespaces", n)
		}
	}
}

// TestFirstSnapshotIsComplete has more objects than the API hands out on one page.
func TestFirstSnapshotIsComplete(t *testing.T) {
	c := newClient(t, shared(t))
	ns := namespace(t, c, "complete")
	const machines, workers = 700, 8
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := w; n < machines; n += workers {
				if err := c.Create(t.Context(), machine(ns, fmt.Sprint("m", n), n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	f := follow(t, shared(t), []string{ns})
	f.ready(t)
	if got := f.store.Load().Len(); got != machines {
		t.Errorf("the first snapshot holds %d of %d machines", got, machines)
	}
}

// recorder writes Events with the rights of config.
func recorder(t *testing.T, config *rest.Config) *events.Recorder {
	t.Helper()
	api, err := typedcorev1.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	r, err := events.New(events.Options{Client: api, Registerer: prometheus.NewRegistry(), Instance: "test"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

// said waits for the Events in a namespace: "object reason", sorted.
func said(t *testing.T, c client.Client, ns string, want ...string) []corev1.Event {
	t.Helper()
	list := &corev1.EventList{}
	eventually(t, func() string {
		if err := c.List(t.Context(), list, client.InNamespace(ns)); err != nil {
			return err.Error()
		}
		var got []string
		list.Items = slices.DeleteFunc(list.Items, func(e corev1.Event) bool { return e.InvolvedObject.Kind != "Hardware" }) // the API server writes some
		for _, e := range list.Items {
			got = append(got, e.InvolvedObject.Name+" "+e.Reason)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return fmt.Sprintf("events %q, want %q", got, want)
		}
		return ""
	})
	return list.Items
}

func TestConflictGoesToTheOlder(t *testing.T) {
	c := newClient(t, shared(t))
	ns := namespace(t, c, "conflict")
	older := machine(ns, "z-older", 1)
	create(t, c, older)
	time.Sleep(1100 * time.Millisecond) // creationTimestamp counts seconds
	younger := machine(ns, "a-younger", 1)
	younger.Spec.Interfaces[0].DHCP.MAC = mac(2).String() // the same address
	create(t, c, younger)

	f := follow(t, shared(t), []string{ns}, recorder(t, shared(t)).Report)
	f.served(t, 1)
	if r, _ := f.store.Load().ByMAC(mac(1)); r.Source.Name != "z-older" {
		t.Errorf("held by %s", r.Source)
	}
	event := said(t, c, ns, "a-younger "+inventory.ReasonConflict)[0]
	if event.InvolvedObject.UID != younger.UID || event.Type != corev1.EventTypeWarning {
		t.Errorf("event %+v", event)
	}
	if n := f.metric(t, "tugboot_hardware_problems", inventory.ReasonConflict); n != 1 {
		t.Errorf("%v conflicts in the metric, want 1", n)
	}

	if err := c.Delete(t.Context(), older); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string {
		if _, ok := f.store.Load().ByMAC(mac(2)); !ok {
			return "the younger does not get what the older gave up"
		}
		if n := f.metric(t, "tugboot_hardware_problems", inventory.ReasonConflict); n != 0 {
			return fmt.Sprintf("%v conflicts in the metric, want none left", n)
		}
		return ""
	})
}

func TestInvalidIsReportedOnceAndTheRestServed(t *testing.T) {
	c := newClient(t, shared(t))
	ns := namespace(t, c, "invalid")
	bad := machine(ns, "bad", 1)
	bad.Spec.Interfaces[0].DHCP.MAC = "xx" + mac(1).String()
	bad.Spec.Interfaces[0].DHCP.IP.Netmask = "banana"
	create(t, c, bad, machine(ns, "good", 2))

	first := follow(t, shared(t), []string{ns}, recorder(t, shared(t)).Report)
	first.served(t, 2)
	want := []string{"bad " + tink.ReasonInvalidMAC, "bad " + tink.ReasonInvalidNetmask}
	said(t, c, ns, want...)

	// a new machine publishes a new snapshot, and says nothing again
	create(t, c, machine(ns, "other", 3))
	first.served(t, 2, 3)
	// nor does another replica
	second := follow(t, shared(t), []string{ns}, recorder(t, shared(t)).Report)
	second.served(t, 2, 3)
	time.Sleep(200 * time.Millisecond)
	for _, e := range said(t, c, ns, want...) {
		if e.Count != 1 {
			t.Errorf("event %s was counted %d times", e.Reason, e.Count)
		}
	}
	if n := len(first.problems()); n != 2 || first.logged(tink.ReasonInvalidMAC) != 1 {
		t.Errorf("%d problems, logged %d times, want 2 and once", n, first.logged(tink.ReasonInvalidMAC))
	}
	if n := first.metric(t, "tugboot_hardware_problems", tink.ReasonInvalidMAC); n != 1 {
		t.Errorf("%v in the metric, want 1", n)
	}

	// put right, it is served; wrong again, it is said again: that is another generation
	changed(t, c, bad, func(hw *v1alpha1.Hardware) { hw.Spec = machine(ns, "bad", 1).Spec })
	first.served(t, 1, 2, 3)
	changed(t, c, bad, func(hw *v1alpha1.Hardware) { hw.Spec.Interfaces[0].DHCP.MAC = "yy" + mac(1).String() })
	first.served(t, 2, 3)
	said(t, c, ns, append([]string{"bad " + tink.ReasonInvalidMAC}, want...)...)
}

func TestLatency(t *testing.T) {
	c := newClient(t, shared(t))
	ns := namespace(t, c, "latency")
	hw := machine(ns, "one", 1)
	create(t, c, hw)
	f := follow(t, shared(t), []string{ns})
	f.served(t, 1)
	for _, test := range []struct {
		name  string
		pause time.Duration
	}{{"isolated", 3 * minPause}, {"one after the other", 0}} {
		t.Run(test.name, func(t *testing.T) {
			var took []time.Duration
			for n := range 120 {
				time.Sleep(test.pause)
				took = append(took, f.latency(t, c, hw, fmt.Sprint("host-", test.pause.Milliseconds(), "-", n)))
			}
			slices.Sort(took)
			p50, p99 := took[len(took)/2], took[len(took)*99/100]
			t.Logf("from the end of the update to the snapshot: p50 %s, p99 %s, worst %s of %d", p50, p99, took[len(took)-1], len(took))
			if p99 > time.Second {
				t.Errorf("p99 %s, want less than 1 s", p99)
			}
		})
	}
}

// latency is the time from the end of an update until the snapshot shows it.
func (f *fixture) latency(t *testing.T, c client.Client, hw *v1alpha1.Hardware, hostname string) time.Duration {
	t.Helper()
	hw.Spec.Interfaces[0].DHCP.Hostname = hostname
	if err := c.Update(t.Context(), hw); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for {
		if r, ok := f.store.Load().ByMAC(mac(1)); ok && r.Hostname == hostname {
			return time.Since(began)
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("%s is not served", hostname)
		}
		time.Sleep(100 * time.Microsecond)
	}
}

func TestStopsWhileTheAPIIsAway(t *testing.T) {
	config := rest.CopyConfig(shared(t))
	config.Host = "127.0.0.1:1" // nothing listens there
	f := follow(t, config, nil)
	eventually(t, func() string {
		if f.logged("nothing listens there") == 0 {
			return "it does not say why there is no snapshot"
		}
		return ""
	})
	time.Sleep(2 * time.Second) // several attempts
	if n := f.logged("cannot watch Hardware"); n != 1 {
		t.Errorf("said %d times, want once", n)
	}
	if f.metric(t, "tugboot_hardware_api_connected") != 0 {
		t.Error("the metric says that the API is there")
	}
	began := time.Now()
	f.stop()
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %s to stop", took)
	}
	select {
	case <-f.store.Ready():
		t.Error("a snapshot was published although no list was read")
	default:
	}
}

func TestMissingOptionsAndMetricsClash(t *testing.T) {
	if _, err := NewHardwareController(HardwareOptions{}); err == nil {
		t.Error("no options are no error")
	}
	o := HardwareOptions{Config: shared(t), Store: inventory.NewStore(), Report: nil, Registerer: prometheus.NewRegistry()}
	if _, err := NewHardwareController(o); err == nil {
		t.Error("no Report is no error")
	}
	o.Report = recorder(t, shared(t)).Report
	if _, err := NewHardwareController(o); err != nil {
		t.Fatal(err)
	}
	if _, err := NewHardwareController(o); err == nil {
		t.Error("a second controller on one registry is no error")
	}
}

var _ metav1.ObjectMetaAccessor = &record{}
