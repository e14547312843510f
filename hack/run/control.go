package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/tugboot/tugboot/test/lab"
)

// A second `lab` process asks the one that holds the site over a socket in the session's folder: POST /boot, answered by
// the boot's progress as text, with what went wrong at its end, and by a trailer that says whether anything did.
const (
	socketName   = "control.sock"
	failureField = "Tugboot-Failed"
)

func (h *session) socket() string { return filepath.Join(h.dir, socketName) }

// listen answers on the socket until the process ends.
func (h *session) listen() error {
	if err := os.Remove(h.socket()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("control socket: %w", err)
	}
	listener, err := net.Listen("unix", h.socket())
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /boot", h.serveBoot)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: dialTimeout}
	go func() {
		// Without the socket the site still serves; the one who asks over it is told that nobody answers.
		_ = server.Serve(listener)
	}()
	return nil
}

func (h *session) serveBoot(w http.ResponseWriter, r *http.Request) {
	kind, err := lab.ParseKind(r.FormValue("kind"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Trailer", failureField)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	out := flushing{w, http.NewResponseController(w)}
	if err := h.boot(r.Context(), kind, r.FormValue("machine"), out); err != nil {
		w.Header().Set(failureField, "true")
		fmt.Fprintf(out, "\n%v\n", err)
	}
}

// flushing sends each line at once.
type flushing struct {
	io.Writer
	control *http.ResponseController
}

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.Writer.Write(p)
	return n, errors.Join(err, f.control.Flush())
}

// askToBoot asks the process that holds the site to boot a machine and prints what it says.
func askToBoot(ctx context.Context, s settings, out io.Writer) error {
	socket := filepath.Join(s.root, "build", "run", socketName)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost,
		"http://lab/boot?kind="+url.QueryEscape(string(s.kind))+"&machine="+url.QueryEscape(s.machine), nil)
	if err != nil {
		return err
	}
	response, err := over(socket).Do(request)
	if err != nil {
		return fmt.Errorf("nothing answers at %s: start a site with `make run` in another terminal: %w", socket, err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(out, response.Body); err != nil {
		return fmt.Errorf("the site went away: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("refused: %s", response.Status)
	}
	if response.Trailer.Get(failureField) != "" {
		return fmt.Errorf("the machine did not boot (%s)", s.kind)
	}
	return nil
}

// ping tells whether a process answers at the socket.
func ping(ctx context.Context, socket string) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://lab/", nil)
	if err != nil {
		return err
	}
	response, err := over(socket).Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func over(socket string) *http.Client {
	dialer := net.Dialer{Timeout: dialTimeout}
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		}}}
}
