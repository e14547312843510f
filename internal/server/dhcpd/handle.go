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
)

// reasonPanic is the reason of a packet whose handling failed by a programming error.
const reasonPanic boot.Reason = "Panic"

// work handles packets until the queue is closed.
func (s *Server) work() {
	for p := range s.queue.waiting {
		s.handle(p)
		s.queue.put(p)
	}
}

// handle answers one packet. Whatever goes wrong in it, the next packet is handled.
func (s *Server) handle(p *packet) {
	start := time.Now()
	var kind dhcp4.MessageType
	reason := reasonPanic // stays when answer does not come back
	defer func() {
		if failure := recover(); failure != nil {
			s.metrics.panics.Inc()
			if fields, allowed := s.limits.troubles.With("reason", reasonPanic, "from", p.from,
				"packet", hex.EncodeToString(p.bytes()), "stack", string(debug.Stack())); allowed {
				s.log.Error(fmt.Errorf("panic: %v", failure), "handle a DHCP packet; it is not answered: please report this with the packet", fields...)
			}
		}
		s.metrics.packets.WithLabelValues(kind.String(), string(reason)).Inc()
		s.metrics.handling.Observe(time.Since(start).Seconds())
	}()
	kind, reason = s.answer(p, start)
}

// answer returns the message type and the reason that the packet ended in.
func (s *Server) answer(p *packet, start time.Time) (dhcp4.MessageType, boot.Reason) {
	request, err := s.parse(p)
	if err != nil {
		return s.refused(p, err)
	}
	self := s.config.Self()
	in := s.interfaces.byIndex(p.ifindex)
	request.Arrival = s.arrival(p, in)
	outcome := dhcp4.Answer(request, s.config.Snapshot().ByMAC, self)
	entry := journal.Entry{At: start, Stage: journal.StageDHCP, What: what(request, outcome), Reason: string(outcome.Reason)}
	if outcome.Verdict == dhcp4.Silent {
		s.silent(request, in, outcome)
	} else if err := s.reply(p, in, request, outcome, self.Servers); err != nil {
		entry.What += " (not sent: " + err.Error() + ")"
	} else {
		entry.Bytes = int64(len(outcome.Reply.Packet))
	}
	if outcome.Reservation != nil || outcome.Verdict != dhcp4.Silent {
		entry.Took = time.Since(start)
		s.config.Journal.Record(request.MAC, entry)
	}
	return request.Type, outcome.Reason
}

func (s *Server) parse(p *packet) (*dhcp4.Request, error) {
	if p.truncated {
		return nil, &dhcp4.ParseError{Reason: dhcp4.ReasonMalformed, Detail: fmt.Sprintf("more than %d bytes", maxPacket)}
	}
	q, err := dhcp4.Parse(p.bytes())
	if err != nil && dhcp4.OwnReply(p.bytes(), s.config.Self().Servers) {
		return nil, &dhcp4.ParseError{Reason: dhcp4.ReasonOwnReply, Detail: "an answer of this server came back to it"}
	}
	return q, err
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

func (s *Server) silent(request *dhcp4.Request, in iface, outcome dhcp4.Outcome) {
	if outcome.Reason == dhcp4.ReasonDeclined {
		s.declined(request, in, outcome.Reservation)
		return
	}
	if log := s.log.V(1); log.Enabled() {
		if fields, allowed := s.limits.silences.With(fields(request, in, outcome)...); allowed {
			log.Info("no answer", fields...)
		}
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

func (s *Server) reply(p *packet, in iface, request *dhcp4.Request, outcome dhcp4.Outcome, self dhcp4.Servers) error {
	delivery, err := s.send(p, in, outcome.Reply, self)
	log := fields(request, in, outcome)
	if err != nil {
		s.metrics.sendErrors.WithLabelValues(delivery.String()).Inc()
		if log, allowed := s.limits.troubles.With(append(log, "delivery", delivery.String())...); allowed {
			s.log.Error(err, "send a DHCP reply; the machine will ask again", log...)
		}
		return err
	}
	s.metrics.replies.WithLabelValues(outcome.Reply.Type.String(), delivery.String()).Inc()
	if s.log.Enabled() {
		if log, allowed := s.limits.answers.With(append(log, "reply", outcome.Reply.Type.String(), "delivery", delivery.String())...); allowed {
			s.log.Info("answered", log...)
		}
	}
	return nil
}

// fields are a log line's. What a client chose freely is quoted and cut, the rest are numbers, names and addresses.
func fields(request *dhcp4.Request, in iface, outcome dhcp4.Outcome) []any {
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

// what words the exchange for the journal, such as "DISCOVER -> OFFER 192.168.2.10 ipxe.efi". Where the machine does not
// get what it asks for, it says what that was.
func what(request *dhcp4.Request, outcome dhcp4.Outcome) string {
	text := request.Type.String()
	if outcome.Verdict == dhcp4.Silent || outcome.Verdict == dhcp4.Nak {
		if asked := cmp.Or(request.RequestedAddress, request.CIAddr); asked.IsValid() {
			text += " " + asked.String()
		}
	}
	text += " -> " + outcome.Verdict.String()
	if outcome.Reply.YIAddr.IsValid() {
		text += " " + outcome.Reply.YIAddr.String()
	}
	if outcome.Decision.BootFile != "" {
		text += " " + outcome.Decision.BootFile
	}
	return text + suffix(request, outcome)
}
