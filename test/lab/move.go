package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// What Cluster API reads and writes on objects that move.
const (
	clusterLabel  = "cluster.x-k8s.io/cluster-name"
	moveLabel     = "clusterctl.cluster.x-k8s.io/move"
	deleteForMove = "clusterctl.cluster.x-k8s.io/delete-for-move"
)

// moving is one kind of object that moves: all of them, or those with a label.
type moving struct {
	resource schema.GroupVersionResource
	label    string
}

// kindsThatMove are in the order in which they are created; they are deleted in the reverse order.
func kindsThatMove() []moving {
	return []moving{{resource: clusters}, {resource: hardware}, {configMaps, moveLabel}, {secrets, clusterLabel}, {resource: machines}}
}

// Move moves the cluster from the bootstrap cluster to the management cluster as `clusterctl move` does: it pauses the
// cluster, creates all objects in the target, without status, deletes them in the source, each after its annotations were
// replaced by delete-for-move, and unpauses the target. Then Cluster API's controllers there do their work.
func (c *Creation) Move(ctx context.Context) error {
	c.note("clusterctl", "begins to move: the Cluster is paused")
	from, to := c.Bootstrap, c.Management
	if err := pause(ctx, from, true); err != nil {
		return err
	}
	kinds := kindsThatMove()
	moved := make([][]unstructured.Unstructured, len(kinds))
	count := 0
	for i, kind := range kinds {
		list, err := from.objects.Resource(kind.resource).Namespace(KubernetesNamespace).List(ctx, metav1.ListOptions{LabelSelector: kind.label})
		if err != nil {
			return fmt.Errorf("move: list %s: %w", kind.resource.Resource, err)
		}
		moved[i] = list.Items
		for _, object := range list.Items {
			if err := create(ctx, to, kind.resource, object); err != nil {
				return err
			}
			count++
		}
	}
	c.note("clusterctl", "has created %d objects in the management cluster", count)
	for i, kind := range slices.Backward(kinds) {
		for _, object := range moved[i] {
			if err := remove(ctx, from, kind.resource, object); err != nil {
				return err
			}
		}
	}
	c.note("clusterctl", "has deleted them in the bootstrap cluster")
	if err := pause(ctx, to, false); err != nil {
		return err
	}
	c.note("clusterctl", "has unpaused the Cluster in the management cluster")
	return c.reconcile(ctx, to)
}

func pause(ctx context.Context, s *Side, paused bool) error {
	return s.patch(ctx, clusters, KubernetesNamespace, ClusterName, object{"spec": object{"paused": paused}})
}

// create creates an object of the source in the target, without what is the source's own.
func create(ctx context.Context, to *Side, resource schema.GroupVersionResource, source unstructured.Unstructured) error {
	target := source.DeepCopy()
	for _, field := range []string{"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"} {
		unstructured.RemoveNestedField(target.Object, "metadata", field)
	}
	delete(target.Object, "status")
	if _, err := to.objects.Resource(resource).Namespace(source.GetNamespace()).Create(ctx, target, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("move: create %s %s: %w", resource.Resource, source.GetName(), err)
	}
	return nil
}

// remove deletes an object in the source. Its last state says that it was moved, and nothing else.
func remove(ctx context.Context, from *Side, resource schema.GroupVersionResource, source unstructured.Unstructured) error {
	api := from.objects.Resource(resource).Namespace(source.GetNamespace())
	changes := []object{{"op": "add", "path": "/metadata/annotations", "value": object{deleteForMove: ""}}}
	if len(source.GetFinalizers()) > 0 {
		changes = append(changes, object{"op": "remove", "path": "/metadata/finalizers"})
	}
	for _, change := range changes {
		text, err := json.Marshal([]object{change})
		if err != nil {
			return err
		}
		if _, err := api.Patch(ctx, source.GetName(), types.JSONPatchType, text, metav1.PatchOptions{}); err != nil {
			return fmt.Errorf("move: patch %s %s: %w", resource.Resource, source.GetName(), err)
		}
	}
	if err := api.Delete(ctx, source.GetName(), metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("move: delete %s %s: %w", resource.Resource, source.GetName(), err)
	}
	return nil
}
