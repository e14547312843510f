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

// AnnotationDHCPOptions is the annotation with more DHCP options for a Hardware's machine, one a line: CODE:TYPE:VALUE, such
// as 150:ip:192.168.2.5. TYPE is ip (IPv4 addresses between commas), text (printable ASCII), uint8, uint16, uint32
// (decimal) or hex. Options that Tugboot sets itself are refused.
const AnnotationDHCPOptions = "tugboot.dev/dhcp-options"

// AddToScheme makes the types of this package known to scheme. It always returns nil; the error is there for callers
// that collect such functions.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &Hardware{}, &HardwareList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
