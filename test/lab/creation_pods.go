package lab

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// Pods are the parts of a Creation whose instances of Tugboot are pods in real clusters.
type Pods struct {
	// Kube is the folder with the programs of a cluster and helm, Pause the pause program; see ClusterOptions.
	Kube, Pause string
	// Image is Tugboot's image archive, of the name ImageName, and Chart the folder of its chart.
	Image, Chart string
}

// ImageName is the name and ImageTag the tag of Tugboot's image in a Creation.
const (
	ImageName = "localhost/tugboot"
	ImageTag  = "dev"
)

// Release is the name under which the chart is installed, in KubernetesNamespace.
const Release = "tugboot"

// managementNodeAddr is the node of the management cluster where there is one: ManagementAddr is a virtual address then, which
// the node holds besides.
var managementNodeAddr = netip.AddrFrom4([4]byte{192, 168, 2, 51})

func (c *Creation) managementNode() netip.Addr {
	if c.pods != nil {
		return managementNodeAddr
	}
	return ManagementAddr
}

// The nodes, as the files of testdata/takeover name them, and where their pods are.
var clusterOf = map[string]ClusterOptions{
	"bootstrap":  {Name: "lab-eks-a-cluster-control-plane", Pods: netip.MustParsePrefix("10.244.0.0/24")},
	"management": {Name: "cp01", Pods: netip.MustParsePrefix("10.245.0.0/24")},
}

// startCluster starts a side's cluster and brings it the image.
func (c *Creation) startCluster(ctx context.Context, s *Side) (err error) {
	o := clusterOf[s.Role]
	o.Pause = c.pods.Pause
	if s.Cluster, err = s.StartCluster(ctx, c.pods.Kube, o); err != nil {
		return err
	}
	s.API = s.Cluster.ControlPlane
	return s.Cluster.Load(ctx, c.pods.Image)
}

// stackGroups are the API groups of the stack's resources; the chart brings those of Tugboot's own.
func (c *Creation) stackGroups() []string {
	if c.pods != nil {
		return slices.DeleteFunc(slices.Clone(stackGroups), func(group string) bool { return group == "tugboot.dev" })
	}
	return stackGroups
}

// installChart installs the chart at a side, or the same once more, with values besides those that the lab needs, and returns
// when its pod is ready.
func (c *Creation) installChart(ctx context.Context, s *Side, values ...string) error {
	address := map[string]string{"bootstrap": "bootstrapIP=" + ServerAddr.String(), "management": "tinkerbellIP=" + ManagementAddr.String()}[s.Role]
	args := []string{"upgrade", "--install", Release, c.pods.Chart, "--namespace=" + KubernetesNamespace, "--wait", "--timeout=90s"}
	for _, value := range append([]string{
		"image.repository=" + ImageName, "image.tag=" + ImageTag, "role=" + s.Role, address, "hookURL=" + c.Files.URL,
		"interfaces={" + s.Interface + "}", "takeover.enabled=true", "takeover.namespace=" + KubernetesNamespace,
		"dhcpServices.namespace=" + KubernetesNamespace, "dhcpServices.secretNames={tugboot-kea}",
		"metrics.address=" + net.JoinHostPort(s.Addr.String(), operationsPort),
	}, values...) {
		args = append(args, "--set="+value)
	}
	if _, err := s.Cluster.Helm(ctx, args...); err != nil {
		return fmt.Errorf("%w\nthe end of the pods' logs:\n%s", err, s.Logs(ctx))
	}
	s.Tugboot = &Tugboot{station: s.Station}
	return nil
}

// ShutDownBootstrap takes the whole bootstrap cluster away, its Tugboot with it.
func (c *Creation) ShutDownBootstrap() error {
	c.Bootstrap.outage()
	c.note("lab", "the bootstrap cluster is shut down")
	return c.Bootstrap.Cluster.Shutdown()
}

// RebootManagement reboots the management cluster's node, which gets the virtual address back, and returns when the pod is
// ready again.
func (c *Creation) RebootManagement(ctx context.Context) error {
	s := c.Management
	c.absent(s)
	c.note("lab", "the node of the management cluster is rebooted")
	if err := s.Cluster.RebootNode(ctx); err != nil {
		return err
	}
	if err := s.AddAddress(ctx, ManagementAddr); err != nil {
		return err
	}
	return c.present(ctx, s)
}

// Reinstall uninstalls the chart at a side and installs it again, with values as helm's --set takes them.
func (c *Creation) Reinstall(ctx context.Context, s *Side, values ...string) error {
	c.absent(s)
	c.note("lab", "the chart is uninstalled in the %s cluster", s.Role)
	if _, err := s.Cluster.Helm(ctx, "uninstall", Release, "--namespace="+KubernetesNamespace, "--wait", "--timeout=60s"); err != nil {
		return err
	}
	if err := c.installChart(ctx, s, values...); err != nil {
		return err
	}
	return c.present(ctx, s)
}

// absent begins an outage of a side's Tugboot, and present ends it once that says that it is ready.
func (c *Creation) absent(s *Side) {
	s.outage()
	c.Sampler.Excuse(s.Stack(), true)
}

func (c *Creation) present(ctx context.Context, s *Side) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	for {
		_, err := get(ctx, s.Namespace, "http://"+net.JoinHostPort(s.Addr.String(), healthPort)+"/readyz")
		if err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the pod of the %s cluster is not ready: %w; the end of its log:\n%s", s.Role, err, s.Logs(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
	s.outages[len(s.outages)-1].To = time.Now()
	c.Sampler.Excuse(s.Stack(), false)
	return nil
}

// readyLimit is how long a pod may take to come back.
const readyLimit = 60 * time.Second

// Logs is the end of the log of a side's Tugboot, for people.
func (s *Side) Logs(ctx context.Context) string {
	if s.Cluster == nil {
		return Tail(s.Tugboot.Log, 20)
	}
	text, err := s.Cluster.PodLogs(context.WithoutCancel(ctx), KubernetesNamespace, "app.kubernetes.io/name=tugboot")
	if err != nil {
		return err.Error()
	}
	return text
}
