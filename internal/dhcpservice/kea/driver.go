package kea

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/render"
)

// DefaultTimeout is how long one command may take.
const DefaultTimeout = 20 * time.Second

// Options say how one server is reached.
type Options struct {
	// URL is that of the control channel: unix:///PATH, http://HOST:PORT/ or https://HOST:PORT/. Over HTTP it is the
	// server's own (2.7.2 and later) or that of a Control Agent.
	URL string
	// Username and Password are for HTTP basic authentication; both empty means none.
	Username, Password string
	// CA is the authority of the server's certificate, Cert and Key are ours, all as PEM; empty means the system's
	// authorities, and no certificate of ours. They are not looked at without https.
	CA, Cert, Key []byte
	// Subnets must be in the server's configuration even when no reservation is in them.
	Subnets []netip.Prefix
	// Disable are the IDs of lint's rules that are not looked at: Kea keeps no comment that would say so at a place.
	Disable []string
	// Timeout is how long one command may take; 0 means DefaultTimeout.
	Timeout time.Duration
}

// Driver drives one server. It implements dhcpservice.Driver, and is not safe for concurrent use.
type Driver struct {
	channel channel
	subnets []netip.Prefix
	disable []string
	// cluster is whose part is meant, known from the last Wanted.
	cluster string
	// saved is true when the file has been written since the last Keep.
	saved bool
	// deaf is true when the server took no configuration any more.
	deaf bool
	// paired is true when the configuration that was read last has the library of high availability.
	paired bool
}

var _ dhcpservice.Driver = (*Driver)(nil)

// New returns a driver; it does not connect. The error names the option that cannot be used.
func New(o Options) (*Driver, error) {
	if o.Timeout < 0 {
		return nil, fmt.Errorf("timeout %s: below zero: give a positive one, or 0 for %s", o.Timeout, DefaultTimeout)
	}
	ask, overHTTP, err := dial(o)
	if err != nil {
		return nil, err
	}
	timeout := o.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	return &Driver{channel: channel{timeout: timeout, exchange: ask, overHTTP: overHTTP}, subnets: o.Subnets, disable: o.Disable}, nil
}

// Version returns the version of the server, such as 3.0.4.
func (d *Driver) Version(ctx context.Context) (string, error) {
	_, text, err := d.channel.do(ctx, "version-get", nil)
	return text, err
}

// get reads the server's configuration.
func (d *Driver) get(ctx context.Context) (*config, error) {
	arguments, _, err := d.channel.do(ctx, "config-get", nil)
	if err != nil {
		return nil, err
	}
	d.paired = bytes.Contains(arguments, []byte(haLibrary))
	return parse(arguments)
}

// look reads the configuration, and what is wanted in Kea's words.
func (d *Driver) look(ctx context.Context, want render.Wanted) (*config, part, error) {
	p, err := partOf(want)
	if err != nil {
		return nil, part{}, err
	}
	d.cluster = want.Word.Mark.Cluster
	c, err := d.get(ctx)
	return c, p, err
}

// Read returns what stands in the server for the cluster. A mark that cannot be read is an error.
func (d *Driver) Read(ctx context.Context, want render.Wanted) (dhcpservice.Standing, error) {
	c, p, err := d.look(ctx, want)
	if err != nil {
		return dhcpservice.Standing{}, err
	}
	stands := c.part(d.cluster)
	word, err := stands.word(d.cluster)
	if err != nil {
		return dhcpservice.Standing{}, err
	}
	differs := compare(d.cluster, stands, p)
	return dhcpservice.Standing{
		Word: word, Reservations: stands.reservations(), Drift: differs.sentences, Drifts: differs.count,
		Findings: dhcpservice.FindingsOf(d.findings(c)),
	}, nil
}

// Check looks for what is somebody else's in the way of want, and has the server test the configuration with want in it.
func (d *Driver) Check(ctx context.Context, want render.Wanted) error {
	c, p, err := d.look(ctx, want)
	if err != nil {
		return err
	}
	if err := c.inspect(d.cluster, p, d.subnets); err != nil {
		return err
	}
	stands := c.part(d.cluster)
	if same(d.cluster, stands, p) {
		return nil
	}
	if _, singly := d.changes(ctx, c, stands, p); singly {
		return nil // the server looks at each when it is given, and a test of the whole would be the longest pause
	}
	if err := c.replace(d.cluster, p); err != nil {
		return err
	}
	text, err := c.text()
	if err != nil {
		return err
	}
	_, _, err = d.channel.do(ctx, "config-test", text)
	return err
}

// Keep remembers the classes and reservations of the cluster that was read last. What it returns puts those back, and
// leaves alone what others have changed meanwhile.
func (d *Driver) Keep(ctx context.Context) (func(context.Context) error, error) {
	if d.cluster == "" {
		return nil, errors.New("it is not known whose reservations are to be kept: read them first")
	}
	c, err := d.get(ctx)
	if err != nil {
		return nil, err
	}
	cluster, kept := d.cluster, c.part(d.cluster)
	d.saved = false
	return func(ctx context.Context) error { return d.putBack(ctx, cluster, kept) }, nil
}

// Write makes the server say want, and its file too.
func (d *Driver) Write(ctx context.Context, want render.Wanted) error {
	c, p, err := d.look(ctx, want)
	if err != nil {
		return err
	}
	if err := c.inspect(d.cluster, p, d.subnets); err != nil {
		return err
	}
	before := c.part(d.cluster)
	if err := d.put(ctx, c, d.cluster, p); err != nil {
		return err
	}
	failed := d.save(ctx)
	if failed == nil {
		d.saved = true
		return nil
	}
	failed = fmt.Errorf("%w: a restart of Kea would lose the change: let Kea's account write its configuration file", failed)
	recovery := context.WithoutCancel(ctx)
	if err := d.undo(recovery, d.cluster, before); err != nil {
		return errors.Join(failed, fmt.Errorf("and the change could not be undone: %w", err))
	}
	// A disk that is full has cut the file off. It may take the smaller one.
	if isRefusal(failed) && d.save(recovery) != nil {
		return fmt.Errorf("%w; the change was undone, and the file could not be written again", failed)
	}
	return fmt.Errorf("%w; the change was undone", failed)
}

func isRefusal(err error) bool { return errors.As(err, new(*refusal)) }

// save has the server write its configuration to its file.
func (d *Driver) save(ctx context.Context) error {
	_, _, err := d.channel.do(ctx, "config-write", nil)
	return err
}

// errDeaf is what putting back comes to when the server takes no configuration.
var errDeaf = errors.New("no configuration is taken, and Kea serves nobody: put right what it names, or restart it")

// putBack makes the server say kept again, and its file too if that was written meanwhile.
func (d *Driver) putBack(ctx context.Context, cluster string, kept part) error {
	switch err := d.undo(ctx, cluster, kept); {
	case err != nil:
		return err
	case d.deaf:
		return errDeaf
	case d.saved:
		return d.save(ctx)
	}
	return nil
}

// undo makes the running server say kept again.
func (d *Driver) undo(ctx context.Context, cluster string, kept part) error {
	c, err := d.get(ctx)
	if err != nil {
		return err
	}
	return d.put(ctx, c, cluster, kept)
}
