package lab

import (
	"context"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// ClusterOptions say what a cluster is like. All are needed.
type ClusterOptions struct {
	// Name is the cluster's and its node's: lower-case letters, digits and dashes, unique in the lab.
	Name string
	// Pods is where pods without the host's network get their addresses, an IPv4 prefix of at most 29 bits.
	Pods netip.Prefix
	// Pause is the pause program, linked statically: `CGO_ENABLED=0 go build ./test/lab/pause`.
	Pause string
}

// Cluster is a Kubernetes cluster at a station with one node that runs pods. Pods with hostNetwork are in the station's
// network namespace. No image is pulled: Load brings them.
type Cluster struct {
	*ControlPlane
	// Name is the cluster's and its node's.
	Name string
	// AuditLog is the path of a file of audit.k8s.io/v1 Events, one a line: each request of a service account outside
	// kube-system, at the level Metadata. StartCluster empties it, and StartAPI does not.
	AuditLog string

	node        *node
	controllers []*Process
	shutdown    func() error
}

// clusterPrograms are what the folder of a cluster's programs must hold.
var clusterPrograms = []string{"etcd", "kube-apiserver", "kubectl", "kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy", "helm"}

// complete says what is wrong with the options or lacking in the folder assets, and makes paths absolute: a node has no
// current folder.
func (o *ClusterOptions) complete(assets *string) (err error) {
	if !labName.MatchString(o.Name) {
		return fmt.Errorf("cluster name %q: use lower-case letters, digits and single dashes", o.Name)
	}
	if !o.Pods.IsValid() || !o.Pods.Addr().Is4() || o.Pods.Bits() > 29 {
		return fmt.Errorf("cluster %s: pods %s: give an IPv4 prefix of at most 29 bits", o.Name, o.Pods)
	}
	for _, path := range []*string{assets, &o.Pause} {
		if *path, err = filepath.Abs(*path); err != nil {
			return fmt.Errorf("cluster %s: %w", o.Name, err)
		}
	}
	for _, program := range clusterPrograms {
		if _, err := os.Stat(filepath.Join(*assets, program)); err != nil {
			return fmt.Errorf("cluster %s: %w: run hack/kube/build.sh %s, which prints a folder that holds it", o.Name, err, program)
		}
	}
	if _, err := os.Stat(o.Pause); err != nil {
		return fmt.Errorf("cluster %s: pause program: %w: build it with CGO_ENABLED=0 go build ./test/lab/pause", o.Name, err)
	}
	return nil
}

// StartCluster starts a cluster from the programs in the folder assets, which `hack/kube/build.sh` makes, and returns
// when its node is ready. Shutdown and Close of the lab remove it.
func (s *Station) StartCluster(ctx context.Context, assets string, o ClusterOptions) (*Cluster, error) {
	if err := o.complete(&assets); err != nil {
		return nil, err
	}
	if err := removeStaleCgroups(ctx); err != nil {
		return nil, err
	}
	api, err := s.newControlPlane(assets)
	if err != nil {
		return nil, err
	}
	c := &Cluster{ControlPlane: api, Name: o.Name, AuditLog: filepath.Join(s.Dir, "audit.log")}
	if err := c.writeClusterKeys(); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", o.Name, err)
	}
	if c.node, err = newNode(api, o); err != nil {
		return nil, err
	}
	c.shutdown = sync.OnceValue(c.end)
	s.lab.onClose(c.shutdown)
	if err := c.run(ctx, o.Pause); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", o.Name, err)
	}
	return c, nil
}

// run starts everything. The node boots while the control plane starts.
func (c *Cluster) run(ctx context.Context, pause string) error {
	starts, both := errgroup.WithContext(ctx)
	starts.Go(func() error {
		if err := c.begin(both, "--authorization-mode=Node,RBAC", "--allow-privileged",
			"--kubelet-client-certificate="+c.key("apiserver-kubelet.crt"), "--kubelet-client-key="+c.key("apiserver-kubelet.key"),
			"--kubelet-certificate-authority="+c.key("ca.crt"), "--kubelet-preferred-address-types=InternalIP",
			"--audit-policy-file="+c.key("audit.yaml"), "--audit-log-path="+c.AuditLog); err != nil {
			return err
		}
		return c.startControllers()
	})
	starts.Go(func() error {
		archive := filepath.Join(c.node.folder, "lib", "pause.tar")
		image := Image{Reference: pauseImage, Files: map[string]string{"/pause": pause}, Entrypoint: []string{"/pause"}}
		if err := image.WriteArchive(archive); err != nil {
			return err
		}
		if err := c.node.powerOn(both); err != nil {
			return err
		}
		return c.Load(both, archive)
	})
	if err := starts.Wait(); err != nil {
		return err
	}
	return c.node.startKubelet(ctx)
}

// startControllers starts kube-controller-manager and kube-scheduler.
func (c *Cluster) startControllers() error {
	for _, args := range [][]string{
		{"kube-controller-manager", "--use-service-account-credentials", "--root-ca-file=" + c.key("ca.crt"),
			"--service-account-private-key-file=" + c.key("accounts.key"),
			// It makes the folder, which else is one of the host's.
			"--flex-volume-plugin-dir=" + filepath.Join(c.station.Dir, "flex-volumes"),
			// With the default of 20 requests a second it takes five seconds until its controllers work.
			"--kube-api-qps=1000", "--kube-api-burst=1000"},
		{"kube-scheduler"},
	} {
		name := args[0]
		p, err := c.station.Start(Spec{Name: name, Args: slices.Concat([]string{filepath.Join(c.assets, name),
			"--kubeconfig=" + c.key(name+".kubeconfig"), "--leader-elect=false", "--bind-address=127.0.0.1"}, args[1:])})
		if err != nil {
			return err
		}
		c.controllers = append(c.controllers, p)
	}
	return nil
}

// auditPolicy leaves out the controllers of Kubernetes itself.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, userGroups: ["system:serviceaccounts:kube-system"]}
- {level: Metadata, userGroups: ["system:serviceaccounts"]}
- {level: None}
`

// writeClusterKeys writes what the node and the controllers prove themselves with, and empties the audit log.
func (c *Cluster) writeClusterKeys() error {
	return errors.Join(
		os.WriteFile(c.AuditLog, nil, 0o600),
		writePrivate(c.keys, map[string][]byte{"audit.yaml": []byte(auditPolicy)}),
		c.writeCertificate("apiserver-kubelet", pkix.Name{CommonName: "kube-apiserver-kubelet-client", Organization: []string{"system:masters"}}, nil),
		c.writeCertificate("kubelet", pkix.Name{CommonName: "system:node:" + c.Name}, []net.IP{c.station.Addr.AsSlice()}, c.Name),
		c.writeKubeconfig(c.key("kubelet.kubeconfig"), pkix.Name{CommonName: "system:node:" + c.Name, Organization: []string{"system:nodes"}}),
		c.writeKubeconfig(c.key("kube-controller-manager.kubeconfig"), pkix.Name{CommonName: "system:kube-controller-manager"}),
		c.writeKubeconfig(c.key("kube-scheduler.kubeconfig"), pkix.Name{CommonName: "system:kube-scheduler"}),
		c.writeKubeconfig(c.key("kube-proxy.kubeconfig"), pkix.Name{CommonName: "system:kube-proxy"}))
}

// endLimit is how long a dead node's rest may take to go.
const endLimit = 15 * time.Second

// RebootNode takes the node's power away and gives it back: kubelet, containerd and every pod's processes die at once,
// what was not on disk is lost, the station's added addresses too, and when it returns the node is ready again. The images
// are still there; the pods come back by themselves, later. The API stays up; it must be.
func (c *Cluster) RebootNode(ctx context.Context) error {
	off, cancel := context.WithTimeout(ctx, endLimit)
	defer cancel()
	if err := c.node.powerOff(off); err != nil {
		return err
	}
	if err := c.node.powerOn(ctx); err != nil {
		return err
	}
	return c.node.startKubelet(ctx)
}

// StopAPI takes kube-apiserver away, as an outage does; etcd keeps what it holds. It is killed: with a kubelet's watches
// open it would not end in time by itself.
func (c *Cluster) StopAPI() { c.server.Kill() }

// Shutdown ends the cluster for good and at once, as deleting a kind cluster does: no pod is asked, and when it returns
// their sockets are closed and the station has its own address only. It may be called more than once.
func (c *Cluster) Shutdown() error { return c.shutdown() }

// end kills everything at the same time. The logs stay.
func (c *Cluster) end() error {
	var kills sync.WaitGroup
	for _, p := range append([]*Process{c.etcd, c.server}, c.controllers...) {
		if p != nil {
			kills.Go(p.Kill)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), endLimit)
	defer cancel()
	err := c.node.powerOff(ctx)
	kills.Wait()
	return errors.Join(err, c.node.wipe(), os.RemoveAll(c.store()))
}
