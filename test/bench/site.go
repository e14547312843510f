package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/tugboot/tugboot/test/bench/account"
	"github.com/tugboot/tugboot/test/bench/contender"
	"github.com/tugboot/tugboot/test/bench/fleet"
	"github.com/tugboot/tugboot/test/lab"
)

// site is the network that everything runs in, and what runs there.
type site struct {
	plan     plan
	programs contender.Programs
	// folder is where configurations and logs go; files is the folder with what is served.
	folder, files  string
	server, client *lab.Host
	// serverCPU and clientCPU are where the server and the generator run.
	serverCPU, clientCPU int
	serial               int // of processes, whose logs need a name of their own
}

// newSite connects two hosts with a cable.
func newSite(ctx context.Context, l *lab.Lab, p plan, programs contender.Programs, folder string) (*site, error) {
	s := &site{plan: p, programs: programs, folder: folder, files: filepath.Join(folder, "files"),
		clientCPU: min(1, runtime.NumCPU()-1)}
	var err error
	if s.server, err = l.AddHost(ctx, "server"); err != nil {
		return nil, err
	}
	if s.client, err = l.AddHost(ctx, "client"); err != nil {
		return nil, err
	}
	err = s.server.Connect(ctx, fleet.ServerInterface, fleet.ServerMAC, s.client, fleet.ClientInterface, fleet.ClientMAC)
	if err != nil {
		return nil, err
	}
	bits := strconv.Itoa(fleet.Network.Bits())
	// Neighbours that never have to be asked for keep ARP out of what is measured.
	for _, end := range []struct {
		host                        *lab.Host
		dev, own, neighbour, itsMAC string
	}{
		{s.server, fleet.ServerInterface, fleet.Server.String(), fleet.Client.String(), fleet.ClientMAC},
		{s.client, fleet.ClientInterface, fleet.Client.String(), fleet.Server.String(), fleet.ServerMAC},
	} {
		for _, args := range [][]string{
			{"address", "add", end.own + "/" + bits, "broadcast", "+", "dev", end.dev},
			{"neighbour", "replace", end.neighbour, "lladdr", end.itsMAC, "nud", "permanent", "dev", end.dev},
		} {
			if _, err := end.host.Run(ctx, nil, append([]string{"ip"}, args...)...); err != nil {
				return nil, err
			}
		}
	}
	return s, s.host(ctx)
}

// host gives the client's host the addresses of the machines that speak for themselves, all at once, and tells the server
// that they are there.
func (s *site) host(ctx context.Context) error {
	_, err := s.client.Run(ctx, nil, "ip", "route", "add", "local", fleet.Own.String(), "dev", "lo")
	if err == nil {
		_, err = s.server.Run(ctx, nil, "ip", "route", "add", fleet.Own.String(), "via", fleet.Client.String())
	}
	return err
}

// call puts a load on the server and returns what came of it.
func call[O any](ctx context.Context, s *site, kind string, l any) (o O, err error) {
	text, err := json.Marshal(l)
	if err != nil {
		return o, err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	out, err := s.client.Run(ctx, bytes.NewReader(text),
		s.programs.Bench, "enter", strconv.Itoa(s.clientCPU), "-", s.programs.Bench, "load", kind)
	if err != nil {
		if _, why, found := strings.Cut(err.Error(), ": bench: "); found {
			err = errors.New(why) // what the load said, without the command that it was started with
		}
		return o, err
	}
	return o, json.Unmarshal(out, &o)
}

// instance is a contender that runs.
type instance struct {
	site    *site
	spec    contender.Contender
	setting contender.Setting
	start   contender.Start
	process *lab.Process
	account account.Account
	begun   time.Time
}

// configure writes the files of a contender for so many machines.
func (s *site) configure(c contender.Contender, machines int) (*instance, error) {
	dir := filepath.Join(s.folder, "contenders", c.Name, strconv.Itoa(machines))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	setting := contender.Setting{Dir: dir, Into: dir, Machines: machines, Files: s.files, Programs: s.programs}
	start, err := c.Configure(setting)
	if err != nil {
		return nil, fmt.Errorf("%s: write its configuration: %w", c.Name, err)
	}
	a, err := account.Open(fmt.Sprintf("tugboot-bench-%d", os.Getpid()))
	return &instance{site: s, spec: c, setting: setting, start: start, account: a}, err
}

// run starts the contender.
func (i *instance) run() (err error) {
	if _, err := exec.LookPath(i.start.Args[0]); err != nil {
		return fmt.Errorf("not installed (Debian package %s): %w", i.spec.Package, err)
	}
	i.site.serial++
	args := append([]string{i.site.programs.Bench, "enter", strconv.Itoa(i.site.serverCPU), i.account.Folder()}, i.start.Args...)
	i.begun = time.Now()
	name := fmt.Sprintf("%s-%d", i.spec.Name, i.site.serial)
	i.process, err = i.site.server.Start(lab.Spec{Name: name, Args: args, Env: i.start.Env})
	return err
}

// stop ends the contender; it may be called for one that never ran.
func (i *instance) stop() error {
	if i.process != nil {
		i.process.Stop(stopGrace)
	}
	return i.account.Close()
}

// alive is an error when the contender has ended, with the end of what it said.
func (i *instance) alive() error {
	if i.process == nil {
		return nil
	}
	select {
	case <-i.process.Done():
		return fmt.Errorf("died (%s): %s", i.process.Outcome(), lab.Tail(i.process.Log, 3))
	default:
		return nil
	}
}

// trouble adds to an error that the contender has died, if it has.
func (i *instance) trouble(err error) error {
	if err == nil {
		return nil
	}
	if dead := i.alive(); dead != nil {
		return dead
	}
	return err
}

// rss is the contender's resident memory in MiB.
func (i *instance) rss() (float64, error) {
	bytes, err := i.account.RSS()
	return float64(bytes) / (1 << 20), err
}

// until repeats f until it succeeds, or the contender has died, or the limit is over.
func (i *instance) until(ctx context.Context, limit time.Duration, f func() error) error {
	for end := time.Now().Add(limit); ; {
		err := f()
		if err == nil {
			return nil
		}
		if dead := i.alive(); dead != nil || time.Now().After(end) || ctx.Err() != nil {
			return errors.Join(dead, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// quiet waits until others leave the machine alone, as long as the plan allows.
func (s *site) quiet(ctx context.Context) error {
	for end := time.Now().Add(s.plan.idleWait); time.Now().Before(end) && ctx.Err() == nil; {
		meter, err := account.Start("")
		if err != nil {
			return err
		}
		time.Sleep(250 * time.Millisecond)
		cost, err := meter.Stop()
		if err != nil || cost.Foreign < 0.05 {
			return err
		}
	}
	return ctx.Err()
}

// stopGrace is how long a contender may take to end when it is asked to.
const stopGrace = 3 * time.Second
