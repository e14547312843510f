package controllers

import (
	"context"
	"maps"
	"net/netip"
	"sync"
	"time"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/probe"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

// prober asks a stack what machines would ask it.
type prober interface {
	Stack(ctx context.Context, t probe.Target, now func() time.Time) takeover.Stack
}

// probes ask the stacks that matter, round after round, beside the controller's own loop: an answer that is waited for
// must not hold up what else is seen. Each round that ended triggers the loop.
type probes struct {
	prober  func(timeout time.Duration) prober
	trigger func()
	wake    chan struct{}

	mu       sync.Mutex
	interval time.Duration
	timeout  time.Duration
	targets  map[netip.Addr]probe.Target
	first    netip.Addr // the bootstrap stack's address
	surveyed time.Time  // when everything was asked for last
	seen     map[netip.Addr]takeover.Stack
	failed   int // rounds in a row in which the bootstrap stack did not serve
}

// surveyEvery is how often a stack is asked for every boot file that is known, and not only for those that it served.
const surveyEvery = 10 * time.Minute

func newProbes(ask func(timeout time.Duration) prober, trigger func()) *probes {
	return &probes{prober: ask, trigger: trigger, wake: make(chan struct{}, 1)}
}

// look notes which stacks matter now, and puts what is known of them into o.
func (p *probes) look(t *v1alpha1.Takeover, o *takeover.Observation, proof reservation.MAC) {
	p.mu.Lock()
	defer p.mu.Unlock()
	management := o.ManagementAddr()
	targets := map[netip.Addr]probe.Target{}
	for _, addr := range []netip.Addr{o.BootstrapIP, management, o.Operator.Override.Addr} {
		if !addr.Is4() || o.Role == takeover.RoleManagement && addr == o.BootstrapIP && addr != o.Operator.Override.Addr {
			continue
		}
		targets[addr] = probe.Target{
			Addr: addr, BootFiles: t.Spec.Probe.BootFiles, Machine: proof, TinkPort: uint16(t.Spec.Probe.TinkServerPort), Hint: p.hint(addr, o),
		}
		if _, known := p.targets[addr]; !known {
			select {
			case p.wake <- struct{}{}:
			default: // it is awake
			}
		}
	}
	if p.first != o.BootstrapIP {
		p.first, p.failed = o.BootstrapIP, 0
	}
	p.targets = targets
	p.interval, p.timeout = max(t.Spec.Probe.Interval.Duration, time.Second), t.Spec.Probe.Timeout.Duration
	o.AtBootstrap, o.AtTinkerbell, o.Operator.OverrideSeen = p.seen[o.BootstrapIP], p.seen[management], p.seen[o.Operator.Override.Addr]
	o.BootstrapFailures = p.failed
}

// rest ends the asking until look names stacks again.
func (p *probes) rest() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.targets, p.seen, p.failed = nil, nil, 0
}

// hint is where to look first: what was found there last, else what is advertised, else what the other stack is like.
func (p *probes) hint(addr netip.Addr, o *takeover.Observation) takeover.Endpoint {
	for _, known := range []takeover.Endpoint{p.seen[addr].Endpoint, stored(*o).Latch.Endpoint, stored(*o).Advertised, p.seen[o.BootstrapIP].Endpoint} {
		if known.ScriptPath != "" {
			known.Addr = addr
			return known
		}
	}
	return takeover.Endpoint{}
}

// run asks until ctx is done: every stack once an interval, and one that matters anew at once.
func (p *probes) run(ctx context.Context) {
	next := time.Now()
	for {
		p.mu.Lock()
		targets, interval := maps.Clone(p.targets), p.interval
		p.mu.Unlock()
		if due := !time.Now().Before(next); len(targets) > 0 && (due || p.anyUnseen(targets)) {
			if due {
				next = time.Now().Add(interval)
			}
			p.round(ctx, targets, due)
		}
		pause := time.Until(next)
		if len(targets) == 0 {
			pause = defaultInterval
		}
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-time.After(pause):
		}
	}
}

func (p *probes) anyUnseen(targets map[netip.Addr]probe.Target) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for addr := range targets {
		if p.seen[addr].At.IsZero() {
			return true
		}
	}
	return false
}

// round asks all targets at once, or those alone that were not seen yet.
func (p *probes) round(ctx context.Context, targets map[netip.Addr]probe.Target, all bool) {
	p.mu.Lock()
	ask := p.prober(p.timeout)
	survey := time.Since(p.surveyed) > surveyEvery
	if survey {
		p.surveyed = time.Now()
	}
	fresh := map[netip.Addr]takeover.Stack{}
	for addr := range targets {
		if last := p.seen[addr]; !all && !last.At.IsZero() {
			fresh[addr] = last
			delete(targets, addr)
		} else if target := targets[addr]; !survey {
			target.Served = last.Endpoint.BootFiles
			targets[addr] = target
		}
	}
	p.mu.Unlock()
	var mu sync.Mutex
	var running sync.WaitGroup
	for addr, target := range targets {
		running.Go(func() {
			stack := ask.Stack(ctx, target, time.Now)
			mu.Lock()
			defer mu.Unlock()
			fresh[addr] = stack
		})
	}
	running.Wait()
	if ctx.Err() != nil {
		return // what was cut short says nothing
	}
	p.mu.Lock()
	p.seen = fresh
	if _, asked := targets[p.first]; asked {
		p.failed++
		if e := fresh[p.first].Endpoint; e.TFTPPort != 0 && e.HTTPPort != 0 {
			p.failed = 0
		}
	}
	p.mu.Unlock()
	p.trigger()
}
