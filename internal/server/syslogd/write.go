package syslogd

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/syslog"
)

// dropReportEvery is how often dropped messages are spoken of in the log.
const dropReportEvery = 10 * time.Second

// write writes queued messages until the queue is closed and empty, or ctx ends.
func (s *Server) write(ctx context.Context) {
	ticker := time.NewTicker(dropReportEvery)
	defer ticker.Stop()
	defer s.reportDrops()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.reportDrops()
		case r, more := <-s.queue:
			if !more {
				return
			}
			s.handle(r)
		}
	}
}

// drain waits for the writer, but no longer than the drain timeout.
func (s *Server) drain(writing *sync.WaitGroup, stop context.CancelFunc) {
	timer := time.AfterFunc(s.config.DrainTimeout, func() {
		s.log.Info("messages left unwritten at the end of the drain time", "count", len(s.queue))
		stop()
	})
	defer timer.Stop()
	writing.Wait()
}

func (s *Server) reportDrops() {
	if n := s.dropped.Swap(0); n > 0 {
		s.log.Info("messages dropped; tugboot_syslog_messages_total tells why", "count", n)
	}
}

// handle writes one message to the log and, when a known machine sent it, to the journal.
func (s *Server) handle(r received) {
	defer s.recovered(r.transport, r.from.String(), r.raw)
	m := syslog.Parse(r.raw)
	host, app, procID := name(m.Host), name(m.App), name(m.ProcID)
	text := syslog.Clean(m.Text)
	values := []any{"source", r.from.String(), "transport", r.transport, "facility", m.Facility.String(),
		"severity", m.Severity.String(), "host", host, "app", app, "pid", procID, "time", name(m.Time),
		"text", syslog.Shorten(text, maxLogged)}
	if mac, known := s.machine(r); known {
		values = append(values, "machine", mac.String())
		s.journal.Record(mac, journal.Entry{At: r.at, Stage: journal.StageSyslog, Reason: string(ReasonReceived),
			What: syslog.Shorten(fmt.Sprintf("%s %s: %s", m.Severity, app, text), maxEntry)})
	}
	s.log.Info("message", values...)
	s.count(r.transport, ReasonReceived)
}

func (s *Server) machine(r received) (reservation.MAC, bool) {
	found, known := s.snapshot().ByAddress(r.from)
	if !known {
		return reservation.MAC{}, false
	}
	return found.MAC, true
}

// name cleans one of the names by which a sender calls itself.
func name(s string) string { return syslog.Shorten(syslog.Clean(s), maxName) }
