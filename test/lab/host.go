package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Host is one more host of the lab: a network namespace with processes in it, such as a DHCP client's or a relay
// agent's. Its namespace has no name, so that nothing of it can outlive the process that made it.
type Host struct {
	*Namespace

	thread int // the ID of the thread that lives in the namespace

	mu        sync.Mutex
	processes []*Process
}

// AddHost makes a host without a cable. Close of the lab ends its processes and removes it.
func (l *Lab) AddHost(ctx context.Context, name string) (*Host, error) {
	h := &Host{Namespace: l.newNamespace(name)}
	entered := make(chan error)
	go h.live(entered)
	if err := <-entered; err != nil {
		return nil, fmt.Errorf("host %s: make a network namespace: %w", name, err)
	}
	l.onClose(h.close)
	_, err := h.Run(ctx, nil, "ip", "link", "set", "lo", "up")
	return h, err
}

// live makes the namespace and runs jobs in it until the host is removed.
func (h *Host) live(entered chan<- error) {
	defer close(h.gone)
	// Never unlocked: the thread ends with the goroutine, and the namespace with its last thread.
	runtime.LockOSThread()
	h.thread = unix.Gettid()
	err := unix.Unshare(unix.CLONE_NEWNET)
	entered <- err
	if err != nil {
		return
	}
	h.work()
}

// Path is the file that stands for the namespace as long as the host is there.
func (h *Host) Path() string { return fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), h.thread) }

// PlugIn gives the host an interface with a MAC and a cable from it to the lab's bridge. It returns when the bridge
// forwards between all its ports: the kernel takes up to a second to notice a cable, and drops frames until then.
func (h *Host) PlugIn(ctx context.Context, name, mac string) error {
	h.lab.mu.Lock()
	port := fmt.Sprintf("host%d", h.lab.taps)
	h.lab.taps++
	h.lab.mu.Unlock()
	for _, args := range [][]string{
		{"link", "add", port, "type", "veth", "peer", "name", name, "address", mac, "netns", h.Path()},
		{"link", "set", port, "master", bridge},
		{"link", "set", port, "up"},
	} {
		if _, err := h.lab.LAN.Run(ctx, nil, append([]string{"ip"}, args...)...); err != nil {
			return fmt.Errorf("host %s: plug in %s: %w", h.Name, name, err)
		}
	}
	if err := h.up(ctx, name); err != nil {
		return err
	}
	return h.waitForwarding(ctx)
}

func (h *Host) waitForwarding(ctx context.Context) error {
	for {
		out, err := h.lab.LAN.Run(ctx, nil, "bridge", "-json", "link", "show")
		if err != nil {
			return fmt.Errorf("host %s: state of the bridge's ports: %w", h.Name, err)
		}
		var ports []struct{ State string }
		if err := json.Unmarshal(out, &ports); err != nil {
			return fmt.Errorf("host %s: state of the bridge's ports: %w", h.Name, err)
		}
		waiting := slices.ContainsFunc(ports, func(p struct{ State string }) bool { return p.State != "forwarding" })
		if !waiting {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("host %s: the bridge does not forward: %w: %s", h.Name, ctx.Err(), out)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Connect gives both hosts an interface, with a cable between the two.
func (h *Host) Connect(ctx context.Context, name, mac string, other *Host, otherName, otherMAC string) error {
	if _, err := h.Run(ctx, nil, "ip", "link", "add", name, "address", mac, "type", "veth",
		"peer", "name", otherName, "address", otherMAC, "netns", other.Path()); err != nil {
		return fmt.Errorf("host %s: connect %s to %s: %w", h.Name, name, other.Name, err)
	}
	return errors.Join(h.up(ctx, name), other.up(ctx, otherName))
}

func (h *Host) up(ctx context.Context, name string) error {
	_, err := h.Run(ctx, nil, "ip", "link", "set", name, "up")
	return err
}

// Start starts a process on the host.
func (h *Host) Start(s Spec) (*Process, error) {
	p, err := h.Namespace.Start(s)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.processes = append(h.processes, p)
	return p, nil
}

// close ends the host's processes, the youngest first, and those that they left behind.
func (h *Host) close() error {
	h.mu.Lock()
	processes := h.processes
	h.mu.Unlock()
	for i := len(processes) - 1; i >= 0; i-- {
		processes[i].Stop(stopGrace)
	}
	err := h.killRest()
	h.leave()
	return err
}

// killRest kills every process that is in the namespace, except this one.
func (h *Host) killRest() error {
	own, err := os.Readlink(h.Path())
	if err != nil {
		return fmt.Errorf("host %s: %w", h.Name, err)
	}
	links, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		return fmt.Errorf("host %s: %w", h.Name, err)
	}
	var problems []error
	for _, link := range links {
		if in, err := os.Readlink(link); err != nil || in != own {
			continue // gone by now, or somewhere else
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(link))))
		if err != nil || pid == os.Getpid() {
			continue
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			problems = append(problems, fmt.Errorf("host %s: end process %d: %w", h.Name, pid, err))
		}
	}
	return errors.Join(problems...)
}
