package controllers

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// watched is one kind of object that is followed: what it is called in messages, how it is asked for, and where it goes.
type watched struct {
	what    string
	example runtime.Object
	list    func(context.Context, metav1.ListOptions) (runtime.Object, error)
	watch   func(context.Context, metav1.ListOptions) (watch.Interface, error)
	store   cache.ReflectorStore
	remedy  func(error) string
	log     logr.Logger

	mu    sync.Mutex
	since time.Time // when it began to fail; zero while it works
	said  time.Time
}

// follow keeps the store in step until ctx is done, whatever happens to the API meanwhile.
func (w *watched) follow(ctx context.Context) {
	debug := w.log.V(1)
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list, err := w.list(ctx, options)
			w.outcome(ctx, err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			stream, err := w.watch(ctx, options)
			if err != nil && options.SendInitialEvents != nil {
				return nil, withoutRetry(err)
			}
			w.outcome(ctx, err)
			return stream, err
		},
	}
	reflector := cache.NewReflectorWithOptions(source, w.example, w.store, cache.ReflectorOptions{
		Name: w.what, TypeDescription: w.what, Logger: &debug,
		Backoff: &wait.Backoff{Duration: firstWait, Factor: 2, Jitter: 0.5, Steps: 8, Cap: lastWait},
	})
	ctx = logr.NewContext(ctx, debug)
	for pause := firstWait; ; pause = min(2*pause, lastWait) {
		began := time.Now()
		if err := reflector.ListAndWatchWithContext(ctx); err != nil {
			w.outcome(ctx, err)
		}
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

// outcome says in one line that the API cannot be watched, rarely while that lasts, and in one line that it is over.
func (w *watched) outcome(ctx context.Context, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	switch {
	case err == nil:
		if !w.since.IsZero() {
			w.log.Info("the Kubernetes API lets "+w.what+" be watched again", "after", now.Sub(w.since).Round(time.Millisecond).String())
		}
		w.since, w.said = time.Time{}, time.Time{}
	case ctx.Err() != nil, routine(err):
	default:
		if w.since.IsZero() {
			w.since = now
		}
		if now.Sub(w.said) >= sayAgain {
			w.said = now
			w.log.Error(err, "cannot watch "+w.what+"; trying again", "remedy", w.remedyFor(err), "forSeconds", int(now.Sub(w.since).Seconds()))
		}
	}
}

func (w *watched) remedyFor(err error) string {
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
		return w.remedy(err)
	}
	return remedyFor(err)
}

// failing reports whether the API did not answer when it was last asked.
func (w *watched) failing() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.since.IsZero()
}
