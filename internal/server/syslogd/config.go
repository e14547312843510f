package syslogd

import (
	"net/netip"
	"time"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/server/limit"
)

// Config says where to listen and sets the bounds. A zero bound means its default.
type Config struct {
	// Addresses are listened on, over UDP and TCP; port 0 takes a free one for each.
	Addresses []netip.AddrPort
	// Queue is how many messages wait to be written; for one more the oldest is dropped. Default 4096.
	Queue int
	// SourceRate and SourceBurst bound one source address, in messages per second and in messages. Default 200, 2000.
	SourceRate, SourceBurst int
	// TotalRate and TotalBurst bound all sources together. Default 2000, 10000.
	TotalRate, TotalBurst int
	// MaxConnections is how many TCP connections each address holds; more wait in the kernel's queue. Default 512.
	MaxConnections int
	// MaxConnectionsPerSource is how many of them one source address may have; one more is closed at once. Default 64.
	MaxConnectionsPerSource int
	// IdleTimeout is how long a TCP connection may be silent before it is closed. Default 10 minutes.
	IdleTimeout time.Duration
	// DrainTimeout is how long messages already received may take to be written at the end. Default 2 s.
	DrainTimeout time.Duration
}

// Lengths, in bytes: of a message that is read, of its text in a log line, in the journal, and of each of its names.
const (
	maxMessage = 8 << 10
	maxLogged  = 2 << 10
	maxEntry   = 256
	maxName    = 64
)

func (c Config) withDefaults() Config {
	orDefault := func(n *int, standard int) {
		if *n == 0 {
			*n = standard
		}
	}
	orDefault(&c.Queue, 4096)
	orDefault(&c.SourceRate, 200)
	orDefault(&c.SourceBurst, 2000)
	orDefault(&c.TotalRate, 2000)
	orDefault(&c.TotalBurst, 10000)
	orDefault(&c.MaxConnections, 512)
	orDefault(&c.MaxConnectionsPerSource, 64)
	if c.IdleTimeout == 0 {
		c.IdleTimeout = 10 * time.Minute
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = 2 * time.Second
	}
	return c
}

func (c Config) limits() *limit.Shares {
	return limit.NewShares(limit.Rate{PerSecond: c.SourceRate, Burst: c.SourceBurst}, limit.Rate{PerSecond: c.TotalRate, Burst: c.TotalBurst})
}

// allow takes a message from addr into account. It returns false and the reason when the message is one too many.
func (s *Server) allow(addr netip.Addr, now time.Time) (boot.Reason, bool) {
	switch s.limits.Allow(addr, now) {
	case limit.SourceOver:
		return ReasonSourceRate, false
	case limit.TotalOver:
		return ReasonTotalRate, false
	case limit.Allowed:
	}
	return "", true
}

// The reasons in which a message ends.
const (
	// ReasonReceived: it was written to the log.
	ReasonReceived boot.Reason = "Received"
	// ReasonEmpty: there was nothing in it.
	ReasonEmpty boot.Reason = "Empty"
	// ReasonSourceRate: its source sends too much.
	ReasonSourceRate boot.Reason = "SourceRate"
	// ReasonTotalRate: all sources together send too much.
	ReasonTotalRate boot.Reason = "TotalRate"
	// ReasonQueueFull: messages come faster than they can be written, and newer ones needed its place.
	ReasonQueueFull boot.Reason = "QueueFull"
	// ReasonFraming: a TCP stream in which no message can be told any more; it is closed.
	ReasonFraming boot.Reason = "Framing"
	// ReasonTooManyFromSource: its source has as many TCP connections as it may have; the connection is closed.
	ReasonTooManyFromSource boot.Reason = "TooManyFromSource"
	// ReasonPanic: handling it panicked.
	ReasonPanic boot.Reason = "Panic"
)
