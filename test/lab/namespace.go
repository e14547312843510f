package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Namespace is a network namespace of a lab, with a thread of this process that lives in it. Sockets that are opened
// and processes that are started on that thread belong to the namespace.
type Namespace struct {
	// Name is the namespace's name for `ip netns`.
	Name string

	lab  *Lab
	jobs chan func()
	quit chan struct{} // closed to end the thread
	gone chan struct{} // closed when it has ended
}

func (l *Lab) newNamespace(name string) *Namespace {
	return &Namespace{Name: name, lab: l, jobs: make(chan func()), quit: make(chan struct{}), gone: make(chan struct{})}
}

// Path is the file that stands for the namespace, for nsenter --net.
func (n *Namespace) Path() string { return filepath.Join(netnsFolder, n.Name) }

func (l *Lab) enter(name string) (*Namespace, error) {
	n := l.newNamespace(name)
	entered := make(chan error)
	go func() {
		defer close(n.gone)
		// Never unlocked: the thread ends with the goroutine, so that no other goroutine wakes up in this namespace.
		runtime.LockOSThread()
		err := setNamespace(n.Path())
		entered <- err
		if err != nil {
			return
		}
		n.work()
	}()
	if err := <-entered; err != nil {
		return nil, fmt.Errorf("enter network namespace %s: %w", name, err)
	}
	return n, nil
}

func setNamespace(path string) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return errors.Join(unix.Setns(fd, unix.CLONE_NEWNET), unix.Close(fd))
}

// work runs jobs on the calling thread until the namespace is left.
func (n *Namespace) work() {
	for {
		select {
		case job := <-n.jobs:
			job()
		case <-n.quit:
			return
		}
	}
}

// leave ends the thread. The processes that it started must have ended: they are told to die with it.
func (n *Namespace) leave() {
	close(n.quit)
	<-n.gone
}

// Do runs f on the namespace's thread, one call at a time. f must not block for long and must not start goroutines that
// open sockets: those would run on other threads. It fails once the lab is closed.
func (n *Namespace) Do(f func() error) error {
	done := make(chan error, 1)
	select {
	case n.jobs <- func() { done <- f() }:
		return <-done
	case <-n.gone:
		return fmt.Errorf("network namespace %s: the lab is closed", n.Name)
	}
}

// ip runs ip(8) in the namespace, once for each command, until one fails. `ip -n` would need a mount namespace of its own,
// which not every container allows.
func (n *Namespace) ip(ctx context.Context, commands ...[]string) error {
	for _, command := range commands {
		if _, err := n.Run(ctx, nil, append([]string{"ip"}, command...)...); err != nil {
			return err
		}
	}
	return nil
}

// Listen listens on a TCP address of the namespace.
func (n *Namespace) Listen(address string) (listener net.Listener, err error) {
	err = n.Do(func() (err error) {
		listener, err = net.Listen("tcp4", address)
		return err
	})
	return listener, err
}

// Dial connects to a TCP address from inside the namespace.
func (n *Namespace) Dial(address string) (conn net.Conn, err error) {
	dialer := net.Dialer{Timeout: 2 * time.Second}
	err = n.Do(func() (err error) {
		conn, err = dialer.Dial("tcp4", address)
		return err
	})
	return conn, err
}

// Client returns an HTTP client that connects from inside the namespace.
func (n *Namespace) Client() *http.Client {
	dialer := net.Dialer{Timeout: 2 * time.Second}
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, // the other side comes and goes
		DialContext: func(ctx context.Context, _, address string) (conn net.Conn, err error) {
			err = n.Do(func() (err error) {
				conn, err = dialer.DialContext(ctx, "tcp4", address)
				return err
			})
			return conn, err
		},
	}}
}
