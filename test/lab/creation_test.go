package lab

import (
	"cmp"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/tugboot/tugboot/test/need"
)

// TestMoveLooksLikeClusterctls moves a cluster between two real APIs, without any Tugboot, and looks at it from outside.
// TUGBOOT_UPSTREAM_CRDS names a folder of upstream's own CustomResourceDefinitions to use in place of the stand-ins.
func TestMoveLooksLikeClusterctls(t *testing.T) {
	needRoot(t)
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		need.File(t, "KUBEBUILDER_ASSETS", "run `make e2e`, which sets it, or set it to what hack/control-plane.sh prints")
	}
	parts := PartsIn(filepath.Join("..", ".."), assets)
	parts.StandIns = cmp.Or(os.Getenv("TUGBOOT_UPSTREAM_CRDS"), parts.StandIns)
	parts.OS = t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c, err := StartCreation(ctx, "selfmove", t.TempDir(), parts, Watch{}, CreationOptions{RemoteCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	baton := &unstructured.Unstructured{Object: object{"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": object{"name": batonName, "namespace": KubernetesNamespace, "labels": object{moveLabel: "true"}, "annotations": object{"kept": "no"}},
		"data":     object{"epoch": "1"}}}
	if _, err := c.Bootstrap.objects.Resource(configMaps).Namespace(KubernetesNamespace).Create(ctx, baton, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []func(context.Context) error{c.prepareBootstrap, c.AddHardware, c.CreateCluster, c.FinishMachines, c.prepareManagement} {
		if err := step(ctx); err != nil {
			t.Fatal(err)
		}
	}
	gone := c.seeDeletions(ctx, t)
	if err := c.Move(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.FinishCreation(ctx); err != nil {
		t.Fatal(err)
	}
	deleted := gone()
	order := []string{"lab-md-0-q9d4f", "lab-cp-x7k2p", "lab-kubeconfig", batonName, "spare02", "worker01", "spare01", "cp01", "lab"}
	slices.Sort(order)
	names := slices.Sorted(maps.Keys(deleted))
	if !slices.Equal(names, order) {
		t.Errorf("deleted in the source: %v, want %v", names, order)
	}
	for name, last := range deleted {
		if !maps.Equal(last.GetAnnotations(), map[string]string{deleteForMove: ""}) {
			t.Errorf("%s left with the annotations %v, want %s alone", name, last.GetAnnotations(), deleteForMove)
		}
	}
	c.checkTarget(ctx, t)
	c.DeleteBootstrapCluster()
	if _, err := c.Bootstrap.API.Kubectl(ctx, nil, "get", "--raw", "/readyz", "--request-timeout=2s"); err == nil {
		t.Error("the bootstrap API answers after it was deleted")
	}
	if _, err := c.Management.API.Kubectl(ctx, nil, "get", "--raw", "/readyz"); err != nil {
		t.Error(err)
	}
}

// seeDeletions watches everything that moves; the function that it returns returns the last state of what was deleted.
func (c *Creation) seeDeletions(ctx context.Context, t *testing.T) func() map[string]*unstructured.Unstructured {
	t.Helper()
	var mu sync.Mutex
	deleted := map[string]*unstructured.Unstructured{}
	for _, kind := range kindsThatMove() {
		stream, err := c.Bootstrap.objects.Resource(kind.resource).Namespace(KubernetesNamespace).Watch(ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stream.Stop)
		go func() {
			for event := range stream.ResultChan() {
				if last, ok := event.Object.(*unstructured.Unstructured); ok && event.Type == watch.Deleted {
					mu.Lock()
					deleted[last.GetName()] = last
					mu.Unlock()
				}
			}
		}()
	}
	return func() map[string]*unstructured.Unstructured {
		time.Sleep(500 * time.Millisecond) // for the last events to arrive
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(deleted)
	}
}

// checkTarget looks at what arrived.
func (c *Creation) checkTarget(ctx context.Context, t *testing.T) {
	t.Helper()
	get := func(resource schema.GroupVersionResource, name string) *unstructured.Unstructured {
		found, err := c.Management.objects.Resource(resource).Namespace(KubernetesNamespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	cluster := get(clusters, ClusterName)
	paused, _, err := unstructured.NestedBool(cluster.Object, "spec", "paused")
	if err != nil || paused {
		t.Errorf("the Cluster in the target is paused: %v, %v", paused, err)
	}
	if phase, _, err := unstructured.NestedString(cluster.Object, "status", "phase"); err != nil || phase != "Provisioned" {
		t.Errorf("the Cluster in the target is in phase %q, %v", phase, err)
	}
	if kept := get(configMaps, batonName).GetAnnotations()["kept"]; kept != "no" {
		t.Errorf("the baton in the target has the annotation %q, want it as it was before the move", kept)
	}
	get(hardware, "spare01")
	stay, err := c.Management.objects.Resource(workflows).Namespace(KubernetesNamespace).List(ctx, metav1.ListOptions{})
	if err != nil || len(stay.Items) > 0 {
		t.Errorf("%d Workflows moved, %v", len(stay.Items), err)
	}
}
