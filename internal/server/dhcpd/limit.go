package dhcpd

import (
	"cmp"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/dhcp4"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/server/limit"
)

// The reasons of packets that are not looked at, besides reasonPanic. Nothing is sent for them.
const (
	// ReasonMachineRate: this hardware address sends too much.
	ReasonMachineRate boot.Reason = "MachineRate"
	// ReasonTotalRate: all machines with a reservation together send too much.
	ReasonTotalRate boot.Reason = "TotalRate"
	// ReasonStrangerRate: all others together send too much. They take nothing from the machines with a reservation.
	ReasonStrangerRate boot.Reason = "StrangerRate"
	// ReasonQueueFull: newer packets needed its place in the backlog.
	ReasonQueueFull boot.Reason = "QueueFull"
)

// The default limits, in packets a second. A boot asks some 20 times in a minute.
const (
	DefaultMachineRate = 100
	DefaultTotalRate   = 20_000
)

// Limits are how many packets are looked at. The zero value means the defaults. Senders are told apart by hardware address
// and never by source address: behind a relay agent, all of a hall have the same.
type Limits struct {
	Machine   limit.Rate // for each hardware address
	Reserved  limit.Rate // for all machines with a reservation together
	Strangers limit.Rate // for all others together
}

// PerSecond returns the limits of so many packets a second from one hardware address, and from all machines with a
// reservation together; others get a quarter of the latter. Of each, packets of two seconds may come at once. Both must be
// 1 or more.
func PerSecond(machine, total int) Limits {
	twice := func(n int) limit.Rate { return limit.Rate{PerSecond: n, Burst: 2 * n} }
	return Limits{Machine: twice(machine), Reserved: twice(total), Strangers: twice(max(1, total/4))}
}

// The log lines that may be written, a second and at once: of answers, of silences at level debug, of what goes wrong, and of
// packets that are turned away.
var (
	answerLines  = limit.Rate{PerSecond: 1000, Burst: 20_000}
	silenceLines = limit.Rate{PerSecond: 1000, Burst: 20_000}
	troubleLines = limit.Rate{PerSecond: 10, Burst: 50}
	turnedLines  = limit.Rate{PerSecond: 1, Burst: 5}
)

// limiter holds the buckets, and how much may be said.
type limiter struct {
	machine             *limit.Buckets[reservation.MAC]
	reserved, strangers *limit.Bucket

	answers, silences, troubles, turned *limit.Speech
}

func newLimiter(l Limits) *limiter {
	standard := PerSecond(DefaultMachineRate, DefaultTotalRate)
	return &limiter{
		machine:   limit.NewBuckets[reservation.MAC](cmp.Or(l.Machine, standard.Machine)),
		reserved:  limit.NewBucket(cmp.Or(l.Reserved, standard.Reserved)),
		strangers: limit.NewBucket(cmp.Or(l.Strangers, standard.Strangers)),
		answers:   limit.NewSpeech(answerLines), silences: limit.NewSpeech(silenceLines), troubles: limit.NewSpeech(troubleLines),
		turned: limit.NewSpeech(turnedLines),
	}
}

// admit takes a packet that was just received into account. It returns false, and counts the packet, when it is one too
// many. The machine's own bucket is asked first, so that who floods takes nothing from the common one.
func (s *Server) admit(p *packet) bool {
	mac, ok := dhcp4.Sender(p.bytes())
	if ok && !s.limits.machine.Take(mac, p.at) {
		s.turnAway(p, mac, ReasonMachineRate)
		return false
	}
	if _, reserved := s.config.Snapshot().ByMAC(mac); reserved {
		if !s.limits.reserved.Take(p.at) {
			s.turnAway(p, mac, ReasonTotalRate)
			return false
		}
		return true
	}
	if !s.limits.strangers.Take(p.at) {
		s.turnAway(p, mac, ReasonStrangerRate)
		return false
	}
	return true
}

// turnAway counts a packet that is not looked at; its message type is not known.
func (s *Server) turnAway(p *packet, mac reservation.MAC, why boot.Reason) {
	s.metrics.packets.WithLabelValues(dhcp4.MessageType(0).String(), string(why)).Inc()
	if fields, allowed := s.limits.turned.With("reason", why, "mac", mac.String(), "from", p.from); allowed {
		s.log.Info("turned a DHCP packet away: more come than are looked at", fields...)
	}
}
