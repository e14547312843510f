package controllers

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestUnmodelledFieldsSurvive stores what Tinkerbell's schema has and our types have not.
func TestUnmodelledFieldsSurvive(t *testing.T) {
	c := newClient(t, shared(t))
	ns := namespace(t, c, "unmodelled")
	stored := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "tinkerbell.org/v1alpha1", "kind": "Hardware",
		"metadata": map[string]any{"namespace": ns, "name": "one"},
		"spec": map[string]any{
			"auto":        map[string]any{"enrollmentEnabled": true},
			"tinkVersion": int64(2),
			"vendorData":  "#vendor",
			"references":  map[string]any{"lvm": map[string]any{"group": "example.org", "name": "x", "resource": "lvms", "version": "v1"}},
			"resources":   map[string]any{"memory": "64Gi"},
			"bmcRef":      map[string]any{"apiGroup": "bmc.tinkerbell.org", "kind": "Machine", "name": "bmc"},
			"interfaces": []any{map[string]any{
				"disableDhcp": true,
				"isoboot":     map[string]any{"sourceISO": "http://example.org/hook.iso"},
				"netboot":     map[string]any{"allowPXE": false},
				"dhcp":        map[string]any{"mac": "52:54:00:00:00:01", "lease_time": int64(4294967295)},
			}},
			"metadata": map[string]any{
				"bonding_mode": int64(4),
				"custom":       map[string]any{"private_subnets": []any{"10.0.0.0/8"}},
				"manufacturer": map[string]any{"slug": "example"},
				"instance": map[string]any{
					"operating_system": map[string]any{},
					"ssh_keys":         []any{"ssh-ed25519 AAAA"},
					"storage":          map[string]any{"disks": []any{map[string]any{"device": "/dev/sda", "wipe_table": true}}},
				},
			},
		},
	}}
	want := stored.DeepCopy().Object["spec"]
	create(t, c, stored)
	read := &unstructured.Unstructured{}
	read.SetGroupVersionKind(stored.GroupVersionKind())
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(stored), read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, read.Object["spec"]); diff != "" {
		t.Errorf("(-stored +read):\n%s", diff)
	}
}
