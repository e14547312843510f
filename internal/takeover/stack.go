package takeover

import (
	"net/netip"
	"time"
)

// lately is how old a round of probes may be to be a word on now. It is longer than the longest time from one round to
// the next (5 minutes) and the longest wait for an answer.
const lately = 6 * time.Minute

// bootstrapFailures is how many rounds in a row the bootstrap stack must fail before nothing is given to boot.
const bootstrapFailures = 3

// probedLately reports whether s is a word on the stack that is at addr now.
func (o Observation) probedLately(s Stack, addr netip.Addr) bool {
	age := o.At.Sub(s.At)
	return addr.IsValid() && s.Addr == addr && !s.At.IsZero() && age <= lately && age >= -lately
}

// place returns where the stack at addr serves, as it was discovered.
func (o Observation) place(s Stack, addr netip.Addr) (Endpoint, bool) {
	if !o.probedLately(s, addr) {
		return Endpoint{}, false
	}
	if o.ISOBoot && s.Endpoint.IsZero() {
		return Endpoint{Addr: addr}, true // nobody asks it by the network
	}
	return s.Endpoint, s.Endpoint.Addr == addr && s.Endpoint.sound()
}

// serving returns where the stack at addr serves, if it was seen lately to serve all that a machine asks for.
func (o Observation) serving(s Stack, addr netip.Addr) (Endpoint, bool) {
	e, found := o.place(s, addr)
	if o.ISOBoot {
		return e, found && s.TinkServer == ""
	}
	right := s.BootFile == "" && s.Healthcheck == "" && s.Script == "" && (!s.Proof.IsValid() || s.Proof == addr)
	return e, found && right && e.complete()
}

// bootstrapServing returns where the bootstrap stack serves, if it was seen to and machines can be sent there. What serves
// at the tinkerbellIP is not the bootstrap stack, whatever the bootstrapIP is said to be.
func (o Observation) bootstrapServing() (Endpoint, bool) {
	if unusable(o.BootstrapIP) != "" || o.BootstrapIP == o.TinkerbellIP {
		return Endpoint{}, false
	}
	return o.serving(o.AtBootstrap, o.BootstrapIP)
}

// next returns the series of rounds after the round in o, in which all gates were open.
func (s Streak) next(o Observation) Streak {
	round := o.AtTinkerbell.At
	target, found := o.place(o.AtTinkerbell, o.TinkerbellIP)
	if !found {
		return Streak{}
	}
	identity := o.ForceIdentity()
	fresh := Streak{Identity: identity, Endpoint: target, First: round, Last: round, Rounds: 1}
	switch {
	case s.Rounds <= 0, s.Identity != identity, !s.Endpoint.samePlace(target), round.Before(s.Last), round.Sub(s.Last) > lately:
		return fresh
	case round.Equal(s.Last):
		return s
	}
	return Streak{Identity: identity, Endpoint: s.Endpoint.seenAs(target), First: s.First, Last: round, Rounds: s.Rounds + 1}
}
