package capi

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"

	"github.com/tugboot/tugboot/internal/takeover"
)

func TestMain(m *testing.M) {
	ctrllog.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// ownPlane starts a control plane for one test, without any CRD.
func ownPlane(t *testing.T) (*envtest.Environment, *rest.Config) {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("this test needs etcd and kube-apiserver in the folder that KUBEBUILDER_ASSETS names: `make test` sets it, " +
			"or run `KUBEBUILDER_ASSETS=$(hack/control-plane.sh) go test ./internal/capi/...`")
	}
	plane := &envtest.Environment{ControlPlaneStopTimeout: 3 * time.Second}
	plane.ControlPlane.GetAPIServer().CertDir = t.TempDir() // or else its certificates would go when it stops
	config, err := plane.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil && !strings.Contains(err.Error(), "timeout waiting") {
			t.Error(err)
		}
	})
	return plane, config
}

// crdFolder holds the stand-ins, or upstream's own CRDs.
func crdFolder() string {
	if dir := os.Getenv("TUGBOOT_UPSTREAM_CRDS"); dir != "" {
		return dir
	}
	return "../../test/testdata/crds"
}

// crd returns a CRD by its name. With old it is one that has v1beta1 alone: where there is none, the newer version is
// taken out.
func crd(t *testing.T, name string, old bool) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	var found *apiextensionsv1.CustomResourceDefinition
	err := filepath.WalkDir(crdFolder(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for doc := range strings.SplitSeq("\n"+string(text), "\n---\n") {
			c := &apiextensionsv1.CustomResourceDefinition{}
			if err := yaml.Unmarshal([]byte(doc), c); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if c.Name == name && (found == nil || (len(c.Spec.Versions) == 1) == old) {
				found = c
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == nil {
		t.Fatalf("no CRD %s in %s", name, crdFolder())
	}
	if old && len(found.Spec.Versions) > 1 {
		found.Spec.Versions = slices.DeleteFunc(found.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Name != "v1beta1" })
		found.Spec.Versions[0].Storage = true
	}
	return found
}

var (
	namesEKSA = []string{"clusters.anywhere.eks.amazonaws.com", "tinkerbelldatacenterconfigs.anywhere.eks.amazonaws.com"}
	namesCAPI = []string{"clusters.cluster.x-k8s.io", "machines.cluster.x-k8s.io"}
)

const nameWorkflows = "workflows.tinkerbell.org"

func crds(t *testing.T, old bool, names ...string) []*apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	var all []*apiextensionsv1.CustomResourceDefinition
	for _, name := range names {
		all = append(all, crd(t, name, old))
	}
	return all
}

func install(t *testing.T, config *rest.Config, all []*apiextensionsv1.CustomResourceDefinition) {
	t.Helper()
	if _, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{CRDs: all, MaxTime: 30 * time.Second}); err != nil {
		t.Fatal(err)
	}
}

// cluster is a person, or another program, at work on the objects of one API.
type cluster struct {
	t      *testing.T
	config *rest.Config
	client dynamic.Interface
}

func newCluster(t *testing.T, config *rest.Config) *cluster {
	t.Helper()
	fast := rest.CopyConfig(config)
	fast.QPS, fast.WarningHandler = -1, rest.NoWarnings{}
	client, err := dynamic.NewForConfig(fast)
	if err != nil {
		t.Fatal(err)
	}
	return &cluster{t, config, client}
}

func (c *cluster) of(o *unstructured.Unstructured) dynamic.ResourceInterface {
	c.t.Helper()
	gvr := schema.GroupVersionResource{Version: o.GroupVersionKind().Version, Group: o.GroupVersionKind().Group}
	switch o.GetKind() {
	case "CustomResourceDefinition":
		gvr.Resource = "customresourcedefinitions"
	case "ClusterRole", "ClusterRoleBinding":
		gvr.Resource = strings.ToLower(o.GetKind()) + "s"
	default:
		gvr.Resource = resourceOf(kindOf(c.t, o.Object)).plural
	}
	if o.GetNamespace() == "" {
		return c.client.Resource(gvr)
	}
	return c.client.Resource(gvr).Namespace(o.GetNamespace())
}

// create makes the objects of a YAML text, with the status that each has there.
func (c *cluster) create(text string) {
	c.t.Helper()
	for doc := range strings.SplitSeq(text, "\n---\n") {
		o := &unstructured.Unstructured{Object: parse(c.t, doc)}
		status, has := o.Object["status"]
		made, err := c.of(o).Create(c.t.Context(), o, metav1.CreateOptions{})
		if err != nil {
			c.t.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
		}
		if !has || status == nil {
			continue
		}
		made.Object["status"] = status
		if _, err := c.of(o).UpdateStatus(c.t.Context(), made, metav1.UpdateOptions{}); err != nil {
			c.t.Fatalf("status of %s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

// patch changes the object of a YAML text by a merge patch, its status as well.
func (c *cluster) patch(text, patch string, subresources ...string) {
	c.t.Helper()
	o := &unstructured.Unstructured{Object: parse(c.t, text)}
	if _, err := c.of(o).Patch(c.t.Context(), o.GetName(), "application/merge-patch+json", []byte(patch), metav1.PatchOptions{}, subresources...); err != nil {
		c.t.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
	}
}

func (c *cluster) delete(text string) {
	c.t.Helper()
	for doc := range strings.SplitSeq(text, "\n---\n") {
		o := &unstructured.Unstructured{Object: parse(c.t, doc)}
		if err := c.of(o).Delete(c.t.Context(), o.GetName(), metav1.DeleteOptions{}); err != nil {
			c.t.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

// inNamespaces makes the namespaces that objects are in.
func (c *cluster) inNamespaces(names ...string) {
	c.t.Helper()
	for _, name := range names {
		c.create("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + "}")
	}
}

// watching is a running Watcher and what it logs.
type watching struct {
	*Watcher
	ask Ask

	mu    sync.Mutex
	lines []string
}

// watchAs runs a Watcher until the test ends.
func watchAs(t *testing.T, config *rest.Config, ask Ask) *watching {
	t.Helper()
	w := &watching{ask: ask}
	var err error
	w.Watcher, err = New(Options{Config: config, Log: funcr.New(func(_, args string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.lines = append(w.lines, args)
	}, funcr.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- w.Start(t.Context()) }()
	t.Cleanup(func() { // the context has ended by then
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Start: %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Error("the watcher does not stop")
		}
	})
	return w
}

// seen is what is known now.
func (w *watching) seen() takeover.Observation {
	o := takeover.Observation{}
	w.View().Fill(&o, w.ask)
	return o
}

// logged counts the lines with the words.
func (w *watching) logged(words string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, line := range w.lines {
		if strings.Contains(line, words) {
			n++
		}
	}
	return n
}

// until waits for tokens until what is seen holds, and returns how long that took. It looks again without a token only
// at the end, so that a change without one is found out.
func (w *watching) until(t *testing.T, what string, holds func(takeover.Observation) bool) time.Duration {
	t.Helper()
	began := time.Now()
	deadline := time.After(30 * time.Second)
	for !holds(w.seen()) {
		select {
		case <-w.Changed():
		case <-deadline:
			w.mu.Lock()
			defer w.mu.Unlock()
			t.Fatalf("not seen: %s (without a token: %v); seen: %+v; log: %q", what, holds(w.seen()), w.seen(), w.lines)
		}
	}
	took := time.Since(began).Round(time.Millisecond)
	t.Logf("%6d ms: %s", took.Milliseconds(), what)
	return took
}

// says waits for a line with the words.
func (w *watching) says(t *testing.T, words string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); w.logged(words) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not say %q; log: %q", words, w.lines)
		}
	}
}
