package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tugboot/tugboot/test/lab"
)

// session is the running site and what is going on in it.
type session struct {
	settings
	dir string
	// began is what the lines of progress count from; each boot counts from its own beginning while it is zero.
	began time.Time

	mu    sync.Mutex
	site  *lab.Site        // what machines boot from; nil before there is any
	boots map[string]*boot // by MAC: those that go on
}

// hold makes the site, boots the first machine, keeps everything running until ctx ends, and removes it all.
func hold(ctx context.Context, s settings, out io.Writer) (err error) {
	h := &session{settings: s, dir: filepath.Join(s.root, "build", "run"), boots: map[string]*boot{}}
	if err := h.alone(ctx); err != nil {
		return err
	}
	started := time.Now()
	fmt.Fprintf(out, "Making a site on this host: a LAN, a Kubernetes API, a file server, Tugboot.\n\n")
	watch := lab.Watch{Fetch: h.fetched, Step: func(name, text string) {
		line(out, time.Since(started), name, text)
	}}
	site, err := lab.StartSite(ctx, "run", h.dir, lab.PartsIn(s.root, s.assets), watch)
	if errors.Is(err, lab.ErrStopped) {
		fmt.Fprintln(out, "\nstopped; the site is removed")
		return nil
	}
	if err != nil {
		return err
	}
	defer func() {
		fmt.Fprintln(out, "\nremoving the site")
		err = errors.Join(err, site.Close(), h.removeCommands())
	}()
	h.serve(site)
	if err := h.writeCommands(); err != nil {
		return err
	}
	if err := h.listen(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	err = h.boot(ctx, s.kind, s.machine, out)
	switch {
	case ctx.Err() != nil:
		return nil // told to stop
	case err != nil || s.once:
		return err
	}
	return h.stay(ctx, out)
}

// stay says what can be done and keeps everything running until ctx ends.
func (h *session) stay(ctx context.Context, out io.Writer) error {
	h.explain(out)
	tugboot := h.serving().Tugboot
	select {
	case <-ctx.Done():
		return nil
	case <-tugboot.Done():
		return fmt.Errorf("tugboot ended (%s); the end of %s:\n%s", tugboot.Outcome(), tugboot.Log, lab.Tail(tugboot.Log, 20))
	}
}

// serve says what machines boot from, from now on.
func (h *session) serve(site *lab.Site) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.site = site
}

// serving is what machines boot from; nil before there is any.
func (h *session) serving() *lab.Site {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.site
}

// alone makes sure that no other process holds the folder.
func (h *session) alone(ctx context.Context) error {
	if err := ping(ctx, h.socket()); err == nil {
		return fmt.Errorf("`make run` runs already, with its files in %s: stop it, or boot a machine in it with %s", h.dir, h.command("boot"))
	}
	return nil
}

func (h *session) explain(out io.Writer) {
	fmt.Fprintf(out, `
The site keeps running until Ctrl-C.

  look at the machines   %[1]s get hardware -A
  add a machine          %[1]s apply -f HARDWARE.yaml
                         bin/tugboot hardware FILE.csv | %[1]s apply -f -
  boot a machine         make boot MACHINE=uefi        (or uefi-http, arm64, bios)
                         %[2]s uefi NAME
  what was answered      %[3]s MAC
                         %[4]s
`, h.command("kubectl"), h.command("boot"), h.command("timeline"), h.command(filepath.Base(h.serving().Tugboot.Log)))
}

// command is the name by which a person at the top of the checkout calls a file of the session.
func (h *session) command(name string) string {
	path := filepath.Join(h.dir, name)
	if here, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(here, path); err == nil && len(relative) < len(path) {
			return relative
		}
	}
	return path
}

// fetched hands a fetch to the boots that go on.
func (h *session) fetched(f lab.Fetch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, b := range h.boots {
		b.fetched(f)
	}
}

// begin notes that b goes on; false when another boot of that machine does.
func (h *session) begin(mac string, b *boot) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.boots[mac] != nil {
		return false
	}
	h.boots[mac] = b
	return true
}

func (h *session) end(mac string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.boots, mac)
}
