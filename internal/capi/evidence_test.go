package capi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/takeover"
)

func TestEvidence(t *testing.T) {
	good := takeover.ClusterView{Found: true, Provisioned: true, Nodes: 1, NodesHere: 1}
	second := strings.ReplaceAll(machineYAML, "cp-1", "w-1")
	for _, test := range []struct {
		name, objects string
		want          takeover.ClusterView
	}{
		{"at work", managed, good},
		{"paused", swap(t, managed, "paused: false", "paused: true"), takeover.ClusterView{Found: true, Paused: true, Provisioned: true, Nodes: 1, NodesHere: 1}},
		{"not provisioned", swap(t, managed, "phase: Provisioned", "phase: Provisioning"), takeover.ClusterView{Found: true, Nodes: 1, NodesHere: 1}},
		{"no status yet", swap(t, managed, "status: {phase: Provisioned}", ""), takeover.ClusterView{Found: true, Nodes: 1, NodesHere: 1}},
		{"a machine without a Node", docs(managed, swap(t, second, "status: {nodeRef: {name: w-1}}", "")), good},
		{"a Node elsewhere", docs(managed, second), takeover.ClusterView{Found: true, Provisioned: true, Nodes: 2, NodesHere: 1}},
		{"a machine that leaves", docs(managed, swap(t, second, "namespace:", `deletionTimestamp: "2026-01-02T03:04:05Z", namespace:`)), good},
		{"a machine that cannot be read", docs(managed, swap(t, second, "nodeRef: {name: w-1}", "nodeRef: w-1")), takeover.ClusterView{Found: true, Provisioned: true, Nodes: 2, NodesHere: 1}},
		{"another cluster's machine", docs(managed, swap(t, second, "clusterName: lab", "clusterName: lab2")), good},
		{"a machine of another namespace", docs(managed, swap(t, second, "namespace: eksa-system", "namespace: other")), good},
		{"a Node of the same name with another providerID", swap(t, managed, "providerID: \"tinkerbell://eksa-system/cp-1\"}\n---", "providerID: \"tinkerbell://eksa-system/cp-9\"}\n---"),
			takeover.ClusterView{Found: true, Provisioned: true, Nodes: 1}},
		{"a Node of the same name with another UID", swap(t, managed, "nodeRef: {name: cp-1}", "nodeRef: {name: cp-1, uid: another}"),
			takeover.ClusterView{Found: true, Provisioned: true, Nodes: 1}},
		{"the Node by its UID", swap(t, managed, "nodeRef: {name: cp-1}", "nodeRef: {name: cp-1, uid: node-cp-1}"), good},
		{"a Cluster of another name", docs(managed, strings.ReplaceAll(swap(t, capiYAML, "paused: false", "paused: true"), "lab", "lab2")), good},
		{"the same name in another namespace", docs(swap(t, swap(t, capiYAML, "paused: false", "paused: true"), "namespace: eksa-system", "namespace: aaa"), managed,
			swap(t, swap(t, capiYAML, "paused: false", "paused: true"), "namespace: eksa-system", "namespace: zzz")), good},
		{"only in another namespace", swap(t, swap(t, managed, "metadata: {name: lab, namespace: eksa-system}", "metadata: {name: lab, namespace: zzz}"),
			"name: lab-cp-1, namespace: eksa-system", "name: lab-cp-1, namespace: zzz"), good},
		{"no Cluster API", docs(eksaYAML, datacenterYAML, nodeYAML), takeover.ClusterView{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := fill(t, test.objects, Ask{})
			if o.Evidence.Local != test.want {
				t.Errorf("%+v, want %+v", o.Evidence.Local, test.want)
			}
		})
	}
	if o := fill(t, docs(capiYAML, machineYAML, nodeYAML), Ask{ClusterName: "lab", TinkerbellIP: addrM}); !o.Evidence.Local.SelfManaged() || len(o.Problems) > 0 {
		t.Errorf("without EKS Anywhere: %+v", o)
	}
}

func TestWorkflows(t *testing.T) {
	many := docs(workflowYAML, strings.ReplaceAll(workflowYAML, "cp-1", "a"), swap(t, strings.ReplaceAll(workflowYAML, "cp-1", "done"), "RUNNING", "SUCCESS"))
	o := fill(t, docs(managed, many), Ask{})
	if got := fmt.Sprint(o.Workflows); got != "[eksa-system/a eksa-system/cp-1]" || !o.WorkflowsKnown {
		t.Errorf("%s, known %v", got, o.WorkflowsKnown)
	}
}

func TestLoadBalancer(t *testing.T) {
	shared := swap(t, serviceYAML, "name: tinkerbell", "name: another")
	foreign := swap(t, swap(t, serviceYAML, "name: tinkerbell", "name: web"), "192.168.2.50", "192.168.2.51")
	again := swap(t, swap(t, sliceYAML, "name: tinkerbell-x", "name: tinkerbell-y"), "- {addresses: [10.0.0.1], conditions: {ready: true}, targetRef: {uid: pod-1}}",
		"- {addresses: ['2001:db8::1'], conditions: {ready: true}, targetRef: {uid: pod-1}}\n- {addresses: ['2001:db8::2'], targetRef: {uid: pod-2}}")
	otherNamespace := swap(t, sliceYAML, "namespace: eksa-system", "namespace: other")
	base := docs(kubeSystemYAML, nodeYAML, eksaYAML, datacenterYAML)
	for _, test := range []struct {
		name, objects string
		want          takeover.LoadBalancer
	}{
		{"ready", docs(serviceYAML, sliceYAML), takeover.LoadBalancer{Known: true, Service: "eksa-system/tinkerbell", ReadyEndpoints: 1}},
		{"none", foreign, takeover.LoadBalancer{Known: true}},
		{"no slice", serviceYAML, takeover.LoadBalancer{Known: true, Service: "eksa-system/tinkerbell"}},
		{"not ready", docs(serviceYAML, swap(t, sliceYAML, "ready: true", "ready: false")), takeover.LoadBalancer{Known: true, Service: "eksa-system/tinkerbell"}},
		{"slice of another namespace", docs(serviceYAML, otherNamespace), takeover.LoadBalancer{Known: true, Service: "eksa-system/tinkerbell"}},
		{"two slices with one Pod in both", docs(serviceYAML, sliceYAML, again), takeover.LoadBalancer{Known: true, Service: "eksa-system/tinkerbell", ReadyEndpoints: 2}},
		{"a shared address", docs(shared, serviceYAML, sliceYAML), takeover.LoadBalancer{Known: true, Service: "eksa-system/tinkerbell", ReadyEndpoints: 1}},
		{"not of type LoadBalancer", docs(swap(t, serviceYAML, "type: LoadBalancer", "type: ClusterIP"), sliceYAML), takeover.LoadBalancer{Known: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if o := fill(t, docs(base, test.objects), Ask{}); o.LoadBalancer != test.want {
				t.Errorf("%+v, want %+v", o.LoadBalancer, test.want)
			}
		})
	}
	if o := fill(t, docs(base, serviceYAML, sliceYAML), Ask{Role: takeover.RoleBootstrap}); o.LoadBalancer != (takeover.LoadBalancer{}) {
		t.Errorf("the bootstrap cluster's own Services count: %+v", o.LoadBalancer)
	}
}
