package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of the types in this package.
var GroupVersion = schema.GroupVersion{Group: "tinkerbell.org", Version: "v1alpha1"}

// HardwareResource is the plural by which the API serves Hardware.
const HardwareResource = "hardware"

// HardwareKind is the kind of one Hardware object.
const HardwareKind = "Hardware"

// AnnotationDisabled is the annotation that, with any value, takes a Hardware out of service: Tugboot leaves its machine alone.
const AnnotationDisabled = "tinkerbell.org/disabled"

// AddToScheme makes the types of this package known to scheme. It always returns nil; the error is there for callers
// that collect such functions.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &Hardware{}, &HardwareList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
