package capi

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/internal/takeover"
)

// foundCluster is the EKS Anywhere cluster that the takeover is about.
type foundCluster struct {
	key objectKey
	eksaCluster
}

func (c *foundCluster) object() string { return nameOf("Cluster."+groupEKSA, c.key) }

// cluster finds the self-managed EKS Anywhere cluster: the one of the name that was asked for, or the only one. It returns
// nil when there is none or no telling which.
func (f *filling) cluster() *foundCluster {
	f.o.Cluster = f.ask.ClusterName
	var self, others []*foundCluster
	for key, c := range each[eksaCluster](f.View, eksaClusters) {
		if f.ask.ClusterName != "" && f.ask.ClusterName != key.name {
			continue
		}
		if c.unreadable || c.selfManaged(key.name) {
			f.problems = append(f.problems, c.problems...)
		}
		if c.selfManaged(key.name) {
			self = append(self, &foundCluster{key, c})
		} else {
			others = append(others, &foundCluster{key, c})
		}
	}
	switch {
	case len(self) == 1:
		f.o.Cluster = self[0].key.name
		return self[0]
	case len(self) > 1:
		f.severalClusters(self)
	case f.ask.ClusterName != "" && len(others) > 0:
		if c := others[0]; !c.unreadable {
			f.report(takeover.Problem{
				Reason: ReasonNotSelfManaged, Object: c.object(), Field: "spec.managementCluster.name", Value: shorten(c.manager),
				Remedy: "is another cluster, and only one that manages itself is taken over: name that one in spec.clusterName of the Takeover",
			})
		}
	default:
		f.noCluster()
	}
	return nil
}

func (f *filling) severalClusters(self []*foundCluster) {
	names := make([]string, 0, len(self))
	for _, c := range self {
		names = append(names, c.key.namespace+"/"+c.key.name)
	}
	p := takeover.Problem{
		Reason: ReasonSeveralClusters, Object: "resource " + resourceOf(eksaClusters).name(), Field: "spec.managementCluster.name",
		Value:  shorten(strings.Join(names, ", ")),
		Remedy: "says of each of these " + strconv.Itoa(len(self)) + " clusters that it manages itself: name the one that counts in spec.clusterName of the Takeover",
	}
	if f.ask.ClusterName == "" {
		p.Conflict = true
	} else {
		p.Remedy = "says of each of these clusters of the same name that it manages itself: delete those that do not count"
	}
	f.report(p)
}

// noCluster reports that there is no cluster, where that is a problem: not after it moved away, nor where the Takeover says
// all that it would say.
func (f *filling) noCluster() {
	if !f.states[eksaClusters].listed || f.ask.Moved || f.ask.ClusterName != "" && f.ask.TinkerbellIP.IsValid() {
		return
	}
	f.report(takeover.Problem{
		Reason: ReasonNoCluster, Object: "resource " + resourceOf(eksaClusters).name(), Field: "metadata.name", Value: f.ask.ClusterName,
		Remedy: "is that of no cluster that manages itself: apply the EKS Anywhere Cluster, or set spec.clusterName and spec.tinkerbellIP of the Takeover",
	})
}

// addresses finds out where the two stacks are, and how machines are booted from them.
func (f *filling) addresses(c *foundCluster) {
	f.o.BootstrapIP, f.o.TinkerbellIP = f.ask.BootstrapIP, f.ask.TinkerbellIP
	if !f.o.BootstrapIP.IsValid() && f.o.Role == takeover.RoleBootstrap && c.bootstrapIP != "" {
		addr, wrong := addressProblem(c.bootstrapIP)
		if wrong != "" {
			f.report(takeover.Problem{
				Reason: ReasonInvalidBootstrapIP, Object: c.object(), Field: "metadata.annotations[" + annotationBootstrapIP + "]",
				Value: shorten(c.bootstrapIP), Remedy: wrong + ", or set spec.bootstrapIP of the Takeover",
			})
		}
		f.o.BootstrapIP = addr
	}
	config, found := f.datacenter(c)
	if !found {
		return
	}
	f.o.ISOBoot, f.o.SkipLoadBalancer = config.isoBoot, config.skipLoadBalancer
	f.problems = append(f.problems, config.problems...)
	if f.o.TinkerbellIP.IsValid() || config.unreadable {
		return
	}
	addr, wrong := addressProblem(config.tinkerbellIP)
	if wrong != "" {
		f.report(takeover.Problem{
			Reason: ReasonInvalidTinkerbellIP, Object: nameOf(kindDatacenterConfig, objectKey{c.key.namespace, c.datacenterName}),
			Field: "spec.tinkerbellIP", Value: shorten(config.tinkerbellIP), Remedy: wrong + ", or set spec.tinkerbellIP of the Takeover",
		})
	}
	f.o.TinkerbellIP = addr
}

// datacenter follows spec.datacenterRef.
func (f *filling) datacenter(c *foundCluster) (datacenterConfig, bool) {
	if c.datacenterKind != kindDatacenterConfig {
		if !f.o.TinkerbellIP.IsValid() {
			f.report(takeover.Problem{
				Reason: ReasonWrongDatacenter, Object: c.object(), Field: "spec.datacenterRef.kind", Value: shorten(c.datacenterKind),
				Remedy: "is not " + kindDatacenterConfig + ", whose machines boot from the network: refer to one, or set spec.tinkerbellIP of the Takeover",
			})
		}
		return datacenterConfig{}, false
	}
	config, found := f.datacenterNamed(objectKey{c.key.namespace, c.datacenterName})
	if !found && !f.o.TinkerbellIP.IsValid() && f.states[datacenterConfigs].listed && !f.ask.Moved {
		f.report(takeover.Problem{
			Reason: ReasonNoDatacenter, Object: c.object(), Field: "spec.datacenterRef.name", Value: shorten(c.datacenterName),
			Remedy: "is that of no " + kindDatacenterConfig + " in the namespace " + c.key.namespace + ": apply it there, or set spec.tinkerbellIP of the Takeover",
		})
	}
	return config, found
}

func (v View) datacenterNamed(wanted objectKey) (datacenterConfig, bool) {
	i, found := slices.BinarySearchFunc(v.records[datacenterConfigs], wanted, func(r *record, key objectKey) int { return r.key.compare(key) })
	if !found {
		return datacenterConfig{}, false
	}
	config, ok := v.records[datacenterConfigs][i].content.(datacenterConfig)
	return config, ok
}

// Ignored returns what workload clusters say and what has no effect: a tinkerbellIP that is not that of the cluster that
// manages them.
func (v View) Ignored(cluster string, tinkerbellIP netip.Addr) []takeover.Problem {
	if cluster == "" || !tinkerbellIP.IsValid() {
		return nil
	}
	var ignored []takeover.Problem
	for key, c := range each[eksaCluster](v, eksaClusters) {
		if c.manager != cluster || c.selfManaged(key.name) || c.datacenterKind != kindDatacenterConfig {
			continue
		}
		at := objectKey{key.namespace, c.datacenterName}
		config, found := v.datacenterNamed(at)
		if !found || config.tinkerbellIP == tinkerbellIP.String() {
			continue
		}
		ignored = append(ignored, takeover.Problem{
			Reason: ReasonTinkerbellIPIgnored, Object: nameOf(kindDatacenterConfig, at), Field: "spec.tinkerbellIP",
			Value: shorten(config.tinkerbellIP),
			Remedy: "has no effect, because the machines of the workload cluster " + key.namespace + "/" + key.name + " boot from " + tinkerbellIP.String() +
				", the tinkerbellIP of " + cluster + ": write that",
		})
	}
	return ignored
}
