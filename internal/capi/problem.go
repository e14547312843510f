package capi

import (
	"net/netip"

	"github.com/tugboot/tugboot/internal/takeover"
)

// The reasons of the problems that Fill and Ignored report.
const (
	// ReasonForbidden: the API does not let this account list and watch a resource.
	ReasonForbidden = "Forbidden"
	// ReasonUnreadable: the API answers a question for a resource with an error of its own.
	ReasonUnreadable = "Unreadable"
	// ReasonUndecodable: a field has not the type that its schema says.
	ReasonUndecodable = "Undecodable"
	// ReasonNoRole: the Nodes do not tell whether this is the bootstrap or the management cluster.
	ReasonNoRole = "NoRole"
	// ReasonNoCluster: there is no self-managed EKS Anywhere cluster, or none of the name that was given.
	ReasonNoCluster = "NoCluster"
	// ReasonSeveralClusters: there are several.
	ReasonSeveralClusters = "SeveralClusters"
	// ReasonNotSelfManaged: the cluster of the name that was given is managed by another.
	ReasonNotSelfManaged = "NotSelfManaged"
	// ReasonWrongDatacenter: the cluster's datacenter is not one whose machines boot from the network.
	ReasonWrongDatacenter = "WrongDatacenter"
	// ReasonNoDatacenter: the TinkerbellDatacenterConfig that the cluster names is not there.
	ReasonNoDatacenter = "NoDatacenter"
	// ReasonInvalidTinkerbellIP and ReasonInvalidBootstrapIP: an address is none that a host can have.
	ReasonInvalidTinkerbellIP = "InvalidTinkerbellIP"
	ReasonInvalidBootstrapIP  = "InvalidBootstrapIP"
	// ReasonTinkerbellIPIgnored: a workload cluster wants another tinkerbellIP than the management cluster.
	ReasonTinkerbellIPIgnored = "TinkerbellIPIgnored"
)

// troubleKind says how the API refuses a resource.
type troubleKind uint8

const (
	noTrouble   troubleKind = iota
	forbidden               // it answers that this account may not
	broken                  // it answers with an error of its own, such as that of a conversion webhook
	unreachable             // it does not answer, or not us
)

// trouble is why a resource cannot be watched now.
type trouble struct {
	kind troubleKind
	text string
}

// remedyForbidden is what a person can do about a forbidden resource.
const remedyForbidden = "are not granted to this account for all namespaces: apply config/rbac and bind the role to it"

// problem words the trouble with a resource; false where there is none that a person could put right in this API.
func (t trouble) problem(r resource) (takeover.Problem, bool) {
	switch t.kind {
	case forbidden:
		return takeover.Problem{
			Reason: ReasonForbidden, Object: "resource " + r.name(), Field: "verbs", Value: "list, watch", Remedy: remedyForbidden,
		}, true
	case broken:
		return takeover.Problem{
			Reason: ReasonUnreadable, Object: "resource " + r.name(), Field: "list", Value: shorten(t.text),
			Remedy: "is what the API server answers: look at its log and at the conversion webhook of that resource",
		}, true
	case noTrouble, unreachable:
	}
	return takeover.Problem{}, false
}

// addressProblem says why text is no address of a host, "" when it is one.
func addressProblem(text string) (netip.Addr, string) {
	addr, err := netip.ParseAddr(text)
	switch {
	case text == "":
		return netip.Addr{}, "is empty: write the IPv4 address of the Tinkerbell stack"
	case err != nil:
		return netip.Addr{}, "is not an IP address: write an IPv4 address such as 192.0.2.10"
	case !addr.Is4():
		return netip.Addr{}, "is not an IPv4 address, which is all that DHCP can name: write one such as 192.0.2.10"
	case addr.IsUnspecified() || addr.IsMulticast() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return netip.Addr{}, "is not the address of a host: write the IPv4 address of the Tinkerbell stack"
	}
	return addr, ""
}
