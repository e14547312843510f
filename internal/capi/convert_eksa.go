package capi

import "github.com/tugboot/tugboot/internal/takeover"

// kindDatacenterConfig is the one kind of spec.datacenterRef whose machines boot from the network.
const kindDatacenterConfig = "TinkerbellDatacenterConfig"

// annotationBootstrapIP is where `eksctl anywhere` notes the bootstrap IP. Users apply it again later by accident, so that
// it counts in the bootstrap cluster only.
const annotationBootstrapIP = groupEKSA + "/tinkerbell-bootstrap-ip"

// eksaCluster is what is kept of an EKS Anywhere Cluster.
type eksaCluster struct {
	// manager is the cluster that manages this one: itself when it is empty or its own name. With unreadable, that is not
	// known.
	manager        string
	unreadable     bool
	datacenterKind string
	datacenterName string
	bootstrapIP    string
	problems       []takeover.Problem
}

func toEKSACluster(o *object) any {
	c := eksaCluster{}
	var ok bool
	c.manager, ok = o.text("spec", "managementCluster", "name")
	c.unreadable = !ok
	c.datacenterKind, _ = o.text("spec", "datacenterRef", "kind")
	c.datacenterName, _ = o.text("spec", "datacenterRef", "name")
	c.bootstrapIP, _ = o.text("metadata", "annotations", annotationBootstrapIP)
	c.problems = o.problems
	return c
}

// selfManaged reports whether the cluster of that name manages itself.
func (c eksaCluster) selfManaged(name string) bool {
	return !c.unreadable && (c.manager == "" || c.manager == name)
}

// datacenterConfig is what is kept of a TinkerbellDatacenterConfig.
type datacenterConfig struct {
	tinkerbellIP     string
	unreadable       bool // something that is no text stands in its place
	isoBoot          bool
	skipLoadBalancer bool
	problems         []takeover.Problem
}

func toDatacenterConfig(o *object) any {
	c := datacenterConfig{}
	var ok bool
	c.tinkerbellIP, ok = o.text("spec", "tinkerbellIP")
	c.unreadable = !ok
	c.isoBoot, _ = o.truth("spec", "isoBoot")
	c.skipLoadBalancer, _ = o.truth("spec", "skipLoadBalancerDeployment")
	c.problems = o.problems
	return c
}
