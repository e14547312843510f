package lab

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// clusterChildVariable makes TestClusterOfAKilledOwner the process that makes a lab, with a cluster in it, in the folder
// that it names, and waits to be killed.
const clusterChildVariable = "TUGBOOT_LAB_CLUSTER_CHILD"

func TestClusterOfAKilledOwner(t *testing.T) {
	assets := needCluster(t)
	if dir := os.Getenv(clusterChildVariable); dir != "" {
		t.Fatal(clusterChild(t, assets, dir))
	}
	before := hostState(t)
	dir := t.TempDir()
	owner := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	owner.Env = append(os.Environ(), clusterChildVariable+"="+dir)
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	id, node, found := strings.Cut(strings.TrimSpace(line), " ")
	if !found || len(processesOf(t, dir, node)) == 0 {
		t.Fatalf("the other process says %q, and runs nothing", line)
	}
	if err := removeStaleCgroups(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, err := filepath.Glob(cgroupFolder + "/*/" + id + ".*"); err != nil || len(found) == 0 {
		t.Fatalf("the cgroups of a process that lives: %v, %v", found, err)
	}
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := owner.Wait(); err == nil {
		t.Fatal("the other process ended well before it was killed")
	}
	killed := time.Now()
	for len(processesOf(t, dir, node)) > 0 {
		if time.Since(killed) > 10*time.Second {
			t.Fatalf("left running: %q", processesOf(t, dir, node))
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("%5.2f s: everything died with its owner", time.Since(killed).Seconds())
	if err := errors.Join(removeStale(t.Context(), "clusterkill"), removeStaleCgroups(t.Context())); err != nil {
		t.Fatal(err)
	}
	// Nobody is left to remove the disk; that is for whoever owns the folder.
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	checkNothingLeft(t, dir, id, node)
	if after := hostState(t); after != before {
		t.Errorf("the host before and after:\n%s\n%s", before, after)
	}
}

// clusterChild makes a lab with a cluster, prints the lab's claim and the node's PID namespace, and waits.
func clusterChild(t *testing.T, assets, dir string) error {
	l, err := New(t.Context(), "clusterkill", dir)
	if err != nil {
		return err
	}
	// Into dir: what this process has for itself nobody removes.
	pause := buildStatic(t, dir, "pause")
	c, err := l.ServerStation().StartCluster(t.Context(), assets, ClusterOptions{Name: "only", Pods: netip.MustParsePrefix("10.244.1.0/24"), Pause: pause})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	if _, err := fmt.Fprintln(os.Stdout, l.claim.id, pidNamespace(t, c)); err != nil {
		return err
	}
	<-c.node.init.Done()
	return errors.New("the node ended")
}

// hostState is what a node would change on the host if it had not its own: the sysctls that a kubelet sets, and folders
// whose places are fixed.
func hostState(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, name := range []string{"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/random/boot_id"} {
		text, err := os.ReadFile("/proc/sys/" + name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s = %s", name, text)
	}
	for _, path := range []string{"/run/containerd", "/opt/containerd", "/etc/cni", "/var/lib/cni", "/var/lib/containerd", "/var/lib/kubelet",
		"/var/log/containers", "/var/log/pods", "/usr/libexec/kubernetes"} {
		_, err := os.Stat(path)
		fmt.Fprintf(&all, "%s exists: %v\n", path, err == nil)
	}
	return all.String()
}

// pidNamespace identifies the PID namespace that holds all processes of a cluster's node.
func pidNamespace(t *testing.T, c *Cluster) string {
	t.Helper()
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", c.node.pid))
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// processesOf are the command lines of all processes that are in one of the PID namespaces or name the folder.
func processesOf(t *testing.T, dir string, nodes ...string) []string {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range paths {
		namespace, gone := os.Readlink(filepath.Join(path, "ns", "pid"))
		command, err := os.ReadFile(filepath.Join(path, "cmdline"))
		// A zombie has no command line. It waits for its parent, which here is whoever adopted it.
		if gone == nil && err == nil && len(command) > 0 && (slices.Contains(nodes, namespace) || bytes.Contains(command, []byte(dir))) {
			found = append(found, string(command))
		}
	}
	return found
}

// checkNothingLeft looks for what the lab id with clusters has outside its folder, and for the nodes' disks in it. nodes
// are the nodes' PID namespaces.
func checkNothingLeft(t *testing.T, dir, id string, nodes ...string) {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), dir) {
		t.Errorf("left mounted below %s:\n%s", dir, mounts)
	}
	if running := processesOf(t, dir, nodes...); len(running) > 0 {
		t.Errorf("left running: %q", running)
	}
	for _, pattern := range []string{cgroupFolder + "/" + id + "*", cgroupFolder + "/*/" + id + "*", netnsFolder + "/" + id + "*", claimPath(id),
		dir + "/node/lib", dir + "/*/node/lib"} {
		if left, err := filepath.Glob(pattern); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}
