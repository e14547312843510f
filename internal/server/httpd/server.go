package httpd

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/ipxe"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/server/bind"
	"github.com/tugboot/tugboot/internal/server/limit"
)

// Config says where to listen and sets the bounds. A zero bound means its default.
type Config struct {
	// Addresses are listened on, all of them; port 0 takes a free one.
	Addresses []netip.AddrPort
	// TLSAddresses are listened on for HTTPS, with the certificate and key in these PEM files, which are followed live.
	TLSAddresses      []netip.AddrPort
	CertFile, KeyFile string
	// CertificateInterval is the time between two looks at the files. Default 2 s.
	CertificateInterval time.Duration
	// MaxConnectionsPerSource is how many of them one source address holds; one more is closed. Default 256.
	MaxConnectionsPerSource int
	// SourceRate and SourceBurst bound the requests of one source address, in requests per second and in requests; what is
	// more is answered with 429. Default 100, and five times the rate.
	SourceRate, SourceBurst int
	// TotalRate and TotalBurst bound those of all sources together. Default 2000, and five times the rate.
	TotalRate, TotalBurst int
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
	orDefault(&c.CertificateInterval, 2*time.Second)
	c.MaxConnections = cmp.Or(c.MaxConnections, DefaultConnections)
	c.MaxConnectionsPerSource = cmp.Or(c.MaxConnectionsPerSource, DefaultConnectionsPerSource)
	c.SourceRate, c.TotalRate = cmp.Or(c.SourceRate, DefaultSourceRate), cmp.Or(c.TotalRate, DefaultTotalRate)
	c.SourceBurst, c.TotalBurst = cmp.Or(c.SourceBurst, burst*c.SourceRate), cmp.Or(c.TotalBurst, burst*c.TotalRate)
	return c
}

// Defaults of the bounds. A rack that is switched on asks in bursts: burst is how many seconds' worth at once.
const (
	DefaultConnections          = 1024
	DefaultConnectionsPerSource = 256
	DefaultSourceRate           = 100
	DefaultTotalRate            = 2000
	burst                       = 5
)

// Server is the HTTP and HTTPS server. It runs on every replica.
type Server struct {
	config      Config
	source      ipxe.Source
	journal     *journal.Journal
	metrics     *metrics
	log         logr.Logger
	limits      *limit.Shares
	connections *census
	certificate *certificate   // nil without HTTPS
	listeners   []net.Listener // those for HTTPS last
	refusals    rate.Sometimes // for the log
}

// New returns a server that listens once Listen or Start is called. It registers its metrics.
func New(c Config, source ipxe.Source, j *journal.Journal, registerer prometheus.Registerer, log logr.Logger) (*Server, error) {
	if len(c.Addresses) == 0 && len(c.TLSAddresses) == 0 {
		return nil, errors.New("HTTP: no address to listen on: name at least one, such as 0.0.0.0:7171")
	}
	m, err := newMetrics(registerer)
	if err != nil {
		return nil, fmt.Errorf("HTTP: register metrics: %w", err)
	}
	c = c.withDefaults()
	s := &Server{config: c, source: source, journal: j, metrics: m, log: log.WithName("http"),
		limits: limit.NewShares(limit.Rate{PerSecond: c.SourceRate, Burst: c.SourceBurst},
			limit.Rate{PerSecond: c.TotalRate, Burst: c.TotalBurst}),
		connections: newCensus(c.MaxConnectionsPerSource), refusals: rate.Sometimes{First: 1, Interval: refusalInterval}}
	if len(c.TLSAddresses) > 0 {
		s.certificate, err = newCertificate(c.CertFile, c.KeyFile, registerer, s.log)
	}
	return s, err
}

// refusalInterval is the time between two lines of the log about clients that ask too much.
const refusalInterval = 10 * time.Second

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (*Server) NeedLeaderElection() bool { return false }

// Listen takes the addresses. On an error none is held.
func (s *Server) Listen() error {
	for i, address := range slices.Concat(s.config.Addresses, s.config.TLSAddresses) {
		l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(address))
		if err != nil {
			err = bind.Error(s.protocol(i), "tcp", address.Addr().String(), address.Port(), err)
			return errors.Join(err, s.Close())
		}
		s.listeners = append(s.listeners, newFairListener(l, s.config.MaxConnections, s.connections, s.tooMany))
	}
	return nil
}

// protocol is what the i-th listener speaks.
func (s *Server) protocol(i int) string {
	if i < len(s.config.Addresses) {
		return "HTTP"
	}
	return "HTTPS"
}

// tooMany notes a connection that was closed because its source has too many.
func (s *Server) tooMany(source netip.Addr) {
	s.metrics.refused.WithLabelValues(string(ReasonSourceConnections)).Inc()
	s.refuseLine(source, ReasonSourceConnections)
}

func (s *Server) refuseLine(source netip.Addr, why boot.Reason) {
	s.refusals.Do(func() {
		s.log.Info("a client asks too much; further ones are counted in the metrics, and named once in a while", "client", source.String(), "reason", why)
	})
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
	server := s.server()
	// When one listener fails the others are drained too, and Start returns its error.
	group, failed := errgroup.WithContext(ctx)
	if s.certificate != nil {
		group.Go(func() error { s.certificate.watch(failed, s.config.CertificateInterval); return nil })
	}
	for i, l := range s.listeners {
		protocol := s.protocol(i)
		if protocol == "HTTPS" {
			l = tls.NewListener(l, s.certificate.config())
		}
		s.log.Info("serving "+protocol, "address", l.Addr().String())
		group.Go(func() error {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("%s: serve on %s: %w", protocol, l.Addr(), err)
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

func (s *Server) server() *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: s.config.HeaderTimeout,
		IdleTimeout:       s.config.IdleTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnState:         s.metrics.connState,
		ErrorLog:          errorLog(s.log),
		// OPTIONS is refused and counted like every other method.
		DisableGeneralOptionsHandler: true,
	}
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
