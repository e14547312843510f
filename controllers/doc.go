// Package controllers keeps what is served in step with the Kubernetes API: it gathers objects, asks the pure packages
// what they mean, and publishes or carries out the outcome. It holds no rule about Hardware, reservations, boots or the
// takeover, and nothing on a packet's path may call it. It follows the Kubernetes API concepts of list, watch and
// resourceVersion.
package controllers

// The rights of a Tugboot that serves: to read Hardware, and to say on it what is wrong.
// +kubebuilder:rbac:groups=tinkerbell.org,resources=hardware,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=events,verbs=create

// The rights of the takeover are in config/rbac/takeover, which only sites with a management cluster need.
