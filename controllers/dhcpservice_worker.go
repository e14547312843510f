package controllers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

// dhcpServiceWorker works on one service. All that happens to the service happens in its one goroutine.
type dhcpServiceWorker struct {
	c               *DHCPServiceController
	uid             types.UID
	namespace, name string
	trigger         chan struct{}
	requests        chan request
	cancel          context.CancelFunc
	done            sync.WaitGroup

	// The loop's own from here on.
	told     render.Word  // by the takeover, in this process
	recorded *orderRecord // as it stands in the API
	leaving  map[reservation.MAC]time.Time
	verified string        // the digest of the order whose answers were seen to be right
	good     render.Wanted // that order, and the one before while another is tried
	applied  string        // the digest of the order that was seen to stand there
	failures int
	renewed  time.Time // when the service was last made to take up again what stands in it
	said     map[reservation.Problem]bool
	announce string    // the reason that was announced last
	repairs  time.Time // when an agent last reported a repair that was announced
}

// request is the takeover's: to write a word, or with the zero word to read back what stands there.
type request struct {
	ctx    context.Context //nolint:containedctx // the caller's, which bounds the work that it waits for
	word   render.Word
	answer chan<- answer
}

type answer struct {
	word render.Word
	err  error
}

func (c *DHCPServiceController) hire(ctx context.Context, object *v1alpha1.DHCPService) *dhcpServiceWorker {
	ctx, cancel := context.WithCancel(ctx)
	w := &dhcpServiceWorker{
		c: c, uid: object.UID, namespace: object.Namespace, name: object.Name, cancel: cancel,
		trigger: make(chan struct{}, 1), requests: make(chan request), said: map[reservation.Problem]bool{},
	}
	w.done.Go(func() { w.work(ctx) })
	return w
}

// stop ends the worker; what it is writing is finished or put back first.
func (w *dhcpServiceWorker) stop() {
	w.cancel()
	w.done.Wait()
}

// Trigger has the service looked at once changes are quiet. It never blocks.
func (w *dhcpServiceWorker) Trigger() {
	select {
	case w.trigger <- struct{}{}:
	default: // it is due already
	}
}

func (w *dhcpServiceWorker) work(ctx context.Context) {
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-w.requests:
			r.answer <- w.serve(r)
			continue
		case <-w.trigger:
			if !w.quiet(ctx) {
				return
			}
		case <-next.C:
		}
		next.Reset(w.round(ctx))
	}
}

// quiet waits until changes are, and serves the takeover meanwhile. It is false when ctx is done.
func (w *dhcpServiceWorker) quiet(ctx context.Context) bool {
	times := w.c.options.Times
	most := time.After(times.Gather)
	for {
		select {
		case <-ctx.Done():
			return false
		case r := <-w.requests:
			r.answer <- w.serve(r)
		case <-w.trigger:
		case <-time.After(times.Settle):
			return true
		case <-most:
			return true
		}
	}
}

// serve answers the takeover.
func (w *dhcpServiceWorker) serve(r request) answer {
	object := w.c.object(w.uid)
	if object == nil {
		return answer{err: errors.New("the DHCPService is gone")}
	}
	if r.word == (render.Word{}) {
		return w.readBack(r.ctx, object)
	}
	w.told = r.word
	o := w.attempt(r.ctx, object, r.word)
	w.report(r.ctx, object, o)
	switch {
	case o.err() != nil:
		return answer{err: o.err()}
	case o.report.Word == nil:
		return answer{err: errors.New("nothing of ours stands there")}
	}
	return answer{word: *o.report.Word}
}

// readBack says what stands in the service now. A word that this instance means to be there counts only once the answers
// were seen to be right.
func (w *dhcpServiceWorker) readBack(ctx context.Context, object *v1alpha1.DHCPService) answer {
	word, speaks := w.word(object)
	if word.Mark.Cluster == "" {
		return answer{err: errors.New("the cluster's name is not known yet")}
	}
	o := w.prepare(ctx, object, word)
	if o.err() != nil {
		return answer{err: o.err()}
	}
	report := o.target.look(ctx, o.order, o.digest)
	switch {
	case report.Error != "" && report.Stage == dhcpservice.StageRead.String():
		return answer{err: errors.New(report.Error)}
	case report.Word == nil:
		return answer{}
	case speaks && *report.Word == word && object.Spec.Verify.Mode != v1alpha1.DHCPVerifyOff && !report.Verified && w.verified != o.digest:
		w.Trigger()
		return answer{err: fmt.Errorf("it says %s, and its answers were not seen to be right yet: %s", word.Says.Addr, report.Error)}
	}
	return answer{word: *report.Word}
}

// word is what is to stand in the service, and whether this instance is the one to write it. What the takeover told in
// this process has precedence until what is stored is as high.
func (w *dhcpServiceWorker) word(object *v1alpha1.DHCPService) (render.Word, bool) {
	word, speaks := w.c.options.Word(object)
	if speaks && word.Mark.Cluster == w.told.Mark.Cluster && word.Mark.Fence.Less(w.told.Mark.Fence) {
		return w.told, true
	}
	if !speaks && word.Mark.Cluster == "" {
		word.Mark.Cluster = w.told.Mark.Cluster
	}
	return word, speaks
}

// round is one look at the service, and what follows from it. It returns how long to wait for the next.
func (w *dhcpServiceWorker) round(ctx context.Context) time.Duration {
	times := w.c.options.Times
	object := w.c.object(w.uid)
	if object == nil {
		return times.Look
	}
	var o outcome
	word, speaks := w.word(object)
	if speaks {
		o = w.attempt(ctx, object, word)
	} else {
		o.refuse(reasonNotTheWriter, "this instance is not the one to write: the takeover has not reached it, or has left it")
	}
	if ctx.Err() != nil {
		return times.Look
	}
	w.report(ctx, object, o)
	if o.err() == nil || !speaks {
		w.failures = 0
		return times.Look
	}
	pause := min(times.RetryMost, times.Retry<<min(w.failures, 20))
	w.failures++
	return pause
}

// attempt makes the service say word, or finds out how it differs where nothing may be written.
func (w *dhcpServiceWorker) attempt(ctx context.Context, object *v1alpha1.DHCPService, word render.Word) outcome {
	o := w.prepare(ctx, object, word)
	if o.err() != nil {
		return o
	}
	if err := w.record(ctx, object, &o); err != nil {
		o.refuse(reasonNotRecorded, err.Error())
		return o
	}
	o.report = o.target.look(ctx, o.order, o.digest)
	if o.report.Stage != dhcpservice.StageRead.String() && !o.order.Plan && differs(o.report, word) {
		o.changed = o.report
		o.report = o.target.apply(ctx, o.order, o.digest, o.report)
		w.c.metrics.applies.WithLabelValues(w.namespace, w.name, o.report.Stage).Inc()
		o.wrote = o.report.Error == "" && o.report.Stage == dhcpservice.StageDone.String()
	}
	o.drifted = o.changed
	if !o.wrote && o.changed.Digest == "" {
		o.drifted = o.report
	}
	if w.applied != o.digest { // what differs was never there: it is a change, and nobody else's
		o.drifted = dhcpservice.Report{}
	}
	if o.report.Error == "" && o.report.Word != nil && *o.report.Word == word {
		w.applied = o.digest
	}
	return o
}

// differs reports whether what stands in the service is not what it should say.
func differs(r dhcpservice.Report, word render.Word) bool {
	return r.Word == nil || *r.Word != word || r.Drifts > 0
}

// serviceOf is a worker as the takeover sees it.
type serviceOf struct {
	name   string
	worker *dhcpServiceWorker // nil while this replica does not lead
}

// Name is the DHCPService's.
func (s serviceOf) Name() string { return s.name }

// ReadBack returns what the service says now.
func (s serviceOf) ReadBack(ctx context.Context) (takeover.Endpoint, takeover.Mark, error) {
	return s.ask(ctx, render.Word{})
}

// Apply makes the service say e under the mark m.
func (s serviceOf) Apply(ctx context.Context, e takeover.Endpoint, m takeover.Mark) (takeover.Endpoint, takeover.Mark, error) {
	return s.ask(ctx, render.Word{Mark: m, Says: e})
}

func (s serviceOf) ask(ctx context.Context, word render.Word) (takeover.Endpoint, takeover.Mark, error) {
	if s.worker == nil {
		return takeover.Endpoint{}, takeover.Mark{}, errors.New("this replica has only begun to lead")
	}
	answered := make(chan answer, 1)
	select {
	case s.worker.requests <- request{ctx: ctx, word: word, answer: answered}:
	case <-ctx.Done():
		return takeover.Endpoint{}, takeover.Mark{}, fmt.Errorf("it is still being written or asked: %w", ctx.Err())
	}
	select {
	case a := <-answered:
		return a.word.Says, a.word.Mark, a.err
	case <-ctx.Done():
		return takeover.Endpoint{}, takeover.Mark{}, fmt.Errorf("it did not answer in time: %w", ctx.Err())
	}
}

// unlisted stands for the services of which nothing is known yet: nothing is taken over before they are.
type unlisted struct{}

var errUnlisted = errors.New("DHCPServices were not listed yet: look at the log, which says why the API cannot be watched")

// Name is no DHCPService's.
func (unlisted) Name() string { return "(not listed)" }

// ReadBack fails.
func (unlisted) ReadBack(context.Context) (takeover.Endpoint, takeover.Mark, error) {
	return takeover.Endpoint{}, takeover.Mark{}, errUnlisted
}

// Apply fails.
func (unlisted) Apply(context.Context, takeover.Endpoint, takeover.Mark) (takeover.Endpoint, takeover.Mark, error) {
	return takeover.Endpoint{}, takeover.Mark{}, errUnlisted
}
