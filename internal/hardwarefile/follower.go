package hardwarefile

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Options are what a Follower works with. All but Report are required.
type Options struct {
	// Path is a file (*.csv, *.yaml, *.yml, *.json), or a folder whose files of these names are read, but none below it.
	Path string
	// Store gets a snapshot whenever the machines change.
	Store *inventory.Store
	// Report is called once for each problem when it appears, from one goroutine at a time; it must not block. Problems are
	// logged whether it is there or not.
	Report     func(reservation.Problem)
	Log        logr.Logger
	Registerer prometheus.Registerer
}

// Follower keeps a Store like the files of a path. It is a Runnable of controller-runtime's manager.
type Follower struct {
	path    string
	store   *inventory.Store
	report  func(reservation.Problem)
	log     logr.Logger
	metrics metrics

	mu        sync.Mutex
	files     map[string]*file
	shared    shared
	removed   []*reservation.Reservation // what was published of files that are gone since
	gone      *reservation.Problem       // why the path itself could not be read, if so
	conflicts []inventory.Conflict
	problems  map[string]reservation.Problem
	published bool
}

// New returns a follower that has read nothing so far. It fails when its metrics cannot be registered.
func New(o Options) (*Follower, error) {
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, fmt.Errorf("hardware file %s: %w: give an absolute path", shown(o.Path), err)
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}
	report := o.Report
	if report == nil {
		report = func(reservation.Problem) {}
	}
	return &Follower{
		path: path, store: o.Store, report: report, log: o.Log.WithValues("path", shown(path)), metrics: m,
		files: map[string]*file{}, shared: shared{reservation.NewPool(), maphash.MakeSeed()},
	}, nil
}

// Load reads the files once, for a start that is to fail when there is nothing to serve: the path cannot be read, or no
// file there could be. The error has a line for every reason. Of a file with some problems, what is right is served, and
// the rest reported: a restart must not silence the machines that were served before it.
func (f *Follower) Load() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh(time.Now())
	if f.published {
		return nil
	}
	reasons := make([]error, 0, len(f.problems))
	for _, p := range sorted(f.problems) {
		reasons = append(reasons, p)
	}
	return fmt.Errorf("hardware file %s: nothing to serve: %w", shown(f.path), errors.Join(reasons...))
}

// NeedLeaderElection is false: every replica serves.
func (f *Follower) NeedLeaderElection() bool { return false }

// The pace of following: how long the files must be quiet before they are read, how long a burst of changes can put that
// off, how often they are looked at without being told to, and how often where the kernel tells nothing.
const (
	quiet       = 50 * time.Millisecond
	longest     = 400 * time.Millisecond
	slowPoll    = 30 * time.Second
	withoutPoll = 2 * time.Second
)

// Start follows the files until ctx is done. Nothing that happens to the files ends it, and it always returns nil.
func (f *Follower) Start(ctx context.Context) error {
	poll := slowPoll
	watch, err := newWatcher()
	if err != nil {
		// Most likely the limit fs.inotify.max_user_instances; looking is slower than being told, and works.
		f.log.Error(err, "cannot watch hardware files; looking at them instead", "every", withoutPoll.String())
		poll = withoutPoll
	}
	defer watch.close()
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	settle := newBurst()
	f.look(watch)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-watch.events():
			settle.touch(time.Now())
		case err := <-watch.errors():
			f.log.Error(err, "changes of hardware files may have been missed; reading them anew")
			settle.touch(time.Now())
		case <-settle.timer.C:
			f.look(watch)
		case <-ticker.C:
			f.look(watch)
		}
	}
}

// look watches before it reads, so that what changes after the reading is told.
func (f *Follower) look(watch *watcher) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := watch.follow(folders(f.path)); err != nil {
		f.log.Error(err, "cannot watch a folder of hardware files; looking at it instead", "every", slowPoll.String())
	}
	f.refresh(time.Now())
}

// burst puts reading off until changes pause, because most writers make several for one.
type burst struct {
	timer *time.Timer
	// first is the first change of the burst, due when it is read; a change after that begins another.
	first, due time.Time
}

func newBurst() *burst {
	b := &burst{timer: time.NewTimer(time.Hour)}
	b.timer.Stop()
	return b
}

func (b *burst) touch(now time.Time) {
	if now.After(b.due) {
		b.first = now
	}
	b.due = now.Add(min(quiet, b.first.Add(longest).Sub(now)))
	b.timer.Reset(b.due.Sub(now))
}
