package controllers

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/takeover"
)

var (
	_ manager.LeaderElectionRunnable = &TakeoverController{}
	_ manager.LeaderElectionRunnable = &BatonFollower{}
	_ manager.LeaderElectionRunnable = &StanceFollower{}
	_ manager.LeaderElectionRunnable = &ManagementFollower{}
	_ manager.LeaderElectionRunnable = &Leader{}
)

func newTakeover() *v1alpha1.Takeover {
	return &v1alpha1.Takeover{
		ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "tugboot"},
		Spec:       v1alpha1.TakeoverSpec{Probe: v1alpha1.Probe{Interval: metav1.Duration{Duration: time.Second}, Timeout: metav1.Duration{Duration: 500 * time.Millisecond}}},
	}
}

// bootstrapCluster fills a side with what a bootstrap cluster holds in the middle of a creation.
func bootstrapCluster(s *side) {
	s.create(newTakeover(), node("kind-control-plane", "kind://docker/kind/kind-control-plane"),
		datacenter(), eksaCluster(), capiCluster(), capiMachine(), machine(system, "one", 1), machine(system, "two", 2))
	s.atWork() // its Machine has a Node, and that is not here
}

// managementCluster fills a side with what a management cluster holds before anything is moved there.
func managementCluster(s *side) {
	s.create(newTakeover(), node("lab-cp-1", "tinkerbell://eksa-system/one"))
}

// move does what `clusterctl move` and EKS Anywhere after it do: everything is created there, then deleted here, then
// unpaused.
func move(from, to *side) {
	baton := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: v1alpha1.BatonPrefix + "lab"}}
	moved := []client.Object{baton, capiMachine(), machine(system, "one", 1), machine(system, "two", 2)}
	pause := func(s *side, yes bool) {
		s.t.Helper()
		cluster := capiCluster()
		if err := s.client.Get(s.t.Context(), client.ObjectKeyFromObject(cluster), cluster); err != nil {
			s.t.Fatal(err)
		}
		if err := unstructured.SetNestedField(cluster.Object, yes, "spec", "paused"); err != nil {
			s.t.Fatal(err)
		}
		if err := s.client.Update(s.t.Context(), cluster); err != nil {
			s.t.Fatal(err)
		}
	}
	pause(from, true)
	for _, o := range append([]client.Object{capiCluster()}, moved...) {
		to.moveIn(from, o)
	}
	for _, o := range append(slices.Clone(moved), capiCluster()) {
		from.moveOut(o)
	}
	to.create(datacenter(), eksaCluster())
	pause(to, false)
	to.atWork()
}

func (s *side) baton() (takeover.BatonSeen, *corev1.ConfigMap) {
	s.t.Helper()
	object := &corev1.ConfigMap{}
	err := s.client.Get(s.t.Context(), client.ObjectKey{Namespace: system, Name: v1alpha1.BatonPrefix + "lab"}, object)
	if apierrors.IsNotFound(err) {
		return takeover.BatonSeen{Known: true}, nil
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return readBaton(object), object
}

// TestTakeover plays a creation with two real API servers: B until the move, then M, each existing service written once
// by each instance, and nothing changed by restarts.
func TestTakeover(t *testing.T) {
	t.Parallel()
	world := &stacks{serving: map[string]bool{bootstrapIP: true}}
	existing := &kept{name: "kea"}
	from, to := newSide(t), newSide(t)
	bootstrapCluster(from)
	b := from.run(world, existing)
	from.reaches(b, v1alpha1.PhaseBootstrap, bootstrapIP)
	if got := b.stance(); got.Silent || got.Advertise.Addr != addr(bootstrapIP) {
		t.Fatalf("the bootstrap instance's stance is %+v", got)
	}
	if _, object := from.baton(); object.Labels[v1alpha1.MoveLabel] != "true" {
		t.Errorf("the baton's labels are %v: it would not move", object.Labels)
	}

	managementCluster(to)
	world.serve(tinkerbellIP, true)
	m := to.run(world, existing)
	to.reaches(m, v1alpha1.PhaseIdle, "")
	time.Sleep(3 * time.Second)
	if got := m.stance(); !got.Silent {
		t.Fatalf("the management instance answers before anything was moved: %+v", got)
	}
	from.reaches(b, v1alpha1.PhaseBootstrap, bootstrapIP)
	b.cancel()
	b = from.run(world, existing)
	from.reaches(b, v1alpha1.PhaseBootstrap, bootstrapIP)

	move(from, to)
	status := to.reaches(m, v1alpha1.PhaseManaged, tinkerbellIP).Status
	from.reaches(b, v1alpha1.PhaseManaged, tinkerbellIP)
	if status.Identity != to.identity() || status.Epoch != 3 || len(status.History) == 0 || status.History[0].To != tinkerbellIP {
		t.Errorf("status %+v", status)
	}
	for name, in := range map[string]*instance{"bootstrap": b, "management": m} {
		eventually(t, func() string {
			if got := in.stance(); got.Silent || got.Advertise.Addr != addr(tinkerbellIP) || !got.Also.IsValid() {
				return name + " does not answer with M and for both servers"
			}
			return ""
		})
		if !slices.Contains(in.said(), "NextServerChanged") {
			t.Errorf("%s: Events %v", name, in.said())
		}
	}
	seen, _ := to.baton()
	if seen.Baton.Latch.Identity != to.identity() || seen.Baton.Fence.Epoch != 3 {
		t.Errorf("the management cluster's baton is %+v", seen)
	}
	if _, object := from.baton(); object.Labels[v1alpha1.MoveLabel] != "" {
		t.Error("what the bootstrap instance keeps would be moved")
	}
	for _, w := range existing.written() {
		if !slices.Contains([]string{bootstrapIP + " epoch 1", tinkerbellIP + " epoch 2", tinkerbellIP + " epoch 3"}, w) {
			t.Errorf("the DHCP service was written %q", w)
		}
	}
	if existing.mark.Fence.Epoch != 3 || !slices.IsSorted(existing.written()) || len(existing.written()) > 3 {
		t.Errorf("the DHCP service was written %q", existing.written())
	}

	// Restarts change nothing.
	writes := len(existing.written())
	_, before := to.baton()
	for _, s := range []struct {
		*side
		in **instance
	}{{from, &b}, {to, &m}} {
		(*s.in).cancel()
		*s.in = s.run(world, existing)
		eventually(t, func() string {
			if got := (*s.in).stance(); got.Silent || got.Advertise.Addr != addr(tinkerbellIP) {
				return "it does not answer with M after a restart"
			}
			return ""
		})
		for _, stance := range (*s.in).stances {
			if !stance.Silent && stance.Advertise.Addr != addr(tinkerbellIP) {
				t.Errorf("after a restart it once answered %+v", stance)
			}
		}
	}
	time.Sleep(2500 * time.Millisecond)
	if _, after := to.baton(); len(existing.written()) != writes || after.ResourceVersion != before.ResourceVersion {
		t.Errorf("a restart wrote: %q", existing.written())
	}

	// M stops serving: Degraded, and M all the same.
	world.serve(tinkerbellIP, false)
	to.reaches(m, v1alpha1.PhaseDegraded, tinkerbellIP)
	world.serve(tinkerbellIP, true)
	to.reaches(m, v1alpha1.PhaseManaged, tinkerbellIP)
}

// managed fills a side with a management cluster that was there before Tugboot.
func managed(s *side) {
	managementCluster(s)
	s.create(datacenter(), eksaCluster(), capiCluster(), capiMachine(), machine(system, "one", 1))
	s.atWork()
}

// TestLateInstall also has one of two existing services refuse at first, and a person freeze, override and clear that again.
func TestLateInstallServicesAndPerson(t *testing.T) {
	t.Parallel()
	world := &stacks{serving: map[string]bool{tinkerbellIP: true}}
	good, bad := &kept{name: "good"}, &kept{name: "bad", fails: errors.New("connection refused")}
	s := newSide(t)
	managed(s)
	in := s.run(world, good, bad)
	eventually(t, func() string {
		if len(good.written()) == 0 || !slices.Contains(in.said(), reasonWriteFailed) {
			return "the good service is not written, or the failure of the other is not told"
		}
		return ""
	})
	if got := in.stance(); !got.Silent {
		t.Errorf("latched although a service was not written: %+v", got)
	}
	bad.fail(nil)
	s.reaches(in, v1alpha1.PhaseManaged, tinkerbellIP)
	if len(good.written()) != 1 || len(bad.written()) != 1 {
		t.Errorf("written %q and %q, want once each", good.written(), bad.written())
	}

	annotate := func(key, value string) {
		t.Helper()
		to := s.takeoverNow("tugboot")
		patch := client.MergeFrom(to.DeepCopy())
		if to.Annotations == nil {
			to.Annotations = map[string]string{}
		}
		if to.Annotations[key] = value; value == "" {
			delete(to.Annotations, key)
		}
		if err := s.client.Patch(t.Context(), to, patch); err != nil {
			t.Fatal(err)
		}
	}
	annotate(v1alpha1.AnnotationOverride, bootstrapIP) // where nothing serves
	time.Sleep(2 * time.Second)
	s.reaches(in, v1alpha1.PhaseManaged, tinkerbellIP)
	world.serve(bootstrapIP, true)
	s.reaches(in, v1alpha1.PhaseOverride, bootstrapIP)
	annotate(v1alpha1.AnnotationFreeze, "true")
	annotate(v1alpha1.AnnotationOverride, "")
	time.Sleep(2 * time.Second)
	if to := s.takeoverNow("tugboot"); to.Status.Advertised.Address != bootstrapIP {
		t.Errorf("frozen, and it advertises %s", to.Status.Advertised.Address)
	}
	annotate(v1alpha1.AnnotationFreeze, "")
	s.reaches(in, v1alpha1.PhaseManaged, tinkerbellIP)
}

// TestBootstrapClusterIsDeleted: the API goes right after the move; what was seen stays seen.
func TestBootstrapClusterIsDeleted(t *testing.T) {
	t.Parallel()
	plane, config := ownPlane(t)
	installTakeoverCRDs(t, config)
	from, to := sideOf(t, config), newSide(t)
	world := &stacks{serving: map[string]bool{bootstrapIP: true}}
	bootstrapCluster(from)
	b := from.run(world)
	from.reaches(b, v1alpha1.PhaseBootstrap, bootstrapIP)
	managementCluster(to)
	move(from, to)
	eventually(t, func() string {
		if state := b.options.Baton.State(); !state.Moved && state.Baton.Handover == "" {
			return "it did not see the baton leave"
		}
		return ""
	})
	kill(t, plane)
	world.serve(tinkerbellIP, true)
	eventually(t, func() string {
		if got := b.stance(); got.Silent || got.Advertise.Addr != addr(tinkerbellIP) {
			return "it does not go on to M without its API: " + got.Reason
		}
		return ""
	})
	if r, ok := b.store.Load().ByMAC(mac(1)); !ok || r.Address.Addr().String() != address(1) {
		t.Error("a reservation that was moved away is not answered any more")
	}
}

// TestRemoteCheck: the bootstrap instance follows what the management instance latched, seen through Cluster API's kubeconfig.
func TestRemoteCheck(t *testing.T) {
	t.Parallel()
	from, to := newSide(t), newSide(t)
	world := &stacks{serving: map[string]bool{bootstrapIP: true, tinkerbellIP: true}}
	bootstrapCluster(from)
	enabled := from.takeoverNow("tugboot")
	enabled.Spec.RemoteCheck = v1alpha1.RemoteCheckEnabled
	if err := from.client.Update(t.Context(), enabled); err != nil {
		t.Fatal(err)
	}
	from.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "lab-kubeconfig"}, Data: map[string][]byte{"value": kubeconfigOf(t, to.config)}})
	b := from.run(world)
	from.reaches(b, v1alpha1.PhaseBootstrap, bootstrapIP)
	managementCluster(to)
	m := to.run(world)
	move(from, to)
	to.reaches(m, v1alpha1.PhaseManaged, tinkerbellIP)
	if status := from.reaches(b, v1alpha1.PhaseManaged, tinkerbellIP).Status; status.Identity != to.identity() {
		t.Errorf("the bootstrap instance knows the identity %q, want %q", status.Identity, to.identity())
	}
}

// TestBadInput: each a condition with the object, the field, the value and the remedy; what is advertised stays what it was.
func TestBadInput(t *testing.T) {
	t.Parallel()
	world := &stacks{serving: map[string]bool{tinkerbellIP: true, bootstrapIP: true}}
	s := newSide(t)
	managed(s)
	in := s.run(world)
	s.reaches(in, v1alpha1.PhaseManaged, tinkerbellIP)

	second := eksaCluster()
	second.SetName("other")
	second.Object["spec"].(map[string]any)["managementCluster"] = map[string]any{"name": "other"}
	younger := newTakeover()
	younger.Name = "zweiter"
	datacenterWith := func(field, value string) func() {
		return func() {
			d := datacenter()
			if err := s.client.Get(t.Context(), client.ObjectKeyFromObject(d), d); err != nil {
				t.Fatal(err)
			}
			if err := unstructured.SetNestedField(d.Object, value, "spec", field); err != nil {
				t.Fatal(err)
			}
			if err := s.client.Update(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
	}
	baton := func(key, value string) func() {
		return func() {
			_, object := s.baton()
			object.Data[key] = value
			if err := s.client.Update(t.Context(), object); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, object := s.baton()
	epoch := object.Data["epoch"]
	tests := []struct {
		name     string
		do, undo func()
		takeover string
		words    []string
	}{
		{"several self-managed clusters", func() { s.create(second) }, func() {
			if err := s.client.Delete(t.Context(), second); err != nil {
				t.Fatal(err)
			}
		}, "tugboot", []string{"lab", "other", "clusterName"}},
		{"garbage tinkerbellIP", datacenterWith("tinkerbellIP", "not-an-address"), datacenterWith("tinkerbellIP", tinkerbellIP), "tugboot",
			[]string{"TinkerbellDatacenterConfig", "default/lab", "tinkerbellIP", "not-an-address"}},
		{"edited baton", baton("epoch", "many"), baton("epoch", epoch), "tugboot", []string{"ConfigMap", system + "/tugboot-baton-lab", "epoch", "many"}},
		{"two Takeovers", func() { s.create(younger) }, func() {
			if err := s.client.Delete(t.Context(), younger); err != nil {
				t.Fatal(err)
			}
		}, "zweiter", []string{"zweiter", "tugboot", "older"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.do()
			eventually(t, func() string {
				to := s.takeoverNow(tt.takeover)
				text := ""
				for _, c := range to.Status.Conditions {
					if c.Status == metav1.ConditionFalse {
						text += c.Type + " " + c.Reason + ": " + c.Message + "\n"
					}
				}
				for _, word := range tt.words {
					if !strings.Contains(text, word) {
						return "conditions say\n" + text + "and not " + word
					}
				}
				return ""
			})
			if to := s.takeoverNow("tugboot"); to.Status.Advertised == nil || to.Status.Advertised.Address != tinkerbellIP {
				t.Errorf("it advertises %+v now", to.Status.Advertised)
			}
			if got := in.stance(); got.Silent || got.Advertise.Addr != addr(tinkerbellIP) {
				t.Errorf("stance %+v", got)
			}
			tt.undo()
			eventually(t, func() string {
				if ready := meta.FindStatusCondition(s.takeoverNow("tugboot").Status.Conditions, v1alpha1.ConditionReady); ready.Status != metav1.ConditionTrue {
					return "it is not Ready once that is put right: " + ready.Reason + ": " + ready.Message
				}
				return ""
			})
		})
	}
}
