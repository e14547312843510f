package events

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/tugboot/tugboot/internal/reservation"
)

// The bounds of a Recorder.
const (
	// queueLength is how many problems wait for the API at most; further ones are dropped and counted.
	queueLength = 1024
	// repeatAfter is how long an equal problem is not queued again, which keeps floods of packets from becoming requests.
	repeatAfter = 10 * time.Minute
	// remembered bounds the problems that repeatAfter is kept for.
	remembered = 4 * queueLength
	// perSecond and burst bound the requests to the API.
	perSecond, burst = 10, 50
)

// Recorder writes problems as Events. Make one with New and run Start once.
type Recorder struct {
	client   typedcorev1.EventsGetter
	log      logr.Logger
	instance string
	queue    chan *corev1.Event
	limiter  *rate.Limiter
	metrics  *metrics

	mu   sync.Mutex
	seen map[string]time.Time // by namespace/name of the Event: when it was queued last

	refused     int // since refusedLog; Start's own
	refusalSaid time.Time
}

// Options are what a Recorder needs; all fields are required.
type Options struct {
	// Client writes Events: the CoreV1() of a clientset will do. The right it needs is to create events.
	Client typedcorev1.EventsGetter
	// Log gets the problems that have no object to stand on, and the trouble with the API.
	Log        logr.Logger
	Registerer prometheus.Registerer
	// Instance names this replica in the Events: its pod's or host's name.
	Instance string
}

// New returns a Recorder. It fails when its metrics are registered already.
func New(o Options) (*Recorder, error) {
	r := &Recorder{
		client: o.Client, log: o.Log, instance: oneLine(o.Instance, maxReason),
		queue:   make(chan *corev1.Event, queueLength),
		limiter: rate.NewLimiter(perSecond, burst),
		seen:    map[string]time.Time{},
	}
	m, err := newMetrics(o.Registerer, func() float64 { return float64(len(r.queue)) })
	if err != nil {
		return nil, fmt.Errorf("metrics of the event recorder: %w", err)
	}
	r.metrics = m
	return r, nil
}

// Notice is something to be told about an object.
type Notice struct {
	// Object is what it is about; its UID is needed.
	Object corev1.ObjectReference
	// Type is corev1.EventTypeNormal or EventTypeWarning.
	Type string
	// Reason is a CamelCase word that stays the same from release to release; Message is one line.
	Reason, Message string
	// Occurrence tells one time from the next, such as the generation seen or when it happened. Notices that are equal in
	// everything are one Event, whoever writes them.
	Occurrence string
}

// Announce queues n to be written on its object, under the conditions of Report.
func (r *Recorder) Announce(n Notice) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.enqueue(notice(n, r.instance, now), now)
}

// Report queues p to be written on its object. It never blocks: when the queue is full, or the same problem was reported
// within the last ten minutes, p is dropped. A problem whose source has no UID has no object; it is logged.
func (r *Recorder) Report(p reservation.Problem) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.enqueue(event(p, r.instance, now), now)
}

// enqueue puts e into the queue, with r.mu held.
func (r *Recorder) enqueue(e *corev1.Event, now time.Time) {
	key := e.Namespace + "/" + e.Name
	if last, ok := r.seen[key]; ok && now.Sub(last) < repeatAfter {
		r.metrics.repeated.Inc()
		return
	}
	if e.InvolvedObject.UID == "" {
		r.log.Info("a problem that has no object", "reason", e.Reason, "about", e.InvolvedObject.Name, "problem", e.Message)
		r.metrics.logged.Inc()
		r.remember(key, now)
		return
	}
	select {
	case r.queue <- e:
		r.remember(key, now)
	default:
		r.metrics.dropped.Inc()
	}
}

// remember keeps flooded problems from being reported again. It forgets all at once when it holds too many: the API
// knows the names, so that forgetting costs requests and not second Events.
func (r *Recorder) remember(key string, now time.Time) {
	if len(r.seen) >= remembered {
		clear(r.seen)
	}
	r.seen[key] = now
}

// NeedLeaderElection is false: every replica reports what it sees.
func (*Recorder) NeedLeaderElection() bool { return false }

// Start writes what is queued until ctx is done. What is queued then is dropped: the next start finds the problem again.
// It returns nil.
func (r *Recorder) Start(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-r.queue:
			r.deliver(ctx, e)
		}
	}
}
