package capi

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tugboot/tugboot/internal/takeover"
)

// TestMove plays the end of a creation with two API servers, step by step as `clusterctl move` and EKS Anywhere do it, and
// looks at what a Watcher of each sees.
func TestMove(t *testing.T) {
	t.Parallel()
	_, sourceConfig := ownPlane(t)
	_, targetConfig := ownPlane(t)
	source, target := newCluster(t, sourceConfig), newCluster(t, targetConfig)
	all := append([]string{nameWorkflows}, append(namesCAPI, namesEKSA...)...)
	install(t, sourceConfig, crds(t, false, all...))
	source.inNamespaces("eksa-system")
	source.create(docs(kindNodeYAML, eksaYAML, datacenterYAML, capiNewYAML, machineNewYAML,
		swap(t, workflowYAML, "status:", "spec: {templateRef: cp-1, hardwareRef: cp-1}\nstatus:")))
	here, there := watchAs(t, sourceConfig, Ask{}), watchAs(t, targetConfig, Ask{ClusterName: "lab", TinkerbellIP: addrM})

	here.until(t, "bootstrap: the machine is provisioned", func(o takeover.Observation) bool {
		l := o.Evidence.Local
		return o.Role == takeover.RoleBootstrap && o.Cluster == "lab" && o.BootstrapIP == addrB && o.TinkerbellIP == addrM && len(o.Workflows) == 1 &&
			l.Provisioned && l.Nodes == 1 && l.NodesHere == 0 && !l.SelfManaged() && len(o.Problems) == 0
	})
	source.patch(workflowYAML, `{"status":{"state":"SUCCESS"}}`, "status")
	here.until(t, "bootstrap: the Workflow has ended", func(o takeover.Observation) bool { return len(o.Workflows) == 0 && o.WorkflowsKnown })

	target.inNamespaces("eksa-system")
	target.create(nodeYAML)
	install(t, targetConfig, crds(t, false, all...))
	target.create(docs(serviceLiveYAML, sliceLiveYAML))
	there.until(t, "management: the stack is installed, no cluster yet", func(o takeover.Observation) bool {
		return o.Role == takeover.RoleManagement && o.LoadBalancer.ReadyEndpoints == 1 && !o.Evidence.Local.Found && len(o.Problems) == 0
	})

	source.patch(capiNewYAML, `{"spec":{"paused":true}}`)
	here.until(t, "bootstrap: paused for the move", func(o takeover.Observation) bool { return o.Evidence.Local.Paused })
	copyTo(t, source, target, capiNewYAML)
	copyTo(t, source, target, machineNewYAML)
	there.until(t, "management: the cluster has come, paused and without status", func(o takeover.Observation) bool {
		return o.Evidence.Local == (takeover.ClusterView{Found: true, Paused: true})
	})
	moveAway(t, source, machineNewYAML)
	moveAway(t, source, capiNewYAML)
	here.until(t, "bootstrap: the cluster has left", func(o takeover.Observation) bool { return !o.Evidence.Local.Found })
	target.patch(capiNewYAML, `{"spec":{"paused":false}}`)
	there.until(t, "management: unpaused, not reconciled yet", func(o takeover.Observation) bool {
		return !o.Evidence.Local.Paused && !o.Evidence.Local.SelfManaged()
	})
	target.patch(machineNewYAML, `{"status":{"nodeRef":{"name":"cp-1"}}}`, "status")
	target.patch(capiNewYAML, `{"status":{"phase":"Provisioned"}}`, "status")
	there.until(t, "management: it manages itself", func(o takeover.Observation) bool { return o.Evidence.Local.SelfManaged() })

	there.ask = Ask{}
	if o := there.seen(); reasons(o.Problems) != ReasonNoCluster || o.Cluster != "" {
		t.Errorf("before EKS Anywhere's objects came: %+v", o)
	}
	target.create(docs(eksaYAML, datacenterYAML))
	there.until(t, "management: EKS Anywhere's objects have come", func(o takeover.Observation) bool {
		return o.Cluster == "lab" && o.TinkerbellIP == addrM && !o.BootstrapIP.IsValid() && len(o.Problems) == 0 && o.Evidence.Local.SelfManaged()
	})
	source.delete(docs(eksaYAML, datacenterYAML))
	here.until(t, "bootstrap: nothing is left", func(o takeover.Observation) bool { return o.Cluster == "" && reasons(o.Problems) == ReasonNoCluster })
	here.ask.Moved = true
	if o := here.seen(); len(o.Problems) > 0 {
		t.Errorf("what has moved away is missed: %+v", o.Problems)
	}
	if a, b := here.seen().Identity, there.seen().Identity; a == b || a == "" || b == "" {
		t.Errorf("identities %q and %q", a, b)
	}
}

// copyTo creates an object in the target as clusterctl does: what the API gave it is left out, and so is its status.
func copyTo(t *testing.T, source, target *cluster, text string) {
	t.Helper()
	o := &unstructured.Unstructured{Object: parse(t, text)}
	found, err := source.of(o).Get(t.Context(), o.GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	copied := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": found.GetAPIVersion(), "kind": found.GetKind(), "spec": found.Object["spec"],
		"metadata": map[string]any{"name": found.GetName(), "namespace": found.GetNamespace()},
	}}
	if _, err := target.of(o).Create(t.Context(), copied, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// moveAway deletes an object in the source as clusterctl does: with its annotations replaced by one.
func moveAway(t *testing.T, source *cluster, text string) {
	t.Helper()
	o := &unstructured.Unstructured{Object: parse(t, text)}
	found, err := source.of(o).Get(t.Context(), o.GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	found.SetAnnotations(map[string]string{"clusterctl.cluster.x-k8s.io/delete-for-move": ""})
	if _, err := source.of(o).Update(t.Context(), found, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	source.delete(text)
}
