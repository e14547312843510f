package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// ServerAddr is the address at which Tugboot, the Kubernetes API and the file server live. The LAN is 192.168.2.0/24.
var ServerAddr = netip.AddrFrom4([4]byte{192, 168, 2, 112})

// ServerInterface is the name of the server's interface on the LAN.
const ServerInterface = "s0"

const bridge = "br0"

// Lab is a LAN with a server on it. The server has a network namespace of its own; the machines' taps are ports of a
// bridge in another. Nothing in either reaches the host's network.
type Lab struct {
	// Server is the namespace of everything that serves, LAN that of the bridge and the machines.
	Server, LAN *Namespace
	// Dir is the folder for logs, keys and captures of this lab.
	Dir string
	// PXEROM is the file ipxe.lkrn, for machines of the kind BIOSChain.
	PXEROM string
	// SecureVars is the file with the firmware's variables of machines of the kind UEFISecure; empty for those in which
	// the test key of the package ovmf is the only one.
	SecureVars string

	claim *claim

	mu        sync.Mutex
	processes []*Process
	closers   []func() error
	taps      int
	closed    bool
}

// New makes a lab. The name (lower-case letters, digits and dashes) tells labs of different purposes apart: labs of that
// name whose process is gone are removed first. Files go below dir, which is made if need be. Close must be called.
func New(ctx context.Context, name, dir string) (*Lab, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("lab: run as root: only root may make network namespaces")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("lab folder %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("lab folder: %w", err)
	}
	if err := removeStale(ctx, name); err != nil {
		return nil, err
	}
	c, err := newClaim(name)
	if err != nil {
		return nil, err
	}
	l := &Lab{Dir: dir, claim: c}
	if err := l.wire(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// wire makes the namespaces, the bridge and the cable between server and bridge.
func (l *Lab) wire(ctx context.Context) (err error) {
	server, lan := l.claim.id+serverSuffix, l.claim.id+lanSuffix
	if err := errors.Join(ip(ctx, "netns", "add", server), ip(ctx, "netns", "add", lan)); err != nil {
		return err
	}
	if l.Server, err = l.enter(server); err != nil {
		return err
	}
	if l.LAN, err = l.enter(lan); err != nil {
		return err
	}
	if err := l.LAN.ip(ctx,
		// Without the delay a port forwards at once; without snooping, firmware that joins no group still hears multicast.
		[]string{"link", "add", bridge, "type", "bridge", "forward_delay", "0", "mcast_snooping", "0"},
		[]string{"link", "add", "c0", "type", "veth", "peer", "name", ServerInterface, "netns", server},
		[]string{"link", "set", "c0", "master", bridge},
		[]string{"link", "set", "lo", "up"},
		[]string{"link", "set", "c0", "up"},
		[]string{"link", "set", bridge, "up"}); err != nil {
		return err
	}
	return l.Server.ip(ctx,
		[]string{"address", "add", ServerAddr.String() + "/24", "dev", ServerInterface},
		[]string{"link", "set", "lo", "up"},
		[]string{"link", "set", ServerInterface, "up"})
}

// AddTap makes a tap on the bridge and returns its name.
func (l *Lab) AddTap(ctx context.Context) (string, error) {
	l.mu.Lock()
	tap := fmt.Sprintf("tap%d", l.taps)
	l.taps++
	l.mu.Unlock()
	return tap, l.LAN.ip(ctx,
		[]string{"tuntap", "add", tap, "mode", "tap"},
		[]string{"link", "set", tap, "master", bridge},
		[]string{"link", "set", tap, "up"})
}

// RemoveTap removes what AddTap made.
func (l *Lab) RemoveTap(ctx context.Context, tap string) error {
	return l.LAN.ip(ctx, []string{"link", "delete", tap})
}

// stopGrace is how long a process has to end after SIGTERM.
const stopGrace = 5 * time.Second

// Close ends every process of the lab, the youngest first, and removes the namespaces. It may be called more than once.
func (l *Lab) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	processes, closers := l.processes, l.closers
	l.mu.Unlock()

	var problems []error
	for i := len(closers) - 1; i >= 0; i-- {
		problems = append(problems, closers[i]())
	}
	for i := len(processes) - 1; i >= 0; i-- {
		processes[i].Stop(stopGrace)
	}
	for _, ns := range []*Namespace{l.Server, l.LAN} {
		if ns != nil {
			ns.leave()
		}
	}
	// The caller's context may be over by now, and all the same nothing may stay.
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	problems = append(problems, removeNamespaces(ctx, l.claim.id), l.claim.release())
	return errors.Join(problems...)
}

// onClose registers what Close calls before it ends the processes, the last registered first.
func (l *Lab) onClose(f func() error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closers = append(l.closers, f)
}
