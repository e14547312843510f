package takeover

import "net/netip"

// standing is how the takeover stands for this instance.
type standing struct {
	// Baton is what this instance goes on from, with the evidence that was seen since it was stored.
	Baton
	// latched: there is a latch, and it counts here.
	latched bool
	// foreign: there was a latch that does not count here, and Baton is a fresh one.
	foreign bool
}

// Latched reports whether the latch in b counts for an instance of this role in the cluster of this identity. The
// bootstrap role honours any: the deletion and the upgrade of a cluster bring its baton into a new bootstrap cluster, and
// the management stack stays the one to boot from. Elsewhere the latch must be this cluster's own: a restored or foreign
// ConfigMap proves nothing.
func Latched(role Role, identity string, b Baton) bool {
	switch role {
	case RoleBootstrap:
		return b.Latch.Set()
	case RoleManagement, RoleUnknown:
		return b.Latch.Set() && identity != "" && b.Latch.Identity == identity
	}
	return false
}

// stored returns the baton that is here, or that left and was not replaced yet.
func (seen BatonSeen) stored() Baton {
	if seen.Present {
		return seen.Baton
	}
	return seen.Left
}

// stand finds out how the takeover stands.
func (o Observation) stand() standing {
	s := standing{Baton: o.Baton.stored()}
	s.latched = Latched(o.Role, o.Identity, s.Baton)
	s.foreign = s.Latch.Set() && !s.latched && o.Role == RoleManagement
	if !s.exists() || s.foreign {
		s.Baton = Baton{Mark: Mark{Cluster: o.Cluster, Fence: Fence{Born: o.Born, Epoch: 1}}}
	}
	s.Handover = o.handover(s)
	return s
}

// ManagementAddr is the address of the management cluster's stack: the latched one once there is a latch that counts,
// else the tinkerbellIP. It is the address to be probed.
func (o Observation) ManagementAddr() netip.Addr {
	if s := o.stand(); s.latched {
		return s.Latch.Endpoint.Addr
	}
	return o.TinkerbellIP
}

// ForceIdentity is what Operator.Force must be for the takeover to go ahead: the identity of the management cluster. It is
// empty while a bootstrap instance does not know it.
func (o Observation) ForceIdentity() string {
	switch o.Role {
	case RoleManagement:
		if plainWord(o.Identity) {
			return o.Identity
		}
	case RoleBootstrap:
		if o.remoteIsAnother() {
			return o.Remote().Identity
		}
	case RoleUnknown:
	}
	return ""
}

// Remote is what the management cluster's API shows; the zero value when it is not asked or does not answer.
func (o Observation) Remote() Remote {
	if o.Evidence.Remote == nil {
		return Remote{}
	}
	return *o.Evidence.Remote
}

// remoteIsAnother reports whether the cluster over there is known, and is not the one that we run in.
func (o Observation) remoteIsAnother() bool {
	return plainWord(o.Remote().Identity) && o.Remote().Identity != o.Identity
}

// managementLatched reports whether the management instance has latched. It has proven everything by its own gates, so
// that a bootstrap instance follows it at once.
func (o Observation) managementLatched() bool {
	b := o.Remote().Baton
	return o.Role == RoleBootstrap && o.remoteIsAnother() && b.Latch.Identity == o.Remote().Identity &&
		b.Cluster == o.Cluster && b.Latch.Endpoint.sound() && b.Advertised.sound()
}

// handover returns the reason of the strongest evidence that a bootstrap instance sees or has kept.
func (o Observation) handover(s standing) string {
	strongest := s.Handover
	see := func(seen bool, reason string) {
		if seen && strength(reason) > strength(strongest) {
			strongest = reason
		}
	}
	moved := !o.Baton.Present && o.Baton.Left.exists()
	if s.latched {
		see(moved, ReasonLatchMoved)
	}
	switch o.Role {
	case RoleBootstrap:
		see(o.managementLatched(), ReasonManagementLatched)
		if !s.latched {
			see(moved || o.Evidence.BatonMoved, ReasonBatonMoved)
			see(o.remoteIsAnother() && o.Remote().Cluster.SelfManaged(), ReasonRemoteSelfManaged)
			see(o.Evidence.HardwareMoved, ReasonHardwareMoved)
		}
	case RoleManagement:
		if o.Evidence.Local.SelfManaged() {
			return "" // whatever left has come back
		}
	case RoleUnknown:
	}
	return strongest
}

// strength orders the evidence that is kept: the stronger one says more about the other cluster. It is 0 for a word that
// is none.
func strength(handover string) int {
	switch handover {
	case ReasonBatonMoved:
		return 1
	case ReasonRemoteSelfManaged:
		return 2
	case ReasonHardwareMoved:
		return 3
	case ReasonLatchMoved:
		return 4
	case ReasonManagementLatched:
		return 5
	}
	return 0
}

// writesNoMore reports whether another instance writes the existing DHCP services from now on.
func (s standing) writesNoMore() bool { return strength(s.Handover) >= strength(ReasonLatchMoved) }

// proof returns the reason of the hard evidence that the management cluster has taken over, or "".
func (o Observation) proof(s standing) string {
	if o.Role == RoleManagement {
		if o.Evidence.Local.SelfManaged() {
			return ReasonSelfManaged
		}
		return ""
	}
	return s.Handover
}
