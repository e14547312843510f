package takeover

import (
	"slices"
	"strings"
	"time"
)

// Fence orders everything that was ever written about one cluster: who holds the lower one may not write over the higher.
type Fence struct {
	// Born is when the story of this cluster began, in Unix seconds: the creation of the kube-system namespace of the
	// cluster in which the baton was first made. It tells a re-created cluster from its predecessor of the same name.
	Born int64
	// Epoch counts the latches within one story. A baton is made with 1; the bootstrap instance latches with one more than
	// it found, the management instance with two more, so that no two writers ever share an epoch, and the management
	// instance has the last word.
	Epoch int64
}

// Less reports whether f must give way to other.
func (f Fence) Less(other Fence) bool {
	return f.Born < other.Born || f.Born == other.Born && f.Epoch < other.Epoch
}

// The bounds of what is stored: seconds of a year with four digits, and epochs that still can be counted up.
const (
	maxBorn  = 253402300799
	maxEpoch = 1 << 53
)

// sound reports whether f can be stored and counted up.
func (f Fence) sound() bool {
	return f.Born > 0 && f.Born <= maxBorn && f.Epoch > 0 && f.Epoch <= maxEpoch
}

// Mark is what is written beside an endpoint wherever one is written, so that a reader knows whose word it is.
type Mark struct {
	Cluster string
	Fence   Fence
	// Identity is the latch's, empty before.
	Identity string
}

// Latch is the decision for the management cluster's stack. It is never taken back.
type Latch struct {
	// Identity is the UID of the kube-system namespace of the management cluster: a re-created cluster of the same name
	// and address has another. A bootstrap instance that cannot look over there leaves it empty.
	Identity string
	// Endpoint is the management stack's.
	Endpoint Endpoint
	// At is when it was latched, to the second.
	At time.Time
}

// Set reports whether there is a latch.
func (l Latch) Set() bool { return l.Endpoint.Addr.IsValid() }

// Baton is what the two instances hand to each other: the data of the ConfigMap tugboot-baton-CLUSTER, which Cluster API
// moves with the cluster. Exactly one instance holds it at a time; the other one keeps a copy with a Handover.
type Baton struct {
	Mark
	// Advertised is what machines are told now, by every replica that reads this baton; Since is when its address
	// changed last, to the second, and Previous what was advertised before.
	Advertised Endpoint
	Previous   Endpoint
	Since      time.Time
	// Withheld is true while nothing is given to boot because the advertised stack, which is not ours, does not serve.
	Withheld bool
	// Latch is set once the management cluster's stack has taken over.
	Latch Latch
	// Handover is the reason of the hard evidence that an instance saw and keeps for after a restart; empty for none. A
	// baton with a Handover stays where it is: it is not moved.
	Handover string
	// Reservations are the reservations advertised when the baton was written, sorted; ReservationsOmitted is true when
	// they were too many to be listed.
	Reservations        []Pair
	ReservationsOmitted bool
}

// Equal reports whether the two say the same.
func (b Baton) Equal(other Baton) bool {
	return b.Mark == other.Mark && b.Advertised == other.Advertised && b.Previous == other.Previous && b.Since.Equal(other.Since) &&
		b.Withheld == other.Withheld && b.Handover == other.Handover &&
		b.Latch.Identity == other.Latch.Identity && b.Latch.Endpoint == other.Latch.Endpoint && b.Latch.At.Equal(other.Latch.At) &&
		b.ReservationsOmitted == other.ReservationsOmitted && slices.Equal(b.Reservations, other.Reservations)
}

// exists reports whether b is a baton and not the zero value.
func (b Baton) exists() bool { return b.Fence.Epoch > 0 }

// tell makes e what machines are told from at on.
func (b *Baton) tell(e Endpoint, at time.Time) {
	if b.Advertised.Addr != e.Addr {
		b.Previous, b.Since = b.Advertised, toTheSecond(at)
	}
	b.Advertised = e
}

func toTheSecond(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// plainWord reports whether s can be an identity: a UID of Kubernetes is one.
func plainWord(s string) bool {
	return len(s) > 0 && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool { return !alphanumeric(r) && r != '-' })
}
