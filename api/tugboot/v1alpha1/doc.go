// Package v1alpha1 holds Tugboot's own types, tugboot.dev/v1alpha1: the Takeover, by which a person says which cluster's
// takeover is watched and reads how it stands. It knows no rule but those that the API server enforces; internal/takeover
// judges what is observed, and the latch itself is in a ConfigMap, because a moved object loses its status. It follows the
// Kubernetes API conventions.
//
// +kubebuilder:object:generate=true
// +groupName=tugboot.dev
package v1alpha1
