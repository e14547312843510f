package takeover

// act is what one observation asks for.
type act uint8

const (
	// actNothing leaves everything as it is.
	actNothing act = iota
	// actOverride tells a person's endpoint.
	actOverride
	// actFollow tells what the management instance tells, which has latched.
	actFollow
	// actKeep tells the latched endpoint.
	actKeep
	// actRaise stores an epoch above those that stand in services, before the management instance takes over.
	actRaise
	// actTake is the takeover.
	actTake
	// actBootstrap tells the bootstrap stack's endpoint.
	actBootstrap
)

// order is what is to be told, under which mark, and whether this instance is the one to write it.
type order struct {
	act    act
	tell   Endpoint
	mark   Mark
	writes bool
}

// orders finds out what o asks for. Through is true when the takeover waits for nothing but the existing DHCP services;
// rounds is the series in which that was seen.
func (o Observation) orders(s standing, through bool, rounds Streak) order {
	d := order{tell: s.Advertised, mark: s.Mark}
	if o.blocked(s) != "" || o.Operator.Freeze {
		return d
	}
	overridden, refused := o.override(s)
	switch {
	case refused.Reason != "":
		return d
	case !overridden.IsZero():
		return order{act: actOverride, tell: overridden, mark: o.raised(s), writes: !s.writesNoMore()}
	case o.managementLatched():
		return order{act: actFollow, tell: o.Remote().Baton.Advertised, mark: s.Mark}
	case s.latched:
		return order{act: actKeep, tell: o.latchedEndpoint(s), mark: o.raised(s), writes: !s.writesNoMore()}
	case through:
		return o.take(s, d, rounds)
	case o.Role == RoleBootstrap && !o.unsure():
		d.act, d.writes = actBootstrap, s.Handover == ""
		if e, serves := o.bootstrapServing(); serves {
			d.tell = s.Advertised.seenAs(e)
		}
		d.writes = d.writes && d.tell.Addr.IsValid()
	}
	return d
}

// take orders the takeover, or d where it cannot be ordered yet.
func (o Observation) take(s standing, d order, rounds Streak) order {
	target, found := o.target(rounds)
	if !found {
		return d
	}
	mark := o.takeoverMark(s)
	if o.mayRaise() && mark.Fence.Less(o.highest()) {
		d.act = actRaise
		return d
	}
	return order{act: actTake, tell: target, mark: mark, writes: true}
}

// unsure reports whether the existing DHCP services tell of a management cluster of this name that had taken over, while
// there is no baton and nothing shows that the cluster is being made here: a bootstrap cluster that upgrades the
// management cluster looks like that until the baton comes.
func (o Observation) unsure() bool {
	if o.Baton.stored().exists() || o.Evidence.Local.Found {
		return false
	}
	for _, service := range o.Services {
		if service.Mark.Cluster == o.Cluster && service.Mark.Identity != "" {
			return true
		}
	}
	return false
}

// target returns the endpoint to take over to. Machines are never sent where nothing was discovered.
func (o Observation) target(rounds Streak) (Endpoint, bool) {
	e, found := o.place(o.AtTinkerbell, o.TinkerbellIP)
	some := e.TFTPPort != 0 || e.HTTPPort != 0
	if !found || !o.ISOBoot && !e.complete() && !(some && o.forced()) {
		return Endpoint{}, false
	}
	if rounds.Endpoint.samePlace(e) {
		e = rounds.Endpoint.seenAs(e)
	}
	return e, true
}

// latchedEndpoint is the latched one, with the ports and the path at which that stack serves now.
func (o Observation) latchedEndpoint(s standing) Endpoint {
	if e, serves := o.serving(o.AtTinkerbell, s.Latch.Endpoint.Addr); serves {
		return s.Latch.Endpoint.seenAs(e)
	}
	return s.Latch.Endpoint
}

// override returns a person's endpoint, or why it is refused.
func (o Observation) override(s standing) (Endpoint, Finding) {
	wanted := o.Operator.Override
	said := "annotation tugboot.dev/override of the Takeover: " + shown(wanted.Addr.String())
	switch {
	case wanted == Endpoint{}:
		return Endpoint{}, Finding{}
	case o.Role == RoleManagement && !s.latched:
		return Endpoint{}, shut(ReasonOverrideTooEarly, said+" has no effect in the management cluster before the takeover",
			"remove it, and set it in the bootstrap cluster or let the takeover go ahead first (`tugboot takeover now`)")
	case wanted != Endpoint{Addr: wanted.Addr}:
		if field, want := wanted.wrong(); field != "" {
			return Endpoint{}, shut(ReasonOverrideUnusable, said+" has an unusable "+field, "give "+want)
		}
		return wanted, Finding{}
	case unreachable(wanted.Addr) != "":
		return Endpoint{}, shut(ReasonOverrideUnusable, said+" "+unreachable(wanted.Addr), "give an address that machines on the network can reach, or remove the annotation")
	}
	if e, serves := o.serving(o.Operator.OverrideSeen, wanted.Addr); serves {
		return s.Advertised.seenAs(e), Finding{}
	}
	if s.Advertised.Addr == wanted.Addr {
		return s.Advertised, Finding{}
	}
	return Endpoint{}, shut(ReasonOverrideNotServing, said+": no stack is seen to serve there", "start the stack there, give the whole URL of its script, or remove the annotation")
}

// forced reports whether a person said that the takeover goes ahead whatever most gates say. A freeze stands above it.
func (o Observation) forced() bool {
	identity := o.ForceIdentity()
	return identity != "" && o.Operator.Force == identity && unreachable(o.TinkerbellIP) == ""
}
