package takeover

import "strconv"

// blocked returns the reason for which nothing may be changed or stored, or "".
func (o Observation) blocked(s standing) string {
	switch {
	case o.conflict() != nil:
		return o.conflict().Reason
	case !o.Baton.Known:
		return ReasonBatonUnknown
	case o.Role != RoleBootstrap && o.Role != RoleManagement:
		return ReasonRoleUnknown
	case o.Cluster == "" || s.Cluster != o.Cluster:
		return ReasonClusterUnknown
	case !plainWord(o.Identity) || !s.Fence.sound():
		return ReasonIdentityUnknown
	}
	return ""
}

// configurationValid: the objects say which cluster is meant, and what they say can be acted on.
func (o Observation) configurationValid() Finding {
	s := o.stand()
	if p := o.conflict(); p != nil {
		return Finding{State: Shut, Reason: p.Reason, Message: p.String()}
	}
	for _, list := range [][]Problem{o.Operator.Problems, o.Problems} {
		if len(list) > 0 {
			return Finding{State: Shut, Reason: list[0].Reason, Message: list[0].String()}
		}
	}
	switch o.blocked(s) {
	case ReasonBatonUnknown:
		return unknown(ReasonBatonUnknown, "the API does not tell whether there is a ConfigMap tugboot-baton-CLUSTER", "nothing is changed until it answers; if that lasts, look at the API and at config/rbac")
	case ReasonRoleUnknown:
		return shut(ReasonRoleUnknown, "the nodes do not show whether this is the bootstrap or the management cluster", "set spec.role of the Takeover, or --role")
	case ReasonClusterUnknown:
		return unknown(ReasonClusterUnknown, "no self-managed EKS Anywhere cluster is known here", "wait for it to be made, or set spec.clusterName of the Takeover")
	case ReasonIdentityUnknown:
		return unknown(ReasonIdentityUnknown, "the UID and age of the Namespace kube-system are not known", "let this account get Namespaces: apply config/rbac")
	}
	if _, refused := o.override(s); refused.Reason != "" {
		return refused
	}
	if s.latched && o.TinkerbellIP.IsValid() && o.TinkerbellIP != s.Latch.Endpoint.Addr {
		return shut(ReasonTinkerbellIPChanged, "the cluster's tinkerbellIP is now "+o.TinkerbellIP.String()+", and "+s.Latch.Endpoint.Addr.String()+" is latched and stays advertised",
			"set it back: it cannot be changed in a cluster that has taken over")
	}
	return open(ReasonConfigured, "cluster "+shown(o.Cluster)+", role "+o.Role.String())
}

// evidenceSeen: there is hard evidence that the management cluster has taken over.
func (o Observation) evidenceSeen() Finding {
	if reason := o.proof(o.stand()); reason != "" {
		return open(reason, "there is hard evidence that the management cluster has taken over")
	}
	if o.Role != RoleManagement {
		return unknown(ReasonNoEvidence, "the management cluster has not taken over yet, as far as is seen here", "nothing is to be done; spec.remoteCheck of the Takeover lets this instance look over there")
	}
	name := "the Cluster API cluster " + shown(o.Cluster)
	switch v := o.Evidence.Local; {
	case !v.Found:
		return shut(ReasonClusterNotFound, name+" is not in this cluster", "wait for it to be moved here")
	case v.Paused:
		return shut(ReasonClusterPaused, name+" has spec.paused true", "wait for the move to end; if none is going on, set it to false")
	case !v.Provisioned:
		return shut(ReasonClusterNotProvisioned, name+" is not Provisioned", "wait for Cluster API, or look at its conditions")
	default:
		return shut(ReasonNodesElsewhere, strconv.Itoa(v.NodesHere)+" of the "+strconv.Itoa(v.Nodes)+" nodes of "+name+" are in this cluster",
			"wait for its machines to be provisioned; if it is a workload cluster, set spec.clusterName of the Takeover")
	}
}

// hardwareParity: the management cluster knows every machine that is advertised.
func (o Observation) hardwareParity() Finding {
	p, s := o.Parity, o.stand()
	switch {
	case !p.Known && o.Role == RoleBootstrap && s.Handover == ReasonHardwareMoved:
		return open(ReasonHardwareMoved, "all Hardware was made in the management cluster before it was deleted here")
	case !p.Known && s.ReservationsOmitted:
		return unknown(ReasonReservationsOmitted, "there are too many reservations for the ConfigMap to list them", "compare the Hardware of both clusters, then `tugboot takeover now`")
	case !p.Known:
		return unknown(ReasonHardwareUnknown, "the management cluster's Hardware cannot be read: "+shown(p.Why), "set spec.remoteCheck of the Takeover, or wait for the management instance")
	case len(p.Missing) > 0:
		missing := make([]string, len(p.Missing))
		for i := range p.Missing {
			missing[i] = string(p.Missing[i])
		}
		return shut(ReasonHardwareMissing, "the management cluster lacks "+strconv.Itoa(len(missing))+" of "+strconv.Itoa(p.Of)+" advertised reservations: "+list(missing),
			"wait for the move to end; apply the Hardware that it left out")
	}
	return open(ReasonSameHardware, "the management cluster has all "+strconv.Itoa(p.Of)+" advertised reservations")
}

// noWorkflowActive: no machine is being provisioned.
func (o Observation) noWorkflowActive() Finding {
	switch {
	case !o.WorkflowsKnown:
		return unknown(ReasonWorkflowsUnknown, "Workflows cannot be read", "apply config/rbac, or look at the API")
	case len(o.Workflows) > 0:
		return shut(ReasonWorkflowActive, strconv.Itoa(len(o.Workflows))+" Workflows are pending or running: "+list(o.Workflows), "wait for them to end, or delete those that never will")
	}
	return open(ReasonNoWorkflow, "no Workflow is pending or running")
}

// loadBalancerReady: the Service through which the management stack is reached has the address and something behind it.
func (o Observation) loadBalancerReady() Finding {
	addr := o.ManagementAddr().String()
	switch b := o.LoadBalancer; {
	case o.SkipLoadBalancer:
		return skipped(ReasonLoadBalancerSkipped, "spec.skipLoadBalancerDeployment is true")
	case !b.Known && o.Role == RoleBootstrap:
		return skipped(ReasonLoadBalancerUnseen, "the Service is in the management cluster, where this instance does not look")
	case !b.Known:
		return unknown(ReasonLoadBalancerUnknown, "Services cannot be read", "apply config/rbac, or look at the API")
	case b.Service == "":
		return shut(ReasonNoLoadBalancer, "no Service of type LoadBalancer has the ingress "+addr, "wait for it to get the address, or look at the load balancer's log (kube-vip, MetalLB)")
	case b.ReadyEndpoints <= 0:
		return shut(ReasonNoReadyEndpoints, "no endpoint of the Service "+shown(b.Service)+" is ready", "look at the pods that it selects")
	default:
		return open(ReasonLoadBalancerReady, "Service "+shown(b.Service)+" has the ingress "+addr+" and "+strconv.Itoa(b.ReadyEndpoints)+" ready endpoints")
	}
}
