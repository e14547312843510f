package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tugboot/tugboot/controllers"
	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/events"
	"github.com/tugboot/tugboot/internal/hardwarefile"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/statedir"
)

// source is where Hardware comes from: a cluster, files, or files until there is a word of the cluster.
type source struct {
	cluster, files *inventory.Store // nil where not asked for
	report         func(reservation.Problem)
	runnables      []runnable

	// What is known of the cluster, nil without one; published is called after each publication of its Hardware, and may
	// be set until the runnables start.
	config    *rest.Config
	events    *events.Recorder
	hardware  *controllers.HardwareController
	published func()
}

// onPublished has f called after each publication of the cluster's Hardware, besides whoever is called already.
func (s *source) onPublished(f func()) {
	before := s.published
	s.published = func() {
		before()
		f()
	}
}

func newSource(o *options.Serve, state *statedir.Dir, registry prometheus.Registerer, log logr.Logger) (*source, error) {
	s := &source{published: func() {}, report: func(p reservation.Problem) {
		log.Info("problem with Hardware", "reason", p.Reason, "problem", p.Error(), "notServed", p.Fatal)
	}}
	if o.Source.Cluster() {
		if err := s.addCluster(o, state, registry, log); err != nil {
			return nil, err
		}
	}
	if o.Source.Hardware == "" {
		return s, nil
	}
	s.files = inventory.NewStore()
	if s.cluster != nil {
		s.runnables = append(s.runnables, handover{s.cluster, s.files, log})
	}
	return s, s.addFiles(o, registry, log)
}

// handover says when the cluster's word begins to count instead of the files'.
type handover struct {
	cluster, files *inventory.Store
	log            logr.Logger
}

// NeedLeaderElection is false: every replica serves.
func (handover) NeedLeaderElection() bool { return false }

// Start waits for the cluster's first snapshot, and returns nil.
func (h handover) Start(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-h.cluster.Ready():
		h.log.Info("the cluster's Hardware is served from now on, as the cluster says or last said it, and --hardware no more",
			"reservations", h.cluster.Load().Len(), "reservationsBefore", h.files.Load().Len())
	}
	return nil
}

func (s *source) addCluster(o *options.Serve, state *statedir.Dir, registry prometheus.Registerer, log logr.Logger) error {
	config, err := restConfig(o.Source.Kubeconfig)
	if err != nil {
		return err
	}
	core, err := typedcorev1.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("--kubeconfig %q: %w", o.Source.Kubeconfig, err)
	}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("this host's name, which Events carry: %w", err)
	}
	recorder, err := events.New(events.Options{Client: core, Log: log.WithName("events"), Registerer: registry, Instance: host})
	if err != nil {
		return err
	}
	s.config, s.events, s.report = config, recorder, recorder.Report
	s.cluster = inventory.NewStore()
	s.hardware, err = controllers.NewHardwareController(controllers.HardwareOptions{
		Config: config, Namespaces: o.Source.Namespaces, Store: s.cluster, Report: recorder.Report,
		State: state, Changed: func() { s.published() }, Log: log.WithName("hardware"), Registerer: registry,
	})
	s.runnables = append(s.runnables, recorder, s.hardware)
	return err
}

// restConfig reads the kubeconfig, or without one finds the cluster that this process runs in.
func restConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("no Hardware to serve: this process runs in no cluster (%w): give --kubeconfig or --hardware", err)
		}
		return config, nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	switch {
	case clientcmd.IsEmptyConfig(err): // its message recommends what has no effect here
		return nil, fmt.Errorf("--kubeconfig %q: names no cluster: give a file with which kubectl reaches yours", kubeconfig)
	case err != nil:
		return nil, fmt.Errorf("--kubeconfig %q: %w: give a file with which kubectl reaches your cluster", kubeconfig, err)
	}
	return config, nil
}

// snapshot returns what is in force: the cluster's word once there was one, the files' until then.
func (s *source) snapshot() *inventory.Snapshot {
	if s.files == nil || s.cluster != nil && isReady(s.cluster) {
		return s.cluster.Load()
	}
	return s.files.Load()
}

// ready reports whether a snapshot of any source was published.
func (s *source) ready() bool {
	return s.cluster != nil && isReady(s.cluster) || s.files != nil && isReady(s.files)
}

func isReady(store *inventory.Store) bool {
	select {
	case <-store.Ready():
		return true
	default:
		return false
	}
}

func (s *source) addFiles(o *options.Serve, registry prometheus.Registerer, log logr.Logger) error {
	follower, err := hardwarefile.New(hardwarefile.Options{
		Path: o.Source.Hardware, Store: s.files, Log: log.WithName("hardware-file"), Registerer: registry,
	})
	if err != nil {
		return err
	}
	s.runnables = append(s.runnables, follower)
	return follower.Load()
}
