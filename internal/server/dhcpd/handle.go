package dhcpd

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/dhcp4"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/server/limit"
)

// reasonPanic is the reason of a packet whose handling failed by a programming error.
const reasonPanic boot.Reason = "Panic"

// handle answers one packet; the answer waits for flush. Whatever goes wrong in it, the next packet is handled.
func (w *worker) handle(p *packet) {
	var kind dhcp4.MessageType
	reason := reasonPanic // stays when answer does not come back
	defer func() { w.tally.ended(kind, reason) }()
	defer w.s.survive("handle a DHCP packet; it is not answered: please report this with the packet", p)
	kind, reason = w.answer(p)
}

// survive ends a panic, and reports it with the packet where there is one.
func (s *Server) survive(doing string, p *packet) {
	failure := recover()
	if failure == nil {
		return
	}
	s.metrics.panics.Inc()
	fields, allowed := s.limits.troubles.With("reason", reasonPanic, "stack", string(debug.Stack()))
	if !allowed {
		return
	}
	if p != nil {
		fields = append(fields, "from", p.from, "packet", hex.EncodeToString(p.bytes()))
	}
	s.log.Error(fmt.Errorf("panic: %v", failure), doing, fields...)
}

// answer returns the message type and the reason that the packet ended in.
func (w *worker) answer(p *packet) (dhcp4.MessageType, boot.Reason) {
	s, request := w.s, &w.exchange.Request
	if err := w.read(p); err != nil {
		return s.refused(p, err)
	}
	self := s.config.Self()
	in := s.interfaces.byIndex(p.ifindex)
	request.Arrival = s.arrival(p, in)
	outcome := w.exchange.Answer(s.config.Snapshot().ByMAC, self)
	if outcome.Verdict != dhcp4.Silent {
		a := w.answers[w.waiting]
		s.address(a, p, in, &outcome.Reply, self.Servers)
		a.machine, a.entry, a.log = request.MAC, s.entry(request, &outcome, p.at), s.fieldsOfAnswer(request, in, &outcome, p.at)
		w.waiting++
		return request.Type, outcome.Reason
	}
	s.silent(request, in, &outcome)
	took := time.Since(p.at)
	s.metrics.handling.Observe(took.Seconds())
	if outcome.Reservation != nil {
		entry := s.entry(request, &outcome, p.at)
		entry.Took = took
		s.config.Journal.Record(request.MAC, entry)
	}
	return request.Type, outcome.Reason
}

// entry is what the journal has of an exchange before anything was sent.
func (s *Server) entry(request *dhcp4.Request, outcome *dhcp4.Outcome, at time.Time) journal.Entry {
	return journal.Entry{At: at, Stage: journal.StageDHCP, Exchange: exchange(request, outcome), Reason: string(outcome.Reason)}
}

func (w *worker) read(p *packet) error {
	if p.truncated {
		return &dhcp4.ParseError{Reason: dhcp4.ReasonMalformed, Detail: fmt.Sprintf("more than %d bytes", maxPacket)}
	}
	err := w.exchange.Read(p.bytes())
	if err != nil && dhcp4.OwnReply(p.bytes(), w.s.config.Self().Servers) {
		return &dhcp4.ParseError{Reason: dhcp4.ReasonOwnReply, Detail: "an answer of this server came back to it"}
	}
	return err
}

func (s *Server) refused(p *packet, err error) (dhcp4.MessageType, boot.Reason) {
	var refusal *dhcp4.ParseError
	if !errors.As(err, &refusal) {
		refusal = &dhcp4.ParseError{Reason: dhcp4.ReasonMalformed, Detail: err.Error()}
	}
	if log := s.log.V(1); log.Enabled() {
		if fields, allowed := s.limits.silences.With("reason", refusal.Reason, "detail", refusal.Detail, "from", p.from,
			"interface", s.interfaces.byIndex(p.ifindex).name); allowed {
			log.Info("ignored a packet", fields...)
		}
	}
	return refusal.Type, refusal.Reason
}

func (s *Server) silent(request *dhcp4.Request, in iface, outcome *dhcp4.Outcome) {
	if outcome.Reason == dhcp4.ReasonDeclined {
		s.declined(request, in, outcome.Reservation)
		return
	}
	log := s.log.V(1)
	if !log.Enabled() {
		return
	}
	if suppressed, allowed := s.limits.silences.Allow(); allowed {
		log.Info("no answer", limit.Suppressed(fields(request, in, outcome), suppressed)...)
	}
}

// declined says that a machine found its address in use: the one silence that somebody must act on.
func (s *Server) declined(request *dhcp4.Request, in iface, r *reservation.Reservation) {
	problem := reservation.Problem{
		Source: r.Source, Reason: string(dhcp4.ReasonDeclined),
		Field: fmt.Sprintf("spec.interfaces[%d].dhcp.ip.address", r.Source.Interface), Value: r.Address.Addr().String(),
		Remedy: fmt.Sprintf("machine %s declined it because another host uses it: find that host (arping shows its MAC) or reserve another address", request.MAC),
	}
	if fields, allowed := s.limits.troubles.With("mac", request.MAC.String(), "interface", in.name, "reason", dhcp4.ReasonDeclined); allowed {
		s.log.Error(problem, "an address is in use twice", fields...)
	}
	if s.config.Report != nil {
		s.config.Report(problem)
	}
}

// fieldsOfAnswer are the fields of the line that says what was answered; nil where there is to be none.
func (s *Server) fieldsOfAnswer(request *dhcp4.Request, in iface, outcome *dhcp4.Outcome, at time.Time) []any {
	if !s.log.Enabled() {
		return nil
	}
	suppressed, allowed := s.limits.answers.AllowAt(at)
	if !allowed {
		return nil
	}
	return limit.Suppressed(fields(request, in, outcome), suppressed)
}

// insteadOfFrame has an answer broadcast that could not be sent by link-layer unicast.
func (s *Server) insteadOfFrame(a *answered, err error) {
	s.metrics.sendErrors.WithLabelValues(a.delivery.String()).Inc()
	if fields, allowed := s.limits.troubles.With("interface", a.in.name, "mac", a.mac.String()); allowed {
		s.log.Error(err, "send by link-layer unicast; broadcasting instead", fields...)
	}
	a.broadcast()
}

// unsent says that an answer could not be sent.
func (s *Server) unsent(a *answered, err error) {
	s.metrics.sendErrors.WithLabelValues(a.delivery.String()).Inc()
	a.entry.Exchange.Then += " (not sent: " + err.Error() + ")"
	if fields, allowed := s.limits.troubles.With("mac", a.machine.String(), "interface", a.in.name, "reason", a.entry.Reason,
		"exchange", a.entry.Exchange.String(), "delivery", a.delivery.String()); allowed {
		s.log.Error(err, "send a DHCP reply; the machine will ask again", fields...)
	}
}

// fields are a log line's. What a client chose freely is quoted and cut, the rest are numbers, names and addresses.
func fields(request *dhcp4.Request, in iface, outcome *dhcp4.Outcome) []any {
	f := []any{"mac", request.MAC.String(), "type", request.Type.String(), "interface", in.name, "reason", outcome.Reason}
	if outcome.Reply.YIAddr.IsValid() {
		f = append(f, "address", outcome.Reply.YIAddr)
	}
	if outcome.Decision.BootFile != "" {
		f = append(f, "bootFile", outcome.Decision.BootFile, "nextServer", outcome.Decision.NextServer)
	}
	if request.Arrival.Mode.Proxies() {
		f = append(f, "mode", request.Arrival.Mode.String())
	}
	if request.GIAddr.IsValid() {
		f = append(f, "relay", request.GIAddr)
	}
	if request.UserClass != "" {
		f = append(f, "userClass", quoted(request.UserClass))
	}
	if len(outcome.Reply.Omitted) > 0 {
		f = append(f, "omittedOptions", fmt.Sprint(outcome.Reply.Omitted))
	}
	return f
}

// quoted makes at most the first 40 bytes of s harmless for every terminal and log format.
func quoted(s string) string {
	if len(s) > 40 {
		s = s[:40]
	}
	return strconv.QuoteToASCII(s)
}

// exchange is what the journal has of an exchange. Where the machine does not get what it asks for, it says what that was.
func exchange(request *dhcp4.Request, outcome *dhcp4.Outcome) journal.Exchange {
	e := journal.Exchange{Asked: request.Type.String(), Answered: outcome.Verdict.String(),
		BootFile: outcome.Decision.BootFile, Then: suffix(request, outcome)}
	if given := outcome.Reply.YIAddr; given.Is4() {
		e.Address = given.As4()
	}
	if outcome.Verdict == dhcp4.Silent || outcome.Verdict == dhcp4.Nak {
		if asked := cmp.Or(request.RequestedAddress, request.CIAddr); asked.Is4() {
			e.For = asked.As4()
		}
	}
	return e
}
