package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// pauseImage holds the pause program; containerd starts every pod with it.
const pauseImage = "tugboot.lab/pause:1"

// containerdAddress is where containerd listens, inside the node.
const containerdAddress = "/run/containerd/containerd.sock"

// nodeFiles are the configuration files of a node. They go to the folder etc of its disk.
var nodeFiles = template.Must(template.New("").Parse(`
{{define "containerd.toml"}}version = 2
# The first makes folders below /opt; the others look for devices.
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{{.PauseImage}}"
  disable_apparmor = true
  # A container may not lower its score where the lab itself may not.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{{.Etc}}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
{{end}}
{{define "cni/pods.conflist"}}{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "ptp", "ipam": {"type": "host-local",
  "dataDir": "/run/cni", "ranges": [[{"subnet": "{{.Pods}}"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
{{end}}
{{define "nftables"}}# What a pod sends to the LAN comes from the node: nobody there has a route to pods.
table ip tugboot-lab {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {{.Pods}} oifname "{{.Interface}}" masquerade
  }
}
{{end}}
{{define "resolv.conf"}}# The lab has no name server. Without any, pods would get the host's.
nameserver 127.0.0.1
{{end}}
{{define "kubelet.yaml"}}apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupRoot: /{{.Cgroup}}
cgroupDriver: cgroupfs
failSwapOn: false
containerRuntimeEndpoint: unix://{{.Containerd}}
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: "{{.Keys}}/ca.crt"}}
authorization: {mode: Webhook}
tlsCertFile: "{{.Keys}}/kubelet.crt"
tlsPrivateKeyFile: "{{.Keys}}/kubelet.key"
volumePluginDir: /var/lib/kubelet/volume-plugins
resolvConf: "{{.Etc}}/resolv.conf"
# The disk is the host's: what it is full of is not the node's.
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: "1%", imagefs.available: "1%", nodefs.inodesFree: "1%"}
{{end}}
{{define "kube-proxy.yaml"}}apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: {kubeconfig: "{{.Keys}}/kube-proxy.kubeconfig"}
clusterCIDR: {{.Pods}}
hostnameOverride: {{.Name}}
# These are sysctls of the whole host.
conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
{{end}}`))

// etc is the path of one of the node's configuration files.
func (n *node) etc(name string) string { return filepath.Join(n.folder, "etc", name) }

// writeFiles makes an empty disk for the node, with its configuration.
func (n *node) writeFiles() error {
	if err := os.RemoveAll(n.folder); err != nil {
		return fmt.Errorf("node %s: %w", n.name, err)
	}
	for _, folder := range []string{"lib", "log", "etc/cni"} {
		if err := os.MkdirAll(filepath.Join(n.folder, folder), 0o755); err != nil {
			return fmt.Errorf("node %s: %w", n.name, err)
		}
	}
	values := map[string]string{"Name": n.name, "Pods": n.pods.String(), "Interface": n.api.station.Interface, "Cgroup": n.cgroup.name,
		"Etc": n.etc(""), "Keys": n.api.keys, "Containerd": containerdAddress, "PauseImage": pauseImage}
	for _, t := range nodeFiles.Templates() {
		if t.Name() == "" {
			continue // the frame around them
		}
		var text strings.Builder
		err := t.Execute(&text, values)
		if err = errors.Join(err, os.WriteFile(n.etc(t.Name()), []byte(text.String()), 0o600)); err != nil {
			return fmt.Errorf("node %s: configuration: %w", n.name, err)
		}
	}
	return nil
}
