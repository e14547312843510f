package capi

// kind is one kind of object that is watched.
type kind uint8

const (
	kubeSystem kind = iota // the Namespace kube-system
	nodes
	services // those of type LoadBalancer
	endpointSlices
	eksaClusters
	datacenterConfigs
	capiClusters
	machines
	workflows // those that are pending or running
	kinds     // how many kinds there are
)

// The groups of the foreign kinds. Two of them have a kind named Cluster.
const (
	groupEKSA       = "anywhere.eks.amazonaws.com"
	groupCAPI       = "cluster.x-k8s.io"
	groupTinkerbell = "tinkerbell.org"
)

// resource is how a kind is asked for and what is kept of its objects.
type resource struct {
	group    string
	versions []string // the first that is served is followed
	plural   string
	fields   string // a field selector
	// what is the kind as messages name it.
	what string
	// convert returns what is kept of an object: nil for nothing.
	convert func(*object) any
}

// resourceOf returns the resource of a kind.
func resourceOf(k kind) resource {
	return [kinds]resource{
		kubeSystem: {
			versions: []string{"v1"}, plural: "namespaces", fields: "metadata.name=kube-system", what: "Namespace", convert: toNamespace,
		},
		nodes:    {versions: []string{"v1"}, plural: "nodes", what: "Node", convert: toNode},
		services: {versions: []string{"v1"}, plural: "services", what: "Service", convert: toService},
		endpointSlices: {
			group: "discovery.k8s.io", versions: []string{"v1"}, plural: "endpointslices", what: "EndpointSlice", convert: toEndpointSlice,
		},
		eksaClusters: {
			group: groupEKSA, versions: []string{"v1alpha1"}, plural: "clusters", what: "Cluster." + groupEKSA, convert: toEKSACluster,
		},
		datacenterConfigs: {
			group: groupEKSA, versions: []string{"v1alpha1"}, plural: "tinkerbelldatacenterconfigs",
			what: kindDatacenterConfig, convert: toDatacenterConfig,
		},
		capiClusters: {
			group: groupCAPI, versions: []string{"v1beta2", "v1beta1"}, plural: "clusters", what: "Cluster." + groupCAPI, convert: toCAPICluster,
		},
		machines: {
			group: groupCAPI, versions: []string{"v1beta2", "v1beta1"}, plural: "machines", what: "Machine." + groupCAPI, convert: toMachine,
		},
		workflows: {
			group: groupTinkerbell, versions: []string{"v1alpha1"}, plural: "workflows", what: "Workflow", convert: toWorkflow,
		},
	}[k]
}

// name is the resource as rights are given for it, such as clusters.cluster.x-k8s.io.
func (r resource) name() string {
	if r.group == "" {
		return r.plural
	}
	return r.plural + "." + r.group
}
