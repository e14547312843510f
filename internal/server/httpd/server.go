package httpd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"

	"github.com/tugboot/tugboot/internal/ipxe"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/server/bind"
)

// Config says where to listen and sets the bounds. A zero bound means its default.
type Config struct {
	// Addresses are listened on, all of them; port 0 takes a free one.
	Addresses []netip.AddrPort
	// MaxConnections is how many connections each address holds at a time; more wait in the kernel's queue. Default 1024.
	MaxConnections int
	// HeaderTimeout is how long a request's header may take to arrive. Default 10 s.
	HeaderTimeout time.Duration
	// StallTimeout is how long a client may take none of what is sent before it is cut off; a download that makes
	// progress may last as long as it likes. Default 30 s.
	StallTimeout time.Duration
	// IdleTimeout is how long a connection is kept without a request. Default 60 s.
	IdleTimeout time.Duration
	// DrainTimeout is how long transfers may go on after the server was told to stop. Default 15 s.
	DrainTimeout time.Duration
}

// maxHeader is the size in bytes of the largest request header; net/http reads 4096 more before it refuses.
const maxHeader = 8 << 10

func (c Config) withDefaults() Config {
	orDefault := func(d *time.Duration, standard time.Duration) {
		if *d == 0 {
			*d = standard
		}
	}
	orDefault(&c.HeaderTimeout, 10*time.Second)
	orDefault(&c.StallTimeout, 30*time.Second)
	orDefault(&c.IdleTimeout, 60*time.Second)
	orDefault(&c.DrainTimeout, 15*time.Second)
	if c.MaxConnections == 0 {
		c.MaxConnections = 1024
	}
	return c
}

// Server is the HTTP server. It runs on every replica.
type Server struct {
	config    Config
	source    ipxe.Source
	journal   *journal.Journal
	metrics   *metrics
	log       logr.Logger
	listeners []net.Listener
}

// New returns a server that listens once Listen or Start is called. It registers its metrics.
func New(c Config, source ipxe.Source, j *journal.Journal, registerer prometheus.Registerer, log logr.Logger) (*Server, error) {
	if len(c.Addresses) == 0 {
		return nil, errors.New("HTTP: no address to listen on: name at least one, such as 0.0.0.0:7171")
	}
	m, err := newMetrics(registerer)
	if err != nil {
		return nil, fmt.Errorf("HTTP: register metrics: %w", err)
	}
	return &Server{config: c.withDefaults(), source: source, journal: j, metrics: m, log: log.WithName("http")}, nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (*Server) NeedLeaderElection() bool { return false }

// Listen takes the addresses. On an error none is held.
func (s *Server) Listen() error {
	for _, address := range s.config.Addresses {
		l, err := net.Listen("tcp4", address.String())
		if err != nil {
			err = bind.Error("HTTP", "tcp", address.Addr().String(), address.Port(), err)
			return errors.Join(err, s.Close())
		}
		s.listeners = append(s.listeners, netutil.LimitListener(l, s.config.MaxConnections))
	}
	return nil
}

// Close gives the addresses back; for a server that listens and is never started.
func (s *Server) Close() error {
	var errs []error
	for _, l := range s.listeners {
		errs = append(errs, l.Close())
	}
	s.listeners = nil
	return errors.Join(errs...)
}

// Addrs returns the addresses that are listened on; empty before Listen.
func (s *Server) Addrs() []netip.AddrPort {
	addrs := make([]netip.AddrPort, 0, len(s.listeners))
	for _, l := range s.listeners {
		if tcp, ok := l.Addr().(*net.TCPAddr); ok {
			addrs = append(addrs, tcp.AddrPort())
		}
	}
	return addrs
}

// Start serves until ctx ends, then lets transfers finish within the drain timeout and returns nil.
func (s *Server) Start(ctx context.Context) error {
	if len(s.listeners) == 0 {
		if err := s.Listen(); err != nil {
			return err
		}
	}
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: s.config.HeaderTimeout,
		IdleTimeout:       s.config.IdleTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnState:         s.metrics.connState,
		ErrorLog:          errorLog(s.log),
		// OPTIONS is refused and counted like every other method.
		DisableGeneralOptionsHandler: true,
	}
	// When one listener fails the others are drained too, and Start returns its error.
	group, failed := errgroup.WithContext(ctx)
	for _, l := range s.listeners {
		s.log.Info("serving HTTP", "address", l.Addr().String())
		group.Go(func() error {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("HTTP: serve on %s: %w", l.Addr(), err)
			}
			return nil
		})
	}
	group.Go(func() error {
		<-failed.Done()
		return s.drain(server)
	})
	return group.Wait()
}

// drain ends the server; what is still being sent when the time is over is cut off.
func (s *Server) drain(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.config.DrainTimeout)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Info("transfers cut off at the end of the drain time", "drainTimeout", s.config.DrainTimeout)
		err = server.Close()
	}
	return err
}
