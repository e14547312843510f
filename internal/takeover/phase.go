package takeover

import "slices"

// describe fills in where the takeover stands, whether that is as it should be, and why.
func (o Observation) describe(s standing, d order, step *Step) {
	if p := o.conflict(); p != nil {
		step.Phase, step.Reason, step.Message = Conflict, p.Reason, p.String()
		return
	}
	step.Phase = o.phase(s, d, step.Findings)
	why := o.why(s, d, step)
	step.Reason, step.Message = why.Reason, why.Message
	step.Ready = why.State == Open
}

// phase derives where the takeover stands from what is advertised and what the gates say.
func (o Observation) phase(s standing, d order, findings []Finding) Phase {
	told := s.Advertised
	if wanted := o.Operator.Override; told.Addr.IsValid() && told.Addr == wanted.Addr && (d.act == actOverride || o.Operator.Freeze) {
		return Override
	}
	switch {
	case s.latched:
		if firstShut(findings, probes) != nil {
			return Degraded
		}
		return Managed
	case o.proof(s) != "" || d.act == actTake || d.act == actRaise:
		if firstShut(findings, before) == nil || d.act == actTake || d.act == actRaise {
			return Verifying
		}
		return HandoverSeen
	case told.Addr.IsValid():
		return Bootstrap
	}
	return Idle
}

// probes reports whether f is what a probe of the management stack, once that is advertised, found wrong.
func probes(f Finding) bool {
	return f.State == Shut && slices.Contains([]string{
		GateBootFileServed, GateHealthcheckAnswered, GateScriptServed, GateStackProven, GateTinkServerReachable,
	}, f.Gate)
}

// before reports whether f is in the way before the last two gates, which only take time.
func before(f Finding) bool {
	return f.Gate != GateSteady && f.Gate != GateServicesWritten && !f.State.Passes()
}

func firstShut(findings []Finding, counts func(Finding) bool) *Finding {
	for i := range findings {
		if counts(findings[i]) {
			return &findings[i]
		}
	}
	return nil
}

// why says in one finding why the takeover stands where it does; it is Open when that is as it should be.
func (o Observation) why(s standing, d order, step *Step) Finding {
	told := s.Advertised.Addr.String()
	switch step.Phase {
	case Idle:
		return o.whyIdle(s, d)
	case Bootstrap:
		return o.whyBootstrap(s)
	case HandoverSeen, Verifying:
		if s.foreign {
			return foreign()
		}
		counts := func(f Finding) bool { return !f.State.Passes() && (d.act != actTake || f.Gate == GateServicesWritten) }
		if f := firstShut(step.Findings, counts); f != nil {
			return *f
		}
		return unknown(ReasonTakeoverPending, "nothing is in the way any more", "nothing is to be done: the takeover goes on with the next observation")
	case Managed:
		if o.Operator.Override.IsZero() && s.Advertised.Addr != s.Latch.Endpoint.Addr {
			return unknown(ReasonLatched, "the override is over, and "+told+" is still advertised", "nothing is to be done: the next step tells "+s.Latch.Endpoint.Addr.String())
		}
		return open(ReasonManaged, "the management stack at "+told+" is advertised")
	case Degraded:
		f := *firstShut(step.Findings, probes)
		f.Message += "; " + told + " stays advertised"
		return f
	case Override:
		wanted := o.Operator.Override
		if _, serves := o.serving(o.Operator.OverrideSeen, wanted.Addr); !serves && wanted == (Endpoint{Addr: wanted.Addr}) {
			return shut(ReasonOverrideNotServing, "a person's endpoint at "+told+" is advertised and is not seen to serve", "start the stack there, or `tugboot takeover override --off`")
		}
		return open(ReasonOverridden, "a person's endpoint at "+told+" is advertised")
	case Conflict:
	}
	return Finding{}
}

// foreign is the word on a baton of another cluster.
func foreign() Finding {
	return unknown(ReasonLatchOfAnotherCluster, "the ConfigMap tugboot-baton-CLUSTER was latched for another management cluster, perhaps restored from a backup",
		"nothing is to be done: this cluster starts afresh")
}

// whyIdle says why nothing is advertised.
func (o Observation) whyIdle(s standing, d order) Finding {
	if f := o.configurationValid(); !f.State.Passes() {
		return f
	}
	switch {
	case s.foreign:
		return foreign()
	case o.Role == RoleManagement:
		f := o.evidenceSeen()
		return unknown(ReasonTakeoverPending, f.Message, "this instance answers nobody until then")
	case o.unsure():
		return unknown(ReasonLatchedMark, "the existing DHCP services were written for a management cluster "+shown(o.Cluster)+" that had taken over",
			"wait for its baton, or for the Cluster API cluster that shows that it is being made anew")
	case d.tell.Addr.IsValid():
		return unknown(ReasonBootstrapServing, "the bootstrap stack serves at "+d.tell.Addr.String(), "nothing is to be done: it is advertised with this step")
	case !o.BootstrapIP.IsValid():
		return unknown(ReasonNoBootstrapIP, "it is not known where the bootstrap stack serves", "set spec.bootstrapIP of the Takeover, or let EKS Anywhere annotate the cluster")
	case o.BootstrapIP == o.TinkerbellIP:
		return shut(ReasonSameAddress, "bootstrapIP and tinkerbellIP are both "+o.BootstrapIP.String(), "give each stack an address of its own")
	case unusable(o.BootstrapIP) != "":
		return shut(ReasonBootstrapIPUnusable, "bootstrapIP "+o.BootstrapIP.String()+" "+unusable(o.BootstrapIP), "set spec.bootstrapIP of the Takeover to the address at which machines reach the bootstrap stack")
	}
	return o.notServing()
}

// whyBootstrap says whether the bootstrap stack, which is advertised, serves.
func (o Observation) whyBootstrap(s standing) Finding {
	told := s.Advertised.Addr.String()
	switch {
	case s.Withheld:
		return o.notServing()
	case o.Role == RoleBootstrap && s.Advertised.Addr != o.BootstrapIP:
		return unknown(ReasonBootstrapNotServing, told+" is advertised, and no stack is seen to serve at the bootstrapIP "+o.BootstrapIP.String(), "start the bootstrap stack, or set spec.bootstrapIP of the Takeover right")
	}
	return open(ReasonBootstrapServing, "the bootstrap stack at "+told+" is advertised")
}

// notServing says what the probes of the bootstrap stack miss.
func (o Observation) notServing() Finding {
	s := o.AtBootstrap
	what := "no round of probes of it ended lately"
	if o.probedLately(s, o.BootstrapIP) {
		what = "its endpoint was not discovered"
		for _, wrong := range []string{s.BootFile, s.Healthcheck, s.Script, s.TinkServer} {
			if wrong != "" {
				what = shown(wrong)
				break
			}
		}
	}
	return shut(ReasonBootstrapNotServing, "the bootstrap stack is not seen to serve at "+o.BootstrapIP.String()+": "+what, "start the stack there, or set spec.bootstrapIP of the Takeover right")
}
