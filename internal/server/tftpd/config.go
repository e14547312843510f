package tftpd

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tugboot/tugboot/internal/ipxe"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/tftp"
)

// Defaults and bounds of the limits.
const (
	DefaultMaxSessions          = 4096
	DefaultMaxSessionsPerSource = 512
	DefaultDrain                = 30 * time.Second
	minPathMTU                  = 576 // RFC 791: what every host accepts
	maxPathMTU                  = 65535
)

// Config is all that a Server needs.
type Config struct {
	// Listen are the IPv4 addresses and ports; 0.0.0.0 means every address, port 0 any free one.
	Listen []netip.AddrPort
	// Source is asked for each file, on the packet path: it must answer from memory.
	Source  ipxe.Source
	Journal *journal.Journal
	Log     logr.Logger
	Metrics prometheus.Registerer
	// MaxSessions is the number of transfers at one time. For one more, the oldest that its client has not acknowledged
	// yet is evicted. 0 means DefaultMaxSessions.
	MaxSessions int
	// MaxSessionsPerSource is the same for the transfers to one address. 0 means DefaultMaxSessionsPerSource.
	MaxSessionsPerSource int
	// Known reports whether an address is a machine's with a reservation; nil means that none is. It must not block.
	Known func(netip.Addr) bool
	// Limits are how many requests are looked at.
	Limits Limits
	// PathMTU caps the block size so that a packet of that many bytes, 576..65535, is not fragmented. 0 means no cap.
	PathMTU int
	// Drain is how long Start waits for running transfers when it is told to stop. 0 means not at all.
	Drain time.Duration

	timing tftp.Timing // tests shorten it; zero means tftp.DefaultTiming
}

// Validate reports everything that is wrong with the configuration at once.
func (c Config) Validate() error {
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf("tftp: "+format, args...)) }
	if len(c.Listen) == 0 {
		wrong("no listen address: give at least one, such as 0.0.0.0:69")
	}
	for _, a := range c.Listen {
		if !a.Addr().Is4() || a.Addr().IsMulticast() {
			wrong("listen address %s: must be a unicast IPv4 address and a port, such as 0.0.0.0:69", a)
		}
	}
	if c.Source == nil || c.Journal == nil || c.Metrics == nil {
		wrong("Source, Journal and Metrics must be set")
	}
	if c.MaxSessions < 0 {
		wrong("max sessions %d: must be 1 or more, or 0 for %d", c.MaxSessions, DefaultMaxSessions)
	}
	if c.MaxSessionsPerSource < 0 {
		wrong("max sessions per source %d: must be 1 or more, or 0 for %d", c.MaxSessionsPerSource, DefaultMaxSessionsPerSource)
	}
	if c.PathMTU != 0 && (c.PathMTU < minPathMTU || c.PathMTU > maxPathMTU) {
		wrong("path MTU %d: must be %d..%d bytes, or 0 for no cap", c.PathMTU, minPathMTU, maxPathMTU)
	}
	if c.Drain < 0 {
		wrong("drain %s: must not be negative", c.Drain)
	}
	return errors.Join(problems...)
}

func (c Config) withDefaults() Config {
	if c.MaxSessions == 0 {
		c.MaxSessions = DefaultMaxSessions
	}
	if c.MaxSessionsPerSource == 0 {
		c.MaxSessionsPerSource = DefaultMaxSessionsPerSource
	}
	if c.timing == (tftp.Timing{}) {
		c.timing = tftp.DefaultTiming()
	}
	return c
}

// maxBlock is the largest block to agree to, in bytes; 0 means no limit.
func (c Config) maxBlock() int {
	if c.PathMTU == 0 {
		return 0
	}
	return c.PathMTU - tftp.PacketOverhead
}
