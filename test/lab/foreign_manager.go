package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Manager is what a host's service manager is to a Foreign: its command lines, which any process of this machine may run,
// reload the daemon, restart it, and tell by their exit code whether it runs. They need curl, and take turns with the
// lab's owner: while one runs, the owner must not start or stop the daemon.
type Manager struct{ Reload, Restart, Alive []string }

// Manage makes the manager, until the lab is closed.
func (l *Lab) Manage(ctx context.Context, f *Foreign) (*Manager, error) {
	socket := f.path("manager.sock")
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("%s: manager: %w", f.Daemon.Name, err)
	}
	mux := http.NewServeMux()
	for path, do := range map[string]func() error{
		"/reload": f.Reload, "/restart": func() error { return f.Restart(ctx) }, "/alive": f.alive,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			if err := do(); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	l.onClose(func() error {
		err := server.Close()
		if serving := <-ended; !errors.Is(serving, http.ErrServerClosed) {
			err = errors.Join(err, serving)
		}
		return err
	})
	command := func(path string) []string {
		return []string{"curl", "--silent", "--show-error", "--fail-with-body", "--unix-socket", socket, "http://manager" + path}
	}
	return &Manager{Reload: command("/reload"), Restart: command("/restart"), Alive: command("/alive")}, nil
}

func (f *Foreign) alive() error {
	if !f.Running() {
		return fmt.Errorf("%s has ended (%s); the end of %s:\n%s", f.Daemon.Name, f.process.Outcome(), f.process.Log, Tail(f.process.Log, 15))
	}
	return nil
}
