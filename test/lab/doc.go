// Package lab makes a small world on one Linux host for Tugboot to work in: a LAN of network namespaces, one or two real
// Kubernetes APIs, with a real node each where pods are wanted, machines with real firmware that QEMU emulates, and the
// creation of a cluster as EKS Anywhere plays it. It knows ip(8), QEMU's and the control plane's command lines, what a DHCP
// answer says, and how to leave nothing behind; it must not know why Tugboot answers what it answers. It follows ip-netns(8),
// QEMU's manual, the flags of etcd and kube-apiserver, kubelet's and containerd's configuration files and what `clusterctl
// move` does, and it needs root.
package lab
