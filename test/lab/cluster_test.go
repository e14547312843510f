package lab

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/test/need"
	"golang.org/x/sync/errgroup"
)

const answerImage = "tugboot.lab/answer:1"

// needCluster needs what a cluster is made of, and returns the folder with its programs.
func needCluster(t *testing.T) string {
	t.Helper()
	needRoot(t)
	for program, debianPackage := range map[string]string{"containerd": "containerd", "runc": "runc", "nft": "nftables",
		"unshare": "util-linux", "nsenter": "util-linux"} {
		need.Program(t, program, debianPackage)
	}
	need.File(t, "/usr/lib/cni/ptp", "apt-get install containernetworking-plugins")
	assets := os.Getenv("TUGBOOT_KUBE")
	if assets == "" {
		need.File(t, "TUGBOOT_KUBE", "set it to what `hack/kube/build.sh "+strings.Join(clusterPrograms, " ")+"` prints")
	}
	return assets
}

// buildStatic builds a program of this repository for an image into a folder, and returns its path.
func buildStatic(t *testing.T, folder, source string) string {
	t.Helper()
	path := filepath.Join(folder, filepath.Base(source))
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./"+source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", source, err, out)
	}
	return path
}

// innerService is the address of the Service of the pod that has a network of its own.
const innerService = "10.96.0.80"

// twoClusters are a lab with two clusters on one LAN.
type twoClusters struct {
	*Lab
	boot, mgmt *Cluster
}

// timed logs how long what took.
func timed(t *testing.T, what string, f func() error) {
	t.Helper()
	started := time.Now()
	if err := f(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	t.Logf("%5.2f s: %s", time.Since(started).Seconds(), what)
}

func startTwo(t *testing.T, assets string) *twoClusters {
	t.Helper()
	l, err := New(t.Context(), "clustertest", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	station, err := l.AddStation(t.Context(), "management", "02:00:00:00:02:01", netip.MustParseAddr("192.168.2.113"))
	if err != nil {
		t.Fatal(err)
	}
	two := &twoClusters{Lab: l}
	pause := buildStatic(t, t.TempDir(), "pause")
	timed(t, "both nodes are ready", func() error {
		both, ctx := errgroup.WithContext(t.Context())
		both.Go(func() (err error) {
			two.boot, err = l.ServerStation().StartCluster(ctx, assets, ClusterOptions{Name: "bootstrap", Pods: netip.MustParsePrefix("10.244.1.0/24"), Pause: pause})
			return err
		})
		both.Go(func() (err error) {
			two.mgmt, err = station.StartCluster(ctx, assets, ClusterOptions{Name: "management", Pods: netip.MustParsePrefix("10.244.2.0/24"), Pause: pause})
			return err
		})
		return both.Wait()
	})
	return two
}

// says waits until a web server gives the answer wanted, seen from n.
func says(ctx context.Context, n *Namespace, url, want string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		text, err := get(ctx, n, url)
		if err == nil && strings.TrimSpace(string(text)) == want {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s says %q, %w, want %q", url, text, err, want)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// podsAnswer asks the pods of a cluster: from the LAN's other station, and from the node through kube-proxy.
func podsAnswer(ctx context.Context, c *Cluster, from *Namespace) error {
	if err := says(ctx, from, "http://"+c.station.Addr.String()+":8000", "I am "+c.Name); err != nil {
		return err
	}
	return says(ctx, c.station.Namespace, "http://"+innerService, "I am inner")
}

func TestClusterOptionsThatCannotWork(t *testing.T) {
	assets := t.TempDir()
	pause := filepath.Join(assets, "pause")
	for _, program := range append([]string{"pause"}, clusterPrograms...) {
		if err := os.WriteFile(filepath.Join(assets, program), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	pods := netip.MustParsePrefix("10.244.1.0/24")
	for want, o := range map[string]ClusterOptions{
		"":                    {Name: "one", Pods: pods, Pause: pause},
		"single dashes":       {Name: "One", Pods: pods, Pause: pause},
		"at most 29 bits":     {Name: "one", Pods: netip.MustParsePrefix("10.244.1.0/30"), Pause: pause},
		"give an IPv4 prefix": {Name: "one", Pause: pause},
		"go build":            {Name: "one", Pods: pods, Pause: pause + "-absent"},
	} {
		folder := assets
		if err := o.complete(&folder); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
	nowhere := t.TempDir()
	o := ClusterOptions{Name: "one", Pods: pods, Pause: pause}
	if err := o.complete(&nowhere); err == nil || !strings.Contains(err.Error(), "hack/kube/build.sh etcd") {
		t.Errorf("without programs: %v", err)
	}
	c := &ControlPlane{station: &Station{Dir: t.TempDir()}, assets: "/var/lib/tugboot"}
	if _, err := newNode(c, o); err == nil || !strings.Contains(err.Error(), "/var/lib/tugboot is below /var/lib") {
		t.Errorf("programs where the node has its own folder: %v", err)
	}
}

func TestClusterTwoOnOneLAN(t *testing.T) {
	assets := needCluster(t)
	before := hostState(t)
	two := startTwo(t, assets)
	nodes := []string{pidNamespace(t, two.boot), pidNamespace(t, two.mgmt)}
	ctx := t.Context()
	boot, mgmt := two.boot, two.mgmt

	archive := filepath.Join(two.Dir, "answer.tar")
	image := Image{Reference: answerImage, Files: map[string]string{"/answer": buildStatic(t, t.TempDir(), "testdata/answer")}, Entrypoint: []string{"/answer"}}
	if err := image.WriteArchive(archive); err != nil {
		t.Fatal(err)
	}
	timed(t, "both have two pods that answer", func() error {
		var both errgroup.Group
		for c, from := range map[*Cluster]*Namespace{boot: mgmt.station.Namespace, mgmt: boot.station.Namespace} {
			both.Go(func() error {
				if err := c.Load(ctx, archive); err != nil {
					return err
				}
				if _, err := c.Helm(ctx, "install", "answer", "testdata/chart", "--wait", "--timeout=1m",
					"--set=image="+answerImage, "--set=clusterIP="+innerService); err != nil {
					return err
				}
				return podsAnswer(ctx, c, from)
			})
		}
		return both.Wait()
	})
	checkUse(t, boot, mgmt)
	checkOutage(t, boot, mgmt)
	timed(t, "a node has rebooted", func() error { return mgmt.RebootNode(ctx) })
	timed(t, "its pods answer again", func() error { return podsAnswer(ctx, mgmt, boot.station.Namespace) })
	if _, err := mgmt.Kubectl(ctx, nil, "wait", "pod", "host", "--timeout=30s", "--for=jsonpath={.status.containerStatuses[0].restartCount}=1"); err != nil {
		t.Errorf("the reboot did not end the pod: %v", err)
	}
	if err := podsAnswer(ctx, boot, mgmt.station.Namespace); err != nil {
		t.Errorf("the other cluster: %v", err)
	}

	if err := boot.station.AddAddress(ctx, netip.MustParseAddr("192.168.2.200")); err != nil {
		t.Error(err)
	}
	timed(t, "a cluster is shut down", boot.Shutdown)
	if out, err := boot.station.Run(ctx, nil, "ip", "-4", "address", "show"); err != nil || strings.Contains(string(out), "192.168.2.200") {
		t.Errorf("the addresses after the shutdown: %s, %v", out, err)
	}
	for _, port := range []string{":8000", ":6443", ":10250"} {
		if _, err := mgmt.station.Client().Get("http://" + boot.station.Addr.String() + port); err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("port %s of a cluster that was shut down: %v", port, err)
		}
	}
	if err := podsAnswer(ctx, mgmt, boot.station.Namespace); err != nil {
		t.Errorf("the cluster that stays: %v", err)
	}
	timed(t, "the lab is closed", two.Close)
	if err := boot.Shutdown(); err != nil {
		t.Errorf("a second shutdown: %v", err)
	}
	checkNothingLeft(t, two.Dir, two.claim.id, nodes...)
	if after := hostState(t); after != before {
		t.Errorf("the host before and after:\n%s\n%s", before, after)
	}
}

// checkUse tries what one does with pods, and what the audit log says of it.
func checkUse(t *testing.T, c, other *Cluster) {
	t.Helper()
	ctx := t.Context()
	logs, err := c.PodLogs(ctx, "default", "app=host")
	if err != nil || !strings.Contains(logs, c.Name+" listens on :8000") {
		t.Errorf("the pod's log says %q, %v", logs, err)
	}
	out, err := c.Exec(ctx, "default", "inner", "/answer", "-listen=nowhere")
	if err == nil || !strings.Contains(err.Error(), "missing port") {
		t.Errorf("exec says %q, %v", out, err)
	}
	// Both pods may ask the API at the Service's address, where their service account is known and may do nothing; the
	// one in a network of its own reaches the LAN too.
	const api = "https://" + apiService + "/apis/coordination.k8s.io/v1/leases"
	lan := "http://" + other.station.Addr.String() + ":8000"
	for url, want := range map[string]string{
		"http://" + c.station.Addr.String() + ":8000/get?url=" + api: "403 ",
		"http://" + innerService + "/get?url=" + api:                 "403 ",
		"http://" + innerService + "/get?url=" + lan:                 "200 I am " + other.Name,
	} {
		if text, err := get(ctx, c.station.Namespace, url); err != nil || !strings.HasPrefix(string(text), want) {
			t.Errorf("%s says %q, %v, want %s", url, text, err, want)
		}
	}
	log, err := os.ReadFile(c.AuditLog)
	if err != nil {
		t.Fatal(err)
	}
	const asked = `"verb":"list","user":{"username":"system:serviceaccount:default:default"`
	if strings.Count(string(log), asked) != 2 || bytes.Contains(log, []byte("system:node:")) {
		t.Errorf("the audit log:\n%s", log)
	}
}

// checkOutage takes the API away for a while. The pods live on.
func checkOutage(t *testing.T, c, other *Cluster) {
	t.Helper()
	timed(t, "the API stopped", func() error { c.StopAPI(); return nil })
	for range 10 {
		if err := podsAnswer(t.Context(), c, other.station.Namespace); err != nil {
			t.Errorf("without the API: %v", err)
		}
		time.Sleep(200 * time.Millisecond)
	}
	timed(t, "the API started", func() error { return c.StartAPI(t.Context()) })
	const started = `jsonpath={.items[*].status.containerStatuses[*].restartCount}`
	out, err := c.Kubectl(t.Context(), nil, "get", "pods", "--output="+started)
	if err != nil || string(out) != "0 0" {
		t.Errorf("after the outage the pods have been restarted %q times, %v", out, err)
	}
}
