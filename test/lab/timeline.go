package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"time"
)

// Event is one thing that happened in a machine's boot, seen by Tugboot, the file server or on the serial line.
type Event struct {
	At    time.Time
	Stage string
	What  string
	// Bytes is what was sent to the machine; 0 where nothing was, or where it does not matter.
	Bytes int64
	Took  time.Duration
	// Reason is Tugboot's word for its answer, empty for what it did not answer.
	Reason string
}

// Stages of events beside those of the journal.
const (
	StagePower  = "power"
	StageKernel = "kernel"
	StageInit   = "init"
)

// Events returns all that happened to m since it was switched on, the oldest first. addr is the machine's reserved
// address, by which the file server knows it.
func (s *Site) Events(ctx context.Context, m *Machine, addr netip.Addr) ([]Event, error) {
	events := []Event{{At: m.PowerOn, Stage: StagePower, What: "switched on: " + m.Kind.Describe()}}
	// What Tugboot remembers is worth less than the rest of the timeline when it cannot be asked any more.
	entries, err := s.Tugboot.Timeline(ctx, m.MAC, m.PowerOn)
	for _, e := range entries {
		events = append(events, Event{At: e.At, Stage: string(e.Stage), What: e.What, Bytes: e.Bytes, Took: e.Took, Reason: e.Reason})
	}
	if s.Files != nil { // else Tugboot serves kernel and initrd itself, and remembers it
		for _, f := range s.Files.Fetches(addr) {
			if !f.At.Before(m.PowerOn) {
				events = append(events, f.event())
			}
		}
	}
	m.mu.Lock()
	if m.marker != "" {
		events = append(events, Event{At: m.upAt, Stage: StageInit, What: m.marker})
	}
	m.mu.Unlock()
	slices.SortStableFunc(events, func(a, b Event) int { return a.At.Compare(b.At) })
	if err != nil {
		return events, errors.Join(errors.New("the timeline lacks what Tugboot answered"), err)
	}
	return events, nil
}

// event is a fetch as part of a timeline.
func (f Fetch) event() Event {
	e := Event{At: f.At, Stage: StageKernel, What: fmt.Sprintf("%s %s", f.Method, path.Base(f.Path)), Bytes: f.Bytes, Took: f.Took}
	if f.Status >= 300 {
		e.What += fmt.Sprintf(" -> status %d", f.Status)
	}
	return e
}

// Describe is a few words about what the kind is.
func (k Kind) Describe() string {
	switch k {
	case BIOSChain:
		return "x86 PC, BIOS, PXE ROM that is not iPXE"
	case UEFI:
		return "x86-64 machine, UEFI firmware, PXE"
	case UEFIHTTP:
		return "x86-64 machine, UEFI firmware, HTTP boot"
	case ARM64:
		return "arm64 machine, UEFI firmware, PXE"
	default:
		return "x86 PC, BIOS, PXE"
	}
}
