package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/lint"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/render/dnsmasq"
	"github.com/tugboot/tugboot/internal/render/isc"
)

// Language is what the driver must know of one daemon's files: whose they are, how they are written, looked at, and compared
// with what is wanted.
type Language struct {
	Daemon   lint.Daemon
	Render   func(render.Wanted) (render.Output, error)
	Check    func(name, text string) error
	Standing func(map[string]string, render.Wanted) (render.Word, int, []string, int, error)
}

// Dnsmasq is the language of dnsmasq.
func Dnsmasq() Language {
	return Language{Daemon: lint.Dnsmasq, Render: dnsmasq.Render, Check: dnsmasq.Check, Standing: dnsmasq.Standing}
}

// ISC is the language of ISC dhcpd.
func ISC() Language {
	return Language{Daemon: lint.DHCPD, Render: isc.Render, Check: isc.Check, Standing: isc.Standing}
}

// The defaults of Options.
const (
	DefaultMode    os.FileMode = 0o644
	DefaultTimeout             = 30 * time.Second
)

// MainPlace stands in Options.Check for the path of the copy of Options.Main.
const MainPlace = "{main}"

// Options say where the files are and by which commands the daemon is spoken to. A command is an argument vector: no shell
// looks at it.
type Options struct {
	Language Language
	// Folder is the absolute path of the folder of the live files. It must be there.
	Folder string
	// Mode is that of the live files; 0 means DefaultMode.
	Mode os.FileMode
	// Check is the daemon's own checker; empty means none. MainPlace in it becomes the path of a copy of Main, in which
	// Folder is replaced by a folder with the files that are to be written. Files that Main names by absolute path, and
	// that mention Folder, are followed; patterns and folders are not.
	Check []string
	// Main is the absolute path of the operator's main configuration; empty when Check does not ask for it. Lint reads it, and
	// all that it includes.
	Main string
	// Reload makes the daemon read the files again. It must be given.
	Reload []string
	// Alive exits with 0 while the daemon runs; empty means that this is not asked.
	Alive []string
	// Timeout is how long one command may take; 0 means DefaultTimeout.
	Timeout time.Duration
	// Version prints the daemon's version; empty means that this is not asked.
	Version []string
}

// Driver drives one daemon on this machine. It implements dhcpservice.Driver, and is not safe for concurrent use.
type Driver struct {
	options Options
	// names are those of the live files, known from the last Wanted.
	names []string
	// reloaded is true when the daemon was told to read since the last Keep.
	reloaded bool
	// swap is Swap, patience how long the daemon may take to run after a reload, pause the time between two questions.
	swap            func(folder string, mode os.FileMode, live []render.File) error
	patience, pause time.Duration
}

var _ dhcpservice.Driver = (*Driver)(nil)

// New returns a driver; it neither reads nor runs anything. The error names the option that cannot be used.
func New(o Options) (*Driver, error) {
	switch {
	case o.Language.Daemon == "" || o.Language.Render == nil || o.Language.Check == nil || o.Language.Standing == nil:
		return nil, errors.New("language: not whole: give that of dnsmasq or of ISC dhcpd")
	case !filepath.IsAbs(o.Folder) || filepath.Clean(o.Folder) == "/":
		return nil, fmt.Errorf("folder %+.200q: not the absolute path of a folder: give the one that the daemon's configuration names", o.Folder)
	case o.Mode&^os.ModePerm != 0:
		return nil, fmt.Errorf("mode %s: more than permissions: give such as 0644", o.Mode)
	case len(o.Reload) == 0:
		return nil, errors.New("reload: no command: give the one that makes the daemon read its files again")
	case o.Main != "" && !filepath.IsAbs(o.Main):
		return nil, fmt.Errorf("main configuration %+.200q: not an absolute path", o.Main)
	case o.Main == "" && slices.ContainsFunc(o.Check, func(arg string) bool { return strings.Contains(arg, MainPlace) }):
		return nil, fmt.Errorf("check: %s stands in it and the main configuration is not known: give its path", MainPlace)
	case o.Timeout < 0:
		return nil, fmt.Errorf("timeout %s: below zero: give a positive one, or 0 for %s", o.Timeout, DefaultTimeout)
	}
	for _, c := range []struct {
		name string
		argv []string
	}{{"check", o.Check}, {"reload", o.Reload}, {"alive", o.Alive}, {"version", o.Version}} {
		if len(c.argv) > 0 && c.argv[0] == "" {
			return nil, fmt.Errorf("%s: the command's name is empty: give a program and its arguments", c.name)
		}
	}
	o.Folder = filepath.Clean(o.Folder)
	if o.Mode == 0 {
		o.Mode = DefaultMode
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	return &Driver{options: o, swap: Swap, patience: 5 * time.Second, pause: 250 * time.Millisecond}, nil
}

// live renders want and remembers the names of its live files.
func (d *Driver) live(want render.Wanted) ([]render.File, error) {
	out, err := d.options.Language.Render(want)
	if err != nil {
		return nil, err
	}
	d.names = nil
	for _, f := range out.Live {
		d.names = append(d.names, f.Name)
	}
	return out.Live, nil
}

// Read returns what stands in the files of the cluster; edits by hand are drift. A file whose mark cannot be read, one that
// is larger than 64 MiB and a link out of the folder are errors.
func (d *Driver) Read(ctx context.Context, want render.Wanted) (dhcpservice.Standing, error) {
	if _, err := d.live(want); err != nil {
		return dhcpservice.Standing{}, err
	}
	texts, err := read(d.options.Folder, d.names)
	if err != nil {
		return dhcpservice.Standing{}, err
	}
	word, reservations, drift, drifts, err := d.options.Language.Standing(texts, want)
	if err != nil {
		return dhcpservice.Standing{}, fmt.Errorf("folder %s: %w", d.options.Folder, err)
	}
	return dhcpservice.Standing{
		Word: word, Reservations: reservations, Drift: drift, Drifts: drifts, Findings: dhcpservice.FindingsOf(d.findings(ctx, nil)),
	}, nil
}

// Check looks at each file that is to be written, has lint look at them in the operator's configuration, and then the daemon's
// own checker in a folder of their own, .check-CLUSTER.NUMBER inside of the live one, which is removed afterwards.
func (d *Driver) Check(ctx context.Context, want render.Wanted) error {
	live, err := d.live(want)
	if err != nil {
		return err
	}
	for _, f := range live {
		if err := d.options.Language.Check(f.Name, f.Text); err != nil {
			return fmt.Errorf("the file that is to be written: %w", err)
		}
	}
	if err := d.harmless(ctx, live); err != nil || len(d.options.Check) == 0 {
		return err
	}
	return d.ask(ctx, want.Word.Mark.Cluster, live)
}

// Keep remembers the files of the cluster that was read last. What it returns puts back those that differ, removes those
// that were not there, and has the daemon read them again; when nothing was changed, it leaves the daemon alone.
func (d *Driver) Keep(context.Context) (func(context.Context) error, error) {
	if len(d.names) == 0 {
		return nil, errors.New("it is not known whose files are to be kept: read them first")
	}
	names := d.names
	kept, err := read(d.options.Folder, names)
	if err != nil {
		return nil, err
	}
	d.reloaded = false
	return func(ctx context.Context) error { return d.putBack(ctx, names, kept) }, nil
}

// Write replaces the files of the cluster, has the daemon read them, and waits until it runs.
func (d *Driver) Write(ctx context.Context, want render.Wanted) error {
	live, err := d.live(want)
	if err != nil {
		return err
	}
	if err := d.swap(d.options.Folder, d.options.Mode, live); err != nil {
		return err
	}
	return d.reload(ctx)
}

// Version returns the first line that the daemon says of its version, empty when that is not asked.
func (d *Driver) Version(ctx context.Context) (string, error) {
	if len(d.options.Version) == 0 {
		return "", nil
	}
	said, err := d.run(ctx, "version", d.options.Version)
	if err != nil {
		return "", err
	}
	return firstLine(said), nil
}

// putBack makes the files those of kept again.
func (d *Driver) putBack(ctx context.Context, names []string, kept map[string]string) error {
	stands, err := read(d.options.Folder, names)
	if err != nil {
		return err
	}
	var back []render.File
	var gone []string
	for _, name := range names {
		text, was := kept[name]
		now, is := stands[name]
		switch {
		case was && (!is || now != text):
			back = append(back, render.File{Name: name, Text: text})
		case is && !was:
			gone = append(gone, name)
		}
	}
	if err := d.swap(d.options.Folder, d.options.Mode, back); err != nil {
		return err
	}
	for _, name := range gone {
		if err := os.Remove(filepath.Join(d.options.Folder, name)); err != nil {
			return fmt.Errorf("remove the file again: %w: let this process write in the folder", err)
		}
	}
	if len(back)+len(gone) == 0 && !d.reloaded {
		return nil
	}
	if err := flush(d.options.Folder); err != nil {
		return err
	}
	if err := d.reload(ctx); err != nil {
		return fmt.Errorf("the files are as they were before, and the daemon does not read them: %w", err)
	}
	return nil
}
