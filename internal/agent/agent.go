package agent

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/go-logr/logr"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/statedir"
)

// Options are what an agent works with. All but Version, APIs and Times must be set.
type Options struct {
	// Driver speaks with the service.
	Driver dhcpservice.Driver
	// Version asks the service's daemon for its version; nil when it is not to be asked.
	Version func(ctx context.Context) (string, error)
	// Verify makes what asks the service as machines would, for the subnets of an order. It is not called for an order
	// with verify mode Off.
	Verify func(ask dhcpservice.Ask, subnets []netip.Prefix) (dhcpservice.Verify, error)
	// APIs are where orders come from and reports go to.
	APIs []API
	// Type is that of the service, as an order has it: Dnsmasq or ISC.
	Type string
	// State keeps the last good order.
	State *statedir.Dir
	Log   logr.Logger
	Times Times
}

// Times are how often things are done; zero fields become their defaults.
type Times struct {
	// Poll is how often each API is asked for its order (5 s), and Call how long one call may take (10 s).
	Poll, Call time.Duration
	// Look is how often the service is read without a cause (1 min).
	Look time.Duration
	// Refresh is the age at which a report is written again although it says the same (5 min).
	Refresh time.Duration
	// Retry is how long is waited after a first failure (1 s); it doubles with each further one up to MaxRetry (5 min).
	Retry, MaxRetry time.Duration
}

func (t *Times) defaults() {
	for _, d := range []struct {
		value *time.Duration
		usual time.Duration
	}{
		{&t.Poll, 5 * time.Second}, {&t.Call, 10 * time.Second}, {&t.Look, time.Minute},
		{&t.Refresh, 5 * time.Minute}, {&t.Retry, time.Second}, {&t.MaxRetry, 5 * time.Minute},
	} {
		if *d.value <= 0 {
			*d.value = d.usual
		}
	}
}

// Agent keeps one service in step. All of it runs on the goroutine of Run, but for the calls to the APIs.
type Agent struct {
	o       Options
	sources []*source

	// good is the order that the service said last, and saved the digest of the one in the state folder.
	good  *candidate
	saved string

	// digest names the order that is worked on, and the rest is how that went.
	digest   string
	report   dhcpservice.Report
	standing dhcpservice.Standing
	verified bool
	renewed  bool          // it was written although it stood there, because the answers were wrong
	delay    time.Duration // zero after success
	next     time.Time     // when it is looked at again
}

// New makes an agent; it does nothing before Run.
func New(o Options) *Agent {
	o.Times.defaults()
	a := &Agent{o: o}
	for _, api := range o.APIs {
		a.sources = append(a.sources, &source{api: api})
	}
	return a
}

// Run works until ctx ends. The last good order is looked at, and put right, before any API is asked.
func (a *Agent) Run(ctx context.Context) {
	a.recall()
	a.work(ctx)
	for ctx.Err() == nil {
		a.poll(ctx)
		a.work(ctx)
		a.tell(ctx)
		wait := a.o.Times.Poll
		if a.delay > 0 {
			wait = min(wait, max(time.Until(a.next), 0))
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// work looks at the service and puts it right, when the order is another one or when it is time.
func (a *Agent) work(ctx context.Context) {
	chosen := a.choose()
	if chosen == nil || ctx.Err() != nil {
		return
	}
	if chosen.digest != a.digest {
		a.digest, a.verified, a.renewed, a.delay, a.next = chosen.digest, false, false, 0, time.Time{}
	}
	if time.Now().Before(a.next) {
		return
	}
	before := a.report
	standing, drift, err := a.carryOut(ctx, chosen.order)
	if ctx.Err() != nil {
		return // what failed then says nothing of the service
	}
	a.standing = standing
	a.report = dhcpservice.NewReport(chosen.digest, drift, standing, err, a.verified, a.version(ctx), time.Now())
	a.schedule(err)
	if err == nil {
		a.good = chosen
		a.save()
	}
	a.log(before, chosen, err)
}

// schedule sets when the service is looked at again.
func (a *Agent) schedule(err error) {
	if err == nil {
		a.delay, a.next = 0, time.Now().Add(a.o.Times.Look)
		return
	}
	a.delay = min(max(2*a.delay, a.o.Times.Retry), a.o.Times.MaxRetry)
	a.next = time.Now().Add(a.delay)
}

// carryOut reads the service, and writes what it does not say. It returns what stands there afterwards and the drift that
// there was.
func (a *Agent) carryOut(ctx context.Context, order dhcpservice.Order) (after, drift dhcpservice.Standing, err error) {
	seen, err := a.o.Driver.Read(ctx, order.Want)
	if err != nil {
		return seen, seen, &dhcpservice.Failure{Stage: dhcpservice.StageRead, Err: err}
	}
	if seen.Present() && order.Want.Word.Mark.Fence.Less(seen.Word.Mark.Fence) {
		err := fmt.Errorf("%w: it was written with epoch %d for %s, and this order's is %d",
			dhcpservice.ErrFenced, seen.Word.Mark.Fence.Epoch, seen.Word.Says.Addr, order.Want.Word.Mark.Fence.Epoch)
		return seen, seen, &dhcpservice.Failure{Stage: dhcpservice.StageRead, Err: err}
	}
	if order.Plan {
		return seen, seen, nil
	}
	verify, err := a.verifier(order)
	if err != nil {
		return seen, seen, &dhcpservice.Failure{Stage: dhcpservice.StageCheck, Err: err}
	}
	if seen.Word == order.Want.Word && seen.Drifts == 0 {
		if err := a.ask(ctx, verify, order); err == nil || a.renewed {
			return seen, seen, err
		}
		a.renewed = true // the daemon may not have read what stands there: once, it is written again
	}
	if a.good != nil && a.good.digest == a.digest {
		drift = seen // an order that stood there was changed by somebody
	}
	a.verified = false
	var before render.Wanted
	if a.good != nil {
		before = a.good.order.Want
	}
	after, err = dhcpservice.ApplyOver(ctx, a.o.Driver, before, order.Want, verify)
	a.verified = err == nil && verify != nil
	return after, drift, err
}

// verifier makes what asks as machines would; nil when the order wants nothing asked.
func (a *Agent) verifier(order dhcpservice.Order) (dhcpservice.Verify, error) {
	if order.Ask.Mode == modeOff {
		return nil, nil
	}
	var subnets []netip.Prefix
	for _, network := range order.Want.Networks {
		subnets = append(subnets, network.Prefix)
	}
	return a.o.Verify(order.Ask, subnets)
}

// ask verifies what stands there, unless that was seen to be right since the last write.
func (a *Agent) ask(ctx context.Context, verify dhcpservice.Verify, order dhcpservice.Order) error {
	if verify == nil || a.verified {
		return nil
	}
	if err := verify(ctx, order.Want); err != nil {
		return &dhcpservice.Failure{Stage: dhcpservice.StageVerify, Err: err}
	}
	a.verified = true
	return nil
}

// version is what the daemon says of itself; empty when it says nothing: the report shows what else failed.
func (a *Agent) version(ctx context.Context) string {
	if a.o.Version == nil {
		return ""
	}
	text, err := a.o.Version(ctx)
	if err != nil {
		a.o.Log.V(1).Info("the daemon's version is not known", "error", err.Error())
		return ""
	}
	return text
}

// log says what became of an order, once.
func (a *Agent) log(before dhcpservice.Report, chosen *candidate, err error) {
	log := a.o.Log.WithValues("order", chosen.digest[:12], "cluster", chosen.order.Want.Word.Mark.Cluster,
		"epoch", chosen.order.Want.Word.Mark.Fence.Epoch)
	r := a.report
	if !slices.Equal(r.Findings.Lines, before.Findings.Lines) {
		for _, line := range r.Findings.Lines {
			log.Info("lint finds in the configuration", "finding", line)
		}
	}
	same := r.Digest == before.Digest && r.Stage == before.Stage && r.Error == before.Error && r.Drifts == before.Drifts
	switch {
	case same:
	case err != nil:
		log.Error(err, "the order was not carried out", "stage", r.Stage, "again", a.delay.String())
	case chosen.order.Plan:
		log.Info("the order is a plan: nothing is written", "differences", r.Drifts)
	case r.Drifts > 0:
		log.Info("the service was put right", "drift", r.Drift, "verified", r.Verified)
	default:
		log.Info("the service says the order", "reservations", r.Reservations, "verified", r.Verified)
	}
}
