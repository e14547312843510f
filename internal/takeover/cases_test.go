package takeover

import (
	"net/netip"
	"time"
)

// reasonCase is one change to an observation for which all is well, and what follows: a gate's finding, or, without a
// gate, the step's phase and reason.
type reasonCase struct {
	gate   string
	state  State
	phase  Phase
	reason string
	role   Role
	change func(*Observation)
}

func nothing(*Observation) {}

func gateCases() []reasonCase {
	const b, m = RoleBootstrap, RoleManagement
	other := netip.MustParseAddr("192.168.2.60")
	problem := Problem{Reason: ReasonInvalidAnnotation, Object: "Takeover eksa-system/lab", Field: "metadata.annotations[tugboot.dev/override]", Value: "x", Remedy: "give an address"}
	return []reasonCase{
		{GateConfigurationValid, Open, 0, ReasonConfigured, m, nothing},
		{GateConfigurationValid, Shut, 0, ReasonInvalidAnnotation, m, func(o *Observation) { o.Operator.Problems = []Problem{problem} }},
		{GateConfigurationValid, Shut, 0, ReasonInvalidAnnotation, m, func(o *Observation) { o.Problems = []Problem{problem} }},
		{GateConfigurationValid, Unknown, 0, ReasonBatonUnknown, m, func(o *Observation) { o.Baton.Known = false }},
		{GateConfigurationValid, Shut, 0, ReasonRoleUnknown, RoleUnknown, nothing},
		{GateConfigurationValid, Unknown, 0, ReasonClusterUnknown, m, func(o *Observation) { o.Cluster = "" }},
		{GateConfigurationValid, Unknown, 0, ReasonClusterUnknown, m, func(o *Observation) { o.Baton.Baton.Cluster = "other" }},
		{GateConfigurationValid, Unknown, 0, ReasonIdentityUnknown, m, func(o *Observation) { o.Identity = "" }},
		{GateConfigurationValid, Shut, 0, ReasonTinkerbellIPChanged, m, func(o *Observation) { latch(o); o.TinkerbellIP = other }},
		{GateConfigurationValid, Shut, 0, ReasonOverrideTooEarly, m, func(o *Observation) { o.Operator.Override.Addr = other }},
		{GateConfigurationValid, Shut, 0, ReasonOverrideNotServing, b, func(o *Observation) { o.Operator.Override.Addr = other }},
		{GateConfigurationValid, Shut, 0, ReasonOverrideUnusable, b, func(o *Observation) { o.Operator.Override.Addr = netip.MustParseAddr("127.0.0.1") }},
		{GateConfigurationValid, Shut, 0, ReasonOverrideUnusable, b, func(o *Observation) { o.Operator.Override = Endpoint{Addr: other, HTTPPort: 80, ScriptPath: "/${x}"} }},

		{GateEvidenceSeen, Open, 0, ReasonSelfManaged, m, nothing},
		{GateEvidenceSeen, Open, 0, ReasonHardwareMoved, b, nothing},
		{GateEvidenceSeen, Unknown, 0, ReasonNoEvidence, b, func(o *Observation) { o.Evidence = Evidence{} }},
		{GateEvidenceSeen, Unknown, 0, ReasonNoEvidence, b, func(o *Observation) {
			o.Evidence = Evidence{Remote: &Remote{Identity: o.Identity, Cluster: ready(m).Evidence.Local}} // a kubeconfig of this very cluster
		}},
		{GateEvidenceSeen, Shut, 0, ReasonClusterNotFound, m, func(o *Observation) { o.Evidence.Local.Found = false }},
		{GateEvidenceSeen, Shut, 0, ReasonClusterPaused, m, func(o *Observation) { o.Evidence.Local.Paused = true }},
		{GateEvidenceSeen, Shut, 0, ReasonClusterNotProvisioned, m, func(o *Observation) { o.Evidence.Local.Provisioned = false }},
		{GateEvidenceSeen, Shut, 0, ReasonNodesElsewhere, m, func(o *Observation) { o.Evidence.Local.NodesHere = 1 }},
		{GateEvidenceSeen, Shut, 0, ReasonNodesElsewhere, m, func(o *Observation) { o.Evidence.Local.Nodes, o.Evidence.Local.NodesHere = 0, 0 }},
		{GateEvidenceSeen, Skipped, 0, ReasonLatched, m, latch},

		{GateBootFileServed, Open, 0, ReasonServing, m, nothing},
		{GateBootFileServed, Shut, 0, ReasonBootFileMissing, m, func(o *Observation) { o.AtTinkerbell.BootFile = "no answer" }},
		{GateBootFileServed, Shut, 0, ReasonBootFileMissing, m, func(o *Observation) { o.AtTinkerbell.Endpoint.TFTPPort = 0 }},
		{GateBootFileServed, Skipped, 0, ReasonISOBoot, m, func(o *Observation) { o.ISOBoot = true; o.AtTinkerbell.BootFile = "no answer" }},
		{GateBootFileServed, Unknown, 0, ReasonNotProbed, m, func(o *Observation) { o.AtTinkerbell.At = o.At.Add(-7 * time.Minute) }},
		{GateBootFileServed, Unknown, 0, ReasonNotProbed, m, func(o *Observation) { o.AtTinkerbell.Addr = other }},
		{GateBootFileServed, Unknown, 0, ReasonNotProbed, m, func(o *Observation) { o.AtTinkerbell = Stack{} }},
		{GateHealthcheckAnswered, Shut, 0, ReasonHealthcheckFailed, m, func(o *Observation) { o.AtTinkerbell.Healthcheck = "503" }},
		{GateHealthcheckAnswered, Shut, 0, ReasonHealthcheckFailed, b, func(o *Observation) { o.AtTinkerbell.Endpoint.HTTPPort = 0 }},
		{GateScriptServed, Shut, 0, ReasonScriptMissing, m, func(o *Observation) { o.AtTinkerbell.Script = "404" }},
		{GateScriptServed, Shut, 0, ReasonScriptMissing, m, func(o *Observation) { o.AtTinkerbell.Endpoint.ScriptPath = "/`id`" }},
		{GateTinkServerReachable, Shut, 0, ReasonTinkServerUnreachable, m, func(o *Observation) { o.AtTinkerbell.TinkServer = "refused" }},
		{GateTinkServerReachable, Shut, 0, ReasonTinkServerUnreachable, m, func(o *Observation) { o.ISOBoot = true; o.AtTinkerbell.TinkServer = "refused" }},
		{GateStackProven, Open, 0, ReasonProven, m, nothing},
		{GateStackProven, Shut, 0, ReasonOtherStack, m, func(o *Observation) { o.AtTinkerbell.Proof = netip.MustParseAddr(addrB) }},
		{GateStackProven, Unknown, 0, ReasonNoProof, m, func(o *Observation) { o.AtTinkerbell.Proof = netip.Addr{} }},
		{GateStackProven, Skipped, 0, ReasonNoMachine, m, func(o *Observation) { o.AtTinkerbell.Proof = netip.Addr{}; o.AllowPXE = 0 }},
		{GateStackProven, Skipped, 0, ReasonISOBoot, m, func(o *Observation) { o.ISOBoot = true }},
		{GateStackProven, Unknown, 0, ReasonNotProbed, m, func(o *Observation) { o.AtTinkerbell = Stack{} }},

		{GateHardwareParity, Open, 0, ReasonSameHardware, m, nothing},
		{GateHardwareParity, Open, 0, ReasonHardwareMoved, b, func(o *Observation) { o.Parity = Parity{} }},
		{GateHardwareParity, Unknown, 0, ReasonHardwareUnknown, b, func(o *Observation) { o.Parity = Parity{Why: "forbidden"}; o.Evidence = Evidence{BatonMoved: true} }},
		{GateHardwareParity, Unknown, 0, ReasonReservationsOmitted, m, func(o *Observation) {
			o.Parity, o.Baton.Baton.ReservationsOmitted = Parity{}, true
		}},
		{GateHardwareParity, Shut, 0, ReasonHardwareMissing, m, func(o *Observation) { o.Parity.Missing = machines[:1] }},
		{GateNoWorkflowActive, Open, 0, ReasonNoWorkflow, m, nothing},
		{GateNoWorkflowActive, Unknown, 0, ReasonWorkflowsUnknown, m, func(o *Observation) { o.WorkflowsKnown = false }},
		{GateNoWorkflowActive, Shut, 0, ReasonWorkflowActive, m, func(o *Observation) { o.Workflows = []string{"a", "b", "c", "d"} }},
		{GateLoadBalancerReady, Open, 0, ReasonLoadBalancerReady, m, nothing},
		{GateLoadBalancerReady, Skipped, 0, ReasonLoadBalancerSkipped, m, func(o *Observation) { o.SkipLoadBalancer, o.LoadBalancer = true, LoadBalancer{} }},
		{GateLoadBalancerReady, Skipped, 0, ReasonLoadBalancerUnseen, b, func(o *Observation) { o.LoadBalancer = LoadBalancer{} }},
		{GateLoadBalancerReady, Unknown, 0, ReasonLoadBalancerUnknown, m, func(o *Observation) { o.LoadBalancer = LoadBalancer{} }},
		{GateLoadBalancerReady, Shut, 0, ReasonNoLoadBalancer, m, func(o *Observation) { o.LoadBalancer.Service = "" }},
		{GateLoadBalancerReady, Shut, 0, ReasonNoReadyEndpoints, b, func(o *Observation) { o.LoadBalancer.ReadyEndpoints = 0 }},
		{GateAddressUsable, Open, 0, ReasonAddressUsable, m, nothing},
		{GateAddressUsable, Open, 0, ReasonAddressUsable, m, func(o *Observation) { o.BootstrapIP = netip.Addr{} }},
		{GateAddressUsable, Unknown, 0, ReasonNoTinkerbellIP, m, func(o *Observation) { o.TinkerbellIP = netip.Addr{} }},
		{GateAddressUsable, Shut, 0, ReasonTinkerbellIPUnusable, m, func(o *Observation) { o.TinkerbellIP = netip.MustParseAddr("172.17.0.1") }},
		{GateAddressUsable, Shut, 0, ReasonSameAddress, b, func(o *Observation) { o.BootstrapIP = o.TinkerbellIP }},
		{GateAddressUsable, Shut, 0, ReasonBootstrapIPUnusable, b, func(o *Observation) { o.BootstrapIP = netip.MustParseAddr("10.88.0.1") }},
		{GateNotFrozen, Open, 0, ReasonNotFrozen, m, nothing},
		{GateNotFrozen, Shut, 0, ReasonFrozen, m, func(o *Observation) { o.Operator.Freeze = true }},
		{GateApproved, Skipped, 0, ReasonAutomatic, m, nothing},
		{GateApproved, Skipped, 0, ReasonForceIdentityMismatch, m, func(o *Observation) { o.Operator.Force = "management-0" }},
		{GateApproved, Shut, 0, ReasonForceIdentityMismatch, m, func(o *Observation) { o.Policy, o.Operator.Force = PolicyManual, "management-0" }},
		{GateApproved, Shut, 0, ReasonForceIdentityUnknown, b, func(o *Observation) { o.Policy, o.Operator.Force = PolicyManual, "management-1" }},
		{GateApproved, Shut, 0, ReasonApprovalNeeded, m, func(o *Observation) { o.Policy = PolicyManual }},
		{GateApproved, Open, 0, ReasonForced, m, func(o *Observation) { o.Policy, o.Operator.Force = PolicyManual, "management-1" }},
		{GateApproved, Shut, 0, ReasonOverridden, b, func(o *Observation) { o.Operator.Override.Addr = netip.MustParseAddr(addrB) }},
		{GateSteady, Open, 0, ReasonSteady, m, nothing},
		{GateSteady, Shut, 0, ReasonNotSteady, m, func(o *Observation) { o.Streak.Rounds = 1 }},
		{GateSteady, Shut, 0, ReasonNotSteady, m, func(o *Observation) { o.Streak.First = o.Streak.First.Add(time.Millisecond) }},
		{GateSteady, Shut, 0, ReasonNotSteady, m, func(o *Observation) { o.Streak.Identity = "management-0" }},
		{GateSteady, Shut, 0, ReasonNotSteady, m, func(o *Observation) { o.Streak.Endpoint.HTTPPort = 80 }},
		{GateSteady, Shut, 0, ReasonNotSteady, m, func(o *Observation) { o.Streak.Last = o.At; o.AtTinkerbell.At = o.At }}, // the round that was counted before
		{GateSteady, Shut, 0, ReasonNotSteady, m, func(o *Observation) { o.Streak.Last = o.At.Add(time.Second) }},
		{GateSteady, Shut, 0, ReasonNotSteady, m, func(o *Observation) { o.Streak.Last = o.At.Add(-7 * time.Minute); o.Streak.First = o.Streak.Last }},
		{GateServicesWritten, Skipped, 0, ReasonNoServices, m, func(o *Observation) { o.Services = nil }},
		{GateServicesWritten, Skipped, 0, ReasonNotTheWriter, m, func(o *Observation) { o.Operator.Freeze = true }},
		{GateServicesWritten, Shut, 0, ReasonServiceUnreadable, m, func(o *Observation) { o.Services = []Service{{Name: "kea", Unreadable: "no route"}} }},
		{GateServicesWritten, Shut, 0, ReasonFenced, b, func(o *Observation) { o.Services[0].Mark.Fence.Epoch = 3 }},
		{GateServicesWritten, Shut, 0, ReasonMarkOfAnotherCluster, m, func(o *Observation) { o.Services[0].Mark.Cluster = "other" }},
		{GateServicesWritten, Shut, 0, ReasonWritePending, m, nothing},
		{GateServicesWritten, Open, 0, ReasonWritten, m, latch},
		{GateServicesWritten, Open, 0, ReasonWritten, b, func(o *Observation) {
			o.Services[0] = Service{Name: "kea", Says: shapes()[1].at(addrM), Mark: Mark{Cluster: "lab", Fence: Fence{1000, 3}, Identity: "management-1"}}
		}},
	}
}

// unusableAddresses are tinkerbellIPs to which no machine can be sent.
func unusableAddresses() []string {
	return []string{"0.0.0.0", "0.1.2.3", "127.0.0.1", "169.254.1.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "172.17.0.2", "10.88.0.2", "fe80::1", "2001:db8::1", "::ffff:192.168.2.50"}
}
