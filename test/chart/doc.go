// Package chart tests the Helm chart and config/default with the real helm and kubectl: what is rendered, what is refused, what
// a real API server makes of it, and that both say the same. It knows Helm's and Kubernetes' command lines and nothing of how
// Tugboot works. It follows the Helm 4 documentation and the Pod Security Standards.
package chart
