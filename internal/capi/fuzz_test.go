package capi

import (
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/tugboot/tugboot/internal/takeover"
)

// FuzzConvert puts any JSON into the place of any kind, beside good objects: nothing breaks, what is kept is bounded, and
// the good ones are seen all the same.
func FuzzConvert(f *testing.F) {
	for _, text := range []string{
		kubeSystemYAML, nodeYAML, kindNodeYAML, eksaYAML, datacenterYAML, capiYAML, machineYAML, serviceYAML, sliceYAML, workflowYAML,
		`{"metadata": {"name": "x"}, "spec": {"managementCluster": {"name": null}, "datacenterRef": {"kind": 1}}, "status": {"nodeRef": []}}`,
		`{"metadata": null, "spec": null, "status": null, "endpoints": [null, 1, {}]}`, `null`,
	} {
		asJSON, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			f.Fatal(err)
		}
		for k := range kinds {
			f.Add(uint8(k), asJSON)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		var content map[string]any
		if json.Unmarshal(text, &content) != nil {
			return
		}
		k := kind(which) % kinds
		r := listed(t, managed)
		rec := convert(k, content)
		if o, ok := rec.content.(eksaCluster); ok && len(o.manager)+len(o.bootstrapIP)+len(o.datacenterKind)+len(o.datacenterName) > 4*maxText {
			t.Error("what is kept has no bounds")
		}
		if _, problems := stripped(rec.content); len(problems) > 10 {
			t.Errorf("%d problems of one object", len(problems))
		}
		if _, known := r.byKey[k][rec.key]; known || rec.key.namespace == "default" {
			return // it takes the place of a good one, or refers to it
		}
		if err := (scope{r, k}).Add(&unstructured.Unstructured{Object: content}); err != nil {
			t.Fatal(err)
		}
		check(t, r)
	})
}

func check(t *testing.T, r *records) {
	t.Helper()
	o := takeover.Observation{}
	r.view().Fill(&o, Ask{ClusterName: "lab", Role: takeover.RoleManagement, TinkerbellIP: addrM})
	if o.Cluster != "lab" || o.TinkerbellIP != addrM || !o.Evidence.Local.Found || o.LoadBalancer.Service == "" || !o.WorkflowsKnown || len(o.Problems) > maxProblems {
		t.Errorf("%+v", o)
	}
	for _, p := range append(o.Problems, r.view().Ignored("lab", addrM)...) {
		if p.Reason == "" || p.Object == "" || p.Remedy == "" || len(p.Value) > maxValue+3 {
			t.Errorf("problem %+v", p)
		}
	}
}
