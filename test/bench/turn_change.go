package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/tugboot/tugboot/test/bench/contender"
	"github.com/tugboot/tugboot/test/bench/dhcpload"
	"github.com/tugboot/tugboot/test/bench/fleet"
	"github.com/tugboot/tugboot/test/bench/results"
)

const (
	// othersRate is how many other machines ask each second while a reservation is changed.
	othersRate = 100
	// goOn is how long they go on after the change is answered.
	goOn = time.Second
)

// change moves machine 0 to another address, as the contender's operator would, and times the first right OFFER. The new
// files are written before; renaming them into place is where the time begins.
func (i *instance) change(ctx context.Context) results.Sample {
	sample := results.Sample{Suite: "change", Case: strconv.Itoa(i.setting.Machines)}
	values, err := i.changed(ctx)
	if err != nil {
		sample.Failed = i.trouble(err).Error()
	}
	sample.Values = values
	return sample
}

func (i *instance) changed(ctx context.Context) (map[string]float64, error) {
	setting := i.setting
	setting.Into, setting.Moved = filepath.Join(setting.Dir, "moved"), true
	if err := os.MkdirAll(setting.Into, 0o755); err != nil {
		return nil, err
	}
	if _, err := i.spec.Configure(setting); err != nil {
		return nil, err
	}
	seen, begun, err := i.watched(ctx, func() error { return errors.Join(i.swap(setting.Into), i.reload()) })
	if err != nil {
		return nil, err
	}
	return map[string]float64{
		"change_ms": milliseconds(seen.Right.Sub(begun)), "lost": float64(seen.Others.Lost), "asked": float64(seen.Others.Started),
		"gap_ms": milliseconds(seen.Gap),
	}, nil
}

// watched makes a change that gives machine 0 its other address, while others ask. begun is when it was made.
func (i *instance) watched(ctx context.Context, change func() error) (seen dhcpload.Seen, begun time.Time, err error) {
	limit := i.site.plan.changeLimit
	watching := make(chan error, 1)
	go func() {
		var err error
		seen, err = call[dhcpload.Seen](ctx, i.site, loadWatch, dhcpload.Watch{Machine: 0, Address: fleet.Moved(),
			Machines: i.setting.Machines, Rate: othersRate, Deadline: deadline, Limit: limit + time.Second, After: goOn})
		watching <- err
	}()
	time.Sleep(time.Second) // others are asking by now
	begun = time.Now()
	err = change()
	if err := errors.Join(err, <-watching); err != nil {
		return seen, begun, err
	}
	switch {
	case seen.Right.IsZero():
		return seen, begun, fmt.Errorf("not answered within %v", limit)
	case seen.Right.Before(begun):
		return seen, begun, fmt.Errorf("machine 0 had its new address before it was given to it")
	case seen.Others.Wrong > 0:
		return seen, begun, fmt.Errorf("%d wrong answers: %s", seen.Others.Wrong, seen.Others.Why)
	}
	return seen, begun, nil
}

// swap renames the files that hold the reservations into place.
func (i *instance) swap(from string) error {
	for _, name := range i.start.Live {
		if err := os.Rename(filepath.Join(from, name), filepath.Join(i.setting.Dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func (i *instance) reload() error {
	switch i.spec.Reload {
	case contender.Hangup:
		return syscall.Kill(i.process.PID(), syscall.SIGHUP)
	case contender.Restart:
		i.process.Stop(stopGrace)
		return i.run()
	case contender.Follows:
		return nil
	default:
		return fmt.Errorf("%s: nobody said how it reads a change", i.spec.Name)
	}
}
