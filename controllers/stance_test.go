package controllers

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/takeover"
)

func servingAt(address string) takeover.Endpoint {
	return takeover.Endpoint{Addr: addr(address), TFTPPort: 69, HTTPPort: 7171, ScriptPath: "/ipxe/script/auto.ipxe", BootFiles: "bios=undionly.kpxe uefi-x86-64=ipxe.efi"}
}

// latched is a baton of a cluster of that identity, latched a moment ago.
func latched(identity string) takeover.Baton {
	b := takeover.Baton{
		Mark:       takeover.Mark{Cluster: "lab", Fence: takeover.Fence{Born: 1, Epoch: 3}, Identity: identity},
		Advertised: servingAt(tinkerbellIP), Previous: servingAt(bootstrapIP), Since: time.Now().UTC().Truncate(time.Second),
	}
	b.Latch = takeover.Latch{Identity: identity, Endpoint: b.Advertised, At: b.Since}
	return b
}

// noConfigMaps is a client that is never asked.
type noConfigMaps struct{ typedcorev1.ConfigMapsGetter }

// ConfigMaps implements typedcorev1.ConfigMapsGetter.
func (noConfigMaps) ConfigMaps(string) typedcorev1.ConfigMapInterface { return nil }

// stances gathers what was set.
type stances struct {
	mu  sync.Mutex
	all []takeover.Stance
}

func (s *stances) set(stance takeover.Stance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, stance)
}

func (s *stances) last() takeover.Stance {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 {
		return takeover.Stance{}
	}
	return s.all[len(s.all)-1]
}

// A host outside the clusters serves its own stack until the kubeconfig of a management cluster is there and that
// cluster has latched for itself; a latch of another cluster changes nothing.
func TestFollowsTheManagementClusterFromOutside(t *testing.T) {
	t.Parallel()
	_, config := ownPlane(t)
	there := sideOf(t, config)
	file := filepath.Join(t.TempDir(), "management.kubeconfig")
	var seen stances
	var stance *StanceFollower
	management, err := NewManagementFollower(ManagementOptions{Kubeconfig: file, Namespace: system, Changed: func() { stance.Trigger() }, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	stance, err = NewStanceFollower(StanceOptions{Management: management, Own: servingAt(bootstrapIP), Set: seen.set, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	in := &instance{}
	in.start(t, management.Start, stance.Start)
	serves := func(address string) {
		t.Helper()
		eventually(t, func() string {
			if got := seen.last(); got.Silent || got.Advertise.Addr != addr(address) {
				return "it does not send machines to " + address
			}
			return ""
		})
	}
	serves(bootstrapIP)
	if err := os.WriteFile(file, []byte("not a kubeconfig"), 0o600); err != nil {
		t.Fatal(err)
	}
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: v1alpha1.BatonPrefix + "lab"}}
	fill(object, latched("11111111-2222-3333-4444-555555555555"))
	there.create(object)
	if err := os.WriteFile(file, kubeconfigOf(t, config), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string {
		if !management.Known() {
			return "it does not follow the cluster of the file"
		}
		return ""
	})
	time.Sleep(500 * time.Millisecond)
	serves(bootstrapIP)

	fill(object, latched(there.identity()))
	if err := there.client.Update(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	serves(tinkerbellIP)
	if got := seen.last().Also; got != addr(tinkerbellIP) {
		t.Errorf("it accepts machines that chose %v, want the management instance's", got)
	}
}

// What was kept over a restart counts until an API has answered, and what cannot be said changes nothing.
func TestStanceOverARestart(t *testing.T) {
	kept := takeover.Stance{Advertise: servingAt(tinkerbellIP), Also: addr(bootstrapIP)}
	var saved []takeover.Stance
	batons, err := NewBatonFollower(BatonFollowerOptions{
		Client: noConfigMaps{}, Namespace: system, Cluster: func() string { return "lab" }, Changed: func() {}, Log: logr.Discard(),
	})
	if err != nil {
		t.Fatal(err)
	}
	var seen stances
	f, err := NewStanceFollower(StanceOptions{
		Local: batons, Part: func() (takeover.Role, string) { return takeover.RoleManagement, "me" }, Set: seen.set, Log: logr.Discard(),
		Save: func(s takeover.Stance) error { saved = append(saved, s); return errors.New("disk full") },
		Load: func() (takeover.Stance, bool) { return kept, true },
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	f.apply(f.current(now))
	if got := seen.last(); got.Silent || got.Advertise != kept.Advertise || got.Also.IsValid() {
		t.Fatalf("before the API answered it serves %+v", got)
	}
	store := batonScope{batons}
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: v1alpha1.BatonPrefix + "lab"}}
	b := latched("me")
	b.Advertised.HTTPPort, b.Latch.Endpoint.HTTPPort = 80, 80
	fill(object, b)
	if err := store.Replace([]any{object}, "1"); err != nil {
		t.Fatal(err)
	}
	f.apply(f.current(now))
	if got := seen.last(); got.Advertise != b.Advertised || got.Also != addr(bootstrapIP) {
		t.Errorf("once the API answered it serves %+v", got)
	}
	broken := object.DeepCopy()
	broken.Data["epoch"] = "x"
	if err := store.Update(broken); err != nil {
		t.Fatal(err)
	}
	f.apply(f.current(now))
	if got := seen.last(); got.Advertise != b.Advertised || len(seen.all) != 2 || len(saved) != 2 {
		t.Errorf("with an edited baton it serves %+v; %d set, %d saved", got, len(seen.all), len(saved))
	}
	if err := store.Update(object); err != nil {
		t.Fatal(err)
	}
	f.apply(f.current(now.Add(time.Hour)))
	if got := seen.last(); got.Advertise != b.Advertised || got.Also.IsValid() {
		t.Errorf("an hour after the change it still accepts who chose %v", got.Also)
	}
}

// TestMovedBaton: what left with the mark of a move is told from what was deleted, and an older baton does not come back
// over one that was held.
func TestMovedBaton(t *testing.T) {
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: v1alpha1.BatonPrefix + "lab"}}
	first := latched("")
	first.Latch, first.Advertised, first.Fence.Epoch = takeover.Latch{}, servingAt(bootstrapIP), 1
	fill(object, first)
	marked := object.DeepCopy()
	marked.Annotations = map[string]string{v1alpha1.DeleteForMove: ""}
	other := object.DeepCopy()
	other.Name = "kube-root-ca.crt"
	follower := func() (*BatonFollower, batonScope) {
		f, err := NewBatonFollower(BatonFollowerOptions{Client: noConfigMaps{}, Namespace: system, Cluster: func() string { return "" }, Changed: func() {}, Log: logr.Discard()})
		if err != nil {
			t.Fatal(err)
		}
		if f.State().Known {
			t.Error("something is known before the first list")
		}
		if err := (batonScope{f}).Replace([]any{object, other}, "1"); err != nil {
			t.Fatal(err)
		}
		return f, batonScope{f}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	f, store := follower()
	must(store.Delete(object))
	if s := f.State(); s.Present || s.Moved {
		t.Errorf("deleted by a person: %+v", s)
	}
	f, store = follower()
	must(store.Update(marked))
	must(store.Delete(marked))
	if s := f.State(); s.Present || !s.Moved || !s.Left.Equal(first) {
		t.Errorf("moved away: %+v", s)
	}
	f, store = follower()
	must(store.Update(marked))
	must(store.Replace([]any{other}, "2")) // the watch broke between the mark and the deletion
	if s := f.State(); !s.Moved {
		t.Errorf("moved away while nobody watched: %+v", s)
	}
	f.Hold(latched("me"))
	must(store.Add(object))
	if s := f.State(); !s.Held || s.Baton.Fence.Epoch != 3 {
		t.Errorf("an older baton came back over the one that was held: %+v", s)
	}
	newer := object.DeepCopy()
	fill(newer, latched("me"))
	must(store.Update(newer))
	if s := f.State(); s.Held || s.Baton.Fence.Epoch != 3 {
		t.Errorf("stored: %+v", s)
	}
	second := object.DeepCopy()
	second.Name = v1alpha1.BatonPrefix + "other"
	must(store.Add(second))
	if s := f.State(); s.Problem == nil || s.Problem.Reason != takeover.ReasonSeveralBatons {
		t.Errorf("two batons and no telling which: %+v", s)
	}
	for _, wrong := range []func(any) error{store.Add, store.Update, store.Delete} {
		if wrong(&corev1.Secret{}) == nil {
			t.Error("a Secret was taken for a ConfigMap")
		}
	}
}
