package tftpd

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/tftp"
)

// ignore counts a packet that changed nothing.
func (s *Server) ignore(why boot.Reason) { s.metrics.ignored.WithLabelValues(string(why)).Inc() }

// refusal is a request that began no transfer.
type refusal struct {
	client  netip.AddrPort
	name    string
	fault   *tftp.Fault
	machine reservation.MAC
	at      time.Time
	cause   error
}

func (s *Server) reportRefusal(r refusal) {
	if !r.machine.IsZero() {
		s.config.Journal.Record(r.machine, journal.Entry{At: r.at, Stage: journal.StageTFTP,
			What: strconv.QuoteToASCII(r.name), Reason: string(r.fault.Reason)})
	}
	suppressed, allowed := s.speech.Allow()
	if !allowed {
		return
	}
	fields := []any{"client", r.client.String(), "file", strconv.QuoteToASCII(r.name), "reason", r.fault.Reason,
		"message", strconv.QuoteToASCII(r.fault.Message)}
	if suppressed > 0 {
		fields = append(fields, "suppressedLines", suppressed)
	}
	if r.cause != nil {
		s.config.Log.Error(r.cause, "TFTP request failed", fields...)
		return
	}
	s.config.Log.Info("TFTP request refused", fields...)
}

// reportSendFailure tells why the kernel did not send. Strangers can bring it about: a forged source may be an address
// to which there is no route.
func (l *listener) reportSendFailure(client netip.AddrPort, err error) {
	if quiet, allowed := l.server.speech.Allow(); allowed {
		l.server.config.Log.Error(err, "TFTP: cannot send: look at the routes to this client (ip route get)",
			"client", client.String(), "from", l.addr.String(), "suppressedLines", quiet)
	}
}

// reportEnd tells how a transfer ended. One that was completed ends in the reason of what was given.
func (s *Server) reportEnd(of *session, how boot.Reason, now time.Time) {
	why, took, served := how, now.Sub(of.begun), how == tftp.ReasonServed
	if served {
		s.metrics.duration.Observe(took.Seconds())
		if of.content.Reason != "" {
			why = of.content.Reason
		}
	}
	defer s.metrics.requests.WithLabelValues(string(why)).Inc()
	if !of.content.Machine.IsZero() {
		s.config.Journal.Record(of.content.Machine, journal.Entry{At: of.begun, Stage: journal.StageTFTP, What: of.what(),
			Reason: string(why), Bytes: of.transfer.Bytes(), Took: took})
	}
	var suppressed int64
	if !served {
		var allowed bool
		if suppressed, allowed = s.speech.Allow(); !allowed {
			return
		}
	}
	terms := of.transfer.Terms()
	fields := []any{"client", of.client.String(), "file", strconv.QuoteToASCII(of.name), "bytes", of.transfer.Bytes(),
		"duration", took.String(), "reason", why, "blksize", terms.BlockSize, "windowsize", terms.WindowSize}
	if detail := of.transfer.Detail(); detail != "" {
		fields = append(fields, "detail", strconv.QuoteToASCII(detail))
	}
	if suppressed > 0 {
		fields = append(fields, "suppressedLines", suppressed)
	}
	s.config.Log.Info("TFTP transfer ended", fields...)
}
