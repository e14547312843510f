package capi

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tugboot/tugboot/internal/takeover"
)

// TestTrouble: what the API refuses is a problem of that resource, and what was known before stays.
func TestTrouble(t *testing.T) {
	internal := apierrors.NewInternalError(errors.New("conversion webhook for cluster.x-k8s.io/v1beta1 failed"))
	down := errors.New("dial tcp: connection refused")
	for _, test := range []struct {
		name             string
		kind             kind
		err              error
		problems         string
		workflows, ready bool // known
	}{
		{"Workflows forbidden", workflows, errForbidden, "Forbidden", false, true},
		{"Services forbidden", services, errForbidden, "Forbidden", true, false},
		{"EndpointSlices broken", endpointSlices, internal, "Unreadable", true, false},
		{"Clusters broken, as discovery says", capiClusters, fmt.Errorf("ask: %w", internal), "Unreadable", true, true},
		{"Workflows unreachable", workflows, down, "", false, true},
		{"not found", workflows, apierrors.NewNotFound(schema.GroupResource{}, ""), "", true, true},
		{"expired", workflows, apierrors.NewResourceExpired("too old"), "", true, true},
		{"Services not found, which every API server has", services, apierrors.NewNotFound(schema.GroupResource{}, ""), "", true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := listed(t, managed)
			f := followerOf(r, test.kind)
			f.outcome(t.Context(), test.err)
			o := takeover.Observation{}
			r.view().Fill(&o, Ask{})
			if reasons(o.Problems) != test.problems || o.WorkflowsKnown != test.workflows || o.LoadBalancer.Known != test.ready {
				t.Errorf("problems %+v, Workflows %v, LoadBalancer %v", o.Problems, o.WorkflowsKnown, o.LoadBalancer.Known)
			}
			if !o.Evidence.Local.SelfManaged() || o.Cluster != "lab" || o.LoadBalancer.ReadyEndpoints != 1 {
				t.Errorf("what was known is forgotten: %+v", o)
			}
			for _, p := range o.Problems {
				if p.Object != "resource "+resourceOf(test.kind).name() || p.Field == "" || p.Value == "" || p.Remedy == "" {
					t.Errorf("problem %+v", p)
				}
			}
			token(r)
			f.outcome(t.Context(), fmt.Errorf("in other words: %w", test.err))
			if token(r) {
				t.Error("the same trouble in other words is taken for news")
			}
			f.outcome(t.Context(), nil)
			o = takeover.Observation{}
			if r.view().Fill(&o, Ask{}); len(o.Problems) > 0 || !o.WorkflowsKnown || !o.LoadBalancer.Known {
				t.Errorf("it does not recover: %+v", o)
			}
		})
	}
}

// TestMovedAway: after the move the API's last word on Workflows stands, when it is gone; not when it refuses.
func TestMovedAway(t *testing.T) {
	for _, test := range []struct {
		err   error
		moved bool
		want  bool
	}{
		{errors.New("connection refused"), true, true}, {errors.New("connection refused"), false, false}, {errForbidden, true, false},
	} {
		r := listed(t, workflowYAML)
		f := followerOf(r, workflows)
		f.outcome(t.Context(), test.err)
		o := takeover.Observation{}
		if r.view().Fill(&o, Ask{Moved: test.moved}); o.WorkflowsKnown != test.want || len(o.Workflows) != 1 {
			t.Errorf("%v, moved %v: known %v, %v", test.err, test.moved, o.WorkflowsKnown, o.Workflows)
		}
	}
	r := newRecords()
	f := followerOf(r, workflows)
	f.outcome(t.Context(), errors.New("connection refused"))
	o := takeover.Observation{}
	if r.view().Fill(&o, Ask{Moved: true}); o.WorkflowsKnown {
		t.Error("what was never listed is known")
	}
}

// TestReady: it takes an answer for each kind, and a refusal is one.
func TestReady(t *testing.T) {
	r := newRecords()
	for k := range kinds {
		f := followerOf(r, k)
		f.outcome(t.Context(), errors.New("connection refused"))
		if r.view().Ready() || (View{}).Ready() {
			t.Fatalf("ready before %v is known", k)
		}
		switch k {
		case capiClusters:
			f.outcome(t.Context(), errForbidden)
		case machines:
			f.absent()
		default:
			if err := f.scope.Replace(nil, "1"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !r.view().Ready() {
		t.Error("not ready")
	}
	o := takeover.Observation{}
	if r.view().Fill(&o, Ask{}); reasons(o.Problems) != "Forbidden NoRole NoCluster" {
		t.Errorf("%+v", o.Problems)
	}
}

// TestUnknownIsNoProblem: while nothing is known, nothing is said to be missing.
func TestUnknownIsNoProblem(t *testing.T) {
	o := takeover.Observation{}
	if (View{}).Fill(&o, Ask{ClusterName: "lab", TinkerbellIP: addrM, BootstrapIP: addrB}); len(o.Problems) > 0 || o.WorkflowsKnown || o.LoadBalancer.Known {
		t.Errorf("%+v", o)
	}
	if o.Cluster != "lab" || o.TinkerbellIP != addrM || o.BootstrapIP != addrB {
		t.Errorf("what was asked is lost: %+v", o)
	}
}

// TestLines: an outage is one line however many kinds it hits, and so is its end; a refusal is one line for its kind.
func TestLines(t *testing.T) {
	var lines []string
	conn := &connection{log: funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{})}
	down := errors.New("connection refused")
	for range 3 {
		for k := range kinds {
			conn.fails(k, down, unreachable)
		}
	}
	conn.works(nodes) // the first of many to be answered again
	conn.fails(machines, down, unreachable)
	for k := range kinds {
		conn.works(k)
	}
	for range 3 {
		conn.fails(workflows, errForbidden, forbidden)
	}
	conn.works(workflows)
	conn.works(workflows)
	want := []string{"cannot watch the cluster's objects", "watched again", "cannot watch workflows.tinkerbell.org", "workflows.tinkerbell.org be watched again"}
	if len(lines) != len(want) {
		t.Fatalf("%q", lines)
	}
	for i := range want {
		if !strings.Contains(lines[i], want[i]) {
			t.Errorf("%q, want %q", lines[i], want[i])
		}
	}
	for _, line := range []string{lines[0], lines[2]} {
		if !strings.Contains(line, "remedy") {
			t.Errorf("no remedy in %q", line)
		}
	}
}
