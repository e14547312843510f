package controllers

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"

	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/statedir"
)

// The pace of publication. An isolated change is published at once; changes that follow each other are gathered, for
// minPause or for as long as a snapshot takes to build, so that at most half of a core is spent on building.
const (
	minPause = 20 * time.Millisecond
	maxPause = 500 * time.Millisecond
)

// repeatEvery is how often problems that last are reported again: the API forgets Events after an hour.
const repeatEvery = 30 * time.Minute

// releaseAfter is how long the API may be silent at the start before what was kept from before is served.
const releaseAfter = time.Second

// ReasonKeptHardwareMissing is the reason of the problem that too much of what was kept over a restart is not in the API any
// more.
const ReasonKeptHardwareMissing = "KeptHardwareMissing"

// HardwareOptions are what a HardwareController needs. Namespaces, State and Changed may be empty, all else is required.
type HardwareOptions struct {
	// Config says where the API is.
	Config *rest.Config
	// Namespaces are those whose Hardware is served; empty means all.
	Namespaces []string
	// Store gets the snapshots. It becomes ready with the first complete one.
	Store *inventory.Store
	// Report is called for each problem that is new, and again every half hour while it lasts. It must not block.
	Report func(reservation.Problem)
	// State keeps the last good snapshot for a start with the API away.
	State *statedir.Dir
	// Changed is called after each publication. It must not block.
	Changed    func()
	Log        logr.Logger
	Registerer prometheus.Registerer
}

// HardwareController publishes the reservations of all Hardware. It keeps records of what was converted and no objects.
// Make one with NewHardwareController and run Start once.
type HardwareController struct {
	api     *hardwareAPI
	scopes  []string
	records *records
	store   *inventory.Store
	report  func(reservation.Problem)
	log     logr.Logger
	conn    *connection
	metrics *hardwareMetrics
	keeper  *keeper // nil without a State
	changed func()

	snapshot  *inventory.Snapshot // as of the last publication
	problems  problemSet          // likewise
	last      state               // likewise
	published bool                // of the API
}

// NewHardwareController returns a controller. It does not contact the API yet. It fails when an option is missing, when
// Config is not usable, or when its metrics are registered already.
func NewHardwareController(o HardwareOptions) (*HardwareController, error) {
	if o.Config == nil || o.Store == nil || o.Report == nil || o.Registerer == nil {
		return nil, errors.New("hardware controller: Config, Store, Report and Registerer are required")
	}
	scopes := distinct(o.Namespaces)
	c := &HardwareController{
		scopes: scopes, records: newRecords(scopes), store: o.Store, report: o.Report, log: o.Log, problems: problemSet{},
		snapshot: inventory.New(nil), changed: o.Changed,
	}
	if o.State != nil {
		c.keeper = newKeeper(o.State, c.records, o.Log)
	}
	if c.changed == nil {
		c.changed = func() {}
	}
	var err error
	if c.metrics, err = newHardwareMetrics(o.Registerer, c.records.lastHeard); err != nil {
		return nil, fmt.Errorf("metrics of the hardware controller: %w", err)
	}
	c.conn = &connection{log: o.Log, gauge: c.metrics.connected, away: c.records.release}
	if c.api, err = newHardwareAPI(o.Config, c.conn, o.Log); err != nil {
		return nil, err
	}
	return c, nil
}

// distinct returns the scopes to watch: each namespace once, or "" for all of them.
func distinct(namespaces []string) []string {
	var scopes []string
	seen := map[string]bool{}
	for _, n := range namespaces {
		if n == "" {
			return []string{""}
		}
		if !seen[n] {
			scopes = append(scopes, n)
		}
		seen[n] = true
	}
	if len(scopes) == 0 {
		return []string{""}
	}
	return scopes
}

// NeedLeaderElection is false: every replica serves.
func (*HardwareController) NeedLeaderElection() bool { return false }

// Start follows the API until ctx is done, whatever happens to the API meanwhile, and returns nil.
func (c *HardwareController) Start(ctx context.Context) error {
	var reflectors sync.WaitGroup
	defer reflectors.Wait()
	if c.keeper != nil {
		if c.keeper.load() {
			c.conn.published()
		}
		reflectors.Go(func() { c.keeper.run(ctx) })
		silent := time.AfterFunc(releaseAfter, c.records.release)
		defer silent.Stop()
	}
	for _, namespace := range c.scopes {
		reflectors.Go(func() { c.api.follow(ctx, scope{c.records, namespace}) })
	}
	c.publishAll(ctx)
	return nil
}

// Moved returns how many Hardware objects Cluster API has moved away, whose machines are served on, and how many stayed:
// are in the API or not known to be anywhere else. It is 0 and 0 until something is known.
func (c *HardwareController) Moved() (moved, stayed int) {
	c.records.mu.Lock()
	defer c.records.mu.Unlock()
	stayed = len(c.records.byKey) + c.records.absent.undecided()
	if len(c.records.pending) > 0 && !c.records.restored {
		return 0, stayed // what is in the other namespaces is not known yet
	}
	return c.records.absent.moved, stayed
}

// publishAll publishes each change until ctx is done.
func (c *HardwareController) publishAll(ctx context.Context) {
	repeat := time.NewTicker(repeatEvery)
	defer repeat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-repeat.C:
			for p := range c.problems {
				c.report(p)
			}
			continue
		case <-c.records.changed:
		}
		began := time.Now()
		s, changed := c.records.take()
		if !changed {
			continue
		}
		c.publish(s, began)
		select { // what changes meanwhile is gathered into the next snapshot
		case <-ctx.Done():
			return
		case <-time.After(min(max(time.Since(began), minPause), maxPause)):
		}
	}
}

// publish puts s in force, then says what is wrong with it.
func (c *HardwareController) publish(s state, began time.Time) {
	c.snapshot = c.snapshot.With(s.removed, s.added)
	snapshot := c.snapshot
	c.store.Publish(snapshot)
	c.conn.published()
	now := time.Now()

	current := problemSet{}
	for _, p := range s.problems {
		current[p] = struct{}{}
	}
	for _, conflict := range snapshot.Conflicts() {
		current[conflict.Problem()] = struct{}{}
	}
	if s.undecided > 0 {
		current[c.missing(s.undecided)] = struct{}{}
	}
	c.metrics.observe(s, snapshot, current, now, now.Sub(began))
	c.announce(s, snapshot, current)
	for _, p := range current.without(c.problems) {
		c.log.Info("a problem with a Hardware", "reason", p.Reason, "problem", p.Error(), "served", !p.Fatal)
		c.report(p)
	}
	for _, p := range c.problems.ofAnyGeneration().without(current.ofAnyGeneration()) {
		c.log.Info("a problem with a Hardware is gone", "reason", p.Reason, "problem", p.Error())
	}
	s.removed, s.added = nil, nil
	c.problems, c.last, c.published = current, s, c.published || s.complete
	if c.keeper != nil {
		c.keeper.trigger()
	}
	c.changed()
}

// missing words the problem that so many objects were kept, and are not in the API any more. They can only be there with
// a keeper.
func (c *HardwareController) missing(objects int) reservation.Problem {
	return reservation.Problem{
		Source: reservation.Source{Name: c.keeper.dir.File(keptName)}, Reason: ReasonKeptHardwareMissing, Field: "Records", Value: strconv.Itoa(objects),
		Remedy: "so many Hardware objects were kept from before a restart and are not in the cluster any more, too many to be withdrawn " +
			"without a person's word; their machines are served on: restore the objects, or stop Tugboot, delete this file and start it again",
	}
}

func (c *HardwareController) announce(s state, snapshot *inventory.Snapshot, current problemSet) {
	log := c.log.WithValues("hardware", s.objects, "reservations", snapshot.Len(), "problems", len(current))
	switch {
	case !s.complete && !c.published:
		log.Info("the Kubernetes API does not answer: what was kept from before this start is served", "moved", s.moved, "undecided", s.undecided)
	case !c.published:
		log.Info("the first snapshot is published")
	case s.objects == 0 && c.last.objects > 0 && snapshot.Len() == 0:
		log.Info("the API says that all Hardware is gone: no machine is answered any more", "before", c.last.objects)
	default:
		log.V(1).Info("a snapshot is published")
	}
	if s.moved != c.last.moved {
		log.Info("Cluster API moves Hardware away; machines of what was moved are served on until it comes back", "moved", s.moved, "before", c.last.moved)
	}
	if s.withdrawn > c.last.withdrawn {
		log.Info("Hardware that was kept from before this start is not in the cluster any more: it is withdrawn", "withdrawn", s.withdrawn-c.last.withdrawn)
	}
}
