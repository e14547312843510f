package tftpd

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/server/limit"
)

// The reasons for which a packet that belongs to no running transfer is not looked at. Nothing is sent for it.
const (
	// ReasonSourceRate: this address sends too much.
	ReasonSourceRate boot.Reason = "SourceRate"
	// ReasonTotalRate: the addresses of all machines with a reservation together send too much.
	ReasonTotalRate boot.Reason = "TotalRate"
	// ReasonStrangerRate: all others together send too much. They take nothing from the machines with a reservation.
	ReasonStrangerRate boot.Reason = "StrangerRate"
)

// Limits are how many packets are looked at that belong to no running transfer, which are requests, and what would be
// answered with an ERROR. The zero value means the defaults. The packets of a transfer are not limited.
type Limits struct {
	Source    limit.Rate // for each address
	Known     limit.Rate // for the addresses of all machines with a reservation together
	Strangers limit.Rate // for all others together
}

// The default limits, in packets a second. Behind the address of a translator (NAT) may be a hall.
const (
	DefaultSourceRate = 500
	DefaultTotalRate  = 10_000
)

// PerSecond returns the limits of so many packets a second from one address, and from the addresses of all machines with a
// reservation together; others get half of the latter. Of each, packets of four seconds may come at once: firmware asks for
// the size, the file, autoexec.ipxe and the script. Both must be 1 or more.
func PerSecond(source, total int) Limits {
	rate := func(n int) limit.Rate { return limit.Rate{PerSecond: n, Burst: 4 * n} }
	return Limits{Source: rate(source), Known: rate(total), Strangers: rate(max(1, total/2))}
}

// The lines a second, and at once, that strangers can cause: requests refused or never answered.
const (
	strangersLines = 50
	strangersBurst = 200
)

// limiter holds the buckets.
type limiter struct {
	source           *limit.Buckets[[4]byte]
	known, strangers *limit.Bucket
}

func newLimiter(c Config) *limiter {
	standard := PerSecond(DefaultSourceRate, DefaultTotalRate)
	return &limiter{
		source:    limit.NewBuckets[[4]byte](cmp.Or(c.Limits.Source, standard.Source)),
		known:     limit.NewBucket(cmp.Or(c.Limits.Known, standard.Known)),
		strangers: limit.NewBucket(cmp.Or(c.Limits.Strangers, standard.Strangers)),
	}
}

// admit takes a packet that belongs to no running transfer into account. It returns false, and counts the packet, when it
// is one too many. The source's own bucket is asked first, so that who floods takes nothing from the common one.
func (s *Server) admit(source netip.Addr, now time.Time) bool {
	common, why := s.limits.strangers, ReasonStrangerRate
	switch {
	case !s.limits.source.Take(source.As4(), now):
		s.ignore(ReasonSourceRate)
		return false
	case s.config.Known != nil && s.config.Known(source):
		common, why = s.limits.known, ReasonTotalRate
	}
	if !common.Take(now) {
		s.ignore(why)
		return false
	}
	return true
}
