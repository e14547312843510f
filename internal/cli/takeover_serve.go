package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/kubernetes"

	"github.com/tugboot/tugboot/controllers"
	"github.com/tugboot/tugboot/internal/capi"
	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/takeover"
)

// leaseName is the name of the Lease that the replicas of one cluster share.
const leaseName = "tugboot"

// stanceName is the document of the state folder that holds what machines were told last.
const stanceName = "stance"

// followed is what the stance of this replica follows, while it is put together.
type followed struct {
	stance     *controllers.StanceFollower
	controller *controllers.TakeoverController
	baton      *controllers.BatonFollower
	services   *controllers.DHCPServiceController // nil for none
}

// changed has everything looked at that depends on the baton.
func (f *followed) changed() {
	f.stance.Trigger()
	if f.controller != nil {
		f.controller.Trigger()
	}
	if f.services != nil {
		f.services.Trigger()
	}
}

// addTakeover adds what decides about the advertised endpoint, and what follows that decision on this replica.
func (s *stack) addTakeover(o *options.Serve, registry prometheus.Registerer, log logr.Logger) error {
	if !o.Takeover.Enabled() {
		return nil
	}
	log = log.WithName("takeover")
	f := &followed{services: s.services}
	follow := controllers.StanceOptions{Own: s.ownEndpoint(), Set: s.setStance, Log: log}
	if s.state != nil {
		follow.Save, follow.Load = s.saveStance, s.loadStance
	}
	if o.Takeover.ManagementKubeconfig != "" {
		management, err := controllers.NewManagementFollower(controllers.ManagementOptions{
			Kubeconfig: o.Takeover.ManagementKubeconfig, Namespace: o.Takeover.BatonNamespace(), Changed: f.changed, Log: log,
		})
		if err != nil {
			return err
		}
		follow.Management = management
		s.source.runnables = append(s.source.runnables, management)
	}
	if o.Takeover.Namespace != "" && s.source.config != nil {
		if err := s.addController(o, f, &follow, registry, log); err != nil {
			return err
		}
	}
	var err error
	if f.stance, err = controllers.NewStanceFollower(follow); err != nil {
		return err
	}
	s.source.runnables = append(s.source.runnables, f.stance)
	return nil
}

// addController adds what gathers, judges and acts in the cluster that this process runs in.
func (s *stack) addController(o *options.Serve, f *followed, follow *controllers.StanceOptions, registry prometheus.Registerer, log logr.Logger) error {
	core, err := kubernetes.NewForConfig(s.source.config)
	if err != nil {
		return fmt.Errorf("--kubeconfig %q: %w", o.Source.Kubeconfig, err)
	}
	cluster, err := capi.New(capi.Options{Config: s.source.config, Log: log})
	if err != nil {
		return err
	}
	baton, err := controllers.NewBatonFollower(controllers.BatonFollowerOptions{
		Client: core.CoreV1(), Namespace: o.Takeover.Namespace, Cluster: func() string { return f.controller.ClusterName() },
		Changed: f.changed, Log: log,
	})
	if err != nil {
		return err
	}
	f.baton = baton
	own := s.ownEndpoint()
	if own.TFTPPort == 0 && own.HTTPPort == 0 {
		own.Addr = netip.Addr{} // another stack serves the files
	}
	var services func() []controllers.DHCPService
	if s.services != nil {
		services = s.services.Services
	}
	f.controller, err = controllers.NewTakeoverController(controllers.TakeoverOptions{
		Config: s.source.config, Namespace: o.Takeover.Namespace, Role: o.ClusterRole(), Own: own.Addr, Cluster: cluster, Baton: baton, Leader: s.leader, Services: services,
		Snapshot: func() (*inventory.Snapshot, bool) { return s.source.snapshot(), s.source.ready() }, Moved: s.source.hardware.Moved,
		InFlight: func(now time.Time) int { return inFlight(s.journal, now) },
		Noticed:  func() { f.stance.Trigger() }, Announce: s.source.events.Announce, Log: log, Registerer: registry,
	})
	if err != nil {
		return err
	}
	s.takeover = f
	s.source.onPublished(f.controller.Trigger)
	follow.Local, follow.Part = baton, f.controller.Part
	s.source.runnables = append(s.source.runnables, cluster, baton, f.controller)
	return nil
}

func (s *stack) saveStance(stance takeover.Stance) error { return s.state.Save(stanceName, stance) }

// loadStance returns what was kept; what cannot be read is said and not used.
func (s *stack) loadStance() (takeover.Stance, bool) {
	var stance takeover.Stance
	saved, err := s.state.Load(stanceName, &stance)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return takeover.Stance{}, false
	case err != nil:
		s.log.Error(err, "what machines were told before the restart is not known")
		return takeover.Stance{}, false
	}
	s.log.Info("until the API answers, machines are told what they were told before the restart",
		"nextServer", stance.Advertise.Addr.String(), "silent", stance.Silent, "age", time.Since(saved).Round(time.Second).String())
	return stance, true
}
