package capi

import (
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/tugboot/tugboot/internal/takeover"
)

var (
	_ manager.Runnable               = &Watcher{}
	_ manager.LeaderElectionRunnable = &Watcher{}
)

// Objects that upstream's schemas accept as well.
const (
	capiOldYAML = `
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata: {name: lab, namespace: eksa-system}
spec: {}
status: {phase: Provisioned, infrastructureReady: true, controlPlaneReady: true}`

	machineOldYAML = `
apiVersion: cluster.x-k8s.io/v1beta1
kind: Machine
metadata: {name: lab-cp-1, namespace: eksa-system}
spec:
  clusterName: lab
  providerID: tinkerbell://eksa-system/cp-1
  bootstrap: {dataSecretName: lab-cp-1}
  infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: TinkerbellMachine, name: lab-cp-1, namespace: eksa-system}
status: {nodeRef: {apiVersion: v1, kind: Node, name: cp-1}}`

	capiNewYAML = `
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: lab, namespace: eksa-system}
spec: {paused: false, clusterNetwork: {pods: {cidrBlocks: [192.168.0.0/16]}}}
status: {phase: Provisioned, initialization: {infrastructureProvisioned: true, controlPlaneInitialized: true}}`

	machineNewYAML = `
apiVersion: cluster.x-k8s.io/v1beta2
kind: Machine
metadata: {name: lab-cp-1, namespace: eksa-system}
spec:
  clusterName: lab
  providerID: tinkerbell://eksa-system/cp-1
  bootstrap: {dataSecretName: lab-cp-1}
  infrastructureRef: {apiGroup: infrastructure.cluster.x-k8s.io, kind: TinkerbellMachine, name: lab-cp-1}
status: {nodeRef: {name: cp-1}}`

	serviceLiveYAML = `
apiVersion: v1
kind: Service
metadata: {name: tinkerbell, namespace: eksa-system}
spec: {type: LoadBalancer, ports: [{port: 69, protocol: UDP}]}
status: {loadBalancer: {ingress: [{ip: 192.168.2.50}]}}`

	sliceLiveYAML = `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: tinkerbell-x, namespace: eksa-system, labels: {kubernetes.io/service-name: tinkerbell}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}]`
)

// TestCRDsComeAndGo: CRDs that arrive late are followed, those that leave take their objects along, and a version that is
// not served any more is changed for the other.
func TestCRDsComeAndGo(t *testing.T) {
	t.Parallel()
	_, config := ownPlane(t)
	c := newCluster(t, config)
	w := watchAs(t, config, Ask{})
	w.until(t, "ready without any CRD", func(takeover.Observation) bool { return w.View().Ready() })
	system, err := c.of(&unstructured.Unstructured{Object: parse(t, kubeSystemYAML)}).Get(t.Context(), "kube-system", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	o := w.seen()
	if o.Identity != string(system.GetUID()) || o.Born != system.GetCreationTimestamp().Unix() || reasons(o.Problems) != "NoRole NoCluster" || !o.WorkflowsKnown {
		t.Errorf("%+v", o)
	}
	c.inNamespaces("eksa-system")
	c.create(nodeYAML)
	w.until(t, "the role", func(o takeover.Observation) bool { return o.Role == takeover.RoleManagement })

	install(t, config, crds(t, false, namesEKSA...))
	c.create(docs(eksaYAML, datacenterYAML))
	w.until(t, "EKS Anywhere's CRDs come: cluster and tinkerbellIP", func(o takeover.Observation) bool {
		return o.Cluster == "lab" && o.TinkerbellIP == addrM && len(o.Problems) == 0
	})
	install(t, config, crds(t, true, namesCAPI...))
	c.create(docs(capiOldYAML, machineOldYAML))
	w.until(t, "Cluster API's CRDs come, v1beta1 alone: it manages itself", func(o takeover.Observation) bool { return o.Evidence.Local.SelfManaged() })
	if v := w.View().states[machines].version; v != "v1beta1" {
		t.Errorf("it follows %q", v)
	}
	c.patch(capiOldYAML, `{"spec":{"paused":true}}`)
	w.until(t, "paused", func(o takeover.Observation) bool { return o.Evidence.Local.Paused })

	for _, name := range namesCAPI { // an upgrade of Cluster API
		both := crd(t, name, false)
		for i := range both.Spec.Versions {
			both.Spec.Versions[i].Served = both.Spec.Versions[i].Name == "v1beta2"
		}
		install(t, config, []*apiextensionsv1.CustomResourceDefinition{both})
	}
	w.until(t, "v1beta1 is not served any more: v1beta2 is followed", func(takeover.Observation) bool {
		return w.View().states[machines].version == "v1beta2" && w.View().states[capiClusters].version == "v1beta2"
	})
	c.patch(capiNewYAML, `{"spec":{"paused":false}}`)
	w.until(t, "it manages itself, in v1beta2", func(o takeover.Observation) bool { return o.Evidence.Local.SelfManaged() })

	install(t, config, crds(t, false, nameWorkflows))
	c.create(swap(t, workflowYAML, "status:", "spec: {templateRef: cp-1, hardwareRef: cp-1}\nstatus:"))
	w.until(t, "Tinkerbell's CRDs come: a Workflow runs", func(o takeover.Observation) bool { return len(o.Workflows) == 1 })

	for _, gone := range [][]string{namesCAPI, {nameWorkflows}, namesEKSA} {
		if err := envtest.UninstallCRDs(config, envtest.CRDInstallOptions{CRDs: crds(t, false, gone...)}); err != nil {
			t.Fatal(err)
		}
	}
	w.until(t, "all CRDs go: their objects with them", func(o takeover.Observation) bool {
		return !o.Evidence.Local.Found && len(o.Workflows) == 0 && o.WorkflowsKnown && o.Cluster == "" && reasons(o.Problems) == "NoCluster"
	})
	w.until(t, "none of them is followed", func(takeover.Observation) bool {
		s := w.View().states
		return s[capiClusters].version == "" && s[machines].version == "" && s[workflows].version == "" && s[eksaClusters].version == ""
	})

	install(t, config, crds(t, false, append(namesCAPI, namesEKSA...)...))
	c.create(docs(capiNewYAML, machineNewYAML, eksaYAML, datacenterYAML))
	w.until(t, "they come again, both versions: it manages itself", func(o takeover.Observation) bool { return o.Evidence.Local.SelfManaged() })
	if v := w.View().states[machines].version; v != "v1beta2" {
		t.Errorf("it follows %q", v)
	}
	if w.logged("cannot watch") > 0 {
		t.Errorf("CRDs that come and go are taken for failures: %q", w.lines)
	}
}

// TestOutage: while the API is away, what was seen last still counts; what changed meanwhile is seen when it is back.
func TestOutage(t *testing.T) {
	t.Parallel()
	plane, config := ownPlane(t)
	c := newCluster(t, config)
	install(t, config, crds(t, false, append([]string{nameWorkflows}, append(namesCAPI, namesEKSA...)...)...))
	c.inNamespaces("eksa-system")
	c.create(docs(nodeYAML, eksaYAML, datacenterYAML, capiNewYAML, machineNewYAML, serviceLiveYAML, sliceLiveYAML))
	w := watchAs(t, config, Ask{})
	complete := func(o takeover.Observation) bool {
		return o.Evidence.Local.SelfManaged() && o.TinkerbellIP == addrM && o.WorkflowsKnown && o.Identity != "" && o.Role == takeover.RoleManagement &&
			o.LoadBalancer == takeover.LoadBalancer{Known: true, Service: "eksa-system/tinkerbell", ReadyEndpoints: 1}
	}
	w.until(t, "everything", complete)

	if err := plane.ControlPlane.GetAPIServer().Stop(); err != nil && !strings.Contains(err.Error(), "timeout waiting") {
		t.Fatal(err)
	}
	w.until(t, "what may change at any time is not known any more", func(o takeover.Observation) bool { return !o.WorkflowsKnown && !o.LoadBalancer.Known })
	time.Sleep(2 * time.Second)
	o := w.seen()
	o.WorkflowsKnown, o.LoadBalancer.Known = true, true
	if !complete(o) || len(o.Problems) > 0 || !w.View().Ready() {
		t.Errorf("the outage is seen in %+v", o)
	}

	if err := plane.ControlPlane.GetAPIServer().Start(); err != nil {
		t.Fatal(err)
	}
	c.patch(capiNewYAML, `{"spec":{"paused":true}}`)
	w.until(t, "what changed meanwhile", func(o takeover.Observation) bool {
		return o.Evidence.Local.Paused && o.WorkflowsKnown && o.LoadBalancer.Known
	})
	c.patch(capiNewYAML, `{"spec":{"paused":false}}`)
	w.until(t, "everything again", complete)
	if n := w.logged("cannot watch"); n != 1 {
		t.Errorf("%d lines say that the API is away: %q", n, w.lines)
	}
	w.says(t, "watched again")
	if n := w.logged("watched again"); n != 1 {
		t.Errorf("%d lines say that it is back: %q", n, w.lines)
	}
}

// TestStartsWithoutAPI: a Watcher that finds no API waits for it.
func TestStartsWithoutAPI(t *testing.T) {
	w := watchAs(t, &rest.Config{Host: "127.0.0.1:1"}, Ask{})
	w.says(t, "nothing listens there")
	if w.View().Ready() || len(w.seen().Problems) > 0 {
		t.Errorf("%+v", w.seen())
	}
}
