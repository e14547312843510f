// Package events puts reservation problems on the Kubernetes objects they are about, as core/v1 Events, without ever
// holding up the one who reports them. It must not know what a problem means or who found it, and it never reads the API.
// It follows the Kubernetes API conventions for Events.
package events
