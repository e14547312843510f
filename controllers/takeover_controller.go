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
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/capi"
	"github.com/tugboot/tugboot/internal/events"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/probe"
	"github.com/tugboot/tugboot/internal/takeover"
)

// TakeoverOptions are what a TakeoverController needs; Role, Own, Services and Rule may be zero, all else is required.
type TakeoverOptions struct {
	// Config says where the API of the cluster is that this process runs in.
	Config *rest.Config
	// Namespace is that of the Takeover and of the baton.
	Namespace string
	// Role is what a flag says of this cluster's role; RoleUnknown leaves it to the Takeover and to the Nodes.
	Role takeover.Role
	// Own is the address at which this process serves files itself, zero for none: in the bootstrap role it is the bootstrap
	// stack's where nothing says another.
	Own netip.Addr
	// Cluster shows the cluster's objects.
	Cluster *capi.Watcher
	// Baton shows the baton, and takes one that cannot be stored any more.
	Baton  *BatonFollower
	Leader *Leader
	// Snapshot returns the reservations in force, false before there are any; Moved returns how many Hardware objects were
	// moved away and how many stayed.
	Snapshot func() (*inventory.Snapshot, bool)
	Moved    func() (moved, stayed int)
	// Services returns the existing DHCP services, which come and go; nil for none.
	Services func() []DHCPService
	// InFlight counts the machines that are in the middle of a boot.
	InFlight func(now time.Time) int
	// Noticed is called when the cluster's objects show something new: the role, maybe. It must not block; nil for nobody.
	Noticed func()
	// Announce queues an Event. It must not block.
	Announce   func(events.Notice)
	Log        logr.Logger
	Registerer prometheus.Registerer
	// Rule replaces takeover.DefaultRule, in tests.
	Rule takeover.Rule
}

// TakeoverController brings the judge what it judges and carries out what it says: gather, judge, act. On every replica
// it gathers; only the leader acts. Make one with NewTakeoverController and run Start once.
type TakeoverController struct {
	options TakeoverOptions
	api     client.WithWatch
	core    kubernetes.Interface
	list    *takeoverList
	metrics *takeoverMetrics
	remote  *remoteCluster
	gates   []takeover.Gate
	trigger chan struct{}

	// What the rounds keep from one to the next; the loop's own.
	streak    takeover.Streak
	probes    *probes
	settings  settings
	pairs     pairs
	announced announced
	refused   map[string]string // by what was written: the last failure that was logged
}

// defaultInterval is the pause between two rounds of probes while no Takeover says another.
const defaultInterval = 10 * time.Second

// settle is how long changes are gathered before they are looked at.
const settle = 100 * time.Millisecond

// NewTakeoverController returns a controller. It does not contact the API yet. It fails when an option is missing, when
// Config is not usable, or when its metrics are registered already.
func NewTakeoverController(o TakeoverOptions) (*TakeoverController, error) {
	if o.Config == nil || o.Namespace == "" || o.Cluster == nil || o.Baton == nil || o.Leader == nil || o.Snapshot == nil ||
		o.Moved == nil || o.InFlight == nil || o.Announce == nil || o.Registerer == nil {
		return nil, errors.New("takeover controller: an option is missing")
	}
	if o.Rule == (takeover.Rule{}) {
		o.Rule = takeover.DefaultRule()
	}
	if o.Services == nil {
		o.Services = func() []DHCPService { return nil }
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
	c := &TakeoverController{
		options: o, api: api, core: core, gates: takeover.Gates(o.Rule), trigger: make(chan struct{}, 1), refused: map[string]string{},
	}
	if c.metrics, err = newTakeoverMetrics(o.Registerer); err != nil {
		return nil, fmt.Errorf("metrics of the takeover controller: %w", err)
	}
	c.list = newTakeoverList(api, o.Namespace, o.Log, c.Trigger)
	c.probes = newProbes(func(timeout time.Duration) prober {
		return probe.New(probe.Options{Timeout: timeout, Observe: c.metrics.probed})
	}, c.Trigger)
	c.remote = newRemoteCluster(c.core, o.Namespace, o.Log, c.Trigger)
	return c, nil
}

// NeedLeaderElection is false: it asks its own Leader, and gathers on every replica.
func (*TakeoverController) NeedLeaderElection() bool { return false }

// Trigger has the next round begin soon. It never blocks.
func (c *TakeoverController) Trigger() {
	select {
	case c.trigger <- struct{}{}:
	default: // one is due already
	}
}

// Start gathers, judges and acts until ctx is done, and returns nil.
func (c *TakeoverController) Start(ctx context.Context) error {
	c.options.Leader.OnChange(c.Trigger)
	beside, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { c.list.watched.follow(beside) })
	running.Go(func() { c.probes.run(beside) })
	defer func() {
		stop()
		running.Wait()
		c.remote.stop()
	}()
	for {
		pause := c.round(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		case <-c.options.Cluster.Changed():
			if c.options.Noticed != nil {
				c.options.Noticed()
			}
		case <-c.trigger:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(settle):
		}
	}
}

// round is one turn: gather, judge, act. It returns how long to wait for the next when nothing happens.
func (c *TakeoverController) round(ctx context.Context) time.Duration {
	c.metrics.leading.Set(truth(c.options.Leader.Leading()))
	t, others, known := c.list.chosen()
	if !known || t == nil {
		return defaultInterval
	}
	interval := t.Spec.Probe.Interval.Duration
	if interval <= 0 {
		interval = defaultInterval
	}
	baton := c.options.Baton.State()
	alone := orphaned(baton)
	if !c.options.Cluster.View().Ready() {
		return interval
	}
	if !c.options.Leader.Leading() && !alone {
		c.streak = takeover.Streak{}
		c.probes.rest()
		return interval
	}
	o := c.gather(ctx, t, baton)
	step := takeover.Next(o, c.gates...)
	if len(step.Write) > 0 && c.write(ctx, t, step) {
		o.At, o.Services = time.Now(), readServices(ctx, c.options.Services())
		o.Streak = step.Streak
		step = takeover.Next(o, c.gates...)
	}
	if ctx.Err() != nil {
		return interval
	}
	c.streak = step.Streak
	c.metrics.stepped(step)
	advertised := stored(o)
	if step.Baton == nil && baton.Held && !alone { // the API is back, and what could not be stored then is stored now
		step.Baton = &baton.Baton
	}
	if step.Baton != nil {
		if c.store(ctx, t, baton, *step.Baton, alone) { // what is said of it is judged with it in place
			advertised = *step.Baton
			o.Baton = takeover.BatonSeen{Known: true, Present: true, Baton: advertised}
			step = takeover.Next(o, c.gates...)
		}
	}
	c.metrics.advertises(advertised.Advertised, advertised.Fence.Epoch)
	if !alone {
		c.report(ctx, t, o, step, advertised)
		c.reportOthers(ctx, t, others)
	}
	return interval
}

// orphaned reports whether this instance is on its own: it saw the cluster leave, and the API that it left from is gone.
// What was seen stays seen, and this replica's own answers are still to follow.
func orphaned(s BatonState) bool {
	return !s.Reachable && (s.Moved || s.Held || s.Present && s.Baton.Handover != "")
}

// Part returns the role of the cluster that this process runs in and its identity, as far as they are known.
func (c *TakeoverController) Part() (takeover.Role, string) {
	ask := capi.Ask{Role: c.options.Role}
	if t, _, known := c.list.chosen(); known && t != nil {
		ask.Role = c.wanted(t)
	}
	var o takeover.Observation
	c.options.Cluster.View().Fill(&o, ask)
	return o.Role, o.Identity
}

// ClusterName returns the name of the cluster that the takeover is about, as far as it is known.
func (c *TakeoverController) ClusterName() string {
	t, _, known := c.list.chosen()
	if known && t != nil && t.Spec.ClusterName != "" {
		return t.Spec.ClusterName
	}
	var o takeover.Observation
	c.options.Cluster.View().Fill(&o, capi.Ask{})
	if o.Cluster == "" && known && t != nil {
		return t.Status.ClusterName
	}
	return o.Cluster
}

// addressOf reads an address of the Takeover's spec; the schema has checked it, and what it did not is left out here and
// reported by problemsOf.
func addressOf(text string) netip.Addr {
	addr, err := netip.ParseAddr(text)
	if err != nil || !addr.Is4() {
		return netip.Addr{}
	}
	return addr
}
