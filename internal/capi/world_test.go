package capi

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/tugboot/tugboot/internal/takeover"
)

// parse reads one object as YAML.
func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	json, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(json); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return u.Object
}

// kindOf finds the kind of an object by its group and kind.
func kindOf(t *testing.T, content map[string]any) kind {
	t.Helper()
	u := unstructured.Unstructured{Object: content}
	gk := u.GroupVersionKind().GroupKind().String()
	for k := range kinds {
		r := resourceOf(k)
		name := strings.TrimSuffix(r.what, "."+r.group)
		if r.group != "" {
			name += "." + r.group
		}
		if name == gk {
			return k
		}
	}
	t.Fatalf("no kind %s is watched", gk)
	return kinds
}

// listed are records in which every kind was listed, with the objects of a YAML text.
func listed(t *testing.T, text string) *records {
	t.Helper()
	r := newRecords()
	lists := [kinds][]any{}
	for doc := range strings.SplitSeq(text, "\n---\n") {
		if strings.TrimSpace(doc) == "" {
			continue
		}
		content := parse(t, doc)
		k := kindOf(t, content)
		lists[k] = append(lists[k], &unstructured.Unstructured{Object: content})
	}
	for k := range kinds {
		if err := (scope{r, k}).Replace(lists[k], "1"); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// fill is what a view of the objects says.
func fill(t *testing.T, text string, ask Ask) takeover.Observation {
	t.Helper()
	o := takeover.Observation{}
	listed(t, text).view().Fill(&o, ask)
	return o
}

// docs joins YAML texts of objects.
func docs(texts ...string) string { return strings.Join(texts, "\n---\n") }

// reasons are the problems in short: the reason, with a "!" when it is a conflict.
func reasons(problems []takeover.Problem) string {
	var words []string
	for _, p := range problems {
		word := p.Reason
		if p.Conflict {
			word += "!"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// The objects of a management cluster whose stack has taken over.
const (
	kubeSystemYAML = `
apiVersion: v1
kind: Namespace
metadata: {name: kube-system, uid: 11111111-2222-3333-4444-555555555555, creationTimestamp: "2026-01-02T03:04:05Z"}`

	nodeYAML = `
apiVersion: v1
kind: Node
metadata: {name: cp-1, uid: node-cp-1}
spec: {providerID: "tinkerbell://eksa-system/cp-1"}`

	kindNodeYAML = `
apiVersion: v1
kind: Node
metadata: {name: lab-eks-a-cluster-control-plane, uid: node-kind}
spec: {providerID: "kind://docker/lab-eks-a-cluster/lab-eks-a-cluster-control-plane"}`

	eksaYAML = `
apiVersion: anywhere.eks.amazonaws.com/v1alpha1
kind: Cluster
metadata:
  name: lab
  namespace: default
  annotations: {anywhere.eks.amazonaws.com/tinkerbell-bootstrap-ip: 192.168.2.112}
spec:
  managementCluster: {name: lab}
  datacenterRef: {kind: TinkerbellDatacenterConfig, name: lab-dc}`

	datacenterYAML = `
apiVersion: anywhere.eks.amazonaws.com/v1alpha1
kind: TinkerbellDatacenterConfig
metadata: {name: lab-dc, namespace: default}
spec: {tinkerbellIP: 192.168.2.50}`

	capiYAML = `
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: lab, namespace: eksa-system}
spec: {paused: false}
status: {phase: Provisioned}`

	machineYAML = `
apiVersion: cluster.x-k8s.io/v1beta2
kind: Machine
metadata: {name: lab-cp-1, namespace: eksa-system}
spec: {clusterName: lab, providerID: "tinkerbell://eksa-system/cp-1"}
status: {nodeRef: {name: cp-1}}`

	serviceYAML = `
apiVersion: v1
kind: Service
metadata: {name: tinkerbell, namespace: eksa-system}
spec: {type: LoadBalancer}
status: {loadBalancer: {ingress: [{ip: 192.168.2.50}]}}`

	sliceYAML = `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: tinkerbell-x, namespace: eksa-system, labels: {kubernetes.io/service-name: tinkerbell}}
addressType: IPv4
endpoints:
- {addresses: [10.0.0.1], conditions: {ready: true}, targetRef: {uid: pod-1}}`

	workflowYAML = `
apiVersion: tinkerbell.org/v1alpha1
kind: Workflow
metadata: {name: cp-1, namespace: eksa-system}
status: {state: RUNNING}`
)

// managed are all of them, without a Workflow.
var managed = docs(kubeSystemYAML, nodeYAML, eksaYAML, datacenterYAML, capiYAML, machineYAML, serviceYAML, sliceYAML)

// swap replaces text that must be there.
func swap(t *testing.T, in, old, with string) string {
	t.Helper()
	if !strings.Contains(in, old) {
		t.Fatalf("%q is not in\n%s", old, in)
	}
	return strings.Replace(in, old, with, 1)
}
