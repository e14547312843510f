package capi

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/takeover"
)

// head begins an object of a group and kind.
func head(apiVersion, kind string) string {
	return "apiVersion: " + apiVersion + "\nkind: " + kind + "\nmetadata: {name: a, namespace: ns}\n"
}

func TestConvert(t *testing.T) {
	const v1beta1, v1beta2, eksa, tinkerbell = "cluster.x-k8s.io/v1beta1", "cluster.x-k8s.io/v1beta2", "anywhere.eks.amazonaws.com/v1alpha1", "tinkerbell.org/v1alpha1"
	meta := func(apiVersion, kind, metadata string) string {
		return "apiVersion: " + apiVersion + "\nkind: " + kind + "\nmetadata: {name: a, namespace: ns, " + metadata + "}\n"
	}
	service1 := head("v1", "Service")
	slice := meta("discovery.k8s.io/v1", "EndpointSlice", "labels: {kubernetes.io/service-name: s}")
	for name, test := range map[string]struct {
		text   string
		want   any
		fields string // the fields of the problems
	}{
		"eksa: managed by itself": {head(eksa, "Cluster") + "spec: {managementCluster: {name: a}, datacenterRef: {kind: K, name: d}}",
			eksaCluster{manager: "a", datacenterKind: "K", datacenterName: "d"}, ""},
		"eksa: annotation": {meta(eksa, "Cluster", "annotations: {anywhere.eks.amazonaws.com/tinkerbell-bootstrap-ip: 192.0.2.1, other: x}"),
			eksaCluster{bootstrapIP: "192.0.2.1"}, ""},
		"eksa: nulls":          {head(eksa, "Cluster") + "spec: {managementCluster: null, datacenterRef: null}", eksaCluster{}, ""},
		"eksa: null spec":      {head(eksa, "Cluster") + "spec: null", eksaCluster{}, ""},
		"eksa: spec is a list": {head(eksa, "Cluster") + "spec: [1]", eksaCluster{unreadable: true}, "spec"},
		"eksa: wrong types": {head(eksa, "Cluster") + "spec: {managementCluster: {name: 5}, datacenterRef: x}",
			eksaCluster{unreadable: true}, "spec.managementCluster.name spec.datacenterRef"},
		"eksa: wrong annotation": {meta(eksa, "Cluster", "annotations: {anywhere.eks.amazonaws.com/tinkerbell-bootstrap-ip: [1]}"),
			eksaCluster{}, "metadata.annotations[anywhere.eks.amazonaws.com/tinkerbell-bootstrap-ip]"},

		"datacenter": {head(eksa, "TinkerbellDatacenterConfig") + "spec: {tinkerbellIP: 192.0.2.2, isoBoot: true, skipLoadBalancerDeployment: true}",
			datacenterConfig{tinkerbellIP: "192.0.2.2", isoBoot: true, skipLoadBalancer: true}, ""},
		"datacenter: wrong types": {head(eksa, "TinkerbellDatacenterConfig") + `spec: {tinkerbellIP: {a: b}, isoBoot: "true", skipLoadBalancerDeployment: 1}`,
			datacenterConfig{unreadable: true}, "spec.tinkerbellIP spec.isoBoot spec.skipLoadBalancerDeployment"},

		"v1beta1: provisioned":       {head(v1beta1, "Cluster") + "status: {phase: Provisioned, infrastructureReady: true, controlPlaneReady: true}", capiCluster{provisioned: true}, ""},
		"v1beta1: no phase":          {head(v1beta1, "Cluster") + "status: {infrastructureReady: true, controlPlaneReady: true}", capiCluster{provisioned: true}, ""},
		"v1beta1: half":              {head(v1beta1, "Cluster") + "status: {infrastructureReady: true}", capiCluster{}, ""},
		"v1beta2: provisioned":       {head(v1beta2, "Cluster") + "status: {phase: Provisioned}", capiCluster{provisioned: true}, ""},
		"v1beta2: no phase":          {head(v1beta2, "Cluster") + "status: {initialization: {infrastructureProvisioned: true, controlPlaneInitialized: true}}", capiCluster{provisioned: true}, ""},
		"v1beta2: half":              {head(v1beta2, "Cluster") + "status: {initialization: {controlPlaneInitialized: true}}", capiCluster{}, ""},
		"capi: halves of two":        {head(v1beta2, "Cluster") + "status: {infrastructureReady: true, initialization: {controlPlaneInitialized: true}}", capiCluster{}, ""},
		"capi: phase counts":         {head(v1beta2, "Cluster") + "status: {phase: Deleting, initialization: {infrastructureProvisioned: true, controlPlaneInitialized: true}}", capiCluster{}, ""},
		"capi: no status":            {head(v1beta2, "Cluster") + "spec: {paused: true}", capiCluster{paused: true}, ""},
		"capi: paused by annotation": {meta(v1beta2, "Cluster", `annotations: {cluster.x-k8s.io/paused: ""}`), capiCluster{paused: true}, ""},
		"capi: deleting":             {meta(v1beta2, "Cluster", `deletionTimestamp: "2026-01-02T03:04:05Z"`) + "status: {phase: Provisioned}", capiCluster{}, ""},
		"capi: paused is a word":     {head(v1beta2, "Cluster") + `spec: {paused: "no"}` + "\nstatus: {phase: Provisioned}", capiCluster{paused: true, provisioned: true}, "spec.paused"},
		"capi: phase is a list":      {head(v1beta2, "Cluster") + `status: {phase: [Provisioned]}`, capiCluster{}, "status.phase"},
		"capi: status is true":       {head(v1beta2, "Cluster") + `status: true`, capiCluster{}, "status"},
		"capi: ready is a word":      {head(v1beta1, "Cluster") + `status: {infrastructureReady: "true", controlPlaneReady: true}`, capiCluster{}, "status.infrastructureReady"},

		"machine v1beta1": {head(v1beta1, "Machine") + "spec: {clusterName: c, providerID: p}\nstatus: {nodeRef: {kind: Node, name: x, uid: u}}",
			machine{cluster: "c", node: "x", nodeUID: "u", providerID: "p"}, ""},
		"machine v1beta2":               {head(v1beta2, "Machine") + "spec: {clusterName: c}\nstatus: {nodeRef: {name: x}}", machine{cluster: "c", node: "x"}, ""},
		"machine: no Node":              {head(v1beta2, "Machine") + "spec: {clusterName: c}\nstatus: {phase: Running}", machine{cluster: "c"}, ""},
		"machine: null nodeRef":         {head(v1beta2, "Machine") + "spec: {clusterName: c}\nstatus: {nodeRef: null}", machine{cluster: "c"}, ""},
		"machine: wrong types":          {head(v1beta2, "Machine") + "spec: {clusterName: c}\nstatus: {nodeRef: x}", machine{cluster: "c", unreadable: true}, "status.nodeRef"},
		"machine: deleting":             {meta(v1beta2, "Machine", `deletionTimestamp: "2026-01-02T03:04:05Z"`), machine{deleting: true}, ""},
		"machine: deletion is a number": {meta(v1beta2, "Machine", "deletionTimestamp: 5"), machine{deleting: true}, "metadata.deletionTimestamp"},

		"workflow: new":                         {head(tinkerbell, "Workflow"), workflow{}, ""},
		"workflow: disabled":                    {head(tinkerbell, "Workflow") + "spec: {disabled: true}", nil, ""},
		"workflow: disabled, running":           {head(tinkerbell, "Workflow") + "spec: {disabled: true}\nstatus: {state: RUNNING}", workflow{}, ""},
		"workflow: new, disabled is a word":     {head(tinkerbell, "Workflow") + `spec: {disabled: "true"}`, workflow{}, ""},
		"workflow: state is a number":           {head(tinkerbell, "Workflow") + "status: {state: 3}", workflow{}, ""},
		"workflow: disabled, state is a number": {head(tinkerbell, "Workflow") + "spec: {disabled: true}\nstatus: {state: 3}", workflow{}, ""},
		"workflow: lower case":                  {head(tinkerbell, "Workflow") + "status: {state: success}", workflow{}, ""},

		"service: ingress": {service1 + "spec: {type: LoadBalancer}\nstatus: {loadBalancer: {ingress: [{ip: 192.0.2.3}, {hostname: x}, {ip: garbage}, 7, null, {ip: '2001:db8::1'}]}}",
			service{ingress: []netip.Addr{netip.MustParseAddr("192.0.2.3"), netip.MustParseAddr("2001:db8::1")}}, ""},
		"service: pending":   {service1 + "spec: {type: LoadBalancer}\nstatus: {loadBalancer: {}}", service{}, ""},
		"service: ClusterIP": {service1 + "spec: {type: ClusterIP}", nil, ""},

		"slice: ready, unknown, not ready, twice": {slice + `endpoints:
- {addresses: [10.0.0.1], conditions: {ready: true}}
- {addresses: [10.0.0.2], conditions: {}}
- {addresses: [10.0.0.3], conditions: {ready: false}}
- {addresses: [10.0.0.4], conditions: {ready: true}, targetRef: {uid: pod}}
- {addresses: ['2001:db8::4'], conditions: {ready: true}, targetRef: {uid: pod}}
- {addresses: [10.0.0.5], conditions: {ready: "true"}}
- {addresses: [10.0.0.6]}`, endpointSlice{service: "s", ready: []string{"10.0.0.1", "10.0.0.2", "10.0.0.6", "pod"}}, ""},
		"slice: none":               {slice + "endpoints: null", endpointSlice{service: "s"}, ""},
		"slice: of no Service":      {head("discovery.k8s.io/v1", "EndpointSlice"), nil, ""},
		"node":                      {meta("v1", "Node", "uid: u") + "spec: {providerID: 'kind://x'}", node{uid: "u", providerID: "kind://x"}, ""},
		"node without a providerID": {head("v1", "Node") + "spec: {}", node{}, ""},
		"another namespace":         {head("v1", "Namespace"), nil, ""},
		"kube-system":               {kubeSystemYAML, namespace{uid: "11111111-2222-3333-4444-555555555555", born: 1767323045}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			content := parse(t, test.text)
			k := kindOf(t, content)
			rec := convert(k, content)
			got, problems := stripped(rec.content)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(eksaCluster{}, datacenterConfig{}, capiCluster{}, machine{}, workflow{}, service{}, endpointSlice{}, node{}, namespace{}),
				cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			var fields []string
			for _, p := range problems {
				fields = append(fields, p.Field)
				if p.Reason != ReasonUndecodable || !strings.HasSuffix(p.Object, " ns/a") || !strings.HasPrefix(p.Object, resourceOf(k).what) || p.Value == "" || p.Remedy == "" {
					t.Errorf("problem %+v", p)
				}
			}
			if got := strings.Join(fields, " "); got != test.fields {
				t.Errorf("problems with %q, want %q", got, test.fields)
			}
		})
	}
}

// stripped separates the problems from what else is kept.
func stripped(content any) (any, []takeover.Problem) {
	switch c := content.(type) {
	case eksaCluster:
		problems := c.problems
		c.problems = nil
		return c, problems
	case datacenterConfig:
		problems := c.problems
		c.problems = nil
		return c, problems
	case capiCluster:
		problems := c.problems
		c.problems = nil
		return c, problems
	case machine:
		problems := c.problems
		c.problems = nil
		return c, problems
	}
	return content, nil
}

// TestWorkflowWords: only the words for an end end a Workflow, in the spelling of every release.
func TestWorkflowWords(t *testing.T) {
	for _, word := range []string{"SUCCESS", "FAILED", "TIMEOUT"} {
		for _, spelling := range []string{word, "STATE_" + word} {
			if c := convert(workflows, parse(t, head("tinkerbell.org/v1alpha1", "Workflow")+"status: {state: "+spelling+"}")).content; c != nil {
				t.Errorf("%s counts as active", spelling)
			}
		}
	}
	for _, word := range []string{"PENDING", "RUNNING", "PREPARING", "POST", "SOMETHING_NEW", "STATE_SUCCESS_ALMOST", "STATE_STATE_SUCCESS"} {
		for _, spelling := range []string{word, "STATE_" + word} {
			if c := convert(workflows, parse(t, head("tinkerbell.org/v1alpha1", "Workflow")+"status: {state: "+spelling+"}")).content; c != (workflow{}) {
				t.Errorf("%s does not count as active", spelling)
			}
		}
	}
}

// TestHugeTexts: of a text without bounds only the beginning is kept.
func TestHugeTexts(t *testing.T) {
	huge := strings.Repeat("\u00e9", 1<<20)
	c, ok := convert(eksaClusters, map[string]any{
		"metadata": map[string]any{"name": "lab", "namespace": "default", "annotations": map[string]any{annotationBootstrapIP: huge}},
		"spec": map[string]any{
			"managementCluster": map[string]any{"name": huge},
			"datacenterRef":     map[string]any{"kind": huge, "name": huge},
		},
	}).content.(eksaCluster)
	if !ok {
		t.Fatal("no cluster")
	}
	for _, s := range []string{c.manager, c.datacenterKind, c.datacenterName, c.bootstrapIP} {
		if len(s) > maxText || len(s) < maxText-4 || strings.ContainsRune(s, '\ufffd') {
			t.Errorf("%d bytes are kept", len(s))
		}
	}
	c = convertTo[eksaCluster](t, eksaClusters, map[string]any{"metadata": map[string]any{"name": huge}, "spec": huge})
	for _, p := range c.problems {
		if len(p.Value) > maxValue+3 || len(p.Object) > 2*maxText {
			t.Errorf("a problem of %d and %d bytes", len(p.Object), len(p.Value))
		}
	}
	if len(c.problems) != 1 {
		t.Errorf("%d problems, want one for all that is missing with the spec", len(c.problems))
	}
}

func convertTo[T any](t *testing.T, k kind, content map[string]any) T {
	t.Helper()
	c, ok := convert(k, content).content.(T)
	if !ok {
		t.Fatalf("%T", convert(k, content).content)
	}
	return c
}
