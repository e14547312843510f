package takeover

import (
	"strconv"
	"strings"
)

// The names of the gates, which are the types of the conditions that show them.
const (
	GateConfigurationValid  = "ConfigurationValid"
	GateEvidenceSeen        = "EvidenceSeen"
	GateBootFileServed      = "BootFileServed"
	GateHealthcheckAnswered = "HealthcheckAnswered"
	GateScriptServed        = "ScriptServed"
	GateHardwareParity      = "HardwareParity"
	GateStackProven         = "StackProven"
	GateTinkServerReachable = "TinkServerReachable"
	GateNoWorkflowActive    = "NoWorkflowActive"
	GateLoadBalancerReady   = "LoadBalancerReady"
	GateAddressUsable       = "AddressUsable"
	GateNotFrozen           = "NotFrozen"
	GateApproved            = "Approved"
	GateSteady              = "Steady"
	GateServicesWritten     = "ServicesWritten"
)

// Gates returns all gates in the order in which they are asked.
func Gates(r Rule) []Gate {
	return []Gate{
		gate(GateConfigurationValid, Observation.configurationValid),
		gate(GateEvidenceSeen, untilLatched(Observation.evidenceSeen)),
		gate(GateBootFileServed, Observation.bootFileServed),
		gate(GateHealthcheckAnswered, Observation.healthcheckAnswered),
		gate(GateScriptServed, Observation.scriptServed),
		gate(GateHardwareParity, untilLatched(Observation.hardwareParity)),
		gate(GateStackProven, Observation.stackProven),
		gate(GateTinkServerReachable, Observation.tinkServerReachable),
		gate(GateNoWorkflowActive, untilLatched(Observation.noWorkflowActive)),
		gate(GateLoadBalancerReady, Observation.loadBalancerReady),
		gate(GateAddressUsable, untilLatched(Observation.addressUsable)),
		gate(GateNotFrozen, Observation.notFrozen),
		gate(GateApproved, untilLatched(Observation.approved)),
		gate(GateSteady, untilLatched(r.steady)),
		gate(GateServicesWritten, Observation.servicesWritten),
	}
}

func gate(name string, judge func(Observation) Finding) Gate {
	return Gate{Name: name, Judge: func(o Observation) Finding {
		f := judge(o)
		f.Gate = name
		return f
	}}
}

// untilLatched does not ask any more once the takeover is done.
func untilLatched(judge func(Observation) Finding) func(Observation) Finding {
	return func(o Observation) Finding {
		if o.stand().latched {
			return skipped(ReasonLatched, "the takeover is done")
		}
		return judge(o)
	}
}

// shut and unknown say what is in the way and what to do about it.
func shut(reason, what, remedy string) Finding {
	return Finding{State: Shut, Reason: reason, Message: what + ": " + remedy}
}

func unknown(reason, what, remedy string) Finding {
	return Finding{State: Unknown, Reason: reason, Message: what + ": " + remedy}
}

func open(reason, what string) Finding {
	return Finding{State: Open, Reason: reason, Message: what}
}

func skipped(reason, why string) Finding {
	return Finding{State: Skipped, Reason: reason, Message: why}
}

// asked is what all gates say, one after the other.
type asked struct {
	findings []Finding
	// through: nothing is in the way but the existing DHCP services. Streak is the series of rounds to go on with.
	through bool
	streak  Streak
}

// ask has all gates judge o. Each sees the series of rounds only if all gates before it are open.
func ask(o Observation, gates []Gate) asked {
	a := asked{through: len(gates) > 0}
	rounds := o.Streak.next(o)
	if !o.stand().latched {
		a.streak = rounds
	}
	for _, g := range gates {
		o.Streak = Streak{}
		if a.through {
			o.Streak = rounds
		}
		f := g.Judge(o)
		a.findings = append(a.findings, f)
		if g.Name == GateServicesWritten || f.State.Passes() {
			continue
		}
		a.through = false
		if g.Name != GateSteady {
			a.streak = Streak{}
		}
	}
	if o.forced() {
		a.through = true
	}
	return a
}

// list names the first few of many.
func list(items []string) string {
	const most = 3
	var text []string
	for i, item := range items {
		if i == most {
			text = append(text, "and "+strconv.Itoa(len(items)-most)+" more")
			break
		}
		text = append(text, shown(item))
	}
	return strings.Join(text, ", ")
}
