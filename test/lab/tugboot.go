package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/tugboot/tugboot/internal/journal"
)

// Ports of Tugboot's operations listeners in the lab.
const (
	operationsPort = "8080"
	healthPort     = "8081"
)

// Tugboot is `tugboot serve` at a station.
type Tugboot struct {
	*Process

	station *Station
}

// OperationsURL is where /metrics and /timeline/MAC are, seen from the station.
func (t *Tugboot) OperationsURL() string {
	return "http://" + net.JoinHostPort(t.station.Addr.String(), operationsPort)
}

// TugbootArgs is the command line that serves the lab's LAN from its server. See Station.TugbootArgs.
func TugbootArgs(program, ipxe, hook string, more ...string) []string {
	return (&Station{Addr: ServerAddr, Interface: ServerInterface}).TugbootArgs(program, ipxe, hook, more...)
}

// TugbootArgs is the command line that serves the lab's LAN from the station: program is Tugboot's binary, ipxe the
// folder with the iPXE binaries, hook the URL of kernel and initrd, or the path of the folder that they are in.
func (s *Station) TugbootArgs(program, ipxe, hook string, more ...string) []string {
	place := "--hook-url="
	if filepath.IsAbs(hook) {
		place = "--hook-dir="
	}
	return append([]string{program, "serve",
		"--interfaces=" + s.Interface, "--advertise=" + s.Addr.String(), "--dhcp=reservation",
		"--tftp=:69", "--http=:7171", "--syslog=:514", "--ipxe-dir=" + ipxe, place + hook,
		// An arm64 machine's serial line; PCs pass over it.
		"--kernel-args=console=ttyAMA0",
		"--metrics-bind-address=" + net.JoinHostPort(s.Addr.String(), operationsPort),
		"--health-probe-bind-address=" + net.JoinHostPort(s.Addr.String(), healthPort)}, more...)
}

// StartTugboot starts it at the lab's server. See Station.StartTugboot.
func (l *Lab) StartTugboot(ctx context.Context, name string, args []string) (*Tugboot, error) {
	return l.ServerStation().StartTugboot(ctx, name, args)
}

// StartTugboot starts it with the command line args, such as TugbootArgs makes, under a name that is unique at the
// station, and returns when it says that it is ready.
func (s *Station) StartTugboot(ctx context.Context, name string, args []string) (*Tugboot, error) {
	process, err := s.Start(Spec{Name: name, Args: args})
	if err != nil {
		return nil, err
	}
	t := &Tugboot{Process: process, station: s}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		_, err := get(ctx, s.Namespace, "http://"+net.JoinHostPort(s.Addr.String(), healthPort)+"/readyz")
		if err == nil {
			return t, nil
		}
		select {
		case <-process.Done():
			return nil, fmt.Errorf("tugboot ended (%s); the end of %s:\n%s", process.Outcome(), process.Log, Tail(process.Log, 15))
		case <-ctx.Done():
			return nil, fmt.Errorf("tugboot is not ready: %w; the end of %s:\n%s", err, process.Log, Tail(process.Log, 15))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// errUnknownMachine is a timeline's answer for a machine that has not been heard of.
var errUnknownMachine = errors.New("not heard of")

// Timeline returns what Tugboot remembers of the machine mac since the time given, the oldest first; nothing for a
// machine that it has not heard of.
func (t *Tugboot) Timeline(ctx context.Context, mac string, since time.Time) ([]journal.Entry, error) {
	text, err := get(ctx, t.station.Namespace, t.OperationsURL()+"/timeline/"+mac)
	if errors.Is(err, errUnknownMachine) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("timeline of %s: %w", mac, err)
	}
	var all, recent []journal.Entry
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("timeline of %s: %w", mac, err)
	}
	for _, e := range all {
		if !e.At.Before(since) {
			recent = append(recent, e)
		}
	}
	return recent, nil
}

// answerLimit is more than any answer that the lab asks for, in bytes.
const answerLimit = 1 << 22

// get fetches a URL from inside a namespace. Any answer but 200 is an error with the answer's text.
func get(ctx context.Context, n *Namespace, url string) (text []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := n.Client().Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	text, err = io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	switch response.StatusCode {
	case http.StatusOK:
		return text, nil
	case http.StatusNotFound:
		return nil, fmt.Errorf("%s: %w: %s", url, errUnknownMachine, strings.TrimSpace(string(text)))
	default:
		return nil, fmt.Errorf("%s: %s: %s", url, response.Status, strings.TrimSpace(string(text)))
	}
}
