package controllers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tugboot/tugboot/internal/takeover"
)

// ManagementOptions are what a ManagementFollower needs; all fields are required.
type ManagementOptions struct {
	// Kubeconfig is the path of a file that may not be there yet: it comes with the management cluster.
	Kubeconfig string
	// Namespace is that of the baton over there.
	Namespace string
	// Changed is called whenever Baton returns something new. It must not block.
	Changed func()
	Log     logr.Logger
}

// ManagementFollower follows the baton of the management cluster from a host that belongs to no cluster.
type ManagementFollower struct {
	options ManagementOptions

	mu       sync.Mutex
	identity string
	baton    *BatonFollower
}

// fileEvery is how often the kubeconfig is looked at.
const fileEvery = 2 * time.Second

// NewManagementFollower returns a follower that has read nothing yet.
func NewManagementFollower(o ManagementOptions) (*ManagementFollower, error) {
	if o.Kubeconfig == "" || o.Namespace == "" || o.Changed == nil {
		return nil, errors.New("management follower: Kubeconfig, Namespace and Changed are required")
	}
	return &ManagementFollower{options: o}, nil
}

// NeedLeaderElection is false: it only reads.
func (*ManagementFollower) NeedLeaderElection() bool { return false }

// Baton returns the UID of the management cluster's kube-system namespace, empty while it is not known, and the baton
// there.
func (f *ManagementFollower) Baton() (identity string, seen takeover.BatonSeen) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.baton == nil {
		return "", takeover.BatonSeen{}
	}
	return f.identity, f.baton.State().BatonSeen
}

// Known reports whether the management cluster has answered.
func (f *ManagementFollower) Known() bool {
	identity, seen := f.Baton()
	return identity != "" && seen.Known
}

// Start reads the kubeconfig whenever it changes, and follows the cluster that it names, until ctx is done. It returns nil.
func (f *ManagementFollower) Start(ctx context.Context) error {
	var read []byte
	var said string
	stop := func() {}
	defer func() { stop() }()
	for {
		text, err := os.ReadFile(f.options.Kubeconfig)
		if err == nil && !bytes.Equal(text, read) {
			read = text
			var next func()
			if next, err = f.begin(ctx, text); err == nil {
				stop()
				stop, said = next, ""
			}
		}
		if err != nil && said != err.Error() && !(errors.Is(err, os.ErrNotExist) && said == "") {
			f.options.Log.Error(err, "the management cluster is not followed: give a kubeconfig with which kubectl reaches it", "file", f.options.Kubeconfig)
		}
		if err != nil {
			said = err.Error()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(fileEvery):
		}
	}
}

// begin follows the cluster of a kubeconfig; what it returns ends that.
func (f *ManagementFollower) begin(ctx context.Context, kubeconfig []byte) (func(), error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.options.Kubeconfig, err)
	}
	core, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.options.Kubeconfig, err)
	}
	baton, err := NewBatonFollower(BatonFollowerOptions{
		Client: core.CoreV1(), Namespace: f.options.Namespace, Cluster: func() string { return "" }, Changed: f.options.Changed, Log: f.options.Log,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { f.identify(ctx, core, config, baton) })
	running.Go(func() { baton.watched.follow(ctx) })
	return func() {
		cancel()
		running.Wait()
	}, nil
}

// identify asks for the cluster's identity until it is told, and then lets the baton count.
func (f *ManagementFollower) identify(ctx context.Context, core kubernetes.Interface, config *rest.Config, baton *BatonFollower) {
	for said := ""; ; {
		namespace, err := core.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
		if err == nil {
			f.mu.Lock()
			f.identity, f.baton = string(namespace.UID), baton
			f.mu.Unlock()
			f.options.Log.Info("the management cluster is followed", "server", config.Host)
			f.options.Changed()
			return
		}
		if ctx.Err() == nil && said != err.Error() {
			said = err.Error()
			f.options.Log.Error(err, "the management cluster does not say who it is; trying again", "server", config.Host, "remedy", remedyFor(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(fileEvery):
		}
	}
}
