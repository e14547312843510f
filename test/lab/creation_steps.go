package lab

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

//go:embed testdata/takeover/*.yaml
var objects embed.FS

// apply applies files of testdata/takeover at a side.
func (s *Side) apply(ctx context.Context, names ...string) error {
	for _, name := range names {
		text, err := objects.ReadFile("testdata/takeover/" + name + ".yaml")
		if err != nil {
			return err
		}
		if _, err := s.API.Kubectl(ctx, bytes.NewReader(text), "apply", "--filename=-"); err != nil {
			return err
		}
	}
	return nil
}

// object is JSON being put together.
type object = map[string]any

// patch merges change into an object, or into its subresource.
func (s *Side) patch(ctx context.Context, resource schema.GroupVersionResource, namespace, name string, change object, subresource ...string) error {
	text, err := json.Marshal(change)
	if err != nil {
		return err
	}
	_, err = s.objects.Resource(resource).Namespace(namespace).Patch(ctx, name, types.MergePatchType, text, metav1.PatchOptions{}, subresource...)
	if err != nil {
		return fmt.Errorf("%s cluster: patch %s %s/%s: %w", s.Role, resource.Resource, namespace, name, err)
	}
	return nil
}

// The API groups of the stack's resources, and of the cluster's, which come later.
var (
	stackGroups   = []string{"tinkerbell.org", "tugboot.dev"}
	clusterGroups = []string{"anywhere.eks.amazonaws.com", "cluster.x-k8s.io"}
)

// BeginBootstrap makes the bootstrap cluster: a node of kind, the stack's resources, the bootstrap instance.
func (c *Creation) BeginBootstrap(ctx context.Context) error {
	if err := c.prepareBootstrap(ctx); err != nil {
		return err
	}
	return c.begin(ctx, c.Bootstrap, c.bootstrapTakeover)
}

// begin starts a side's Tugboot, and applies its Takeover: the chart brings the resource, and without one it is there already.
func (c *Creation) begin(ctx context.Context, s *Side, takeover func(context.Context) error) error {
	serve := func(ctx context.Context) error { return c.Serve(ctx, s) }
	steps := []func(context.Context) error{takeover, serve}
	if c.pods != nil {
		steps = []func(context.Context) error{serve, takeover}
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *Creation) prepareBootstrap(ctx context.Context) error {
	s := c.Bootstrap
	if err := s.API.install(ctx, c.definitions, c.stackGroups()...); err != nil {
		return err
	}
	return s.apply(ctx, "node-bootstrap")
}

func (c *Creation) bootstrapTakeover(ctx context.Context) error {
	s := c.Bootstrap
	if err := s.apply(ctx, "takeover-bootstrap"); err != nil {
		return err
	}
	if err := c.applyExisting(ctx, s); err != nil {
		return err
	}
	if !c.remoteCheck {
		return nil
	}
	return s.patch(ctx, takeovers, KubernetesNamespace, ClusterName, object{"spec": object{"remoteCheck": "Enabled"}})
}

// AddHardware makes the machines known.
func (c *Creation) AddHardware(ctx context.Context) error {
	c.note("lab", "Hardware is applied in the bootstrap cluster")
	return c.Bootstrap.apply(ctx, "hardware")
}

// CreateCluster has the bootstrap cluster create the cluster: its resources appear, then its objects, and its machines
// begin to be installed.
func (c *Creation) CreateCluster(ctx context.Context) error {
	c.note("lab", "the Cluster is applied in the bootstrap cluster")
	s := c.Bootstrap
	if err := s.API.install(ctx, c.definitions, clusterGroups...); err != nil {
		return err
	}
	if err := s.apply(ctx, "eksa-bootstrap", "capi", "workflows"); err != nil {
		return err
	}
	return c.workflows(ctx, "RUNNING")
}

func (c *Creation) workflows(ctx context.Context, state string) error {
	for _, name := range clusterMachines() {
		if err := c.Bootstrap.patch(ctx, workflows, KubernetesNamespace, name, object{"status": object{"state": state}}, "status"); err != nil {
			return err
		}
	}
	return nil
}

// clusterMachines are the Machines, and the Workflows, of the cluster; hosts are the Hardware and the Nodes, likewise.
func clusterMachines() []string { return []string{"lab-cp-x7k2p", "lab-md-0-q9d4f"} }

func hosts() []string { return []string{"cp01", "worker01"} }

// FinishMachines ends the installation: the machines have become nodes of the management cluster, and may not netboot any
// more; the cluster is ready, as the bootstrap cluster sees it.
func (c *Creation) FinishMachines(ctx context.Context) error {
	c.note("lab", "the machines are installed; the Cluster is Ready in the bootstrap cluster")
	if err := c.Management.apply(ctx, "nodes-management"); err != nil {
		return err
	}
	if err := c.workflows(ctx, "SUCCESS"); err != nil {
		return err
	}
	for _, name := range hosts() {
		if err := c.forbidPXE(ctx, name); err != nil {
			return err
		}
	}
	if err := c.reconcile(ctx, c.Bootstrap); err != nil {
		return err
	}
	if err := c.kubeconfigSecret(ctx); err != nil {
		return err
	}
	return c.Bootstrap.patch(ctx, eksCluster, metav1.NamespaceDefault, ClusterName, ready(), "status")
}

// forbidPXE has a machine of the bootstrap cluster not netboot any more, by the one field that Tinkerbell toggles.
func (c *Creation) forbidPXE(ctx context.Context, name string) error {
	change, err := json.Marshal([]object{{"op": "replace", "path": "/spec/interfaces/0/netboot/allowPXE", "value": false}})
	if err != nil {
		return err
	}
	_, err = c.Bootstrap.objects.Resource(hardware).Namespace(KubernetesNamespace).Patch(ctx, name, types.JSONPatchType, change, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("bootstrap cluster: patch hardware %s: %w", name, err)
	}
	return nil
}

// ready is the status of an EKS Anywhere Cluster that is.
func ready() object {
	return object{"status": object{"conditions": []object{{"type": "Ready", "status": "True", "lastTransitionTime": time.Now().UTC().Format(time.RFC3339)}}}}
}

// reconcile does what Cluster API's controllers do at a side: it fills in the status of the cluster and its machines.
func (c *Creation) reconcile(ctx context.Context, s *Side) error {
	status := object{"phase": "Provisioned", "initialization": object{"infrastructureProvisioned": true, "controlPlaneInitialized": true}}
	if err := s.patch(ctx, clusters, KubernetesNamespace, ClusterName, object{"status": status}, "status"); err != nil {
		return err
	}
	for i, name := range clusterMachines() {
		status := object{"phase": "Running", "nodeRef": object{"name": hosts()[i]}}
		if err := s.patch(ctx, machines, KubernetesNamespace, name, object{"status": status}, "status"); err != nil {
			return err
		}
	}
	return nil
}

// kubeconfigSecret leaves the management cluster's kubeconfig where Cluster API does.
func (c *Creation) kubeconfigSecret(ctx context.Context) error {
	kubeconfig, err := os.ReadFile(c.Management.API.Kubeconfig)
	if err != nil {
		return err
	}
	text, err := json.Marshal(corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Namespace: KubernetesNamespace, Name: ClusterName + "-kubeconfig",
			Labels: map[string]string{clusterLabel: ClusterName}},
		Type: "cluster.x-k8s.io/secret", Data: map[string][]byte{"value": kubeconfig},
	})
	if err != nil {
		return err
	}
	_, err = c.Bootstrap.API.Kubectl(ctx, bytes.NewReader(text), "apply", "--filename=-")
	return err
}

// InstallStack installs the stack in the management cluster: resources, the Service at the tinkerbellIP, a Tink server,
// the management instance. There is no Hardware yet.
func (c *Creation) InstallStack(ctx context.Context) error {
	c.note("lab", "the stack is installed in the management cluster")
	if err := c.prepareManagement(ctx); err != nil {
		return err
	}
	return c.begin(ctx, c.Management, c.managementTakeover)
}

func (c *Creation) managementTakeover(ctx context.Context) error {
	if err := c.Management.apply(ctx, "takeover-management"); err != nil {
		return err
	}
	return c.applyExisting(ctx, c.Management)
}

func (c *Creation) prepareManagement(ctx context.Context) error {
	s := c.Management
	if err := s.API.install(ctx, c.definitions, slices.Concat(c.stackGroups(), clusterGroups)...); err != nil {
		return err
	}
	service := "service"
	if c.pods != nil {
		service = "service-pods"
		if err := s.AddAddress(ctx, ManagementAddr); err != nil {
			return err
		}
	}
	if err := s.apply(ctx, service); err != nil {
		return err
	}
	ingress := object{"status": object{"loadBalancer": object{"ingress": []object{{"ip": ManagementAddr.String()}}}}}
	if err := s.patch(ctx, services, KubernetesNamespace, "tinkerbell", ingress, "status"); err != nil {
		return err
	}
	return c.tinkServer(s)
}

// FinishCreation makes EKS Anywhere's objects again in the management cluster, where the cluster manages itself from now on.
func (c *Creation) FinishCreation(ctx context.Context) error {
	c.note("lab", "the Cluster is Ready in the management cluster")
	if err := c.Management.apply(ctx, "eksa-management"); err != nil {
		return err
	}
	return c.Management.patch(ctx, eksCluster, metav1.NamespaceDefault, ClusterName, ready(), "status")
}
