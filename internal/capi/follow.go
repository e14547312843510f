package capi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
)

// The waits between attempts double from the first to the last, and start again after a watch that lasted. The last is
// short: a CRD installed late or an API that returns is found within seconds.
const (
	firstWait = 500 * time.Millisecond
	lastWait  = 5 * time.Second
	lasted    = time.Minute
)

// answerWithin bounds a list or a question to discovery; a watch is bounded by the API server.
const answerWithin = time.Minute

// follower keeps the records of one kind in step with the API.
type follower struct {
	resource
	scope     scope
	client    dynamic.Interface
	discovery discovery.DiscoveryInterfaceWithContext
	conn      *connection
	log       logr.Logger
}

// follow runs until ctx is done, whatever happens to the API or the resource meanwhile.
func (f *follower) follow(ctx context.Context) {
	for pause := firstWait; ; pause = min(2*pause, lastWait) {
		began := time.Now()
		f.attempt(ctx)
		if time.Since(began) > lasted {
			pause = firstWait
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait.Jitter(pause, 0.5)):
		}
	}
}

// attempt asks which version is served, and follows that for as long as it goes. Whether a resource is absent is
// discovery's word alone: records are not dropped because a list was answered with 404.
func (f *follower) attempt(ctx context.Context) {
	version, err := f.served(ctx)
	switch {
	case err != nil:
		f.failed(ctx, err)
	case version == "":
		f.absent()
	default:
		f.watch(ctx, version)
	}
}

// served returns the first of the resource's versions that the API serves, "" for none.
func (f *follower) served(ctx context.Context) (string, error) {
	if f.group == "" {
		return f.versions[0], nil // every API server has these
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	for _, version := range f.versions {
		gv := schema.GroupVersion{Group: f.group, Version: version}
		list, err := f.discovery.ServerResourcesForGroupVersionWithContext(ctx, gv.String())
		switch {
		case apierrors.IsNotFound(err):
			continue
		case err != nil:
			return "", fmt.Errorf("ask which resources %s has: %w", gv, err)
		}
		if slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == f.plural }) {
			return version, nil
		}
	}
	return "", f.confirmAbsent(ctx)
}

// confirmAbsent takes "not found" for an answer only from what proves to be an API server: a proxy before one that is down
// may say that of everything.
func (f *follower) confirmAbsent(ctx context.Context) error {
	groups := &metav1.APIGroupList{}
	if err := f.discovery.RESTClient().Get().AbsPath("/apis").Do(ctx).Into(groups); err != nil {
		return fmt.Errorf("ask which groups there are: %w", err)
	}
	if len(groups.Groups) == 0 {
		return errors.New("ask which groups there are: the answer has none, so that it is not an API server's")
	}
	return nil
}

// absent notes that the API does not serve the resource.
func (f *follower) absent() {
	f.conn.works(f.scope.kind)
	before := f.scope.state()
	f.scope.clear(f.scope.kind)
	if before.version != "" {
		f.log.Info("the Kubernetes API does not serve " + f.name() + " any more; none are known until it does again")
	} else if !before.listed {
		f.log.V(1).Info("the Kubernetes API does not serve " + f.name() + " yet")
	}
}

// watch lists and watches one version until that ends.
func (f *follower) watch(ctx context.Context, version string) {
	before := f.scope.setState(f.scope.kind, func(s *state) { s.version = version })
	if before.version != version {
		f.log.V(1).Info("following "+f.name(), "version", version, "before", before.version)
	}
	debug := f.log.V(1)
	client := f.client.Resource(schema.GroupVersionResource{Group: f.group, Version: version, Resource: f.plural})
	reflector := cache.NewReflectorWithOptions(f.from(client), &unstructured.Unstructured{}, f.scope, cache.ReflectorOptions{
		Name: f.name(), TypeDescription: f.what, Logger: &debug,
		Backoff: &wait.Backoff{Duration: firstWait, Factor: 2, Jitter: 0.5, Steps: 8, Cap: lastWait}, // between watches from where it was
	})
	if err := reflector.ListAndWatchWithContext(logr.NewContext(ctx, debug)); err != nil {
		f.outcome(ctx, err)
	}
}

func (f *follower) from(client dynamic.ResourceInterface) *cache.ListWatch {
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			limited, cancel := context.WithTimeout(ctx, answerWithin)
			defer cancel()
			options.FieldSelector = f.fields
			list, err := client.List(limited, options)
			f.outcome(ctx, err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.FieldSelector = f.fields
			stream, err := client.Watch(ctx, options)
			if err != nil && options.SendInitialEvents != nil {
				return nil, withoutRetry(err)
			}
			f.outcome(ctx, err)
			return stream, err
		},
	}
}

// withoutRetry hides the kind of those errors that the reflector would wait out inside the initial streaming list, where
// it heeds no context and tells nobody. It makes a plain list instead, whose failure is reported and waited out properly.
func withoutRetry(err error) error {
	if utilnet.IsConnectionRefused(err) || apierrors.IsTooManyRequests(err) {
		return errors.New(err.Error())
	}
	return err
}

// outcome takes note of one list or watch.
func (f *follower) outcome(ctx context.Context, err error) {
	switch {
	case err == nil:
		f.scope.setState(f.scope.kind, func(s *state) { s.trouble = trouble{} })
		f.conn.works(f.scope.kind)
	case f.routine(err):
	default:
		f.failed(ctx, err)
	}
}

// failed takes note of a request that failed, unless it was because of ctx.
func (f *follower) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	t := troubleOf(err)
	f.scope.setState(f.scope.kind, func(s *state) {
		if s.trouble.kind != t.kind { // the same trouble in other words is nothing new
			s.trouble = t
		}
		s.answered = s.answered || t.kind != unreachable
	})
	f.conn.fails(f.scope.kind, err, t.kind)
}

// routine reports whether err belongs to the normal course of a watch: it asked for a version that the API has forgotten,
// or for a resource of which discovery will say that it is gone.
func (f *follower) routine(err error) bool {
	return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || f.group != "" && apierrors.IsNotFound(err)
}

// troubleOf sorts the errors of an API that answers from those of one that does not.
func troubleOf(err error) trouble {
	switch {
	case apierrors.IsForbidden(err):
		return trouble{forbidden, ""}
	case apierrors.IsInternalError(err):
		return trouble{broken, clip(err.Error())}
	}
	return trouble{unreachable, ""}
}
