package dhcpd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tugboot/tugboot/internal/dhcp4"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/server/mmsg"
)

// Config is what a server needs. Snapshot, Self, Journal, Log and Registerer are required.
type Config struct {
	// Interfaces are the names of the interfaces to serve, one socket each; none means all, with one socket. A served
	// interface may be deleted and made anew.
	Interfaces []string
	// Modes are what each interface is answered with. Those that it names must exist.
	Modes Modes
	// RelayFrom are the subnets of the relay agents that are listened to, by giaddr; none means all.
	RelayFrom []netip.Prefix
	// Port is the UDP port to listen on; 0 means 67. Replies go to the standard ports whatever it is.
	Port uint16
	// PXEPort is the UDP port to listen on besides, on interfaces in a proxy mode; 0 means 4011.
	PXEPort uint16
	// Snapshot returns the reservations in force. It is called once for each packet and must not block.
	Snapshot func() *inventory.Snapshot
	// Self returns who this server is and what it gives to boot: the server identifier and next-server are separate
	// values. It is called once for each packet, so that an answer is made of one, and must not block.
	Self    func() *dhcp4.Self
	Journal *journal.Journal
	Log     logr.Logger
	// Registerer takes the metrics.
	Registerer prometheus.Registerer
	// Report is told when a machine declines its address, because another host uses it; nil for nobody. It is called
	// between two packets and must not block.
	Report func(reservation.Problem)
	// Workers is the number of packets of one socket that are handled at a time, 8 at most; 0 means one for each CPU.
	Workers int
	// Queue is the number of packets that may wait for each worker; 0 means 8192, about 13 MiB at the worst. When it is
	// full the oldest packet is dropped: its sender asked longest ago and will ask again.
	Queue int
	// Limits are how many packets are looked at.
	Limits Limits
}

const defaultQueue = 8192

// ReceiveBuffer is the size of a socket's receive buffer in bytes: thousands of machines that are switched on at
// once send their DISCOVERs in the same moment, and Linux' usual 208 KiB hold 125 of them.
const ReceiveBuffer = 4 << 20

// Server is a DHCP server. Listen, then Start; it cannot be started twice.
type Server struct {
	config     Config
	log        logr.Logger
	metrics    *metrics
	limits     *limiter
	interfaces *interfaces
	sockets    []*socket
	packets    *packetSocket // nil without the right to have one
	segment    bool          // the kernel can cut datagrams apart
	serving    atomic.Bool
}

// New returns a server that does not listen yet. It fails when its metrics are registered already.
func New(c Config) (*Server, error) {
	if c.Port == 0 {
		c.Port = dhcp4.ServerPort
	}
	if c.PXEPort == 0 {
		c.PXEPort = dhcp4.PXEPort
	}
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	c.Workers = min(c.Workers, maxLanes)
	if c.Queue <= 0 {
		c.Queue = defaultQueue
	}
	m, err := newMetrics(c.Registerer)
	if err != nil {
		return nil, fmt.Errorf("DHCP: register metrics: %w", err)
	}
	m.packets.WithLabelValues(dhcp4.MessageType(0).String(), string(ReasonQueueFull)) // 0 is known, too
	return &Server{config: c, log: c.Log, metrics: m, limits: newLimiter(c.Limits)}, nil
}

// NeedLeaderElection is false: answers depend on reservations alone, so every replica answers.
func (s *Server) NeedLeaderElection() bool { return false }

// Listen binds the sockets. Until Start is called, requests wait in the kernel. A port that is taken is reported with
// the process that holds it; nothing that listened before stays open after an error.
func (s *Server) Listen() (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.interfaces, err = openInterfaces(s.log); err != nil {
		return fmt.Errorf("DHCP: list the network interfaces: %w", err)
	}
	names := s.config.Interfaces
	if len(names) == 0 {
		names = []string{""}
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	for _, name := range append(names[:len(names):len(names)], slices.Sorted(maps.Keys(s.config.Modes.Interfaces))...) {
		if err := s.interfaces.check(name); err != nil {
			return err
		}
	}
	if err := errors.Join(s.listenOn(names, s.config.Port, false), s.listenOn(s.config.Modes.PXE(names), s.config.PXEPort, true)); err != nil {
		return err
	}
	s.showModes(names)
	s.sayBuffer()
	s.openPackets()
	s.segment = mmsg.CanSegment(s.sockets[0].raw)
	return nil
}

// sayBuffer logs a receive buffer that is smaller than asked for.
func (s *Server) sayBuffer() {
	if got := s.sockets[0].buffer; got < ReceiveBuffer {
		s.log.Info("the DHCP receive buffer is small: many machines asking at once may lose requests; "+
			"grant the capability NET_ADMIN or raise the sysctl net.core.rmem_max", "bytes", got, "wantedBytes", ReceiveBuffer)
	}
}

func (s *Server) openPackets() {
	packets, err := openPacketSocket()
	if err != nil {
		s.log.Info("answers to machines without an address are broadcast, which some firmware ignores: "+
			"grant the capability NET_RAW for link-layer unicast", "cause", err.Error())
		return
	}
	s.packets = packets
}

// Close closes what Listen opened. Start does so itself.
func (s *Server) Close() error {
	var errs []error
	for _, socket := range s.sockets {
		errs = append(errs, socket.conn.Close())
	}
	s.sockets = nil
	if s.packets != nil {
		errs = append(errs, s.packets.close())
		s.packets = nil
	}
	if s.interfaces != nil {
		s.interfaces.close()
		s.interfaces = nil
	}
	return errors.Join(errs...)
}

// Addrs returns the addresses that Listen bound.
func (s *Server) Addrs() []netip.AddrPort {
	var addrs []netip.AddrPort
	for _, socket := range s.sockets {
		addrs = append(addrs, socket.local)
	}
	return addrs
}

// Start serves until ctx ends, then answers what was received already, closes the sockets and returns nil. It listens
// first if Listen was not called.
func (s *Server) Start(ctx context.Context) error {
	if s.sockets == nil {
		if err := s.Listen(); err != nil {
			return err
		}
	}
	s.log.Info("serving DHCP", "mode", s.config.Modes.String(), "addresses", s.Addrs(), "interfaces", s.config.Interfaces, "workers", s.config.Workers)
	var lanes, watcher sync.WaitGroup
	follow := s.follower()
	watcher.Go(func() { follow.interfaces.watch(follow.up) })
	for _, socket := range s.sockets {
		for range s.config.Workers {
			l := s.newLane(socket)
			lanes.Go(func() { l.run(ctx) })
		}
	}
	s.serving.Store(true)
	<-ctx.Done()
	s.serving.Store(false)
	var errs []error
	for _, socket := range s.sockets {
		errs = append(errs, mmsg.Wake(socket.raw))
	}
	lanes.Wait()
	errs = append(errs, s.Close())
	watcher.Wait()
	return errors.Join(errs...)
}
