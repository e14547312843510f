package lab

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// Capture is a packet capture of everything on the server's interface.
type Capture struct {
	// Path is the pcap file.
	Path string

	process *Process
}

// StartCapture begins a capture in the file NAME.pcap of the lab's folder. It needs tcpdump.
func (l *Lab) StartCapture(ctx context.Context, name string) (*Capture, error) {
	c := &Capture{Path: filepath.Join(l.Dir, name+".pcap")}
	// -U writes each packet at once; -Z root keeps tcpdump from giving up the right to write where it was told to. Bodies
	// of files are cut: headers are what one looks for.
	process, err := l.Server.Start(Spec{Name: "tcpdump-" + name,
		Args: []string{"tcpdump", "-Z", "root", "-i", ServerInterface, "-s", "1600", "-U", "-w", c.Path}})
	if err != nil {
		return nil, fmt.Errorf("capture: %w: install the package tcpdump", err)
	}
	c.process = process
	// tcpdump says that it listens once it does; before that packets would be missed.
	for !strings.Contains(Tail(process.Log, 5), "listening on") {
		select {
		case <-process.Done():
			return nil, fmt.Errorf("capture: tcpdump ended: %s", Tail(process.Log, 5))
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return c, nil
}

// Stop ends the capture and completes the file.
func (c *Capture) Stop() { c.process.Stop(stopGrace) }
