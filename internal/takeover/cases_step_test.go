package takeover

import (
	"net/netip"
	"testing"
)

func stepCases() []reasonCase {
	const b, m = RoleBootstrap, RoleManagement
	noEvidence := func(o *Observation) { o.Evidence = Evidence{} }
	none := func(o *Observation) { noEvidence(o); o.Baton = BatonSeen{Known: true}; o.Services = nil }
	remote := func(o *Observation) {
		there := ready(m)
		latch(&there)
		o.Evidence = Evidence{Remote: &Remote{Identity: "management-1", Baton: there.Baton.Baton}}
	}
	conflict := Problem{Reason: ReasonSeveralBatons, Object: "Namespace eksa-system", Field: "ConfigMaps", Value: "2", Remedy: "set spec.clusterName", Conflict: true}
	return []reasonCase{
		{"", 0, Idle, ReasonTakeoverPending, m, none},
		{"", 0, Idle, ReasonClusterUnknown, b, func(o *Observation) { none(o); o.Cluster = "" }},
		{"", 0, Idle, ReasonBootstrapServing, b, none},
		{"", 0, Idle, ReasonNoBootstrapIP, b, func(o *Observation) { none(o); o.BootstrapIP = netip.Addr{} }},
		{"", 0, Idle, ReasonBootstrapIPUnusable, b, func(o *Observation) { none(o); o.BootstrapIP = netip.MustParseAddr("127.0.0.1") }},
		{"", 0, Idle, ReasonSameAddress, b, func(o *Observation) { none(o); o.BootstrapIP = o.TinkerbellIP }},
		{"", 0, Idle, ReasonBootstrapNotServing, b, func(o *Observation) { none(o); o.AtBootstrap.Script = "404" }},
		{"", 0, Idle, ReasonBootstrapNotServing, b, func(o *Observation) { none(o); o.AtBootstrap = Stack{} }},
		{"", 0, Idle, ReasonBootstrapNotServing, b, func(o *Observation) { none(o); o.AtBootstrap.Endpoint = Endpoint{} }},
		{"", 0, Idle, ReasonLatchedMark, b, func(o *Observation) {
			none(o)
			o.Services = []Service{{Name: "kea", Says: shapes()[1].at(addrM), Mark: Mark{Cluster: "lab", Fence: Fence{500, 3}, Identity: "management-1"}}}
		}},
		{"", 0, Idle, ReasonLatchOfAnotherCluster, m, func(o *Observation) { latch(o); o.Identity = "management-2"; noEvidence(o) }},
		{"", 0, Bootstrap, ReasonBootstrapServing, b, noEvidence},
		{"", 0, Bootstrap, ReasonBootstrapNotServing, b, func(o *Observation) { noEvidence(o); o.Baton.Baton.Withheld = true }},
		{"", 0, Bootstrap, ReasonBootstrapNotServing, b, func(o *Observation) { noEvidence(o); o.BootstrapIP = netip.MustParseAddr("192.168.2.113") }},
		{"", 0, HandoverSeen, ReasonHardwareUnknown, b, func(o *Observation) { o.Evidence, o.Parity = Evidence{BatonMoved: true}, Parity{} }},
		{"", 0, HandoverSeen, ReasonWorkflowActive, b, func(o *Observation) {
			o.Evidence = Evidence{Remote: &Remote{Identity: "management-1", Cluster: ready(m).Evidence.Local}}
			o.Workflows = []string{"w"}
		}},
		{"", 0, Verifying, ReasonNotSteady, m, func(o *Observation) { o.Streak = Streak{} }},
		{"", 0, Verifying, ReasonWritePending, m, nothing},
		{"", 0, Verifying, ReasonTakeoverPending, m, func(o *Observation) { o.Services = nil }},
		{"", 0, Verifying, ReasonLatchOfAnotherCluster, m, func(o *Observation) { latch(o); o.Identity = "management-2" }},
		{"", 0, Verifying, ReasonWritePending, m, func(o *Observation) {
			o.Operator.Force = "management-1"
			o.Workflows = []string{"w"}
			o.Streak = Streak{}
		}},
		{"", 0, Managed, ReasonManaged, m, latch},
		{"", 0, Managed, ReasonManaged, b, func(o *Observation) { latch(o); o.Baton = BatonSeen{Known: true, Left: o.Baton.Baton} }},
		{"", 0, Managed, ReasonManaged, b, func(o *Observation) { latch(o); remote(o) }},
		{"", 0, Managed, ReasonManaged, m, func(o *Observation) { latch(o); o.AtTinkerbell = Stack{} }},
		{"", 0, Managed, ReasonManaged, m, func(o *Observation) { latch(o); o.AtTinkerbell.Proof = netip.Addr{} }},
		{"", 0, HandoverSeen, ReasonOverrideTooEarly, m, func(o *Observation) { o.Operator.Override.Addr = netip.MustParseAddr(addrB) }},
		{"", 0, Managed, ReasonLatched, m, func(o *Observation) { latch(o); o.Baton.Baton.Advertised = shapes()[1].at(addrB) }},
		{"", 0, Degraded, ReasonHealthcheckFailed, m, func(o *Observation) { latch(o); o.AtTinkerbell.Healthcheck = "503" }},
		{"", 0, Degraded, ReasonOtherStack, m, func(o *Observation) { latch(o); o.AtTinkerbell.Proof = netip.MustParseAddr(addrB) }},
		{"", 0, Override, ReasonOverridden, m, func(o *Observation) {
			latch(o)
			o.Operator.Override = shapes()[1].at(addrB)
			o.Baton.Baton.Advertised = o.Operator.Override
		}},
		{"", 0, Override, ReasonOverrideNotServing, m, func(o *Observation) {
			latch(o)
			o.Operator.Override.Addr = netip.MustParseAddr(addrB)
			o.Baton.Baton.Advertised = shapes()[1].at(addrB)
		}},
		{"", 0, Conflict, ReasonSeveralBatons, m, func(o *Observation) { latch(o); o.Problems = []Problem{conflict} }},
		{"", 0, Conflict, ReasonSeveralBatons, b, func(o *Observation) { o.Baton = BatonSeen{Known: true, Problem: &conflict} }},
	}
}

func TestUnusableAddresses(t *testing.T) {
	for _, text := range unusableAddresses() {
		o := ready(RoleManagement)
		o.TinkerbellIP = netip.MustParseAddr(text)
		o.AtTinkerbell.Addr, o.AtTinkerbell.Endpoint.Addr, o.AtTinkerbell.Proof = o.TinkerbellIP, o.TinkerbellIP, o.TinkerbellIP
		o.Streak.Endpoint = o.AtTinkerbell.Endpoint
		step := Next(o, Gates(DefaultRule())...)
		if f := step.Findings[10]; f.Gate != GateAddressUsable || f.State != Shut || f.Reason != ReasonTinkerbellIPUnusable || len(step.Write) > 0 {
			t.Errorf("%s: %+v, writes %v", text, f, step.Write)
		}
		o.Operator.Force = "management-1"
		step = Next(o, Gates(DefaultRule())...)
		if bridge := text == "172.17.0.2" || text == "10.88.0.2"; (len(step.Write) > 0) != bridge {
			t.Errorf("%s, forced: writes %v", text, step.Write)
		}
	}
}

// TestForceNeedsAnEndpoint: a person's word replaces evidence and gates, and not the stack.
func TestForceNeedsAnEndpoint(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Observation)
		writes bool
	}{
		"all shut": {func(o *Observation) {
			o.Workflows = []string{"w"}
			o.Evidence = Evidence{}
			o.AtTinkerbell.Healthcheck = "503"
		}, true},
		"only HTTP":             {func(o *Observation) { o.AtTinkerbell.Endpoint.TFTPPort = 0 }, true},
		"nothing discovered":    {func(o *Observation) { o.AtTinkerbell.Endpoint = Endpoint{} }, false},
		"no port":               {func(o *Observation) { o.AtTinkerbell.Endpoint = Endpoint{Addr: o.TinkerbellIP} }, false},
		"no round":              {func(o *Observation) { o.AtTinkerbell = Stack{} }, false},
		"frozen":                {func(o *Observation) { o.Operator.Freeze = true }, false},
		"overridden":            {func(o *Observation) { o.Operator.Override.Addr = netip.MustParseAddr("192.168.2.60") }, false},
		"for another":           {func(o *Observation) { o.Operator.Force = "management-10"; o.Workflows = []string{"w"} }, false},
		"in a conflict":         {func(o *Observation) { o.Problems = []Problem{{Reason: "X", Conflict: true}} }, false},
		"no endpoint, ISO boot": {func(o *Observation) { o.ISOBoot = true; o.AtTinkerbell.Endpoint = Endpoint{} }, true},
	} {
		o := ready(RoleManagement)
		o.Operator.Force, o.Streak = "management-1", Streak{}
		test.change(&o)
		if step := Next(o, Gates(DefaultRule())...); (len(step.Write) > 0) != test.writes {
			t.Errorf("%s: writes %v, %s", name, step.Write, step.Message)
		}
	}
}
