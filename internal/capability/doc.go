// Package capability raises the Linux capabilities that serving machines needs, and says which are not to be had and why.
// It knows capabilities(7) and prctl(2), and which capability serving needs; it must not know what a socket is used for,
// nor containers or Kubernetes. It follows capabilities(7), "File capabilities" and "Capability bounding set".
package capability
