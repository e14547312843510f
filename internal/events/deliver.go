package events

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

// The waits between attempts while the API is away double from the first to the last.
const (
	firstWait = 500 * time.Millisecond
	lastWait  = 30 * time.Second
)

// perAttempt bounds one request.
const perAttempt = 10 * time.Second

// refusalEvery is how often refusals are logged at most.
const refusalEvery = time.Minute

// deliver writes e, however long the API is away, unless the API refuses it or ctx is done.
func (r *Recorder) deliver(ctx context.Context, e *corev1.Event) {
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		if err := r.limiter.Wait(ctx); err != nil {
			return // ctx is done: the only way it fails with a burst above zero and no deadline
		}
		err := r.create(ctx, e)
		switch {
		case err == nil, apierrors.IsAlreadyExists(err):
			if wait > firstWait {
				r.log.Info("events are written again")
			}
			r.written(err == nil)
			return
		case ctx.Err() != nil:
			return
		case final(err):
			r.refuse(e, err)
			return
		}
		r.metrics.retries.Inc()
		if wait == firstWait {
			r.log.Error(err, "events cannot be written now; they wait, and what waits is tried again", "waiting", len(r.queue)+1)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// Post writes n at once, for a process that ends before a Recorder would run. One that stands there already is no error.
func Post(ctx context.Context, client typedcorev1.EventsGetter, instance string, n Notice) error {
	e := notice(n, instance, time.Now())
	_, err := client.Events(e.Namespace).Create(ctx, e, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("write the Event on %s %s/%s: %w", n.Object.Kind, n.Object.Namespace, n.Object.Name, err)
	}
	return nil
}

func (r *Recorder) create(ctx context.Context, e *corev1.Event) error {
	ctx, cancel := context.WithTimeout(ctx, perAttempt)
	defer cancel()
	_, err := r.client.Events(e.Namespace).Create(ctx, e, metav1.CreateOptions{})
	return err
}

func (r *Recorder) written(isNew bool) {
	if isNew {
		r.metrics.written.Inc()
		return
	}
	r.metrics.existing.Inc()
}

// final reports whether err stays the same however often the request is repeated.
func final(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) ||
		apierrors.IsMethodNotSupported(err) || apierrors.IsRequestEntityTooLargeError(err)
}

func (r *Recorder) refuse(e *corev1.Event, err error) {
	r.metrics.refused.Inc()
	r.refused++
	if now := time.Now(); now.Sub(r.refusalSaid) >= refusalEvery {
		r.log.Error(err, "the API refuses an event; where this is a lack of rights, apply config/rbac",
			"namespace", e.Namespace, "object", e.InvolvedObject.Name, "message", e.Message, "refusedSinceLastSaid", r.refused)
		r.refused, r.refusalSaid = 0, now
	}
}
