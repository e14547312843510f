package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/events"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// DHCPServiceOptions are what a DHCPServiceController needs; all fields but Times are required.
type DHCPServiceOptions struct {
	// Config says where the API is, Namespace where the DHCPServices are.
	Config    *rest.Config
	Namespace string
	Leader    *Leader
	// Snapshot returns the reservations in force, false before there are any.
	Snapshot func() (*inventory.Snapshot, bool)
	// Word returns what this instance writes for an object, and false while it is not the one to write. The cluster's
	// name is in it wherever it is known.
	Word func(*v1alpha1.DHCPService) (render.Word, bool)
	// Render makes the text of a type of service.
	Render func(v1alpha1.DHCPServiceType, render.Wanted) (render.Output, error)
	// Kea makes a driver for one peer.
	Kea func(KeaServer) (dhcpservice.Driver, error)
	// Verify makes what asks a service as machines would.
	Verify func(dhcpservice.Ask, []netip.Prefix) (dhcpservice.Verify, error)
	// Announce queues an Event, Report one about Hardware. They must not block.
	Announce   func(events.Notice)
	Report     func(reservation.Problem)
	Log        logr.Logger
	Registerer prometheus.Registerer
	// Times replaces DefaultDHCPServiceTimes, in tests.
	Times DHCPServiceTimes
}

// KeaServer is one peer of a Kea service: where it is, the data of the Secret that the object names (nil for none), the
// subnets that must be there, and lint's rules that are not looked at.
type KeaServer struct {
	URL     string
	Secret  map[string][]byte
	Subnets []netip.Prefix
	Disable []string
}

// DHCPServiceTimes are the pauses between looks at one service.
type DHCPServiceTimes struct {
	// Settle is how long changes must be quiet before they are written, and Gather how long they are gathered at most.
	Settle, Gather time.Duration
	// Look is the pause between two looks at a service that is in step.
	Look time.Duration
	// Retry and RetryMost are the first and the longest pause after a failure; it doubles from one to the other.
	Retry, RetryMost time.Duration
	// Agent is how long an agent is waited for.
	Agent time.Duration
}

// DefaultDHCPServiceTimes gathers changes for two seconds of quiet, and looks at each service once a minute.
func DefaultDHCPServiceTimes() DHCPServiceTimes {
	return DHCPServiceTimes{
		Settle: 2 * time.Second, Gather: 10 * time.Second, Look: time.Minute, Retry: time.Second, RetryMost: 5 * time.Minute, Agent: 25 * time.Second,
	}
}

// DHCPServiceController keeps every DHCPService of a namespace in step, on the leader. Each has a worker of its own, so
// that one that does not answer holds up no other. Make one with NewDHCPServiceController and run Start once.
type DHCPServiceController struct {
	options DHCPServiceOptions
	api     client.WithWatch
	core    kubernetes.Interface
	list    *dhcpServiceList
	metrics *dhcpServiceMetrics
	trigger chan struct{}

	mu      sync.Mutex
	workers map[types.UID]*dhcpServiceWorker
}

// NewDHCPServiceController returns a controller. It does not contact the API yet. It fails when an option is missing, when
// Config is not usable, or when its metrics are registered already.
func NewDHCPServiceController(o DHCPServiceOptions) (*DHCPServiceController, error) {
	if o.Config == nil || o.Namespace == "" || o.Leader == nil || o.Snapshot == nil || o.Word == nil || o.Render == nil ||
		o.Kea == nil || o.Verify == nil || o.Announce == nil || o.Report == nil || o.Registerer == nil {
		return nil, errors.New("DHCPService controller: an option is missing")
	}
	if o.Times == (DHCPServiceTimes{}) {
		o.Times = DefaultDHCPServiceTimes()
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	api, err := client.NewWithWatch(o.Config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("client for %s: %w", v1alpha1.GroupVersion, err)
	}
	core, err := kubernetes.NewForConfig(o.Config)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	c := &DHCPServiceController{
		options: o, api: api, core: core, trigger: make(chan struct{}, 1), workers: map[types.UID]*dhcpServiceWorker{},
	}
	if c.metrics, err = newDHCPServiceMetrics(o.Registerer); err != nil {
		return nil, fmt.Errorf("metrics of the DHCPService controller: %w", err)
	}
	c.list = newDHCPServiceList(api, o.Namespace, o.Log, c.wake)
	return c, nil
}

// NeedLeaderElection is false: it asks its own Leader.
func (*DHCPServiceController) NeedLeaderElection() bool { return false }

// Trigger has every service looked at once changes are quiet: the Hardware or the word is another. It never blocks.
func (c *DHCPServiceController) Trigger() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.workers {
		w.Trigger()
	}
}

func (c *DHCPServiceController) wake() {
	select {
	case c.trigger <- struct{}{}:
	default: // it is due already
	}
}

// Start keeps the services in step until ctx is done, and returns nil.
func (c *DHCPServiceController) Start(ctx context.Context) error {
	c.options.Leader.OnChange(c.wake)
	var watching sync.WaitGroup
	watching.Go(func() { c.list.watched.follow(ctx) })
	defer watching.Wait()
	for {
		select {
		case <-ctx.Done():
			c.employ(ctx, nil)
			return nil
		case <-c.trigger:
		}
		objects, known := c.list.all()
		switch {
		case !known:
		case !c.options.Leader.Leading():
			c.employ(ctx, nil)
		default:
			c.employ(ctx, objects)
		}
	}
}

// employ has exactly these objects worked on: workers of others end, and new ones begin.
func (c *DHCPServiceController) employ(ctx context.Context, objects map[types.UID]*v1alpha1.DHCPService) {
	c.mu.Lock()
	var leave []*dhcpServiceWorker
	for uid, w := range c.workers {
		if objects[uid] == nil {
			leave = append(leave, w)
			delete(c.workers, uid)
		}
	}
	for uid, object := range objects {
		if w := c.workers[uid]; w != nil {
			w.Trigger()
			continue
		}
		c.workers[uid] = c.hire(ctx, object)
	}
	c.mu.Unlock()
	for _, w := range leave {
		w.stop()
		c.metrics.forget(w.namespace, w.name)
	}
}

// Services are the existing DHCP services that a takeover writes: those of policy Sync that can be written by a program.
func (c *DHCPServiceController) Services() []DHCPService {
	objects, known := c.list.all()
	if !known {
		return []DHCPService{unlisted{}}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var services []DHCPService
	for uid, object := range objects {
		if object.Spec.Policy == v1alpha1.DHCPServicePlan || object.Spec.Type == v1alpha1.DHCPServiceMicrosoft {
			continue
		}
		services = append(services, serviceOf{name: object.Name, worker: c.workers[uid]})
	}
	return services
}

// object returns what the API says of one, nil when it is gone.
func (c *DHCPServiceController) object(uid types.UID) *v1alpha1.DHCPService {
	objects, _ := c.list.all()
	return objects[uid]
}
