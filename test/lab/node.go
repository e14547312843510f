package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// node is the node of a cluster: containerd, kubelet, kube-proxy, and all that containerd starts. It can die as a machine
// dies: it is a PID namespace, whose end is the end of every process in it, and a mount namespace, whose end is that of
// every mount. The kernel sees to both, also when this process is killed. The network namespace is the station's.
type node struct {
	name  string
	api   *ControlPlane
	pause string // the path of the pause program
	pods  netip.Prefix
	// folder is the node's disk; of it, lib goes when the node is removed, and the pods' logs stay.
	folder string
	cgroup *cgroup

	// init is unshare(1), the parent of the node's first process, and ends with it.
	init *Process
	// pid is the ID of the first process, as this process sees it, and boot the boot ID.
	pid  int
	boot string
}

// newNode makes the disk of a node, with nothing on it but its configuration.
func newNode(c *ControlPlane, o ClusterOptions) (n *node, err error) {
	s := c.station
	n = &node{name: o.Name, api: c, pause: o.Pause, pods: o.Pods, folder: filepath.Join(s.Dir, "node")}
	for _, path := range []string{n.folder, n.pause, c.assets} {
		for _, hidden := range hiddenFolders {
			if strings.HasPrefix(path, hidden+"/") {
				return nil, fmt.Errorf("node %s: %s is below %s, where a node has a folder of its own: choose another place", n.name, path, hidden)
			}
		}
	}
	if n.cgroup, err = findCgroup(s.lab.claim.id + "." + n.name); err != nil {
		return nil, err
	}
	return n, n.writeFiles()
}

// powerOn boots the node and returns when containerd answers. startKubelet makes it a node of the cluster.
func (n *node) powerOn(ctx context.Context) (err error) {
	n.pid, n.boot = 0, ""
	if err := errors.Join(n.cgroup.create(), n.wire(ctx)); err != nil {
		return err
	}
	n.init, err = n.api.station.Start(Spec{Name: n.process("init"), Args: []string{"unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child",
		"--", "sh", "-e", "-c", bootScript, "sh", n.name, n.folder, n.pause}})
	if err != nil {
		return err
	}
	if err := n.await(ctx, n.init, "booted", func() (bool, error) {
		words := strings.Fields(Tail(n.init.Log, 1))
		if len(words) != 3 || words[0] != "booted" {
			return false, nil
		}
		n.boot = words[2]
		n.pid, err = strconv.Atoi(words[1])
		return true, err
	}); err != nil {
		return err
	}
	containerd, err := n.start("containerd", "containerd", "--config="+n.etc("containerd.toml"))
	if err != nil {
		return err
	}
	return n.await(ctx, containerd, "answers", func() (bool, error) {
		_, err := n.api.station.Run(ctx, nil, n.ctr("version")...)
		return err == nil, nil
	})
}

// wire gives the station's network what a node's must have before kube-proxy and the pods add theirs.
func (n *node) wire(ctx context.Context) error {
	// The address of a Service is nowhere; without a route to it, a packet is dropped before kube-proxy's rules see it.
	if err := n.api.station.ip(ctx, []string{"route", "replace", servicesCIDR, "dev", n.api.station.Interface}); err != nil {
		return err
	}
	_, err := n.api.station.Run(ctx, nil, "nft", "--file", n.etc("nftables"))
	return err
}

// startKubelet starts kubelet and kube-proxy and returns when the API says that the node, as of this boot, is ready.
func (n *node) startKubelet(ctx context.Context) error {
	if _, err := n.start("kube-proxy", filepath.Join(n.api.assets, "kube-proxy"), "--config="+n.etc("kube-proxy.yaml")); err != nil {
		return err
	}
	kubelet, err := n.start("kubelet", filepath.Join(n.api.assets, "kubelet"), "--config="+n.etc("kubelet.yaml"),
		"--kubeconfig="+n.api.key("kubelet.kubeconfig"), "--hostname-override="+n.name, "--node-ip="+n.api.station.Addr.String())
	if err != nil {
		return err
	}
	const state = `jsonpath={.status.nodeInfo.bootID} {.status.conditions[?(@.type=="Ready")].status} {.spec.taints}`
	return n.await(ctx, kubelet, "has made the node ready", func() (bool, error) {
		out, err := n.api.Kubectl(ctx, nil, "get", "node", n.name, "--output="+state)
		return err == nil && strings.TrimSpace(string(out)) == n.boot+" True", nil
	})
}

// bootLimit is how long one step of a node's boot may take. On two idle cores none takes five seconds.
const bootLimit = time.Minute

// await asks done until it says so, and fails when p ends first.
func (n *node) await(ctx context.Context, p *Process, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, bootLimit)
	defer cancel()
	for {
		if is, err := done(); is || err != nil {
			return err
		}
		select {
		case <-p.Done():
			return fmt.Errorf("node %s: %s ended (%s); the end of %s:\n%s", n.name, p.Name, p.Outcome(), p.Log, Tail(p.Log, 15))
		case <-ctx.Done():
			return fmt.Errorf("node %s: not yet that %s %s: %w; the end of %s:\n%s", n.name, p.Name, what, ctx.Err(), p.Log, Tail(p.Log, 15))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// process is the name of a process that belongs to the node.
func (n *node) process(name string) string { return "node-" + name }

// start starts a program inside the node.
func (n *node) start(name string, args ...string) (*Process, error) {
	return n.api.station.Start(Spec{Name: n.process(name), Args: n.inside(args...)})
}

// inside is the command line that runs args in the node. It enters no network namespace: a station's processes begin in
// the right one. `ip netns exec` would mount a /sys without cgroups.
func (n *node) inside(args ...string) []string {
	return append([]string{"nsenter", "--target=" + strconv.Itoa(n.pid), "--mount", "--pid", "--uts", "--"}, args...)
}

// ctr is a command line of containerd's own client, in the namespace of the kubelet's images.
func (n *node) ctr(args ...string) []string {
	return n.inside(append([]string{"ctr", "--address=" + containerdAddress, "--namespace=k8s.io"}, args...)...)
}

// powerOff kills everything on the node at once and returns when it is gone, with its mounts, its cgroups and what it had
// in the station's network. What is on disk stays.
func (n *node) powerOff(ctx context.Context) error {
	if n.init != nil {
		if err := n.kill(); err != nil {
			return err
		}
	}
	return errors.Join(n.cgroup.remove(ctx), n.unwire(ctx))
}

// kill ends the first process, and the kernel all others of its PID namespace, and waits for that.
func (n *node) kill() error {
	if n.pid == 0 {
		n.init.Kill() // it has not begun
	}
	select {
	case <-n.init.Done():
		return nil
	default:
	}
	// Its parent waits for it, so that the number cannot mean another process.
	if err := unix.Kill(n.pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("node %s: end its first process %d: %w", n.name, n.pid, err)
	}
	<-n.init.Done()
	return nil
}

// unwire clears the station's firewall, takes away all addresses but the station's own, and returns when the kernel has
// removed the pods' network namespaces, and so the interfaces to them.
func (n *node) unwire(ctx context.Context) error {
	s := n.api.station
	if _, err := s.Run(ctx, nil, "nft", "flush", "ruleset"); err != nil {
		return err
	}
	addresses, err := s.Run(ctx, nil, "ip", "-brief", "-4", "address", "show", "dev", s.Interface)
	if err != nil {
		return err
	}
	for _, word := range strings.Fields(string(addresses)) {
		if a, err := netip.ParsePrefix(word); err == nil && a.Addr() != s.Addr {
			if err := s.ip(ctx, []string{"address", "delete", word, "dev", s.Interface}); err != nil {
				return err
			}
		}
	}
	for {
		links, err := s.Run(ctx, nil, "ip", "-brief", "link", "show", "type", "veth")
		if err != nil {
			return err
		}
		if !strings.HasPrefix(string(links), "veth") && !strings.Contains(string(links), "\nveth") {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("node %s: pods' interfaces are still there: %w: %s", n.name, ctx.Err(), links)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// wipe removes what the node had on disk, but for its pods' logs.
func (n *node) wipe() error {
	if err := os.RemoveAll(filepath.Join(n.folder, "lib")); err != nil {
		return fmt.Errorf("node %s: %w", n.name, err)
	}
	return nil
}
