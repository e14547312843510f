package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/capi"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

// gather puts together everything that the judge needs for the Takeover t.
func (c *TakeoverController) gather(ctx context.Context, t *v1alpha1.Takeover, baton BatonState) takeover.Observation {
	o := takeover.Observation{
		Policy: policyOf(t.Spec.Policy), Baton: baton.BatonSeen, Streak: c.streak,
		Services: readServices(ctx, c.options.Services()),
	}
	c.options.Cluster.View().Fill(&o, capi.Ask{
		ClusterName: t.Spec.ClusterName, Role: c.wanted(t),
		BootstrapIP: addressOf(t.Spec.BootstrapIP), TinkerbellIP: addressOf(t.Spec.TinkerbellIP),
		Moved: baton.Moved || baton.Baton.Handover != "",
	})
	if o.Role == takeover.RoleBootstrap {
		moved, stayed := c.options.Moved()
		o.Evidence.BatonMoved = baton.Moved
		o.Evidence.HardwareMoved = moved > 0 && stayed == 0
	}
	o.Operator = operatorOf(t, stored(o).Advertised)
	c.recall(&o, t)
	if snapshot, ready := c.options.Snapshot(); ready {
		c.pairs.update(snapshot)
		o.Reservations, o.AllowPXE = c.pairs.all, c.pairs.allowPXE
	}
	if t.Spec.RemoteCheck == v1alpha1.RemoteCheckEnabled && o.Role == takeover.RoleBootstrap && o.Cluster != "" {
		c.remote.observe(ctx, &o)
	}
	o.Parity = c.parity(o)
	c.probes.look(t, &o, c.pairs.proof)
	now := time.Now()
	o.InFlight = c.options.InFlight(now)
	o.At = now
	return o
}

// settings are what the TinkerbellDatacenterConfig said last.
type settings struct{ isoBoot, skipLoadBalancer bool }

// recall fills in what the cluster's objects do not say any more, once they were moved away, from the baton and from what
// was made of them before.
func (c *TakeoverController) recall(o *takeover.Observation, t *v1alpha1.Takeover) {
	if o.Cluster == "" {
		o.Cluster = cmp.Or(stored(*o).Cluster, t.Status.ClusterName)
	}
	if left := o.Evidence.BatonMoved || stored(*o).Handover != ""; left {
		o.ISOBoot, o.SkipLoadBalancer = c.settings.isoBoot, c.settings.skipLoadBalancer
	} else {
		c.settings = settings{o.ISOBoot, o.SkipLoadBalancer}
	}
	if !o.TinkerbellIP.IsValid() {
		o.TinkerbellIP = addressOf(t.Status.TinkerbellIP)
	}
	if !o.BootstrapIP.IsValid() && o.Role == takeover.RoleBootstrap {
		if o.BootstrapIP = addressOf(t.Status.BootstrapIP); !o.BootstrapIP.IsValid() {
			o.BootstrapIP = c.options.Own
		}
	}
}

// wanted is the role that a flag or the Takeover names; RoleUnknown leaves it to the Nodes.
func (c *TakeoverController) wanted(t *v1alpha1.Takeover) takeover.Role {
	if c.options.Role != takeover.RoleUnknown {
		return c.options.Role
	}
	switch t.Spec.Role {
	case v1alpha1.RoleBootstrap:
		return takeover.RoleBootstrap
	case v1alpha1.RoleManagement:
		return takeover.RoleManagement
	case v1alpha1.RoleAuto:
	}
	return takeover.RoleUnknown
}

func policyOf(p v1alpha1.Policy) takeover.Policy {
	if p == v1alpha1.PolicyManual {
		return takeover.PolicyManual
	}
	return takeover.PolicyAutomatic
}

// parity compares what is advertised with the management cluster's Hardware. There it is the baton's list against our
// own; in the bootstrap cluster our own against what is seen over there, and without a look over there the move itself
// says that what left has arrived.
func (c *TakeoverController) parity(o takeover.Observation) takeover.Parity {
	if o.Reservations == nil {
		return takeover.Parity{Why: "Hardware was not listed yet"}
	}
	if o.Role == takeover.RoleManagement {
		return compare(stored(o), c.pairs.all)
	}
	if there, ready := c.remote.pairs(); ready {
		if b := stored(o); b.Handover != "" { // after a restart it alone remembers what left
			return compare(b, there)
		}
		return compare(takeover.Baton{Reservations: c.pairs.all}, there)
	}
	moved, stayed := c.options.Moved()
	switch {
	case moved > 0 && stayed == 0:
		return takeover.Parity{Known: true, Of: len(c.pairs.all)}
	case moved > 0:
		return takeover.Parity{Why: fmt.Sprintf("%d Hardware objects were moved and %d are still here: they move last, or `kubectl get hardware -A` shows which stayed", moved, stayed)}
	}
	return takeover.Parity{Why: "no Hardware was moved yet, and without remoteCheck this cluster cannot look at the management cluster's"}
}

// stored is the baton that is here, or the one that left and was not replaced yet.
func stored(o takeover.Observation) takeover.Baton {
	if o.Baton.Present {
		return o.Baton.Baton
	}
	return o.Baton.Left
}

// compare lists what the baton advertises and is not in there.
func compare(b takeover.Baton, there []takeover.Pair) takeover.Parity {
	if b.ReservationsOmitted {
		return takeover.Parity{Why: "the baton could not list its reservations"}
	}
	p := takeover.Parity{Known: true, Of: len(b.Reservations)}
	for _, pair := range b.Reservations {
		if _, found := slices.BinarySearch(there, pair); !found {
			p.Missing = append(p.Missing, pair)
		}
	}
	return p
}

// pairs are the reservations of a snapshot in the words of the takeover, made once for each snapshot.
type pairs struct {
	of       *inventory.Snapshot
	all      []takeover.Pair // sorted
	allowPXE int
	proof    reservation.MAC // the machine whose script proves which stack answers; zero for none
}

func (p *pairs) update(s *inventory.Snapshot) {
	if p.of == s {
		return
	}
	*p = pairs{of: s, all: make([]takeover.Pair, 0, s.Len())}
	for r := range s.All() {
		p.all = append(p.all, takeover.NewPair(r.MAC, r.Address.Addr()))
		if r.Netboot.Allow && !r.Netboot.Withheld {
			p.allowPXE++
			if p.proof.IsZero() || slices.Compare(r.MAC[:], p.proof[:]) < 0 {
				p.proof = r.MAC
			}
		}
	}
	slices.Sort(p.all)
}
