package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/test/bench/account"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// command is what the first argument names; the bench itself when it names none. The others are parts of the bench that
// run as processes of their own.
func command(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	if len(args) == 0 {
		return bench(ctx, args)
	}
	switch args[0] {
	case "enter":
		return enter(args[1:])
	case "load":
		return load(args[1:], stdin, stdout)
	case "serve-http":
		return serveHTTP(ctx, args[1:])
	default:
		return bench(ctx, args)
	}
}

// enter pins this process to a CPU, puts it into a control group unless that is "-", and becomes another program.
func enter(args []string) error {
	if len(args) < 3 {
		return errors.New("usage: bench enter CPU ACCOUNT PROGRAM [ARGUMENT ...]")
	}
	cpu, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	runtime.LockOSThread() // what this thread may run on, the program that it becomes may
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin to CPU %d: %w", cpu, err)
	}
	if args[1] != "-" {
		if err := account.At(args[1]).Enter(); err != nil {
			return err
		}
	}
	program, err := exec.LookPath(args[2])
	if err != nil {
		return err
	}
	return syscall.Exec(program, args[2:], os.Environ())
}

// serveHTTP serves the files of a folder as Go's own file server does.
func serveHTTP(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: bench serve-http ADDRESS FOLDER")
	}
	server := &http.Server{Addr: args[0], Handler: http.FileServer(http.Dir(args[1])), ReadHeaderTimeout: 10 * time.Second}
	closed := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { closed <- server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return err
	}
	return <-closed
}
