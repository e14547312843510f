// Package capi watches the objects of one Kubernetes API that show where a cluster stands in its takeover, and puts them
// into the words of internal/takeover, with everything that is wrong with them. It knows the shapes of foreign objects
// (EKS Anywhere, Cluster API in v1beta1 and v1beta2, Tinkerbell's Workflow, Node, Service, EndpointSlice, Namespace) and
// must not know what follows from them: it judges nothing, probes nothing and writes nothing. It follows the Kubernetes
// API concepts of list, watch and discovery, and the contract of Cluster API for the move of a cluster.
package capi
