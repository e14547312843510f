package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of the types in this package.
var GroupVersion = schema.GroupVersion{Group: "tugboot.dev", Version: "v1alpha1"}

// TakeoverResource is the plural by which the API serves Takeovers.
const TakeoverResource = "takeovers"

// TakeoverKind is the kind of one Takeover object.
const TakeoverKind = "Takeover"

// The annotations on a Takeover by which a person has the last word.
const (
	// AnnotationOverride names what is advertised in place of everything else; see ParseOverride.
	AnnotationOverride = "tugboot.dev/override"
	// AnnotationFreeze, with any value, keeps everything as it is.
	AnnotationFreeze = "tugboot.dev/freeze"
	// AnnotationForce lets the takeover go ahead whatever evidence and gates say. Its value must be the latch identity,
	// status.identity, so that it cannot act on another cluster than the one that was meant.
	AnnotationForce = "tugboot.dev/force"
)

// BatonPrefix is, with the cluster's name behind it, the name of the ConfigMap that holds the latch.
const BatonPrefix = "tugboot-baton-"

// What Cluster API reads and writes on objects that move from cluster to cluster.
const (
	// MoveLabel makes `clusterctl move` take an object along; its value is "true".
	MoveLabel = "clusterctl.cluster.x-k8s.io/move"
	// DeleteForMove is the annotation of an object that was created in the target and is about to be deleted here.
	DeleteForMove = "clusterctl.cluster.x-k8s.io/delete-for-move"
)

// ConditionReady is the type of the condition that says whether machines are told what they should be told. Every other
// condition of a Takeover shows a gate.
const ConditionReady = "Ready"

// MaxHistory is how many changes a Takeover's status remembers.
const MaxHistory = 16

// AddToScheme makes the types of this package known to scheme. It always returns nil; the error is there for callers
// that collect such functions.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &Takeover{}, &TakeoverList{}, &DHCPService{}, &DHCPServiceList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
