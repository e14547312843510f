// Package lab makes a small world on one Linux host for Tugboot to work in: a LAN of network namespaces, a real
// Kubernetes API, and machines with real firmware that QEMU emulates. It knows ip(8), QEMU's and the control plane's
// command lines, and how to leave nothing behind; it must not know what Tugboot answers or why. It follows
// ip-netns(8), QEMU's manual and the flags of etcd and kube-apiserver, and it needs root.
package lab
