package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/tugboot/tugboot/test/bench/contender"
	"github.com/tugboot/tugboot/test/bench/dhcpload"
	"github.com/tugboot/tugboot/test/bench/fleet"
	"github.com/tugboot/tugboot/test/bench/results"
	"github.com/tugboot/tugboot/test/bench/storm"
)

// stormTurn boots many machines at once from a stack, all of which runs on the server's one core.
func stormTurn(ctx context.Context, s *site, stack contender.Stack) (samples []results.Sample, err error) {
	sample := results.Sample{Suite: "storm", Case: strconv.Itoa(s.plan.storm)}
	var members []*instance
	defer func() {
		for _, i := range members {
			if i.process != nil {
				i.process.Stop(stopGrace)
			}
		}
		for _, i := range members {
			err = errors.Join(err, i.stop())
		}
	}()
	load := storm.Storm{Machines: s.plan.storm, Blksize: 1468, Windowsize: 4, Limit: s.plan.stormLimit}
	for _, name := range stack.Members {
		c, err := contender.Named(name)
		if err != nil {
			return nil, err
		}
		i, err := s.configure(c, s.plan.storm)
		if err != nil {
			return nil, err
		}
		members = append(members, i)
		if err := i.run(); err != nil {
			return nil, err
		}
		load.Account = i.account.Folder()
		if c.Script != "" {
			load.ScriptBegins = c.Script
		}
		if c.Web != 0 {
			load.Script = fmt.Sprintf("http://%v:%d/%s", fleet.Server, c.Web, contender.ScriptFile)
		}
		if c.Name == "tugboot" { // whose scripts are made for the machine
			load.Script = fmt.Sprintf("http://%v:%d/%%s/%s", fleet.Server, c.Web, contender.ScriptFile)
		}
	}
	values, foreign, err := s.letLoose(ctx, members, load)
	if err != nil {
		sample.Failed = err.Error()
		for _, i := range members {
			if dead := i.alive(); dead != nil {
				sample.Failed = i.spec.Name + " " + dead.Error()
			}
		}
	}
	sample.Values, sample.Foreign = values, foreign
	return []results.Sample{sample}, ctx.Err()
}

// letLoose waits until the stack answers, and lets the storm loose on it.
func (s *site) letLoose(ctx context.Context, members []*instance, load storm.Storm) (map[string]float64, float64, error) {
	last := fleet.Machine(load.Machines - 1)
	seen, err := call[dhcpload.Seen](ctx, s, loadWatch, dhcpload.Watch{Machine: last, Address: last.Address(),
		Limit: s.plan.startLimit, Deadline: deadline})
	if err != nil {
		return nil, 0, err
	}
	if seen.Right.IsZero() {
		return nil, 0, fmt.Errorf("no address within %v", s.plan.startLimit)
	}
	// One machine alone shows that all members serve; it is no part of the storm.
	alone, file := load, filepath.Join(s.files, fleet.BootFile)
	alone.Machines = 1
	err = members[0].until(ctx, readyLimit, func() error {
		o, err := call[storm.Outcome](ctx, s, loadStorm, withFile[storm.Storm]{Load: alone, File: file})
		if err == nil && o.Done != 1 {
			err = fmt.Errorf("one machine alone does not boot: %s", o.Why)
		}
		return err
	})
	if err == nil {
		err = s.quiet(ctx)
	}
	if err != nil {
		return nil, 0, err
	}
	o, err := call[storm.Outcome](ctx, s, loadStorm, withFile[storm.Storm]{Load: load, File: file})
	switch {
	case err != nil:
		return nil, 0, err
	case o.Wrong > 0:
		return nil, 0, fmt.Errorf("%d wrong answers: %s", o.Wrong, o.Why)
	case o.Done < load.Machines:
		return nil, 0, fmt.Errorf("%d of %d machines done within %v: %s", o.Done, load.Machines, load.Limit, o.Why)
	}
	return map[string]float64{"last_ms": milliseconds(o.Last), "p50_ms": milliseconds(o.P50), "first_ms": milliseconds(o.First),
		"address_ms": milliseconds(o.LastAddress), "binary_ms": milliseconds(o.LastBinary), "repeated": float64(o.Repeated), "restarted": float64(o.Restarted),
		"cpu_ms": milliseconds(o.CPU)}, o.Foreign, nil
}
