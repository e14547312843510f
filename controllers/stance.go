package controllers

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/tugboot/tugboot/internal/takeover"
)

// StanceOptions are what a StanceFollower needs. Local and Management may be nil, one of the two is required; Save and
// Load may be nil together; all else is required.
type StanceOptions struct {
	// Local shows the baton of the cluster we run in; Part its role and identity, as far as they are known.
	Local *BatonFollower
	Part  func() (takeover.Role, string)
	// Management follows the management cluster from a host outside.
	Management *ManagementFollower
	// Own is what this process serves itself.
	Own takeover.Endpoint
	// Set puts a stance in force. It must not block.
	Set func(takeover.Stance)
	// Save keeps a stance for after a restart, Load returns the one that was kept.
	Save func(takeover.Stance) error
	Load func() (takeover.Stance, bool)
	Log  logr.Logger
}

// StanceFollower keeps this replica's own servers in step with the baton. It only reads: every replica, and every
// restart, comes to the same stance from the same baton.
type StanceFollower struct {
	options StanceOptions
	trigger chan struct{}

	mu       sync.Mutex
	restored *takeover.Stance // in force until an API has answered
	now      takeover.Stance
	set      bool
}

// NewStanceFollower returns a follower that has set nothing yet.
func NewStanceFollower(o StanceOptions) (*StanceFollower, error) {
	if o.Local == nil && o.Management == nil || o.Local != nil && o.Part == nil || o.Set == nil || (o.Save == nil) != (o.Load == nil) {
		return nil, errors.New("stance follower: an option is missing")
	}
	f := &StanceFollower{options: o, trigger: make(chan struct{}, 1)}
	if o.Load != nil {
		if kept, found := o.Load(); found {
			f.restored = &kept
		}
	}
	return f, nil
}

// Trigger has the stance looked at soon. It never blocks.
func (f *StanceFollower) Trigger() {
	select {
	case f.trigger <- struct{}{}:
	default: // it is due already
	}
}

// NeedLeaderElection is false: every replica serves.
func (*StanceFollower) NeedLeaderElection() bool { return false }

// lookAgain is how soon the end of a change is noticed, when nothing else happens.
const lookAgain = 5 * time.Second

// Start keeps the stance in step until ctx is done, and returns nil.
func (f *StanceFollower) Start(ctx context.Context) error {
	for {
		f.apply(f.current(time.Now()))
		select {
		case <-ctx.Done():
			return nil
		case <-f.trigger:
		case <-time.After(lookAgain):
		}
	}
}

// current is the stance that follows from what is known now.
func (f *StanceFollower) current(now time.Time) takeover.Stance {
	if stance, latched := f.fromManagement(now); latched {
		return stance
	}
	if f.options.Local == nil {
		return f.untilKnown(takeover.Stance{Advertise: f.options.Own}, f.options.Management.Known())
	}
	role, identity := f.options.Part()
	state := f.options.Local.State()
	stance := takeover.Serve(role, identity, state.BatonSeen, f.options.Own, netip.Addr{}, now)
	return f.untilKnown(stance, state.Known && role != takeover.RoleUnknown)
}

// fromManagement is what the management cluster's own latch says, when we follow it from outside.
func (f *StanceFollower) fromManagement(now time.Time) (takeover.Stance, bool) {
	if f.options.Management == nil {
		return takeover.Stance{}, false
	}
	identity, seen := f.options.Management.Baton()
	if identity == "" || !seen.Present {
		return takeover.Stance{}, false
	}
	stance := takeover.Serve(takeover.RoleManagement, identity, seen, takeover.Endpoint{}, f.options.Own.Addr, now)
	if stance.Silent {
		return takeover.Stance{}, false
	}
	if stance.Also.IsValid() { // seen from there it is this host
		stance.Also = stance.Advertise.Addr
	}
	return stance, true
}

// untilKnown returns what was kept over a restart for as long as no API has answered.
func (f *StanceFollower) untilKnown(stance takeover.Stance, known bool) takeover.Stance {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known {
		f.restored = nil
	}
	if f.restored != nil {
		kept := *f.restored
		kept.Also = netip.Addr{} // how old it is cannot be told
		return kept
	}
	return stance
}

// apply puts a stance in force when it is another, and keeps it.
func (f *StanceFollower) apply(s takeover.Stance) {
	f.mu.Lock()
	if f.set && (s.Keep || f.now == s) {
		f.mu.Unlock()
		return
	}
	f.now, f.set = s, true
	f.mu.Unlock()
	f.options.Set(s)
	switch {
	case s.Silent:
		f.options.Log.Info("DHCP is not answered here now", "reason", s.Reason)
	case s.Withheld:
		f.options.Log.Info("machines get an address and nothing to boot: the advertised stack does not serve", "nextServer", s.Advertise.Addr.String())
	default:
		f.options.Log.Info("machines are sent to this next-server now", "nextServer", s.Advertise.Addr.String(), "scriptURL", s.Advertise.ScriptURL())
	}
	if f.options.Save == nil {
		return
	}
	if err := f.options.Save(s); err != nil {
		f.options.Log.Error(err, "what is advertised could not be kept for after a restart")
	}
}
