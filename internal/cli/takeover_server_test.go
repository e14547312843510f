package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
)

// api is an HTTP server that answers as a Kubernetes API server that holds these Takeovers.
type api struct {
	kubeconfig string
	objects    []*v1alpha1.Takeover
	more       bool // the list goes on behind these
	answer     http.HandlerFunc

	mu       sync.Mutex
	requests []string // METHOD PATH?QUERY of what came
	patches  []string
}

// apiWith starts an API; answer, where given, answers everything.
func apiWith(t *testing.T, answer http.HandlerFunc, objects ...*v1alpha1.Takeover) *api {
	t.Helper()
	a := &api{objects: objects, answer: answer}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.kubeconfig = kubeconfig(t, server.URL)
	return a
}

func kubeconfig(t *testing.T, url string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf("{apiVersion: v1, kind: Config, current-context: x, clusters: [{name: x, cluster: {server: %q}}], contexts: [{name: x, context: {cluster: x}}]}", url)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, r.Method+" "+r.URL.String())
	if a.answer != nil {
		a.answer(w, r)
		return
	}
	const folder = "/apis/tugboot.dev/v1alpha1/namespaces/eksa-system/takeovers"
	if r.Method == http.MethodGet && r.URL.Path == folder {
		list := v1alpha1.TakeoverList{}
		for _, o := range a.objects {
			list.Items = append(list.Items, *o)
		}
		if a.more {
			list.Continue = "more"
		}
		list.APIVersion, list.Kind = v1alpha1.GroupVersion.String(), "TakeoverList"
		reply(w, http.StatusOK, list)
		return
	}
	at := slices.IndexFunc(a.objects, func(o *v1alpha1.Takeover) bool { return r.URL.Path == folder+"/"+o.Name })
	if at < 0 {
		refuse(w, http.StatusNotFound, "NotFound", `takeovers.tugboot.dev "x" not found`)
		return
	}
	if r.Method == http.MethodPatch {
		body, _ := io.ReadAll(r.Body) // a short body shows in the comparison
		a.patches = append(a.patches, r.Header.Get("Content-Type")+" "+string(body))
	}
	reply(w, http.StatusOK, a.objects[at])
}

func reply(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}

// refuse answers with an error as the API server words it.
func refuse(w http.ResponseWriter, code int, reason, message string) {
	reply(w, code, map[string]any{
		"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message,
		"details": map[string]any{"name": "x", "group": "tugboot.dev", "kind": "takeovers"},
	})
}

// takeover runs `tugboot takeover` against a.
func (a *api) takeover(args ...string) (code int, stdout, stderr string) {
	return run("", append([]string{"takeover", "--kubeconfig", a.kubeconfig}, args...)...)
}
