package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Spec says what to run in a namespace.
type Spec struct {
	// Name is unique in the lab: NAME.log in the lab's folder takes the standard error, and the standard output too
	// unless Output is set.
	Name string
	// Args are the program and its arguments.
	Args []string
	// Env is added to this process's environment.
	Env []string
	// Output takes the standard output.
	Output io.Writer
}

// Process is a program that runs in a namespace. It dies with the lab, and with this process however that ends.
type Process struct {
	Name string
	// Log is the path of its log.
	Log string

	cmd  *exec.Cmd
	done chan struct{}
	err  error // valid once done is closed
	stop sync.Once
}

// Start starts a process.
func (n *Namespace) Start(s Spec) (*Process, error) {
	if len(s.Args) == 0 {
		return nil, fmt.Errorf("process %s: no program to run", s.Name)
	}
	p := &Process{Name: s.Name, Log: filepath.Join(n.lab.Dir, s.Name+".log"), done: make(chan struct{})}
	log, err := os.Create(p.Log)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", s.Name, err)
	}
	defer log.Close() // the process has its own descriptor
	p.cmd = exec.Command(s.Args[0], s.Args[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = io.Writer(log), log
	if s.Output != nil {
		p.cmd.Stdout = s.Output
	}
	p.cmd.Env = append(os.Environ(), s.Env...)
	// A group of its own: Ctrl-C on the terminal is for the lab's owner, who then stops things in order. The death
	// signal is tied to the starting thread, which lives as long as the lab.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}

	n.lab.mu.Lock()
	defer n.lab.mu.Unlock()
	if n.lab.closed {
		return nil, fmt.Errorf("start %s: the lab is closed", s.Name)
	}
	if err := n.Do(p.cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Name, err)
	}
	n.lab.processes = append(n.lab.processes, p)
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Run runs a command in the namespace to its end and returns its standard output. The error holds its standard error.
// When ctx ends first, the command is killed.
func (n *Namespace) Run(ctx context.Context, stdin io.Reader, args ...string) ([]byte, error) {
	if len(args) == 0 {
		return nil, errors.New("no program to run")
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	if err := n.Do(cmd.Start); err != nil {
		return nil, fmt.Errorf("%s: %w", args[0], err)
	}
	if err := cmd.Wait(); err != nil {
		return stdout.Bytes(), fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is how the process ended: nil for exit code 0. It may be asked once Done is closed.
func (p *Process) Err() error { return p.err }

// Outcome says how the process ended, such as "exit status 1". It may be asked once Done is closed.
func (p *Process) Outcome() string { return p.cmd.ProcessState.String() }

// PID is the process's ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Stop asks the process and its children to end, kills them after grace, and returns when the process is gone.
func (p *Process) Stop(grace time.Duration) {
	p.stop.Do(func() {
		p.signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(grace):
			p.signal(syscall.SIGKILL)
		}
	})
	<-p.done
}

// Kill ends the process and its children at once, and returns when the process is gone.
func (p *Process) Kill() {
	p.stop.Do(func() { p.signal(syscall.SIGKILL) })
	<-p.done
}

// signal sends s to the process's group, unless the process has ended: its number may be somebody else's by then.
func (p *Process) signal(s syscall.Signal) {
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(-p.cmd.Process.Pid, s) // it can only fail when the child ended this moment
	}
}

// Tail returns the last lines of a log, for the message about what failed.
func Tail(path string, lines int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
