package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"time"

	tinkerbell "github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/test/lab"
)

const (
	// bootLimit is how long a machine may take; the slowest kind needs a third of it on two busy cores.
	bootLimit = 3 * time.Minute
	// offLimit is how long a machine that came up may take to switch itself off.
	offLimit    = 15 * time.Second
	pollEvery   = 100 * time.Millisecond
	dialTimeout = 2 * time.Second
)

// example is the machine of examples/hardware.csv that stands for the kind.
func example(k lab.Kind) string {
	switch k {
	case lab.UEFI:
		return "uefi01"
	case lab.UEFIHTTP:
		return "http01"
	case lab.ARM64:
		return "arm01"
	default: // both kinds of BIOS are the same PC
		return "bios01"
	}
}

// boot is one machine's boot as it is told to a person.
type boot struct {
	site    *lab.Site
	machine *lab.Machine
	address netip.Addr
	started time.Time

	mu   sync.Mutex
	out  io.Writer
	last string // the last console line told: firmware repaints its screen
	told int    // entries of Tugboot's timeline told so far
}

// boot switches a machine on, tells what happens, and prints the timeline. It fails when the machine does not come up.
func (h *session) boot(ctx context.Context, kind lab.Kind, want string, out io.Writer) error {
	if want == "" {
		want = example(kind)
	}
	site := h.serving()
	if site == nil {
		return errors.New("nothing serves machines yet: ask again in a moment")
	}
	known, err := site.Hardware(ctx)
	if err != nil {
		return err
	}
	name, mac, address, err := find(known, want)
	if err != nil {
		return err
	}
	b := &boot{site: site, address: address, started: time.Now(), out: out}
	if !h.began.IsZero() {
		b.started = h.began
	}
	if !h.begin(mac, b) {
		return fmt.Errorf("machine %s is booting already: wait until it is off", name)
	}
	defer h.end(mac)
	fmt.Fprintf(out, "Booting %s, %s (%s). Emulated, it takes 20 to 60 s.\n\n", name, mac, kind.Describe())
	ctx, cancel := context.WithTimeout(ctx, bootLimit)
	defer cancel()
	b.machine, err = site.Boot(ctx, kind, mac, b.console)
	if err != nil {
		return err
	}
	upErr := b.follow(ctx)
	// The timeline is worth having of a boot that failed, too, but after Ctrl-C nobody waits for it.
	events, err := site.Events(context.WithoutCancel(ctx), b.machine, address)
	if upErr == nil || !errors.Is(ctx.Err(), context.Canceled) {
		fmt.Fprintf(out, "\nTimeline of %s, seconds since power-on:\n\n", name)
		table(out, b.machine.PowerOn, events)
	}
	if upErr != nil {
		upErr = fmt.Errorf("%w\nthe end of Tugboot's log (%s):\n%s", upErr, site.Tugboot.Log, lab.Tail(site.Tugboot.Log, 12))
	}
	return errors.Join(upErr, err, b.machine.PowerOff())
}

// follow tells what happens until the machine is up and off again, or ctx ends. It fails when the machine does not come
// up.
func (b *boot) follow(ctx context.Context) error {
	polling, stop := context.WithCancel(ctx)
	polled := make(chan struct{})
	go func() {
		defer close(polled)
		b.poll(polling)
	}()
	defer func() {
		stop()
		<-polled
	}()
	if _, _, err := b.machine.WaitUp(ctx); err != nil {
		return err
	}
	select {
	case <-b.machine.Off():
	case <-time.After(offLimit):
	case <-ctx.Done():
	}
	return nil
}

// find looks a machine up by its name or its MAC.
func find(known []tinkerbell.Hardware, want string) (name, mac string, address netip.Addr, err error) {
	var names []string
	for _, h := range known {
		names = append(names, h.Name)
		for _, i := range h.Spec.Interfaces {
			if i.DHCP == nil || i.DHCP.IP == nil || h.Name != want && !strings.EqualFold(i.DHCP.MAC, want) {
				continue
			}
			address, err = netip.ParseAddr(i.DHCP.IP.Address)
			if err != nil {
				return "", "", netip.Addr{}, fmt.Errorf("hardware %s: %w", h.Name, err)
			}
			return h.Name, strings.ToLower(i.DHCP.MAC), address, nil
		}
	}
	return "", "", netip.Addr{}, fmt.Errorf("machine %q: no Hardware object has this name or MAC; there are: %s", want, strings.Join(names, ", "))
}

// say prints a line of progress.
func (b *boot) say(at time.Time, stage, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	line(b.out, at.Sub(b.started), stage, text)
}

// console tells the lines of the machine's console that mean progress.
func (b *boot) console(text string) {
	stage, text := progress(text)
	if text == "" || text == b.last {
		return
	}
	b.last = text
	b.say(time.Now(), stage, text)
}

// fetched tells what the machine fetched from the file server.
func (b *boot) fetched(f lab.Fetch) {
	if f.Client == b.address {
		b.say(f.At, lab.StageKernel, fmt.Sprintf("%s %s, %s", f.Method, f.Path, size(f.Bytes)))
	}
}

// poll tells what Tugboot answers, as it appears in Tugboot's timeline, until ctx ends.
func (b *boot) poll(ctx context.Context) {
	ticks := time.NewTicker(pollEvery)
	defer ticks.Stop()
	for {
		// A failure shows again when the whole timeline is asked for, and is reported then.
		if entries, err := b.site.Tugboot.Timeline(ctx, b.machine.MAC, b.machine.PowerOn); err == nil {
			b.tell(entries)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

func (b *boot) tell(entries []journal.Entry) {
	for ; b.told < len(entries); b.told++ {
		e := entries[b.told]
		text := e.What
		if e.Bytes > 0 {
			text += ", " + size(e.Bytes)
		}
		b.say(e.At, string(e.Stage), text)
	}
}
