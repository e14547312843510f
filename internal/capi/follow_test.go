package capi

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/tugboot/tugboot/internal/takeover"
)

// TestServed: which version is followed is discovery's word, and that there is none is believed only of an API server.
func TestServed(t *testing.T) {
	resources := func(gv string, plurals ...string) string {
		names := make([]string, 0, len(plurals))
		for _, p := range plurals {
			names = append(names, `{"name": "`+p+`"}`)
		}
		return `{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "` + gv + `", "resources": [` + strings.Join(names, ",") + `]}`
	}
	const groups = `{"kind": "APIGroupList", "apiVersion": "v1", "groups": [{"name": "apps", "versions": []}]}`
	for _, test := range []struct {
		name    string
		kind    kind
		answers map[string]string // by path; "500" for an error, all else is not found
		want    string
		failure string
	}{
		{"both versions", machines, map[string]string{
			"/apis/cluster.x-k8s.io/v1beta1": resources("cluster.x-k8s.io/v1beta1", "machines"),
			"/apis/cluster.x-k8s.io/v1beta2": resources("cluster.x-k8s.io/v1beta2", "clusters", "machines"),
		}, "v1beta2", ""},
		{"the older one", machines, map[string]string{"/apis/cluster.x-k8s.io/v1beta1": resources("cluster.x-k8s.io/v1beta1", "machines")}, "v1beta1", ""},
		{"the newer one for another resource", machines, map[string]string{
			"/apis/cluster.x-k8s.io/v1beta1": resources("cluster.x-k8s.io/v1beta1", "machines"),
			"/apis/cluster.x-k8s.io/v1beta2": resources("cluster.x-k8s.io/v1beta2", "clusters"),
		}, "v1beta1", ""},
		{"the group without the resource", workflows, map[string]string{
			"/apis": groups, "/apis/tinkerbell.org/v1alpha1": resources("tinkerbell.org/v1alpha1", "hardware", "workflows/status"),
		}, "", ""},
		{"no such group", workflows, map[string]string{"/apis": groups}, "", ""},
		{"a proxy that finds nothing", workflows, nil, "", "which groups"},
		{"a page that is no list of groups", workflows, map[string]string{"/apis": `{}`}, "", "which groups"},
		{"an error in place of the newer version", machines, map[string]string{
			"/apis/cluster.x-k8s.io/v1beta1": resources("cluster.x-k8s.io/v1beta1", "machines"), "/apis/cluster.x-k8s.io/v1beta2": "500",
		}, "", "which resources"},
		{"a resource of every API server", nodes, nil, "v1", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := watcherOf(t, test.answers)
			got, err := w.followers[test.kind].served(t.Context())
			if got != test.want || (err == nil) != (test.failure == "") || err != nil && !strings.Contains(err.Error(), test.failure) {
				t.Errorf("%q, %v; want %q, %q", got, err, test.want, test.failure)
			}
		})
	}
}

// watcherOf is a Watcher of a server that answers as told.
func watcherOf(t *testing.T, answers map[string]string) *Watcher {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, found := answers[r.URL.Path]
		w.Header().Set("Content-Type", "application/json")
		switch {
		case answer == "500":
			http.Error(w, "broken", http.StatusInternalServerError)
		case found:
			fmt.Fprint(w, answer)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	w, err := New(Options{Config: &rest.Config{Host: server.URL}, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestProxyThatFindsNothing: what was seen last outlives a proxy that answers everything with 404.
func TestProxyThatFindsNothing(t *testing.T) {
	w := watcherOf(t, nil)
	known := listed(t, managed)
	w.records.byKey, w.records.states = known.byKey, known.states
	for _, f := range w.followers {
		f.attempt(t.Context())
	}
	o := takeover.Observation{}
	w.View().Fill(&o, Ask{})
	if !o.Evidence.Local.SelfManaged() || o.Identity == "" || o.TinkerbellIP != addrM || o.LoadBalancer.ReadyEndpoints != 1 || len(o.Problems) > 0 {
		t.Errorf("%+v", o)
	}
	if o.WorkflowsKnown || o.LoadBalancer.Known {
		t.Errorf("what may have changed is taken for known: %+v", o)
	}
}

// TestWithoutRetry: the errors that the reflector would wait out by itself are hidden from it, with their words.
func TestWithoutRetry(t *testing.T) {
	for _, err := range []error{apierrors.NewTooManyRequests("busy", 1), errForbidden} {
		got := withoutRetry(err)
		if got.Error() != err.Error() || apierrors.IsTooManyRequests(got) {
			t.Errorf("%v became %v", err, got)
		}
	}
	if !errors.Is(withoutRetry(errForbidden), errForbidden) {
		t.Error("another error is hidden")
	}
}
