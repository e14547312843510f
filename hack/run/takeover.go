package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tugboot/tugboot/test/lab"
)

// takeoverLimit is how long the change may take after the move: it is made after 30 s of probes.
const takeoverLimit = 2 * time.Minute

// managed is the phase of a Takeover that is complete.
const managed = "Managed"

// show is a cluster's creation as it is shown to a person.
type show struct {
	*session
	*lab.Creation
	out io.Writer
}

// showTakeover creates a cluster as EKS Anywhere does, boots one machine before the takeover and one after it, prints
// what happened when, and keeps the management cluster until ctx ends.
func showTakeover(ctx context.Context, s settings, out io.Writer) (err error) {
	started := time.Now()
	h := &session{settings: s, dir: filepath.Join(s.root, "build", "run"), boots: map[string]*boot{}, began: started}
	if err := h.alone(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "Making a site on this host: a LAN and two Kubernetes APIs. It takes about two minutes to the end.\n\n")
	watch := lab.Watch{Fetch: h.fetched, Step: func(name, text string) { line(out, time.Since(started), name, text) }}
	told := lab.CreationOptions{Moment: func(m lab.Moment) { line(out, m.At.Sub(started), who(m), sentence(m)) }}
	c, err := lab.StartCreation(ctx, "run", h.dir, lab.PartsIn(s.root, s.assets), watch, told)
	if errors.Is(err, lab.ErrStopped) {
		fmt.Fprintln(out, "\nstopped; the site is removed")
		return nil
	}
	if err != nil {
		return err
	}
	defer func() {
		fmt.Fprintln(out, "\nremoving the site")
		err = errors.Join(err, c.Close(), h.removeCommands())
	}()
	if err := h.listen(); err != nil {
		return err
	}
	w := &show{session: h, Creation: c, out: out}
	err = w.play(ctx)
	switch {
	case ctx.Err() != nil:
		return nil // told to stop
	case err != nil || s.once:
		return err
	}
	return h.stay(ctx, out)
}

// play shows the creation from the first packet to the first machine after the takeover.
func (w *show) play(ctx context.Context) error {
	for _, part := range []struct {
		title string
		steps []func(context.Context) error
	}{
		{"1. The bootstrap cluster and its instance", []func(context.Context) error{w.BeginBootstrap, w.AddHardware}},
		{"2. The cluster is created: its machines boot from the bootstrap instance",
			[]func(context.Context) error{w.CreateCluster, w.boots(w.Bootstrap, lab.BootstrapMachine), w.FinishMachines}},
		{"3. The stack is installed in the management cluster; its instance is silent", []func(context.Context) error{w.InstallStack, w.status}},
		{"4. The cluster moves into itself, and the endpoint changes on evidence",
			[]func(context.Context) error{w.Move, w.FinishCreation, w.takenOver, w.status}},
		{"5. The bootstrap cluster is deleted: machines boot from the management instance",
			[]func(context.Context) error{w.leave, w.boots(w.Management, lab.ManagementMachine)}},
	} {
		fmt.Fprintf(w.out, "\n%s\n\n", part.title)
		for _, step := range part.steps {
			if err := step(ctx); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(w.out, "\nWhat happened, in seconds since the first moment:\n\n")
	return w.Print(w.out)
}

// boots boots a machine that a side's instance serves.
func (w *show) boots(side *lab.Side, name string) func(context.Context) error {
	return func(ctx context.Context) error {
		fmt.Fprintln(w.out)
		w.serve(w.Site(side))
		if err := w.writeCommands(); err != nil {
			return err
		}
		return w.boot(ctx, w.kind, name, w.out)
	}
}

// takenOver waits until both instances send machines to the management cluster's stack, and both Takeovers say so.
func (w *show) takenOver(ctx context.Context) error {
	done := func() bool { return w.TakenOver() && w.Bootstrap.Phase() == managed && w.Management.Phase() == managed }
	for limit := time.After(takeoverLimit); !done(); {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			return fmt.Errorf("the endpoint did not change within %v; the end of the management instance's log (%s):\n%s", takeoverLimit,
				w.Management.Tugboot.Log, lab.Tail(w.Management.Tugboot.Log, 12))
		case <-time.After(pollEvery):
		}
	}
	return nil
}

// exitNotReady is the exit code of `tugboot takeover status` while the takeover waits for something, which is no failure.
const exitNotReady = 3

// status prints what `tugboot takeover status` says at each cluster.
func (w *show) status(ctx context.Context) error {
	for _, side := range w.Sides() {
		command := []string{filepath.Join(w.root, "bin", "tugboot"), "takeover", "status", "--namespace=" + lab.KubernetesNamespace,
			"--kubeconfig=" + side.API.Kubeconfig}
		text, err := side.Run(ctx, nil, command...)
		var exit *exec.ExitError
		if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != exitNotReady) {
			return err
		}
		fmt.Fprintf(w.out, "\n$ tugboot takeover status     # in the %s cluster\n%s\n", side.Role, text)
	}
	return nil
}

// leave takes the bootstrap cluster away and what served for it.
func (w *show) leave(context.Context) error {
	w.DeleteBootstrapCluster()
	w.StopServing(w.Bootstrap)
	return nil
}

// who is the first word of who does or says it.
func who(m lab.Moment) string {
	first, _, _ := strings.Cut(m.By, " ")
	return first
}

// sentence is a moment on one line.
func sentence(m lab.Moment) string {
	if m.NextServer == "" {
		return m.What
	}
	return m.What + ": " + m.NextServer
}
