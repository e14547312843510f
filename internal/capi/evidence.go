package capi

import (
	"slices"

	"github.com/tugboot/tugboot/internal/takeover"
)

// namespaceEKSA is where EKS Anywhere keeps the Cluster API objects of every cluster.
const namespaceEKSA = "eksa-system"

// clusterView looks at the Cluster API cluster, its Machines and their Nodes.
func (f *filling) clusterView() {
	f.o.Evidence.Local = takeover.ClusterView{}
	if f.o.Cluster == "" {
		return
	}
	var found *capiCluster
	var at objectKey
	for key, c := range each[capiCluster](f.View, capiClusters) {
		if key.name == f.o.Cluster && (found == nil || key.namespace == namespaceEKSA) {
			found, at = &c, key
		}
	}
	if found == nil {
		return
	}
	f.problems = append(f.problems, found.problems...)
	view := takeover.ClusterView{Found: true, Paused: found.paused, Provisioned: found.provisioned}
	here := map[string]node{}
	for key, n := range each[node](f.View, nodes) {
		here[key.name] = n
	}
	for key, m := range each[machine](f.View, machines) {
		if key.namespace != at.namespace || m.cluster != at.name || m.deleting {
			continue
		}
		f.problems = append(f.problems, m.problems...)
		if m.node == "" && !m.unreadable {
			continue
		}
		view.Nodes++
		if n, ok := here[m.node]; ok && !m.unreadable && m.runsOn(n) {
			view.NodesHere++
		}
	}
	f.o.Evidence.Local = view
}

// workflows names the Workflows that are pending or running.
func (f *filling) workflows() {
	f.o.Workflows = nil
	for key := range each[workflow](f.View, workflows) {
		f.o.Workflows = append(f.o.Workflows, key.namespace+"/"+key.name)
	}
	slices.Sort(f.o.Workflows)
	s := f.states[workflows]
	f.o.WorkflowsKnown = f.current(workflows) || f.ask.Moved && s.listed && s.trouble.kind == unreachable
}

// loadBalancer finds the Service at the tinkerbellIP: of several that share the address, the one with the most endpoints
// that are ready. The bootstrap cluster has none to show: the stack at the tinkerbellIP runs in the other.
func (f *filling) loadBalancer() {
	f.o.LoadBalancer = takeover.LoadBalancer{
		Known: f.o.Role == takeover.RoleManagement && f.current(services) && f.current(endpointSlices),
	}
	if f.o.Role != takeover.RoleManagement || !f.o.TinkerbellIP.IsValid() {
		return
	}
	ready := map[objectKey][]string{}
	for key, s := range each[endpointSlice](f.View, endpointSlices) {
		of := objectKey{key.namespace, s.service}
		ready[of] = append(ready[of], s.ready...)
	}
	for key, s := range each[service](f.View, services) {
		if !slices.Contains(s.ingress, f.o.TinkerbellIP) {
			continue
		}
		endpoints := ready[key]
		slices.Sort(endpoints)
		count := len(slices.Compact(endpoints))
		if b := &f.o.LoadBalancer; b.Service == "" || count > b.ReadyEndpoints {
			b.Service, b.ReadyEndpoints = key.namespace+"/"+key.name, count
		}
	}
}
