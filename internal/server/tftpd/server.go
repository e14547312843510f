package tftpd

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tugboot/tugboot/internal/server/limit"
)

// Server answers read requests on one or more addresses. Use New, then Listen, then Start, each once.
type Server struct {
	config    Config
	metrics   *metrics
	admission *admission
	limits    *limiter
	speech    *limit.Speech
	lingering atomic.Int64
	listeners []*listener
}

// New returns a server that has not taken its ports yet. It fails when the configuration is invalid (see Validate) or
// the metrics are registered already.
func New(c Config) (*Server, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	s := &Server{config: c, admission: newAdmission(c.MaxSessions, c.MaxSessionsPerSource), limits: newLimiter(c),
		speech: limit.NewSpeech(limit.Rate{PerSecond: strangersLines, Burst: strangersBurst})}
	var err error
	s.metrics, err = newMetrics(c.Metrics, func() float64 { return float64(s.admission.running()) })
	return s, err
}

// Listen takes the ports, so that a conflict is known before anything starts. On failure it holds none. The error names
// the port, who holds it where that is visible, and what to do.
func (s *Server) Listen() error {
	var failures []error
	for _, address := range s.config.Listen {
		l, err := listen(context.Background(), s, address)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		s.listeners = append(s.listeners, l)
	}
	if len(failures) > 0 {
		failures = append(failures, s.Close())
		s.listeners = nil
	}
	return errors.Join(failures...)
}

// Close gives the ports back; for a server that listens and is never started.
func (s *Server) Close() error {
	var failures []error
	for _, l := range s.listeners {
		failures = append(failures, l.close())
	}
	return errors.Join(failures...)
}

// Addrs returns the addresses on which the server listens, with the ports that were taken.
func (s *Server) Addrs() []netip.AddrPort {
	addrs := make([]netip.AddrPort, 0, len(s.listeners))
	for _, l := range s.listeners {
		addrs = append(addrs, l.addr)
	}
	return addrs
}

// NeedLeaderElection reports false: every replica serves.
func (s *Server) NeedLeaderElection() bool { return false }

// Start serves until ctx ends, calling Listen first if nobody did. Then it refuses new requests, lets running transfers
// end within Drain, ends the rest and returns nil.
func (s *Server) Start(ctx context.Context) error {
	if len(s.listeners) == 0 {
		if err := s.Listen(); err != nil {
			return err
		}
	}
	var serving sync.WaitGroup
	for _, l := range s.listeners {
		serving.Go(l.serve)
		s.config.Log.Info("serving TFTP", "address", l.addr.String())
	}
	<-ctx.Done()
	s.drain()
	failure := s.Close()
	serving.Wait()
	return failure
}

// drain waits for running transfers, and ends those that take longer than they may.
func (s *Server) drain() {
	idle := s.admission.stop()
	bound := time.NewTimer(s.config.Drain)
	defer bound.Stop()
	select {
	case <-idle:
	case <-bound.C:
	}
	now := time.Now()
	for _, l := range s.listeners {
		for _, session := range l.table.all() {
			session.stop(now)
		}
	}
}
