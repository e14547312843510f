package tftpd

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/ipxe"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/tftp"
)

// linger is how long a completed transfer stays in the table, so that a repeated last ACK is not told that its transfer
// is unknown.
const linger = 5 * time.Second

// session is one transfer: its state machine, its client and its timer.
type session struct {
	listener *listener
	client   netip.AddrPort
	route    route

	mu       sync.Mutex
	gone     bool // out of the table: who waited for the lock must look there again
	over     bool
	lingers  bool // over, and still in the table
	counted  bool // admission knows that the client has answered
	transfer *tftp.Transfer
	name     string // as the client sent it
	content  ipxe.Content
	begun    time.Time
	timer    *time.Timer
	wake     time.Time // when the timer fires, which may be before the deadline
	deadline time.Time
}

// begin handles the request that s was made for. The caller has locked s and put it in the table.
func (s *session) begin(raw []byte, request tftp.Packet, now time.Time) {
	defer s.mu.Unlock()
	refused := ReasonPanicked
	defer func() {
		switch {
		case refused == "":
			return
		case s.transfer != nil:
			s.finish(refused, now)
		default:
			s.listener.server.metrics.requests.WithLabelValues(string(refused)).Inc()
		}
		s.leave()
	}()
	s.name, s.begun = request.Name, now
	refused = s.open(raw, request, now)
}

// open starts the transfer, or refuses it and says why.
func (s *session) open(raw []byte, request tftp.Packet, now time.Time) boot.Reason {
	server := s.listener.server
	if err := tftp.Check(request); err != nil {
		return s.refuse(err, reservation.MAC{}, now)
	}
	content, err := server.config.Source.Get(request.Name, s.client.Addr())
	if err != nil {
		return s.refuse(fault(err), machineOf(err), now)
	}
	if content.Open != nil {
		return s.refuse(&tftp.Fault{Reason: ReasonOnlyByHTTP, Code: tftp.CodeFileNotFound,
			Message: "it is large and given by HTTP only, by the same path"}, content.Machine, now)
	}
	offer := tftp.Offer{Body: content.Body, MaxBlock: server.config.maxBlock(), Timing: server.config.timing}
	transfer, step, err := tftp.Open(raw, request, offer, now)
	if err != nil {
		return s.refuse(err, content.Machine, now)
	}
	victim, why := server.admission.admit(s)
	if why != "" {
		return s.refuse(&tftp.Fault{Reason: why, Message: "the server is busy or stopping: ask again later"}, content.Machine, now)
	}
	s.transfer, s.content = transfer, content
	if victim != nil {
		victim.evict(now)
	}
	s.timer = time.AfterFunc(step.Deadline.Sub(now), s.expire)
	s.wake = step.Deadline
	s.apply(step, now)
	return ""
}

// machineOf returns the machine that a refusal of a Source is about, zero when that is not known.
func machineOf(err error) reservation.MAC {
	var refusal *ipxe.Refusal
	if !errors.As(err, &refusal) {
		return reservation.MAC{}
	}
	return refusal.Machine
}

// fault words the refusal of a Source for the client; any other error stays as it is.
func fault(err error) error {
	var refusal *ipxe.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	f := &tftp.Fault{Reason: refusal.Reason, Code: tftp.CodeFileNotFound, Message: refusal.Message}
	switch {
	case refusal.Forbidden:
		f.Code = tftp.CodeAccessViolation
	case refusal.Invalid:
		f.Code = tftp.CodeUndefined
	}
	return f
}

// refuse answers with an ERROR, notes it, and returns the reason. What is not a *tftp.Fault is for the log alone.
func (s *session) refuse(err error, machine reservation.MAC, now time.Time) boot.Reason {
	r := refusal{client: s.client, name: s.name, machine: machine, at: now}
	if !errors.As(err, &r.fault) {
		r.fault, r.cause = &tftp.Fault{Reason: ReasonSourceFailed, Message: "the server failed: see its log"}, err
	}
	s.listener.sendError(s.route, r.fault.Code, r.fault.Message)
	s.listener.server.reportRefusal(r)
	return r.fault.Reason
}

// again handles a request from the client of s. When it returns false, s has made way for a new session.
func (s *session) again(raw []byte, now time.Time) bool {
	handled := false
	s.locked(now, func() {
		if s.gone {
			return
		}
		step, anew := s.transfer.Again(raw, now)
		if anew {
			s.finish(ReasonSuperseded, now)
			s.leave()
			return
		}
		handled = true
		s.apply(step, now)
	})
	return handled
}

// receive handles any other packet from the client of s. When it returns false, s is gone.
func (s *session) receive(p tftp.Packet, now time.Time) bool {
	handled := false
	s.locked(now, func() {
		if s.gone {
			return
		}
		handled = true
		s.apply(s.transfer.Receive(p, now), now)
	})
	return handled
}

// expire is called by the timer.
func (s *session) expire() {
	now := time.Now()
	defer s.listener.recoverPanic(s.client, nil)
	s.locked(now, func() {
		switch {
		case s.gone:
		case s.over:
			s.leave()
		default:
			s.wake = time.Time{}
			s.apply(s.transfer.Expire(now), now)
		}
	})
}

// evict ends s for want of room.
func (s *session) evict(now time.Time) {
	s.locked(now, func() {
		if !s.over {
			s.listener.server.metrics.evictions.Inc()
			s.finish(ReasonEvicted, now)
			s.leave()
		}
	})
}

// stop ends s because the server stops, and tells a client that is known to be there.
func (s *session) stop(now time.Time) {
	s.locked(now, func() {
		if !s.over && s.counted {
			s.listener.sendError(s.route, tftp.CodeUndefined, "the server stops: ask again later")
		}
		s.finish(ReasonStopped, now)
		s.leave()
	})
}

// locked runs f with s locked. Should f panic, the session is over before the panic goes on.
func (s *session) locked(now time.Time, f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	completed := false
	defer func() {
		if !completed {
			s.finish(ReasonPanicked, now)
			s.leave()
		}
	}()
	f()
	completed = true
}

// apply does what a step of the transfer asks for. s is locked.
func (s *session) apply(step tftp.Step, now time.Time) {
	server := s.listener.server
	if step.Ignored != "" {
		server.ignore(step.Ignored)
	}
	server.metrics.retransmits.Add(float64(step.Retransmits))
	if !s.counted && s.transfer.Acknowledged() { // before the client can tell, or its place might still be taken
		s.counted = true
		server.admission.acknowledged(s)
	}
	if err := s.listener.send(s.route, step.Send); err != nil {
		s.listener.reportSendFailure(s.client, err)
		if !s.counted {
			s.finish(ReasonSendFailed, now)
			s.leave()
			return
		}
		// A client that is there loses a packet and not its boot: what is refused for a moment, by a full table of the
		// firewall say, is sent again at the deadline.
	}
	if step.Over() {
		s.finish(step.Reason, now)
		return
	}
	s.deadline = step.Deadline
	if s.wake.IsZero() || s.deadline.Before(s.wake) {
		s.wake = s.deadline
		s.timer.Reset(s.deadline.Sub(now))
	}
}

// finish ends the transfer and tells log, metrics and journal. A completed one lingers, any other leaves the table.
func (s *session) finish(why boot.Reason, now time.Time) {
	if s.over || s.transfer == nil {
		return
	}
	s.over = true
	server := s.listener.server
	server.admission.release(s)
	server.reportEnd(s, why, now)
	s.content.Body = nil
	if why == tftp.ReasonServed {
		s.lingers = true
		if server.lingering.Add(1) <= int64(server.config.MaxSessions) {
			s.timer.Reset(linger)
			return
		}
	}
	s.leave()
}

// leave takes s out of the table for good.
func (s *session) leave() {
	if s.gone {
		return
	}
	s.gone = true
	if s.lingers {
		s.listener.server.lingering.Add(-1)
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	s.listener.table.remove(s)
}

// what is the journal's word on the transfer.
func (s *session) what() string {
	terms := s.transfer.Terms()
	return fmt.Sprintf("%s, blksize %d, windowsize %d", s.content.Name, terms.BlockSize, terms.WindowSize)
}
