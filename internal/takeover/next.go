package takeover

// Next says what follows from o when the takeover waits for gates. It decides from what is stored and seen, and from
// nothing that it remembers; whoever carries the step out and looks again has the next one.
func Next(o Observation, gates ...Gate) Step {
	s := o.stand()
	a := ask(o, gates)
	d := o.orders(s, a.through, a.streak)
	f, names := o.written(d)
	step := Step{
		Advertise: d.tell, Mark: d.mark, Streak: a.streak, Findings: a.findings,
		Baton: o.store(s, d, f.State.Passes()),
	}
	if d.writes {
		step.Write = names
	}
	o.describe(s, d, &step)
	return step
}

// store returns the baton to be stored, or nil when what is stored is right or not for this instance to change. Written
// is true when all existing DHCP services say what d orders.
func (o Observation) store(s standing, d order, written bool) *Baton {
	if o.blocked(s) != "" {
		return nil
	}
	b := o.baton(s, d, written)
	if !o.keeps(s, d, b) || !b.sound() || o.Baton.Present && b.Equal(o.Baton.Baton) {
		return nil
	}
	return &b
}

// keeps reports whether a baton is this instance's to store.
func (o Observation) keeps(s standing, d order, b Baton) bool {
	if o.Role == RoleBootstrap {
		return o.Baton.stored().exists() || b.Handover != "" || d.act != actNothing
	}
	return b.Latch.Set() || d.act == actRaise || s.foreign && !o.Operator.Freeze
}

// baton is what d comes to.
func (o Observation) baton(s standing, d order, written bool) Baton {
	b := s.Baton
	switch d.act {
	case actNothing:
	case actOverride:
		b.tell(d.tell, o.At)
		b.Mark, b.Withheld = d.mark, false
	case actFollow:
		remote := o.Remote().Baton.Latch
		if !s.latched {
			b.Fence.Epoch++
			b.Latch.At = toTheSecond(o.At)
		}
		b.Latch.Identity, b.Latch.Endpoint = remote.Identity, remote.Endpoint
		b.tell(d.tell, o.At)
		b.Withheld = false
	case actKeep:
		b.tell(d.tell, o.At)
		b.Latch.Endpoint = d.tell
		b.Mark, b.Withheld = d.mark, false
	case actRaise:
		b.Fence = o.highest()
	case actTake:
		if written {
			b.Latch = Latch{Identity: d.mark.Identity, Endpoint: d.tell, At: toTheSecond(o.At)}
			b.tell(d.tell, o.At)
			b.Mark, b.Withheld = d.mark, false
		}
	case actBootstrap:
		b.tell(d.tell, o.At)
		b.Withheld = o.withhold(b)
	}
	b.Identity = b.Latch.Identity
	if d.act != actNothing && o.lists(b) {
		b.Reservations, b.ReservationsOmitted = listed(o.Reservations)
		b.ReservationsOmitted = b.ReservationsOmitted || o.ReservationsOmitted
	}
	return b
}

// withhold reports whether machines get nothing to boot: the bootstrap stack, which is what they are told, is gone.
func (o Observation) withhold(b Baton) bool {
	if _, serves := o.bootstrapServing(); serves || !b.Advertised.Addr.IsValid() || o.ISOBoot {
		return false
	}
	return b.Withheld || b.Advertised.Addr == o.BootstrapIP && o.BootstrapFailures >= bootstrapFailures
}

// lists reports whether the reservations in b are this instance's to keep up: those that are advertised, while it holds
// the baton. What a bootstrap instance advertised at the handover is what the management cluster is compared with.
func (o Observation) lists(b Baton) bool {
	known := o.Reservations != nil || o.ReservationsOmitted
	return known && b.Handover == "" && (o.Role == RoleBootstrap || b.Latch.Set())
}

// sound reports whether b can be stored and read again.
func (b Baton) sound() bool {
	for _, e := range []Endpoint{b.Advertised, b.Previous, b.Latch.Endpoint} {
		if !e.IsZero() && !e.sound() {
			return false
		}
	}
	return b.Cluster != "" && b.Fence.sound() && (b.Latch.Identity == "" || plainWord(b.Latch.Identity)) && (b.Handover == "" || strength(b.Handover) > 0)
}
