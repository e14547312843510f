package controllers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"pgregory.net/rapid"

	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
)

// raw is machine n as the API hands it out.
func raw(t testing.TB, namespace, name string, n int, version string) *rawHardware {
	t.Helper()
	hw := machine(namespace, name, n)
	spec, err := json.Marshal(hw.Spec)
	if err != nil {
		t.Fatal(err)
	}
	h := &rawHardware{ObjectMeta: hw.ObjectMeta, Spec: spec}
	h.UID, h.ResourceVersion = types.UID("uid-"+name), version
	h.CreationTimestamp = metav1.NewTime(time.Unix(int64(n), 0))
	return h
}

func do(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestNothingIsTakenBeforeAllListsAreComplete(t *testing.T) {
	r := newRecords([]string{"a", "b"})
	a, b := scope{r, "a"}, scope{r, "b"}
	do(t, a.Replace([]any{raw(t, "a", "one", 1, "1")}, "1"))
	do(t, a.Add(raw(t, "a", "two", 2, "2")))
	if s, ok := r.take(); ok {
		t.Fatalf("took %+v before b was listed", s)
	}
	do(t, b.Replace(nil, "1"))
	s, ok := r.take()
	if !ok || s.objects != 2 || len(s.added) != 2 || len(s.removed) != 0 {
		t.Fatalf("took %t %+v, want two objects", ok, s)
	}
	if _, ok := r.take(); ok {
		t.Error("took again what did not change")
	}
}

func TestAnEmptyClusterIsASnapshotToo(t *testing.T) {
	r := newRecords([]string{""})
	do(t, scope{r, ""}.Replace(nil, "1"))
	if s, ok := r.take(); !ok || s.objects != 0 {
		t.Errorf("took %t %+v, want an empty state", ok, s)
	}
}

func TestReplaceLeavesOtherNamespacesAlone(t *testing.T) {
	r := newRecords([]string{"a", "b"})
	a, b := scope{r, "a"}, scope{r, "b"}
	do(t, a.Replace([]any{raw(t, "a", "one", 1, "1"), raw(t, "a", "two", 2, "1")}, "1"))
	do(t, b.Replace([]any{raw(t, "b", "one", 3, "1")}, "1"))
	r.take()
	do(t, a.Replace([]any{raw(t, "a", "two", 2, "1")}, "2"))
	s, ok := r.take()
	if !ok || s.objects != 2 {
		t.Errorf("took %t %+v, want a/two and b/one", ok, s)
	}
	do(t, a.Replace([]any{raw(t, "a", "two", 2, "1")}, "3"))
	if _, ok := r.take(); ok {
		t.Error("a list that says the same counts as a change")
	}
	do(t, b.Delete(raw(t, "b", "never seen", 9, "1")))
	if _, ok := r.take(); ok {
		t.Error("the end of what was never seen counts as a change")
	}
}

func TestSameVersionIsNotConvertedAgain(t *testing.T) {
	r := newRecords([]string{""})
	all := scope{r, ""}
	do(t, all.Replace([]any{raw(t, "a", "one", 1, "1")}, "1"))
	known := r.byKey[objectKey{"a", "one"}]
	again := raw(t, "a", "one", 2, "1") // were it converted, it would say something else
	got, err := all.Transformer()(again)
	if err != nil || got != any(known) {
		t.Errorf("converted again: %v %v", got, err)
	}
	again.UID = "another object of the same name"
	if got, err := all.Transformer()(again); err != nil || got == any(known) {
		t.Errorf("another object is taken for the known one: %v %v", got, err)
	}
	again = raw(t, "a", "one", 2, "2")
	if got, err := all.Transformer()(again); err != nil || got == any(known) {
		t.Errorf("another version is taken for the known one: %v %v", got, err)
	}
}

func TestStrangersAreErrors(t *testing.T) {
	all := scope{newRecords([]string{""}), ""}
	if all.Add("x") == nil || all.Delete("x") == nil || all.Replace([]any{"x"}, "") == nil {
		t.Error("a string is taken for a Hardware")
	}
}

// offline is a controller whose records are fed by the test, in a bubble of synctest.
func offline(t *testing.T) (*fixture, scope) {
	t.Helper()
	f := &fixture{store: inventory.NewStore(), registry: prometheus.NewRegistry()}
	var err error
	f.HardwareController, err = NewHardwareController(HardwareOptions{
		Config: &rest.Config{Host: "127.0.0.1:1"}, Store: f.store, Registerer: f.registry,
		Log:    funcr.New(func(_, args string) { f.lines = append(f.lines, args) }, funcr.Options{}),
		Report: func(p reservation.Problem) { f.reported = append(f.reported, p) },
	})
	do(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); f.publishAll(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return f, scope{f.records, ""}
}

func builds(t *testing.T, f *fixture) uint64 {
	t.Helper()
	families, err := f.registry.Gather()
	do(t, err)
	for _, family := range families {
		if family.GetName() == "tugboot_snapshot_build_seconds" {
			return family.GetMetric()[0].GetHistogram().GetSampleCount()
		}
	}
	t.Fatal("no histogram")
	return 0
}

func TestChangesAreGatheredAndNoneStarves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, all := offline(t)
		do(t, all.Replace(nil, "1"))
		synctest.Wait()
		time.Sleep(time.Second)
		do(t, all.Add(raw(t, "a", "first", 0, "1")))
		synctest.Wait()
		if f.store.Load().Len() != 1 {
			t.Error("an isolated change waits")
		}
		before := builds(t, f)
		for n := 1; n <= 1000; n++ { // a change each millisecond
			do(t, all.Add(raw(t, "a", fmt.Sprint("m", n), n, "1")))
			time.Sleep(time.Millisecond)
			if behind := n + 1 - f.store.Load().Len(); behind > 21 {
				t.Fatalf("%d changes behind", behind)
			}
		}
		if n := builds(t, f) - before; n < 40 || n > 51 {
			t.Errorf("%d snapshots in a second of changes, want about 50", n)
		}
		time.Sleep(minPause)
		synctest.Wait()
		if got := f.store.Load().Len(); got != 1001 {
			t.Errorf("%d reservations in the end, want 1001", got)
		}
	})
}

func TestLastingProblemsAreReportedAgainAndLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, all := offline(t)
		bad := raw(t, "a", "bad", 1, "1")
		bad.Spec = []byte(strings.ReplaceAll(string(bad.Spec), mac(1).String(), "junk"))
		do(t, all.Replace([]any{bad, raw(t, "a", "good", 2, "1")}, "1"))
		time.Sleep(time.Minute)
		do(t, all.Add(raw(t, "a", "other", 3, "1"))) // another snapshot is no news of this problem
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(f.reported) != 1 {
			t.Fatalf("reported %v, want it once", f.reported)
		}
		time.Sleep(2*repeatEvery - time.Minute)
		synctest.Wait()
		if len(f.reported) != 3 || f.logged("a problem with a Hardware") != 1 {
			t.Errorf("reported %d times and logged %d times after an hour, want 3 and 1", len(f.reported), f.logged("a problem with a Hardware"))
		}
		edited := bad.DeepCopyObject().(*rawHardware)
		edited.Generation, edited.ResourceVersion = 2, "2"
		do(t, all.Update(edited))
		time.Sleep(time.Second)
		synctest.Wait()
		if len(f.reported) != 4 || f.logged("is gone") != 0 {
			t.Errorf("reported %d times, want again after an edit that did not help; log %q", len(f.reported), f.lines)
		}
		do(t, all.Delete(edited))
		time.Sleep(repeatEvery)
		synctest.Wait()
		if len(f.reported) != 4 || f.logged("is gone") != 1 {
			t.Errorf("reported %d times; log %q", len(f.reported), f.lines)
		}
	})
}

func TestConnectionSaysMuchOnce(t *testing.T) {
	var lines []string
	c := &connection{away: func() {}, gauge: prometheus.NewGauge(prometheus.GaugeOpts{Name: "x"}),
		log: funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{})}
	resource := schema.GroupResource{Group: "tinkerbell.org", Resource: "hardware"}
	at := time.Unix(0, 0)
	step := func(after time.Duration, err error, want ...string) {
		t.Helper()
		lines = nil
		at = at.Add(after)
		if err == nil {
			c.up(at)
		} else {
			c.failed(err, at)
		}
		if len(lines) != min(len(want), 1) {
			t.Fatalf("said %q, want %q", lines, want)
		}
		for _, words := range want {
			if !strings.Contains(lines[0], words) {
				t.Errorf("said %q, want %q in it", lines[0], words)
			}
		}
	}
	away, unknown := errors.New("no route to host"), apierrors.NewNotFound(resource, "")
	step(0, nil)
	step(0, away, "network", "nothing is served")
	step(time.Second, away)
	step(time.Second, unknown, "kubectl apply -f config/crd/bases")
	step(time.Second, unknown)
	step(sayAgain, unknown, "kubectl apply", `"forSeconds"=303`)
	step(time.Second, nil, "again", "5m4s")
	step(time.Second, nil)
	c.published()
	step(time.Second, apierrors.NewUnauthorized("token"), "token", "the last snapshot is served on")
	step(time.Second, apierrors.NewForbidden(resource, "", nil), "config/rbac")
	step(time.Second, apierrors.NewTooManyRequests("busy", 1), "overloaded")

	lines = nil
	c.outcome(t.Context(), apierrors.NewResourceExpired("too old"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	c.outcome(ended, context.Canceled)
	if len(lines) > 0 {
		t.Errorf("said %q of what is normal", lines)
	}
}

// FuzzConvertRaw: whatever stands in a spec, the object is converted or reported.
func FuzzConvertRaw(f *testing.F) {
	for _, seed := range []string{``, `null`, `[]`, `{"interfaces":"none"}`, `{"interfaces":[null,{"dhcp":{"lease_time":1e3}}]}`, `{"interfaces":[{"dhcp":{"ip":{}}}]}`} {
		f.Add([]byte(seed))
	}
	f.Add([]byte(raw(f, "a", "one", 1, "1").Spec))
	f.Fuzz(func(t *testing.T, spec []byte) {
		h := &rawHardware{Spec: spec}
		h.Name = "one"
		for _, p := range h.convert(nil).problems {
			if p.Source.Name != "one" || p.Reason == "" || p.Remedy == "" {
				t.Errorf("problem %+v", p)
			}
		}
	})
}

// TestRecordsShareSettings: what is equal in a hall of machines stands in memory once.
func TestRecordsShareSettings(t *testing.T) {
	r := newRecords([]string{""})
	do(t, scope{r, ""}.Replace([]any{raw(t, "a", "one", 1, "1"), raw(t, "a", "two", 2, "1")}, "1"))
	one, two := r.known(objectKey{"a", "one"}).reservations[0], r.known(objectKey{"a", "two"}).reservations[0]
	if one.Settings != two.Settings || one.MAC == two.MAC {
		t.Errorf("%+v and %+v", one, two)
	}
}

// BenchmarkHundredThousand measures the list and the snapshot of 100,000 Hardware, and a change of one of them.
func BenchmarkHundredThousand(b *testing.B) {
	const machines = 100_000
	list := make([]any, machines)
	for n := range list {
		h := raw(b, "tink-system", fmt.Sprint("machine-", n), n, "1")
		h.Spec = []byte(strings.Replace(string(h.Spec), address(n), fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255), 1))
		h.Spec = []byte(strings.Replace(string(h.Spec), "255.255.0.0", "255.0.0.0", 1))
		list[n] = h
	}
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			do(b, scope{newRecords([]string{""}), ""}.Replace(list, "1"))
		}
	})
	r := newRecords([]string{""})
	do(b, scope{r, ""}.Replace(list, "1"))
	s, _ := r.take()
	snapshot := inventory.New(nil)
	b.Run("publish all", func(b *testing.B) {
		for b.Loop() {
			if snapshot = inventory.New(nil).With(nil, s.added); snapshot.Len() < machines-machines/100 {
				b.Fatalf("%d reservations", snapshot.Len())
			}
		}
	})
	b.Run("publish a change", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			h := *list[i*7919%machines].(*rawHardware)
			h.ResourceVersion = fmt.Sprint(i + 2)
			h.Spec = bytes.Replace(h.Spec, []byte("\"mac\""), []byte(fmt.Sprintf("\"lease_time\":%d,\"mac\"", i+1000)), 1)
			do(b, scope{r, ""}.Add(&h))
			if s, changed := r.take(); changed {
				snapshot = snapshot.With(s.removed, s.added)
			}
		}
	})
}

// TestWhatIsTakenAddsUp: whatever happens to objects, the changes that are taken add up to what is served.
func TestWhatIsTakenAddsUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRecords([]string{""})
		all := scope{r, ""}
		version := 1
		object := func() *rawHardware {
			version++
			// Few names and few MACs, so that objects claim what others claim, and come back as others.
			h := raw(t, "a", fmt.Sprint("m", rapid.IntRange(0, 4).Draw(rt, "name")), rapid.IntRange(0, 4).Draw(rt, "machine"), fmt.Sprint(version))
			if rapid.Bool().Draw(rt, "marked") {
				h = markedForMove(h, h.ResourceVersion)
			}
			return h
		}
		snapshot := inventory.New(nil)
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.IntRange(0, 3).Draw(rt, "step") {
			case 0:
				do(t, all.Delete(object()))
			case 1:
				var list []any
				for range rapid.IntRange(0, 3).Draw(rt, "listed") {
					list = append(list, object())
				}
				do(t, all.Replace(list, "1"))
			default:
				do(t, all.Add(object()))
			}
			if s, changed := r.take(); changed {
				snapshot = snapshot.With(s.removed, s.added)
			}
			if len(r.pending) > 0 {
				continue
			}
			var served []*reservation.Reservation
			for key := range r.byKey {
				served = append(served, r.serves(key)...)
			}
			for key := range r.absent.byKey {
				served = append(served, r.serves(key)...)
			}
			want := inventory.New(served)
			same := func(a, b *reservation.Reservation) bool { return a == b }
			if !slices.EqualFunc(slices.Collect(want.All()), slices.Collect(snapshot.All()), same) || len(want.Conflicts()) != len(snapshot.Conflicts()) {
				rt.Fatalf("served is %v, the changes add up to %v", slices.Collect(want.All()), slices.Collect(snapshot.All()))
			}
		}
	})
}
