package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tugboot/tugboot/test/bench/contender"
	"github.com/tugboot/tugboot/test/bench/dhcpload"
	"github.com/tugboot/tugboot/test/bench/fleet"
	"github.com/tugboot/tugboot/test/bench/results"
)

// deadline is when an exchange of a steady load counts as lost.
const deadline = time.Second

// milliseconds and microseconds are how figures are written.
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// started runs a contender and waits at most so long for its first right answer for the last machine. The case's failure or its figures
// are in the sample.
func (i *instance) started(ctx context.Context, limit time.Duration) (sample results.Sample, err error) {
	sample = results.Sample{Suite: "start", Case: strconv.Itoa(i.setting.Machines)}
	watching := make(chan error, 1)
	var seen dhcpload.Seen
	last := fleet.Machine(i.setting.Machines - 1)
	watch, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		var err error
		seen, err = call[dhcpload.Seen](watch, i.site, loadWatch, dhcpload.Watch{Machine: last, Address: last.Address(),
			Limit: limit, Deadline: deadline})
		watching <- err
	}()
	// The generator has to be there first: what it asks before the server listens is lost like any other packet.
	time.Sleep(100 * time.Millisecond)
	if err := i.run(); err != nil {
		cancel()
		return sample, errors.Join(err, <-watching)
	}
	select {
	case err = <-watching:
	case <-i.process.Done():
		cancel() // nobody is there any more who could answer
		err = <-watching
	}
	if err == nil && seen.Right.IsZero() {
		err = fmt.Errorf("not ready within %v", limit)
	}
	if err != nil {
		return sample, i.trouble(err)
	}
	cpu, cpuErr := i.account.CPU()
	rss, rssErr := i.rss()
	sample.Values = map[string]float64{"start_ms": milliseconds(seen.Right.Sub(i.begun)), "start_cpu_ms": milliseconds(cpu), "rss_mib": rss}
	return sample, errors.Join(cpuErr, rssErr)
}

// dhcpTurn is a contender's turn with so many reservations: start, and where the plan says so rate, bursts and a change.
func dhcpTurn(ctx context.Context, s *site, c contender.Contender, machines int) (samples []results.Sample, err error) {
	i, err := s.configure(c, machines)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, i.stop()) }()
	if err := s.quiet(ctx); err != nil {
		return nil, err
	}
	start, err := i.started(ctx, s.plan.startLimit)
	if err != nil {
		start.Failed = err.Error()
		return []results.Sample{start}, nil
	}
	samples = append(samples, start)
	measures := []func(context.Context) results.Sample{}
	if slices.Contains(s.plan.rated, machines) {
		measures = append(measures, i.rate)
	}
	if machines == s.plan.crowded {
		for _, k := range s.plan.bursts {
			measures = append(measures, func(ctx context.Context) results.Sample { return i.burst(ctx, k) })
		}
		measures = append(measures, i.perfdhcp)
	}
	if machines == s.plan.changed && !c.Limit {
		measures = append(measures, i.change)
	}
	for _, measure := range measures {
		samples = append(samples, measure(ctx))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return samples, nil
}

// rate searches the highest rate, and puts half of it on.
func (i *instance) rate(ctx context.Context) results.Sample {
	sample := results.Sample{Suite: "dhcp", Case: strconv.Itoa(i.setting.Machines)}
	p := i.site.plan
	found, err := call[dhcpload.Found](ctx, i.site, loadSearch, dhcpload.Search{Step: p.step, Steps: p.steps, Confirm: p.confirm,
		Load: dhcpload.Load{Machines: i.setting.Machines, Deadline: deadline, Account: i.account.Folder()}})
	if err != nil {
		sample.Failed = i.trouble(err).Error()
		return sample
	}
	rss, err := i.rss()
	if wrong := found.Highest.Wrong + found.Half.Wrong; wrong > 0 || err != nil {
		sample.Failed = fmt.Sprintf("%d wrong answers: %s%s", wrong, found.Highest.Why, found.Half.Why)
		return sample
	}
	sample.Values, sample.Foreign = rates(found)
	sample.Values["rss_mib"] = rss
	return sample
}

// rates are the figures of a search, and the share of the machine that others took.
func rates(found dhcpload.Found) (map[string]float64, float64) {
	full, half := found.Highest, found.Half
	return map[string]float64{
		"dora_per_s": full.Rate, "closed_per_s": found.Closed.PerSecond, "lost_share": full.LostShare(),
		"cpu_us_full": microseconds(full.CPUPerExchange()), "cpu_us_half": microseconds(half.CPUPerExchange()),
		"p50_us": microseconds(half.P50), "p99_us": microseconds(half.P99), "p999_us": microseconds(half.P999),
		"generator_percent": 100 * full.Own.Seconds() / full.Took.Seconds(),
	}, max(full.Foreign, half.Foreign)
}

// burst lets k machines ask in the same moment, and repeat themselves as RFC 2131 says.
func (i *instance) burst(ctx context.Context, k int) results.Sample {
	sample := results.Sample{Suite: "burst", Case: strconv.Itoa(k)}
	o, err := call[dhcpload.Outcome](ctx, i.site, loadDHCP, dhcpload.Load{Machines: i.setting.Machines, Window: k, Limit: k,
		Duration: i.site.plan.burstLimit, Deadline: i.site.plan.burstLimit, Retry: true, Account: i.account.Folder()})
	switch {
	case err != nil:
		sample.Failed = i.trouble(err).Error()
	case o.Wrong > 0:
		sample.Failed = fmt.Sprintf("%d wrong answers: %s", o.Wrong, o.Why)
	default:
		sample.Foreign = o.Foreign
		sample.Values = map[string]float64{
			"first_try_percent": 100 * float64(o.FirstTry) / float64(k), "answered_percent": 100 * float64(o.Finished) / float64(k),
			"last_ack_ms": milliseconds(o.LastAck), "p50_ms": milliseconds(o.P50),
		}
	}
	return sample
}
