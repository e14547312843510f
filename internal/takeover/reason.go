package takeover

// The reasons of gates and steps. They stay the same from release to release: people write alerts on them.
const (
	// ReasonBatonUnknown: the API does not tell whether there is a baton.
	ReasonBatonUnknown = "BatonUnknown"
	// ReasonRoleUnknown: it is not known whether this is the bootstrap or the management cluster.
	ReasonRoleUnknown = "RoleUnknown"
	// ReasonClusterUnknown: no self-managed cluster is known yet.
	ReasonClusterUnknown = "ClusterUnknown"
	// ReasonIdentityUnknown: the Namespace kube-system of this cluster is not known yet.
	ReasonIdentityUnknown = "IdentityUnknown"
	// ReasonTinkerbellIPChanged: the cluster's objects name another tinkerbellIP than the one that is latched.
	ReasonTinkerbellIPChanged = "TinkerbellIPChanged"
	// ReasonOverrideUnusable: a person's endpoint is none that machines could be told.
	ReasonOverrideUnusable = "OverrideUnusable"
	// ReasonOverrideNotServing: nothing is seen to serve at the address that a person named.
	ReasonOverrideNotServing = "OverrideNotServing"
	// ReasonOverrideTooEarly: a person's endpoint is named in the management cluster before its takeover.
	ReasonOverrideTooEarly = "OverrideTooEarly"
	// ReasonConfigured: everything that must be known is known and right.
	ReasonConfigured = "Configured"

	// ReasonNoEvidence: nothing proves yet that the management cluster has taken over.
	ReasonNoEvidence = "NoEvidence"
	// ReasonClusterNotFound, ReasonClusterPaused, ReasonClusterNotProvisioned and ReasonNodesElsewhere: the Cluster API
	// cluster does not manage itself here: it is not here, it is being moved, it is not made yet, or its nodes are not here.
	ReasonClusterNotFound       = "ClusterNotFound"
	ReasonClusterPaused         = "ClusterPaused"
	ReasonClusterNotProvisioned = "ClusterNotProvisioned"
	ReasonNodesElsewhere        = "NodesElsewhere"
	// ReasonSelfManaged: the cluster manages itself here.
	ReasonSelfManaged = "SelfManaged"

	// ReasonNotProbed: no round of probes of the address ended lately.
	ReasonNotProbed = "NotProbed"
	// ReasonBootFileMissing, ReasonHealthcheckFailed, ReasonScriptMissing and ReasonTinkServerUnreachable: what a probe
	// of the management stack says.
	ReasonBootFileMissing       = "BootFileMissing"
	ReasonHealthcheckFailed     = "HealthcheckFailed"
	ReasonScriptMissing         = "ScriptMissing"
	ReasonTinkServerUnreachable = "TinkServerUnreachable"
	// ReasonServing: the probe had what it asked for.
	ReasonServing = "Serving"
	// ReasonISOBoot: machines boot from virtual media, so that it is not asked.
	ReasonISOBoot = "ISOBoot"
	// ReasonNoProof: no machine's script was had that names its Tink server.
	ReasonNoProof = "NoProof"
	// ReasonOtherStack: the script at the tinkerbellIP sends machines to another stack.
	ReasonOtherStack = "OtherStack"
	// ReasonNoMachine: no machine may boot from the network now, so that there is no script to prove it with.
	ReasonNoMachine = "NoMachine"
	// ReasonProven: a machine's script names the stack that was asked.
	ReasonProven = "Proven"

	// ReasonHardwareUnknown: the management cluster's Hardware cannot be read.
	ReasonHardwareUnknown = "HardwareUnknown"
	// ReasonReservationsOmitted: there were too many reservations for the baton to list them.
	ReasonReservationsOmitted = "ReservationsOmitted"
	// ReasonHardwareMissing: the management cluster lacks Hardware that is advertised.
	ReasonHardwareMissing = "HardwareMissing"
	// ReasonSameHardware: the management cluster has all Hardware that is advertised.
	ReasonSameHardware = "SameHardware"

	// ReasonWorkflowsUnknown: Workflows cannot be read.
	ReasonWorkflowsUnknown = "WorkflowsUnknown"
	// ReasonWorkflowActive: a Workflow is pending or running.
	ReasonWorkflowActive = "WorkflowActive"
	// ReasonNoWorkflow: none is.
	ReasonNoWorkflow = "NoWorkflow"

	// ReasonLoadBalancerSkipped: the stack has no Service of type LoadBalancer.
	ReasonLoadBalancerSkipped = "LoadBalancerSkipped"
	// ReasonLoadBalancerUnseen: the Service is in the management cluster, where this instance does not look.
	ReasonLoadBalancerUnseen = "LoadBalancerUnseen"
	// ReasonLoadBalancerUnknown, ReasonNoLoadBalancer and ReasonNoReadyEndpoints: Services cannot be read, none has the
	// address, or the one that has it has nothing behind it.
	ReasonLoadBalancerUnknown = "LoadBalancerUnknown"
	ReasonNoLoadBalancer      = "NoLoadBalancer"
	ReasonNoReadyEndpoints    = "NoReadyEndpoints"
	// ReasonLoadBalancerReady: the Service has the address and ready endpoints.
	ReasonLoadBalancerReady = "LoadBalancerReady"

	// ReasonNoTinkerbellIP: it is not known at which address the management stack will serve.
	ReasonNoTinkerbellIP = "NoTinkerbellIP"
	// ReasonTinkerbellIPUnusable and ReasonBootstrapIPUnusable: machines cannot be sent to that address.
	ReasonTinkerbellIPUnusable = "TinkerbellIPUnusable"
	ReasonBootstrapIPUnusable  = "BootstrapIPUnusable"
	// ReasonSameAddress: both stacks are said to serve at one address.
	ReasonSameAddress = "SameAddress"
	// ReasonAddressUsable: machines can be sent there.
	ReasonAddressUsable = "AddressUsable"

	// ReasonFrozen and ReasonNotFrozen: a person wants that nothing is changed, or no person does.
	ReasonFrozen    = "Frozen"
	ReasonNotFrozen = "NotFrozen"

	// ReasonAutomatic: the takeover does not wait for a person.
	ReasonAutomatic = "Automatic"
	// ReasonApprovalNeeded: it does.
	ReasonApprovalNeeded = "ApprovalNeeded"
	// ReasonForced: a person said that the takeover goes ahead.
	ReasonForced = "Forced"
	// ReasonForceIdentityMismatch: a person said so of another cluster.
	ReasonForceIdentityMismatch = "ForceIdentityMismatch"
	// ReasonForceIdentityUnknown: a person said so and it is not known yet of which cluster that must be said.
	ReasonForceIdentityUnknown = "ForceIdentityUnknown"

	// ReasonNotSteady and ReasonSteady: whether all gates were open often and long enough.
	ReasonNotSteady = "NotSteady"
	ReasonSteady    = "Steady"

	// ReasonNoServices: there are no existing DHCP services.
	ReasonNoServices = "NoServices"
	// ReasonNotTheWriter: another instance writes them.
	ReasonNotTheWriter = "NotTheWriter"
	// ReasonServiceUnreadable: it is not known what a service says.
	ReasonServiceUnreadable = "ServiceUnreadable"
	// ReasonFenced: somebody who comes later in the story has written a service.
	ReasonFenced = "Fenced"
	// ReasonMarkOfAnotherCluster: a service was written for another cluster.
	ReasonMarkOfAnotherCluster = "MarkOfAnotherCluster"
	// ReasonWritePending: a service does not say yet what machines are to be told.
	ReasonWritePending = "WritePending"
	// ReasonWritten: all services were read back.
	ReasonWritten = "Written"

	// ReasonLatched: the takeover is done, so that it is not asked any more.
	ReasonLatched = "Latched"
)

// The reasons of steps and of silence.
const (
	// ReasonTakeoverPending: the takeover has not happened yet, so that the management instance answers nobody.
	ReasonTakeoverPending = "TakeoverPending"
	// ReasonLatchOfAnotherCluster: the baton's latch was made for another management cluster.
	ReasonLatchOfAnotherCluster = "LatchOfAnotherCluster"
	// ReasonLatchedMark: the existing DHCP services were written for a management cluster of this name that had taken
	// over, and nothing shows yet that it is being made anew.
	ReasonLatchedMark = "LatchedMark"
	// ReasonNoBootstrapIP: it is not known where the bootstrap stack serves.
	ReasonNoBootstrapIP = "NoBootstrapIP"
	// ReasonBootstrapNotServing: the bootstrap stack is not seen to serve.
	ReasonBootstrapNotServing = "BootstrapNotServing"
	// ReasonBootstrapServing: the bootstrap stack is advertised.
	ReasonBootstrapServing = "BootstrapServing"
	// ReasonManaged: the management stack is advertised.
	ReasonManaged = "Managed"
	// ReasonOverridden: a person's endpoint is advertised.
	ReasonOverridden = "Overridden"
)

// The reasons of evidence. A bootstrap instance keeps the strongest that it saw in its baton.
const (
	// ReasonBatonMoved: the baton was moved to the management cluster.
	ReasonBatonMoved = "BatonMoved"
	// ReasonRemoteSelfManaged: the management cluster's API shows that it manages itself.
	ReasonRemoteSelfManaged = "RemoteSelfManaged"
	// ReasonHardwareMoved: all Hardware was moved, which means that all of it was made over there before.
	ReasonHardwareMoved = "HardwareMoved"
	// ReasonLatchMoved: a latched baton was moved; whoever has it now writes the services.
	ReasonLatchMoved = "LatchMoved"
	// ReasonManagementLatched: the management instance has latched; it writes the services from then on.
	ReasonManagementLatched = "ManagementLatched"
)

// The reasons of problems that whoever gathers an observation finds.
const (
	// ReasonInvalidBaton: a ConfigMap is not a baton that any Tugboot wrote.
	ReasonInvalidBaton = "InvalidBaton"
	// ReasonSeveralBatons: there are several batons and it is not known which one counts.
	ReasonSeveralBatons = "SeveralBatons"
	// ReasonInvalidAnnotation: an annotation that is a person's word cannot be understood.
	ReasonInvalidAnnotation = "InvalidAnnotation"
)
