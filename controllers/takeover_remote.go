package controllers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tugboot/tugboot/internal/capi"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

// remoteCluster looks at the management cluster from the bootstrap cluster, with the kubeconfig that Cluster API keeps in
// a Secret. The Secret moves away with the cluster; what it said is kept.
type remoteCluster struct {
	core      kubernetes.Interface
	namespace string
	log       logr.Logger
	changed   func()

	kubeconfig []byte
	said       string // the last problem that was logged
	look       *remoteLook
}

// remoteLook is what runs while the management cluster is looked at.
type remoteLook struct {
	stop     context.CancelFunc
	running  sync.WaitGroup
	cluster  *capi.Watcher
	store    *inventory.Store
	baton    *BatonFollower
	snapshot pairs
}

// secretTimeout bounds one read of the Secret.
const secretTimeout = 5 * time.Second

func newRemoteCluster(core kubernetes.Interface, namespace string, log logr.Logger, changed func()) *remoteCluster {
	return &remoteCluster{core: core, namespace: namespace, log: log, changed: changed}
}

// observe puts into o what the management cluster shows. It waits for nothing: until the first look is complete, there
// is nothing to put in.
func (r *remoteCluster) observe(ctx context.Context, o *takeover.Observation) {
	if err := r.prepare(ctx, o.Cluster); err != nil {
		if r.said != err.Error() {
			r.said = err.Error()
			r.log.Info("the management cluster is not looked at yet", "why", err.Error())
		}
		return
	}
	if r.look == nil || !r.look.cluster.View().Ready() {
		return
	}
	there := takeover.Observation{}
	r.look.cluster.View().Fill(&there, capi.Ask{ClusterName: o.Cluster, Role: takeover.RoleManagement, BootstrapIP: o.BootstrapIP, TinkerbellIP: o.TinkerbellIP})
	o.Evidence.Remote = &takeover.Remote{Identity: there.Identity, Cluster: there.Evidence.Local}
	if seen := r.look.baton.State(); seen.Present && seen.Problem == nil {
		o.Evidence.Remote.Baton = seen.Baton
	}
	o.LoadBalancer = there.LoadBalancer
	o.Workflows = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(o.Workflows), there.Workflows...))))
	o.WorkflowsKnown = o.WorkflowsKnown && there.WorkflowsKnown
}

// pairs returns the management cluster's reservations, once they are known.
func (r *remoteCluster) pairs() ([]takeover.Pair, bool) {
	if r.look == nil || !isPublished(r.look.store) {
		return nil, false
	}
	r.look.snapshot.update(r.look.store.Load())
	return r.look.snapshot.all, true
}

func isPublished(s *inventory.Store) bool {
	select {
	case <-s.Ready():
		return true
	default:
		return false
	}
}

// prepare reads the Secret and begins to look, anew when the kubeconfig is another.
func (r *remoteCluster) prepare(ctx context.Context, cluster string) error {
	limited, cancel := context.WithTimeout(ctx, secretTimeout)
	defer cancel()
	name := cluster + "-kubeconfig"
	secret, err := r.core.CoreV1().Secrets(r.namespace).Get(limited, name, metav1.GetOptions{})
	where := "Secret " + r.namespace + "/" + name
	switch {
	case err == nil:
	case r.look != nil: // it has moved, or its API is gone: what it said still counts
		return nil
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%s: this account may not read it: bind the role tugboot-remote-check, or set remoteCheck to Disabled", where)
	case apierrors.IsNotFound(err):
		return fmt.Errorf("%s: is not there yet: Cluster API makes it with the cluster's control plane", where)
	default:
		return fmt.Errorf("%s: %w", where, err)
	}
	kubeconfig := secret.Data["value"]
	if r.look != nil && bytes.Equal(kubeconfig, r.kubeconfig) {
		return nil
	}
	config, err := selfContained(kubeconfig)
	if err != nil {
		return fmt.Errorf("%s: key value: %w", where, err)
	}
	r.stop()
	r.kubeconfig = kubeconfig
	return r.begin(config, cluster)
}

// selfContained reads a kubeconfig that came from outside: it may hold keys, and may not name files or programs of this
// host.
func selfContained(kubeconfig []byte) (*rest.Config, error) {
	parsed, err := clientcmd.Load(kubeconfig)
	if err != nil {
		return nil, errors.New("is no kubeconfig: let Cluster API write it anew") // what it holds is secret
	}
	for _, user := range parsed.AuthInfos {
		if user.Exec != nil || user.AuthProvider != nil || user.ClientCertificate != "" || user.ClientKey != "" || user.TokenFile != "" {
			return nil, errors.New("names a program or a file of this host, which is not used: only keys and tokens inside it are")
		}
	}
	for _, c := range parsed.Clusters {
		if c.CertificateAuthority != "" || c.ProxyURL != "" {
			return nil, errors.New("names a file or a proxy, which is not used: only a certificate inside it is")
		}
	}
	config, err := clientcmd.NewDefaultClientConfig(*parsed, nil).ClientConfig()
	if err != nil {
		return nil, errors.New("names no cluster or no user: let Cluster API write it anew")
	}
	return config, nil
}

// begin starts to look at the management cluster. What runs is ended by stop.
func (r *remoteCluster) begin(config *rest.Config, cluster string) error {
	core, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("client for the management cluster: %w", err)
	}
	log := r.log.WithValues("api", "management cluster")
	look := &remoteLook{store: inventory.NewStore()}
	if look.cluster, err = capi.New(capi.Options{Config: config, Log: log}); err != nil {
		return err
	}
	hardware, err := NewHardwareController(HardwareOptions{
		Config: config, Store: look.store, Report: func(reservation.Problem) {}, // the management instance reports them
		Log: log.V(1), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		return err
	}
	look.baton, err = NewBatonFollower(BatonFollowerOptions{
		Client: core.CoreV1(), Namespace: r.namespace, Cluster: func() string { return cluster }, Changed: r.changed, Log: log,
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	look.stop = stop
	for _, run := range []func(context.Context) error{look.cluster.Start, hardware.Start, look.baton.Start} {
		look.running.Go(func() {
			if err := run(ctx); err != nil {
				log.Error(err, "looking at the management cluster ended")
			}
		})
	}
	look.running.Go(func() { // what changes over there is looked at soon
		for {
			select {
			case <-ctx.Done():
				return
			case <-look.cluster.Changed():
				r.changed()
			}
		}
	})
	r.look = look
	r.log.Info("the management cluster is looked at", "server", config.Host)
	return nil
}

// stop ends the look, if there is one.
func (r *remoteCluster) stop() {
	if r.look == nil {
		return
	}
	r.look.stop()
	r.look.running.Wait()
	r.look = nil
}
