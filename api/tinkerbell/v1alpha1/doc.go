// Package v1alpha1 holds the types of tinkerbell.org/v1alpha1 as far as Tugboot reads or writes them: Hardware, with the
// JSON names of Tinkerbell. It knows no rule about the values: objects that Tinkerbell's schema lets through must decode
// here whatever they hold, and internal/tink judges them. It follows the Kubernetes API conventions; the schema made from
// it keeps every field that is not modelled.
//
// +kubebuilder:object:generate=true
// +groupName=tinkerbell.org
package v1alpha1
