package controllers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// The times of the election: a leader that cannot renew its lease for renewDeadline stops before, after leaseDuration,
// another replica begins.
const (
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 2 * time.Second
)

// LeaderOptions are what a Leader needs; all fields are required.
type LeaderOptions struct {
	Client kubernetes.Interface
	// Namespace and Name are those of the Lease.
	Namespace, Name string
	// Instance tells this replica from the others.
	Instance string
	Log      logr.Logger
}

// Leader says whether this replica may write. Other than the election of controller-runtime, losing it does not end the
// process: whoever serves machines goes on while the API is away.
type Leader struct {
	options LeaderOptions
	lock    resourcelock.Interface
	leading atomic.Bool

	mu       sync.Mutex
	watchers []func()
}

// NewLeader returns a Leader that takes part in no election yet.
func NewLeader(o LeaderOptions) (*Leader, error) {
	if o.Client == nil || o.Namespace == "" || o.Name == "" || o.Instance == "" {
		return nil, errors.New("leader election: Client, Namespace, Name and Instance are required")
	}
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, o.Namespace, o.Name, o.Client.CoreV1(), o.Client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: o.Instance})
	if err != nil {
		return nil, fmt.Errorf("leader election: %w", err)
	}
	return &Leader{options: o, lock: lock}, nil
}

// Leading reports whether this replica may write now.
func (l *Leader) Leading() bool { return l.leading.Load() }

// OnChange has f called whenever that changes. It must not block, and be set before Start.
func (l *Leader) OnChange(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watchers = append(l.watchers, f)
}

// NeedLeaderElection is false: this is the election.
func (*Leader) NeedLeaderElection() bool { return false }

// Start takes part in the election until ctx is done, however often it is won and lost, and returns nil.
func (l *Leader) Start(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := l.term(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryPeriod):
		}
	}
	return nil
}

// term waits to be elected, and returns when that is over.
func (l *Leader) term(ctx context.Context) error {
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: l.lock, LeaseDuration: leaseDuration, RenewDeadline: renewDeadline, RetryPeriod: retryPeriod,
		ReleaseOnCancel: true, Name: l.options.Name,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: l.started, // in a goroutine of its own, which may be late
			OnStoppedLeading: func() { l.set(context.Background(), false) },
		},
	})
	if err != nil {
		return fmt.Errorf("leader election: %w", err)
	}
	elector.Run(logr.NewContext(ctx, l.options.Log.V(1)))
	return nil
}

func (l *Leader) started(ctx context.Context) { l.set(ctx, true) }

// set notes what the election came to, unless ctx, which is the term's, is over.
func (l *Leader) set(ctx context.Context, leading bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil || l.leading.Swap(leading) == leading {
		return
	}
	if leading {
		l.options.Log.Info("this replica is the leader: it writes what the takeover and existing DHCP services need", "lease", l.options.Namespace+"/"+l.options.Name)
	} else {
		l.options.Log.Info("this replica is not the leader any more", "lease", l.options.Namespace+"/"+l.options.Name)
	}
	for _, f := range l.watchers {
		f()
	}
}
