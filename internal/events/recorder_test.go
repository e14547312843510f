package events

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/tugboot/tugboot/internal/reservation"
)

// api is a Kubernetes API that knows Events only. It answers with err while that is set.
type api struct {
	typedcorev1.EventInterface
	namespace string
	shared    *shared
}

type shared struct {
	mu       sync.Mutex
	err      error
	attempts int
	events   map[string]*corev1.Event
}

func (s *shared) Events(namespace string) typedcorev1.EventInterface {
	return api{namespace: namespace, shared: s}
}

func (a api) Create(_ context.Context, e *corev1.Event, _ metav1.CreateOptions) (*corev1.Event, error) {
	s := a.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts++
	if s.err != nil {
		return nil, s.err
	}
	key := a.namespace + "/" + e.Name
	if _, exists := s.events[key]; exists {
		return nil, apierrors.NewAlreadyExists(schema.GroupResource{Resource: "events"}, e.Name)
	}
	s.events[key] = e
	return e, nil
}

func (s *shared) answer(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *shared) tried() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts
}

func (s *shared) messages() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var messages []string
	for _, e := range s.events {
		messages = append(messages, e.Message)
	}
	return messages
}

type lines struct {
	mu   sync.Mutex
	text []string
}

func (l *lines) add(_, args string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, args)
}

func (l *lines) count(word string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, line := range l.text {
		if strings.Contains(line, word) {
			n++
		}
	}
	return n
}

type harness struct {
	*Recorder
	api  *shared
	logs *lines
}

// started runs a recorder in the test's bubble until the test ends.
func started(t *testing.T, s *shared) harness {
	t.Helper()
	h := unstarted(t, s)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- h.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Start: %v", err)
		}
	})
	return h
}

func unstarted(t *testing.T, s *shared) harness {
	t.Helper()
	logs := &lines{}
	r, err := New(Options{Client: s, Log: funcr.New(logs.add, funcr.Options{}), Registerer: prometheus.NewRegistry(), Instance: "node-1"})
	if err != nil {
		t.Fatal(err)
	}
	return harness{Recorder: r, api: s, logs: logs}
}

func newAPI() *shared { return &shared{events: map[string]*corev1.Event{}} }

func problem(n int) reservation.Problem {
	return reservation.Problem{
		Source: reservation.Source{Namespace: "tink-system", Name: "wk01", UID: "uid-1", Generation: 3},
		Reason: "InvalidMAC", Field: "spec.interfaces[0].dhcp.mac", Value: fmt.Sprint("zz", n), Remedy: "is not a MAC", Fatal: true,
	}
}

func expect(t *testing.T, counter prometheus.Counter, name string, want float64) {
	t.Helper()
	if got := testutil.ToFloat64(counter); got != want {
		t.Errorf("%s %v, want %v", name, got, want)
	}
}

func TestEventSaysWhatIsWrongWithTheObject(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	got := event(problem(1), "node-1", at)
	got.Name = strings.Replace(got.Name, got.Name[len("wk01."):], "DIGEST", 1)
	want := &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: "tink-system", Name: "wk01.DIGEST"},
		InvolvedObject: corev1.ObjectReference{
			APIVersion: "tinkerbell.org/v1alpha1", Kind: "Hardware", Namespace: "tink-system", Name: "wk01", UID: "uid-1",
		},
		Type: "Warning", Reason: "InvalidMAC", Message: `spec.interfaces[0].dhcp.mac "zz1": is not a MAC`,
		Source:         corev1.EventSource{Component: "tugboot", Host: "node-1"},
		FirstTimestamp: metav1.NewTime(at), LastTimestamp: metav1.NewTime(at), Count: 1,
		ReportingController: "tugboot", ReportingInstance: "node-1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNameTellsProblemsApart(t *testing.T) {
	first := problem(1)
	names := map[string]bool{}
	for _, change := range []func(*reservation.Problem){
		func(*reservation.Problem) {},
		func(p *reservation.Problem) { p.Source.UID = "uid-2" },
		func(p *reservation.Problem) { p.Source.Generation++ },
		func(p *reservation.Problem) { p.Reason = "InvalidAddress" },
		func(p *reservation.Problem) { p.Value = "yy" },
		func(p *reservation.Problem) { p.Source.Name = strings.Repeat("a", 250) + ".b" },
	} {
		p := first
		change(&p)
		one, two := event(p, "node-1", time.Unix(0, 0)).Name, event(p, "node-2", time.Unix(9, 0)).Name
		if one != two {
			t.Errorf("two replicas name it %q and %q", one, two)
		}
		if names[one] || len(one) > 253 || strings.Contains(one, "..") {
			t.Errorf("%q is taken or no name", one)
		}
		names[one] = true
	}
}

func TestMessageIsOnePrintableLine(t *testing.T) {
	p := problem(1)
	p.Remedy = "line\nbreak \x1b[31m\u202e\xff " + strings.Repeat("ü", 2000)
	got := event(p, "node-1", time.Unix(0, 0)).Message
	if len(got) > 1024 || len(got) < 1020 || !strings.HasSuffix(got, "ü...") || strings.ContainsAny(got, "\n\x1b\u202e") || !utf8.ValidString(got) {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

func TestEqualProblemsAreWrittenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newAPI()
		one, two := started(t, s), started(t, s) // two replicas
		for range 5 {
			one.Report(problem(1))
			two.Report(problem(1))
			synctest.Wait()
		}
		if got := s.messages(); len(got) != 1 || s.tried() != 2 {
			t.Errorf("events %q after %d requests, want one and two", got, s.tried())
		}
		expect(t, one.metrics.repeated, "repeated", 4)
		if sum := testutil.ToFloat64(one.metrics.existing) + testutil.ToFloat64(two.metrics.existing); sum != 1 {
			t.Errorf("existing %v, want 1", sum)
		}
		time.Sleep(repeatAfter)
		one.Report(problem(1))
		synctest.Wait()
		if s.tried() != 3 {
			t.Errorf("%d requests, want a third after %s", s.tried(), repeatAfter)
		}
	})
}

func TestWaitsWhileTheAPIIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newAPI()
		s.answer(errors.New("connection refused"))
		h := started(t, s)
		for n := range 3 {
			h.Report(problem(n))
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		// 0.5+1+2+4+8+16 s, then every 30 s
		if tried := s.tried(); tried < 100 || tried > 130 {
			t.Errorf("%d attempts in an hour", tried)
		}
		if h.logs.count("cannot be written") != 1 {
			t.Errorf("said %d times that it waits: %q", h.logs.count("cannot be written"), h.logs.text)
		}
		s.answer(nil)
		time.Sleep(lastWait)
		synctest.Wait()
		if got := s.messages(); len(got) != 3 || h.logs.count("written again") != 1 {
			t.Errorf("events %q, log %q", got, h.logs.text)
		}
	})
}

func TestGivesUpOnWhatTheAPIRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newAPI()
		s.answer(apierrors.NewForbidden(schema.GroupResource{Resource: "events"}, "x", errors.New("no right")))
		h := started(t, s)
		for n := range 20 {
			h.Report(problem(n))
		}
		synctest.Wait()
		if s.tried() != 20 || h.logs.count("config/rbac") != 1 {
			t.Errorf("%d attempts, log %q; want 20 and one line", s.tried(), h.logs.text)
		}
		expect(t, h.metrics.refused, "refused", 20)
		s.answer(nil)
		h.Report(problem(99))
		synctest.Wait()
		if got := s.messages(); len(got) != 1 {
			t.Errorf("events %q, want the one that came after", got)
		}
	})
}

func TestFullQueueDropsAndNeverBlocks(t *testing.T) {
	h := unstarted(t, newAPI())
	for n := range queueLength + 7 {
		h.Report(problem(n)) // a blocked Report would never return: nobody reads the queue
	}
	expect(t, h.metrics.dropped, "dropped", 7)
}

func TestWritesAtABoundedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newAPI()
		h := started(t, s)
		for n := range 500 {
			h.Report(problem(n))
		}
		synctest.Wait()
		if s.tried() != burst {
			t.Errorf("%d requests at once, want %d", s.tried(), burst)
		}
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if want := burst + 10*perSecond; s.tried() != want {
			t.Errorf("%d requests in 10 s, want %d", s.tried(), want)
		}
	})
}

func TestProblemInAFileIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := started(t, newAPI())
		p := problem(1)
		p.Source = reservation.Source{Name: "hardware.csv"}
		h.Report(p)
		h.Report(p)
		synctest.Wait()
		if h.api.tried() != 0 || h.logs.count("hardware.csv") != 1 {
			t.Errorf("%d requests, log %q; want none and one line", h.api.tried(), h.logs.text)
		}
	})
}

func TestSeenIsBounded(t *testing.T) {
	h := unstarted(t, newAPI())
	for n := range 3 * remembered {
		p := problem(n)
		p.Source.UID = ""
		h.Report(p)
	}
	if len(h.seen) > remembered {
		t.Errorf("remembers %d problems, want at most %d", len(h.seen), remembered)
	}
}

func TestMetricsClashIsAnError(t *testing.T) {
	o := Options{Client: newAPI(), Registerer: prometheus.NewRegistry()}
	if _, err := New(o); err != nil {
		t.Fatal(err)
	}
	if _, err := New(o); err == nil {
		t.Error("a second recorder on one registry is no error")
	}
}

func TestPostWritesAtOnce(t *testing.T) {
	s := &shared{events: map[string]*corev1.Event{}}
	n := Notice{Object: corev1.ObjectReference{Kind: "Pod", Namespace: "eksa-system", Name: "tugboot-1", UID: "8a4c"}, Type: "Warning", Reason: "PortTaken", Message: "port 67\nis taken"}
	for range 2 { // a container that is started again says the same
		if err := Post(t.Context(), s, "tugboot-1", n); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.events) != 1 {
		t.Fatalf("%d Events", len(s.events))
	}
	for _, e := range s.events {
		if e.Message != "port 67 is taken" || e.InvolvedObject != n.Object || e.Reason != n.Reason || e.Type != n.Type {
			t.Errorf("%+v", e)
		}
	}
	s.err = errors.New("away")
	n.Reason = "Other"
	if err := Post(t.Context(), s, "tugboot-1", n); err == nil || err.Error() != "write the Event on Pod eksa-system/tugboot-1: away" {
		t.Errorf("%v", err)
	}
}
