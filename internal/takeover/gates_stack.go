package takeover

import (
	"strconv"
	"time"
)

// unprobed says that no round of probes is a word on the management stack now.
func (o Observation) unprobed() Finding {
	if !o.ManagementAddr().IsValid() {
		return unknown(ReasonNotProbed, "it is not known where the management stack will serve", "wait for the cluster's objects, or set spec.tinkerbellIP of the Takeover")
	}
	addr := o.ManagementAddr().String()
	return unknown(ReasonNotProbed, "no round of probes of "+addr+" ended lately", "wait for the next one")
}

// notAsked says that machines with virtual media do not ask for what a probe asks for.
func notAsked() Finding {
	return skipped(ReasonISOBoot, "isoBoot is true: the machines do not boot from the network")
}

// probed judges one probe of the management stack: wrong is what it says, and serves whether the discovered endpoint has
// what the probe is about.
func (o Observation) probed(wrong string, serves bool, reason, what string) Finding {
	addr := o.ManagementAddr()
	switch {
	case !o.probedLately(o.AtTinkerbell, addr):
		return o.unprobed()
	case wrong != "":
		return shut(reason, what+" at "+addr.String()+": "+shown(wrong), "start the stack there, or wait for it")
	case !serves:
		return shut(reason, what+" at "+addr.String()+" was not discovered", "start the stack there, or wait for it")
	}
	return open(ReasonServing, what+" at "+addr.String()+" is served")
}

// netboot is probed for what machines with virtual media do not ask for.
func (o Observation) netboot(wrong string, serves bool, reason, what string) Finding {
	if o.ISOBoot {
		return notAsked()
	}
	return o.probed(wrong, serves, reason, what)
}

// bootFileServed: the first block of each boot file is had by TFTP.
func (o Observation) bootFileServed() Finding {
	e := o.AtTinkerbell.Endpoint
	return o.netboot(o.AtTinkerbell.BootFile, e.TFTPPort != 0, ReasonBootFileMissing, "the boot file")
}

// healthcheckAnswered: the stack says that it is well.
func (o Observation) healthcheckAnswered() Finding {
	e := o.AtTinkerbell.Endpoint
	return o.netboot(o.AtTinkerbell.Healthcheck, e.HTTPPort != 0, ReasonHealthcheckFailed, "/healthcheck")
}

// scriptServed: the script's URL was found.
func (o Observation) scriptServed() Finding {
	e := o.AtTinkerbell.Endpoint
	return o.netboot(o.AtTinkerbell.Script, e.HTTPPort != 0 && e.sound(), ReasonScriptMissing, "the script")
}

// stackProven: the script of one machine names the stack that it was had from.
func (o Observation) stackProven() Finding {
	proof, addr := o.AtTinkerbell.Proof, o.ManagementAddr()
	switch {
	case o.ISOBoot:
		return notAsked()
	case !o.probedLately(o.AtTinkerbell, addr):
		return o.unprobed()
	case proof.IsValid() && proof != addr:
		return shut(ReasonOtherStack, "the script of "+shown(o.AtTinkerbell.ProofMAC)+" at "+addr.String()+" names the Tink server "+proof.String(), "see which stack answers at that address, and set its tinkerbellIP right")
	case proof.IsValid():
		return open(ReasonProven, "the script of "+shown(o.AtTinkerbell.ProofMAC)+" names the Tink server "+addr.String())
	case o.AllowPXE <= 0:
		return skipped(ReasonNoMachine, "no machine may boot from the network now: that the Hardware is the same suffices")
	}
	return unknown(ReasonNoProof, "no machine's script was had at "+addr.String()+", though "+strconv.Itoa(o.AllowPXE)+" may boot from the network",
		"wait for the management stack to know its Hardware; the stack's log names the machines that it refuses")
}

// tinkServerReachable: the Tink server accepts a connection.
func (o Observation) tinkServerReachable() Finding {
	return o.probed(o.AtTinkerbell.TinkServer, true, ReasonTinkServerUnreachable, "the Tink server")
}

// addressUsable: machines can be sent to the two addresses, and they are two.
func (o Observation) addressUsable() Finding {
	const where = "in the TinkerbellDatacenterConfig or spec.tinkerbellIP of the Takeover"
	b, m := o.BootstrapIP, o.TinkerbellIP
	switch {
	case !m.IsValid():
		return unknown(ReasonNoTinkerbellIP, "it is not known where the management stack will serve", "give spec.tinkerbellIP "+where)
	case unusable(m) != "":
		return shut(ReasonTinkerbellIPUnusable, "tinkerbellIP "+m.String()+" "+unusable(m), "give an address that machines reach, "+where)
	case b == m:
		return shut(ReasonSameAddress, "bootstrapIP and tinkerbellIP are both "+m.String(), "give each stack an address of its own")
	case b.IsValid() && unusable(b) != "":
		return shut(ReasonBootstrapIPUnusable, "bootstrapIP "+b.String()+" "+unusable(b), "set spec.bootstrapIP of the Takeover to the address at which machines reach the bootstrap stack")
	}
	return open(ReasonAddressUsable, "machines can be sent to "+m.String())
}

// notFrozen: no person wants that nothing is changed.
func (o Observation) notFrozen() Finding {
	if o.Operator.Freeze {
		return shut(ReasonFrozen, "annotation tugboot.dev/freeze of the Takeover is set", "`tugboot takeover freeze --off` lets the takeover go on")
	}
	return open(ReasonNotFrozen, "nothing is frozen")
}

// approved: where a person's word is wanted, it was given, for this very cluster.
func (o Observation) approved() Finding {
	identity := o.ForceIdentity()
	mismatch := "annotation tugboot.dev/force of the Takeover is " + shown(o.Operator.Force) + ", and this management cluster is " + shown(identity)
	switch {
	case !o.Operator.Override.IsZero():
		return shut(ReasonOverridden, "annotation tugboot.dev/override of the Takeover is set", "`tugboot takeover override --off` lets the takeover go on")
	case o.forced():
		return open(ReasonForced, "a person forces the takeover to "+shown(identity))
	case o.Operator.Force != "" && identity == "" && o.Policy == PolicyManual:
		return shut(ReasonForceIdentityUnknown, "the identity of the management cluster is not known here", "set spec.remoteCheck of the Takeover, or give the word in the management cluster")
	case o.Operator.Force != "" && identity != "" && o.Operator.Force != identity && o.Policy == PolicyManual:
		return shut(ReasonForceIdentityMismatch, mismatch, "`tugboot takeover now` gives the right word")
	case o.Policy == PolicyManual:
		return shut(ReasonApprovalNeeded, "spec.policy of the Takeover is Manual", "`tugboot takeover now` gives the word")
	case o.Operator.Force != "" && identity != "" && o.Operator.Force != identity:
		return skipped(ReasonForceIdentityMismatch, mismatch+": it is not heeded, and nothing else waits for a person")
	}
	return skipped(ReasonAutomatic, "spec.policy of the Takeover is Automatic")
}

// steady: all gates before were open often and long enough.
func (r Rule) steady(o Observation) Finding {
	rounds, span := o.Streak.Rounds, o.Streak.Last.Sub(o.Streak.First)
	seen := strconv.Itoa(rounds) + " of " + strconv.Itoa(r.Times) + " rounds in " + span.Round(time.Second).String() + " of " + r.Span.String()
	if rounds == 0 || rounds < r.Times || span < r.Span {
		return shut(ReasonNotSteady, "all gates were open for "+seen, "wait for more rounds of probes")
	}
	return open(ReasonSteady, "all gates were open for "+seen)
}

// servicesWritten: every existing DHCP service says what is to be told.
func (o Observation) servicesWritten() Finding {
	f, _ := o.written(o.orders(o.stand(), o.Streak.Rounds > 0 || o.forced(), o.Streak))
	return f
}
