package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Place is where a Foreign runs: a Station or a Host.
type Place interface {
	Start(Spec) (*Process, error)
	Run(ctx context.Context, stdin io.Reader, args ...string) ([]byte, error)
}

// Foreign is an existing DHCP service: somebody else's daemon, with somebody else's configuration. Between Stop or Kill
// and the next Start its files stay, as they do on a host that restarts.
type Foreign struct {
	Daemon Daemon
	// Dir is the folder of everything that the daemon reads and writes.
	Dir string
	// Config is the path of its configuration file.
	Config string
	// Socket is the path at which a Kea that is configured so listens for commands.
	Socket string

	place       Place
	name, iface string
	program     string
	process     *Process
	starts      int
}

// The names of a Foreign's files, below its folder.
const (
	foreignConfig = "dhcp.conf"
	foreignSocket = "kea.sock"
	foreignLeases = "leases"
	foreignPID    = "pid"
)

// NewForeign prepares a daemon at a place, where it is to serve on the interface iface. Its files go to the folder dir,
// which is made; name begins those of its logs and is unique in the lab.
func NewForeign(ctx context.Context, at Place, d Daemon, name, iface, dir string) (*Foreign, error) {
	f := &Foreign{Daemon: d, Dir: dir, Config: filepath.Join(dir, foreignConfig), Socket: filepath.Join(dir, foreignSocket),
		place: at, name: name, iface: iface, program: d.Program}
	// Kea listens only in a folder that others cannot enter.
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	if err := os.WriteFile(f.path(foreignLeases), nil, 0o640); err != nil { // dhcpd does not make it
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	if d.confined {
		// A copy: AppArmor knows the program by its path, and would keep it from the lab's files. Another process makes it,
		// for a file that is open for writing in this one cannot be run.
		f.program = f.path(filepath.Base(d.Program))
		if _, err := at.Run(ctx, nil, "cp", d.Program, f.program); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	return f, nil
}

func (f *Foreign) path(name string) string { return filepath.Join(f.Dir, name) }

// Configure writes the configuration file, whole or not at all.
func (f *Foreign) Configure(text string) error {
	if err := os.WriteFile(f.Config+".next", []byte(text), 0o640); err != nil {
		return fmt.Errorf("%s: %w", f.Daemon.Name, err)
	}
	return os.Rename(f.Config+".next", f.Config)
}

// Start starts the daemon and returns when it says that it serves.
func (f *Foreign) Start(ctx context.Context) error {
	f.starts++
	process, err := f.place.Start(Spec{Name: f.name + strconv.Itoa(f.starts), Env: f.Daemon.Kind.environment(f.Dir),
		Args: append([]string{f.program}, f.Daemon.Kind.arguments(f)...)})
	if err != nil {
		return fmt.Errorf("%s: %w", f.Daemon.Name, err)
	}
	f.process = process
	return f.Logs(ctx, f.Daemon.Kind.serving(), 1)
}

// Logs waits until the log since the last start holds a text that often.
func (f *Foreign) Logs(ctx context.Context, text string, times int) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		log, err := os.ReadFile(f.process.Log)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Daemon.Name, err)
		}
		if strings.Count(string(log), text) >= times {
			return nil
		}
		select {
		case <-f.process.Done():
			return fmt.Errorf("%s ended (%s); the end of %s:\n%s", f.Daemon.Name, f.process.Outcome(), f.process.Log, Tail(f.process.Log, 15))
		case <-ctx.Done():
			return fmt.Errorf("%s does not say %q: %w; the end of %s:\n%s", f.Daemon.Name, text, ctx.Err(), f.process.Log, Tail(f.process.Log, 15))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Reload sends SIGHUP. dnsmasq reads its live files again then, Kea its whole configuration; dhcpd ends.
func (f *Foreign) Reload() error {
	if err := f.alive(); err != nil {
		return err
	}
	return syscall.Kill(f.process.PID(), syscall.SIGHUP)
}

// Restart stops the daemon, if it runs, and starts it again.
func (f *Foreign) Restart(ctx context.Context) error {
	if f.process != nil {
		f.Stop()
	}
	return f.Start(ctx)
}

// Stop ends the daemon as its service manager would.
func (f *Foreign) Stop() { f.process.Stop(stopGrace) }

// Kill ends it at once, as a crash would.
func (f *Foreign) Kill() { f.process.Kill() }

// Running reports whether the daemon runs.
func (f *Foreign) Running() bool {
	select {
	case <-f.process.Done():
		return false
	default:
		return true
	}
}

// Log is the path of the log since the last start; empty before the first.
func (f *Foreign) Log() string {
	if f.process == nil {
		return ""
	}
	return f.process.Log
}

// Check has the daemon's own checker look at a configuration. The error is what it says of one that it refuses.
func (f *Foreign) Check(ctx context.Context, text string) error {
	file := f.path("check.conf")
	if err := os.WriteFile(file, []byte(text), 0o640); err != nil {
		return fmt.Errorf("%s: %w", f.Daemon.Name, err)
	}
	_, err := f.place.Run(ctx, nil, f.Checker(file)...)
	return err
}

// Checker is the command line by which the daemon's own checker looks at a file.
func (f *Foreign) Checker(file string) []string {
	args := append([]string{"env"}, f.Daemon.Kind.environment(f.Dir)...)
	return append(append(args, f.program), f.Daemon.Kind.checker(file)...)
}
