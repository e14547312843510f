package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/tugboot/tugboot/controllers"
	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/dhcp4"
	"github.com/tugboot/tugboot/internal/ipxe"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/server/dhcpd"
	"github.com/tugboot/tugboot/internal/server/httpd"
	"github.com/tugboot/tugboot/internal/server/syslogd"
	"github.com/tugboot/tugboot/internal/server/tftpd"
	"github.com/tugboot/tugboot/internal/statedir"
)

// runnable is what the process runs on every replica; it is a manager.Runnable and a manager.LeaderElectionRunnable.
type runnable interface {
	Start(ctx context.Context) error
	NeedLeaderElection() bool
}

// server is a runnable with sockets. Listen takes them before anything starts, Close gives them back.
type server interface {
	runnable
	Listen() error
	Close() error
}

// stack is all that serves machines, put together and not started yet.
type stack struct {
	log     logr.Logger
	source  *source
	journal *journal.Journal
	state   *statedir.Dir // nil where nothing is to outlive a restart
	// leader, services and takeover are nil where nothing is written.
	leader   *controllers.Leader
	services *controllers.DHCPServiceController
	takeover *followed
	// endpoint is what this process serves, whatever machines are told; self is what they are told.
	endpoint boot.Endpoint
	self     atomic.Pointer[dhcp4.Self]
	servers  []server
	dhcp     *dhcpd.Server // nil when DHCP is off
}

// newStack reads the iPXE binaries and makes every server that is not off.
func newStack(o *options.Serve, log logr.Logger) (*stack, error) {
	registry := metrics.Registry
	s := &stack{log: log, journal: journal.New(journal.DefaultMachines, journal.DefaultEntries)}
	library, err := loadLibrary(o, log)
	if err != nil {
		return nil, err
	}
	s.endpoint = endpointOf(o, library)
	s.self.Store(firstSelf(o, s.endpoint))
	if o.Takeover.StateDir != "" {
		if s.state, err = statedir.Open(o.Takeover.StateDir); err != nil {
			return nil, fmt.Errorf("--state-dir: %w", err)
		}
	}
	if s.source, err = newSource(o, s.state, registry, log); err != nil {
		return nil, err
	}
	return s, errors.Join(
		s.addDHCP(o, registry, log),
		s.addFiles(o, library, registry, log),
		s.addSyslog(o, registry, log),
		s.addLeader(o, log),
		s.addServices(o, registry, log),
		s.addTakeover(o, registry, log),
	)
}

// loadLibrary reads the binaries when a server needs them, and says which machines have none.
func loadLibrary(o *options.Serve, log logr.Logger) (*ipxe.Library, error) {
	if o.TFTP.Listen == nil && !o.HTTP.Served() {
		return nil, nil
	}
	library, err := ipxe.Load(o.Boot.IPXEDir, ipxe.LibraryOptions{BootFiles: o.Boot.BootFiles})
	if err != nil {
		return nil, err
	}
	for _, missing := range library.Missing() {
		log := log
		switch missing.Family {
		case boot.FamilyBIOS, boot.FamilyX64, boot.FamilyARM64: // what data centres are made of
		default:
			log = log.V(1)
		}
		log.Info("no iPXE binary for these machines; they get an address and nothing to boot",
			"machines", missing.Family.String(), "soughtInDir", o.Boot.IPXEDir, "soughtFiles", missing.Sought)
	}
	for _, err := range library.Skipped() {
		log.Error(err, "iPXE directory", "dir", o.Boot.IPXEDir)
	}
	if o.Boot.HookURL == "" && o.Boot.HookDir == "" && o.HTTP.Served() {
		log.Info("no --hook-url and no --hook-dir: only machines whose Hardware names osie.baseURL are given a script")
	}
	return library, nil
}

// endpointOf is what this stack offers, as machines are told.
func endpointOf(o *options.Serve, library *ipxe.Library) boot.Endpoint {
	e := boot.Endpoint{Addr: o.Boot.AdvertiseAddr, ScriptPath: boot.DefaultScriptPath, UserClass: o.Boot.UserClass}
	e.TFTPPort, e.HTTPPort = o.Ports()
	e.HTTPSPort, e.HTTPSBinaries = o.HTTPSPort(), o.HTTP.Advertise == options.AdvertiseAll
	if library != nil {
		e.Binaries = library.Binaries()
	}
	return e
}

func (s *stack) ownFiles() boot.Endpoint { return s.endpoint }

func (s *stack) addDHCP(o *options.Serve, registry prometheus.Registerer, log logr.Logger) error {
	if !o.DHCP.Enabled() {
		return nil
	}
	d, err := dhcpd.New(dhcpd.Config{
		Interfaces: o.DHCP.Served(),
		Modes:      o.DHCP.Modes,
		RelayFrom:  o.DHCP.Relays,
		Snapshot:   s.source.snapshot,
		Self:       s.self.Load,
		Journal:    s.journal,
		Log:        log.WithName("dhcp"),
		Registerer: registry,
		Report:     s.source.report,
		Limits:     dhcpd.PerSecond(o.Limits.DHCPMachine, o.Limits.DHCPTotal),
	})
	s.servers, s.dhcp = append(s.servers, d), d
	return err
}

// addFiles makes the servers of binaries and scripts.
func (s *stack) addFiles(o *options.Serve, library *ipxe.Library, registry prometheus.Registerer, log logr.Logger) error {
	if library == nil {
		return nil
	}
	unknown, err := unknownScript(&o.DHCP)
	if err != nil {
		return err
	}
	var images *ipxe.Images
	if o.Boot.HookDir != "" {
		if images, err = ipxe.OpenImages(o.Boot.HookDir); err != nil {
			return err
		}
	}
	catalog, err := ipxe.NewCatalog(library, s.source.snapshot, s.ownFiles, ipxe.ScriptOptions{
		OnlyMachine: o.OnlyMachine(), VerifyImages: o.Boot.Verify, HookURL: o.Boot.HookURL, Images: images, KernelArgs: o.Boot.Args,
		Consoles: o.Boot.Consoles, SyslogHost: o.Boot.SyslogAddr,
		TinkServer: o.Boot.TinkServer, TinkTLS: o.Boot.TinkTLS, TinkInsecureTLS: o.Boot.TinkNoCheck,
		Unknown: unknown,
	}, s.source.report)
	if err != nil {
		return err
	}
	if o.TFTP.Listen != nil {
		t, err := tftpd.New(tftpd.Config{
			Listen: o.TFTP.Listen, Source: catalog, Journal: s.journal, Log: log.WithName("tftp"), Metrics: registry,
			PathMTU: o.TFTP.MTU, Drain: o.Process.DrainTimeout, Known: s.reserved,
			Limits: tftpd.PerSecond(o.Limits.TFTPSource, o.Limits.TFTPTotal),
		})
		if err != nil {
			return err
		}
		s.servers = append(s.servers, t)
	}
	if o.HTTP.Served() {
		h, err := httpd.New(httpd.Config{
			Addresses: o.HTTP.Listen, TLSAddresses: o.HTTP.ListenTLS, CertFile: o.HTTP.Cert, KeyFile: o.HTTP.Key,
			MaxConnections: o.HTTP.Connections, MaxConnectionsPerSource: o.HTTP.ConnectionsPerClient,
			TotalRate: o.HTTP.Rate, SourceRate: o.HTTP.RatePerClient, DrainTimeout: o.Process.DrainTimeout,
		}, catalog, s.journal, registry, log)
		if err != nil {
			return err
		}
		s.servers = append(s.servers, h)
	}
	return nil
}

// reserved reports whether a machine has a reservation of that address.
func (s *stack) reserved(a netip.Addr) bool {
	_, known := s.source.snapshot().ByAddress(a)
	return known
}

func (s *stack) addSyslog(o *options.Serve, registry prometheus.Registerer, log logr.Logger) error {
	if o.Syslog.Listen == nil {
		return nil
	}
	r, err := syslogd.New(syslogd.Config{Addresses: o.Syslog.Listen}, s.source.snapshot, s.journal, registry, log)
	s.servers = append(s.servers, r)
	return err
}

// listen takes every port. When some are not to be had, all of them are named, and close gives back those that were.
func (s *stack) listen() error {
	var problems []error
	for _, server := range s.servers {
		problems = append(problems, server.Listen())
	}
	return errors.Join(problems...)
}

// close gives back what listen took, of a stack that is never started.
func (s *stack) close() error {
	var problems []error
	for _, server := range s.servers {
		problems = append(problems, server.Close())
	}
	return errors.Join(problems...)
}
