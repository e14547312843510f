package takeover

import (
	"net/netip"
	"time"
)

// alsoFor is how long after the change a machine may still have chosen the other instance's server.
const alsoFor = 10 * time.Minute

// Serve says what the servers of one replica do, leader or not, from the baton alone. Identity is that of the cluster it
// runs in, own is what its own servers offer, and bootstrapIP is the bootstrap stack's address, zero when not known.
//
// The bootstrap instance serves what it always served until there is a baton. The management instance is silent until its
// own latch is there, and so is an instance that does not know its role: it could contradict the other one.
func Serve(role Role, identity string, seen BatonSeen, own Endpoint, bootstrapIP netip.Addr, now time.Time) Stance {
	b := seen.stored()
	latched := Latched(role, identity, b)
	s := Stance{Keep: !seen.Known || seen.Problem != nil}
	switch {
	case s.Keep:
		b, latched = Baton{}, false
	case latched:
		s.Also = also(role, b, own, bootstrapIP, now)
	}
	switch {
	case latched, role == RoleBootstrap && b.Advertised.Addr.IsValid():
		s.Advertise, s.Withheld = b.Advertised, b.Withheld
	case role == RoleBootstrap:
		s.Advertise = own
	case role != RoleManagement:
		s.Silent, s.Reason = true, ReasonRoleUnknown
	case b.Latch.Set():
		s.Silent, s.Reason = true, ReasonLatchOfAnotherCluster
	default:
		s.Silent, s.Reason = true, ReasonTakeoverPending
	}
	return s
}

// also returns the other instance's address for a while after the change, and never longer: answering for another server
// is what a DHCP server must not do.
func also(role Role, b Baton, own Endpoint, bootstrapIP netip.Addr, now time.Time) netip.Addr {
	if since := now.Sub(b.Latch.At); since >= alsoFor || since <= -alsoFor {
		return netip.Addr{}
	}
	other := b.Latch.Endpoint.Addr
	if role != RoleBootstrap {
		other = bootstrapIP
		if !other.IsValid() {
			other = b.Previous.Addr
		}
	}
	if other == own.Addr || unreachable(other) != "" {
		return netip.Addr{}
	}
	return other
}

// Speaks returns the word that an instance writes into existing DHCP services between two takeovers: what the baton
// advertises, under the baton's mark, withheld or not. It is false for an instance that is not the one to write: it does
// not know its role or the baton, it saw the cluster leave, or the latch is not its own. The cluster's name is in the mark
// wherever a baton says it.
func Speaks(role Role, identity string, seen BatonSeen) (Mark, Endpoint, bool) {
	b := seen.Baton
	if !seen.Present {
		return Mark{Cluster: seen.Left.Cluster}, Endpoint{}, false
	}
	writes := role == RoleBootstrap || role == RoleManagement && Latched(role, identity, b)
	if !writes || !seen.Known || seen.Problem != nil || b.Handover != "" || !b.Advertised.Addr.IsValid() {
		return Mark{Cluster: b.Cluster}, Endpoint{}, false
	}
	return b.Mark, b.Advertised, true
}
