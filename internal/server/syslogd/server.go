package syslogd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"

	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/server/bind"
	"github.com/tugboot/tugboot/internal/server/limit"
)

// Server is the syslog server. It runs on every replica.
type Server struct {
	config   Config
	snapshot func() *inventory.Snapshot
	journal  *journal.Journal
	metrics  *metrics
	limits   *limit.Shares
	queue    chan received
	dropped  atomic.Int64 // since the last line that said so
	log      logr.Logger

	packets   []*datagrams
	listeners []net.Listener

	mu       sync.Mutex
	open     map[net.Conn]netip.Addr // with the source
	ofSource map[netip.Addr]int      // how many of them
	closing  bool
}

// New returns a server that listens once Listen or Start is called. It registers its metrics.
func New(c Config, snapshot func() *inventory.Snapshot, j *journal.Journal, registerer prometheus.Registerer, log logr.Logger) (*Server, error) {
	if len(c.Addresses) == 0 {
		return nil, errors.New("syslog: no address to listen on: name at least one, such as 0.0.0.0:514")
	}
	c = c.withDefaults()
	s := &Server{config: c, snapshot: snapshot, journal: j, limits: c.limits(), queue: make(chan received, c.Queue),
		log: log.WithName("syslog"), open: map[net.Conn]netip.Addr{}, ofSource: map[netip.Addr]int{}}
	m, err := newMetrics(registerer, func() int { return len(s.queue) })
	if err != nil {
		return nil, fmt.Errorf("syslog: register metrics: %w", err)
	}
	s.metrics = m
	return s, nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (*Server) NeedLeaderElection() bool { return false }

// Listen takes the addresses, each over UDP and TCP. On an error none is held.
func (s *Server) Listen() error {
	for _, address := range s.config.Addresses {
		if err := s.listen(address); err != nil {
			err = errors.Join(err, s.Close())
			s.packets, s.listeners = nil, nil
			return err
		}
	}
	return nil
}

func (s *Server) listen(address netip.AddrPort) error {
	packets, err := s.listenUDP(address)
	if err != nil {
		return err
	}
	s.packets = append(s.packets, packets)
	listener, err := net.Listen("tcp4", address.String())
	if err != nil {
		return bind.Error("syslog", "tcp", address.Addr().String(), address.Port(), err)
	}
	s.listeners = append(s.listeners, netutil.LimitListener(listener, s.config.MaxConnections))
	return nil
}

// Close gives the addresses back; for a server that listens and is never started.
func (s *Server) Close() error {
	var errs []error
	for _, p := range s.packets {
		errs = append(errs, p.close())
	}
	for _, l := range s.listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// Addrs returns the addresses that are listened on: first all of UDP, then all of TCP; empty before Listen.
func (s *Server) Addrs() []netip.AddrPort {
	var addrs []netip.AddrPort
	for _, p := range s.packets {
		addrs = append(addrs, p.conn.LocalAddr().(*net.UDPAddr).AddrPort())
	}
	for _, l := range s.listeners {
		addrs = append(addrs, l.Addr().(*net.TCPAddr).AddrPort())
	}
	return addrs
}

// Start receives until ctx ends, then writes what it has within the drain timeout and returns nil.
func (s *Server) Start(ctx context.Context) error {
	if len(s.packets) == 0 {
		if err := s.Listen(); err != nil {
			return err
		}
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var receiving, writing sync.WaitGroup
	for i := range s.packets {
		packets, listener := s.packets[i], s.listeners[i]
		s.log.Info("serving syslog", "udp", packets.conn.LocalAddr().String(), "tcp", listener.Addr().String())
		receiving.Go(func() { s.receive(ctx, packets) })
		receiving.Go(func() { s.accept(ctx, listener, fail) })
	}
	drained, stop := context.WithCancel(context.Background())
	defer stop()
	writing.Go(func() { s.write(drained) })

	<-ctx.Done()
	err := s.Close()
	s.closeConnections()
	receiving.Wait()
	close(s.queue)
	s.drain(&writing, stop)
	if cause := context.Cause(ctx); errors.Is(cause, errSocket) {
		return cause
	}
	return err
}

// errSocket is wrapped by the failure of a socket that ends the server.
var errSocket = errors.New("syslog: the socket failed")
