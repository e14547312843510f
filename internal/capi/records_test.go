package capi

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tugboot/tugboot/internal/takeover"
)

var errForbidden = apierrors.NewForbidden(schema.GroupResource{Resource: "x"}, "", errors.New("no role"))

// token reports whether there is one, and takes it.
func token(r *records) bool {
	select {
	case <-r.changed:
		return true
	default:
		return false
	}
}

// followerOf returns the follower of a kind, without an API.
func followerOf(r *records, k kind) *follower {
	return &follower{resource: resourceOf(k), scope: scope{r, k}, conn: &connection{log: logr.Discard()}, log: logr.Discard()}
}

func object1(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	return &unstructured.Unstructured{Object: parse(t, text)}
}

// TestTokens: there is a token for what views say anew, and none for anything else.
func TestTokens(t *testing.T) {
	r := listed(t, managed)
	if !token(r) || token(r) {
		t.Fatal("many changes make one token")
	}
	for _, step := range []struct {
		name string
		kind kind
		do   func(scope) error
		want bool
	}{
		{"a heartbeat of a Node", nodes, func(s scope) error {
			return s.Update(object1(t, nodeYAML+"\nstatus: {conditions: [{type: Ready, lastHeartbeatTime: now}]}"))
		}, false},
		{"the same list again", machines, func(s scope) error { return s.Replace([]any{object1(t, machineYAML)}, "2") }, false},
		{"a slice of a Service that does not matter", endpointSlices, func(s scope) error {
			return s.Add(object1(t, swap(t, swap(t, sliceYAML, "tinkerbell-x", "web-x"), "service-name: tinkerbell", "service-name: web")))
		}, false},
		{"a slice of one that does", endpointSlices, func(s scope) error {
			return s.Update(object1(t, swap(t, sliceYAML, "ready: true", "ready: false")))
		}, true},
		{"that slice again", endpointSlices, func(s scope) error {
			return s.Update(object1(t, swap(t, sliceYAML, "ready: true", "ready: false")))
		}, false},
		{"it becomes a slice of another Service", endpointSlices, func(s scope) error {
			return s.Update(object1(t, swap(t, sliceYAML, "service-name: tinkerbell", "service-name: web")))
		}, true},
		{"and of the first again", endpointSlices, func(s scope) error { return s.Update(object1(t, sliceYAML)) }, true},
		{"a Workflow that has ended", workflows, func(s scope) error { return s.Add(object1(t, swap(t, workflowYAML, "RUNNING", "SUCCESS"))) }, false},
		{"one that runs", workflows, func(s scope) error { return s.Update(object1(t, workflowYAML)) }, true},
		{"that has ended", workflows, func(s scope) error { return s.Update(object1(t, swap(t, workflowYAML, "RUNNING", "SUCCESS"))) }, true},
		{"that is deleted then", workflows, func(s scope) error { return s.Delete(object1(t, workflowYAML)) }, false},
		{"a Service that is a LoadBalancer no more", services, func(s scope) error {
			return s.Update(object1(t, swap(t, serviceYAML, "LoadBalancer}", "ClusterIP}")))
		}, true},
		{"its slice", endpointSlices, func(s scope) error { return s.Delete(object1(t, sliceYAML)) }, false},
		{"a Machine that is deleted", machines, func(s scope) error { return s.Delete(object1(t, machineYAML)) }, true},
		{"a list without the Cluster", capiClusters, func(s scope) error { return s.Replace(nil, "3") }, true},
	} {
		if err := step.do(scope{r, step.kind}); err != nil {
			t.Fatal(err)
		}
		if got := token(r); got != step.want {
			t.Errorf("%s: token %v, want %v", step.name, got, step.want)
		}
	}
	for _, do := range []func(any) error{scope{r, nodes}.Add, scope{r, nodes}.Delete, func(o any) error { return (scope{r, nodes}).Replace([]any{o}, "") }} {
		if do("not an object") == nil || token(r) {
			t.Error("a string is taken for an object")
		}
	}
}

// TestViewsStay: a view does not change with what comes after it.
func TestViewsStay(t *testing.T) {
	r := listed(t, managed)
	before := r.view()
	s := scope{r, workflows}
	for _, step := range []struct {
		do   func(any) error
		want int
	}{{s.Add, 1}, {s.Delete, 0}} {
		if err := step.do(object1(t, workflowYAML)); err != nil {
			t.Fatal(err)
		}
		o := takeover.Observation{}
		if r.view().Fill(&o, Ask{}); len(o.Workflows) != step.want {
			t.Errorf("Workflows %v, want %d", o.Workflows, step.want)
		}
	}
	for k := range kinds {
		r.clear(k)
	}
	o := takeover.Observation{}
	before.Fill(&o, Ask{})
	if !o.Evidence.Local.SelfManaged() || o.Identity == "" {
		t.Errorf("the older view changed: %+v", o)
	}
	o = takeover.Observation{}
	if r.view().Fill(&o, Ask{}); o.Identity != "" || o.Evidence.Local.Found {
		t.Errorf("the newer view did not: %+v", o)
	}
}

// TestUndecodableBesideOthers: an object that is nothing like its kind does not hide the others.
func TestUndecodableBesideOthers(t *testing.T) {
	r := listed(t, managed)
	for k := range kinds {
		for i, content := range []map[string]any{
			{"metadata": map[string]any{"name": "odd", "namespace": "odd"}, "spec": "x", "status": []any{nil}},
			{"metadata": "none"}, {"metadata": nil, "spec": map[string]any{"type": 1}}, {}, nil,
			{"metadata": map[string]any{"name": 5, "labels": 1, "annotations": []any{}, "deletionTimestamp": true}, "endpoints": map[string]any{}},
		} {
			if err := (scope{r, k}).Add(&unstructured.Unstructured{Object: content}); err != nil {
				t.Errorf("%v, %d: %v", k, i, err)
			}
		}
	}
	o := takeover.Observation{}
	r.view().Fill(&o, Ask{ClusterName: "lab"})
	if !o.Evidence.Local.SelfManaged() || o.TinkerbellIP != addrM || o.LoadBalancer.ReadyEndpoints != 1 || o.Role != takeover.RoleManagement {
		t.Errorf("%+v", o)
	}
}

func TestNewNeedsConfig(t *testing.T) {
	if _, err := New(Options{Log: logr.Discard()}); err == nil || !strings.Contains(err.Error(), "Config") {
		t.Errorf("%v", err)
	}
}
