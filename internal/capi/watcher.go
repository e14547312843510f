package capi

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/go-logr/logr"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// Options are what a Watcher needs.
type Options struct {
	// Config says where the API is. It is required.
	Config *rest.Config
	Log    logr.Logger
}

// Watcher follows the objects of one API that the takeover depends on. Kinds that the API does not serve are no failure:
// they are followed within seconds once it does. Make one with New and run Start once.
type Watcher struct {
	records   *records
	followers []*follower
}

// The requests that all kinds together make: enough to begin without a wait, little for any API server.
const (
	requestsPerSecond = 20
	requestsAtOnce    = 40
)

// New returns a Watcher. It does not contact the API yet. It fails when Config is missing or not usable.
func New(o Options) (*Watcher, error) {
	if o.Config == nil {
		return nil, errors.New("capi watcher: Config is required")
	}
	config := rest.CopyConfig(o.Config)
	config.Timeout = 0                        // it would end watches
	config.WarningHandler = rest.NoWarnings{} // that v1beta1 is deprecated is nothing its reader can change
	if config.QPS == 0 {
		config.QPS, config.Burst = requestsPerSecond, requestsAtOnce
	}
	if config.UserAgent == "" {
		config.UserAgent = "tugboot"
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("client for the cluster's objects: %w", err)
	}
	resources, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("client for discovery: %w", err)
	}
	w := &Watcher{records: newRecords()}
	conn := &connection{log: o.Log}
	for k := range kinds {
		w.followers = append(w.followers, &follower{
			resource: resourceOf(k), scope: scope{w.records, k}, client: client, discovery: resources, conn: conn, log: o.Log,
		})
	}
	return w, nil
}

// NeedLeaderElection is false: every replica sees.
func (*Watcher) NeedLeaderElection() bool { return false }

// Start follows the API until ctx is done, whatever happens to the API meanwhile, and returns nil.
func (w *Watcher) Start(ctx context.Context) error {
	var running sync.WaitGroup
	for _, f := range w.followers {
		running.Go(func() { f.follow(ctx) })
	}
	running.Wait()
	return nil
}

// View returns what is known now. It never changes; while the API is away it is what was seen last.
func (w *Watcher) View() View { return w.records.view() }

// Changed delivers a token when View says something new. There is one token at most, for one reader.
func (w *Watcher) Changed() <-chan struct{} { return w.records.changed }
