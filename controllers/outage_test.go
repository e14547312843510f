package controllers

import (
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
)

// ownPlane starts a control plane for one test, without any CRD.
func ownPlane(t *testing.T) (*envtest.Environment, *rest.Config) {
	t.Helper()
	needsAssets(t)
	plane := &envtest.Environment{ControlPlaneStopTimeout: 3 * time.Second}
	plane.ControlPlane.GetAPIServer().CertDir = t.TempDir() // or else its certificates would go when it stops
	config, err := plane.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	return plane, config
}

// kill ends the API server. It would wait a minute for watches to end by themselves, and is not given that time.
func kill(t *testing.T, plane *envtest.Environment) {
	t.Helper()
	if err := plane.ControlPlane.GetAPIServer().Stop(); err != nil && !strings.Contains(err.Error(), "timeout waiting") {
		t.Fatal(err)
	}
}

// TestOutages: Tugboot starts before the CRD is there, and outlives its API server.
func TestOutages(t *testing.T) {
	plane, config := ownPlane(t)
	f := follow(t, config, nil)
	eventually(t, func() string {
		if f.logged("kubectl apply -f config/crd/bases") == 0 {
			return "it does not say that the CRD is missing"
		}
		return ""
	})
	if _, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{Paths: []string{crdPath()}}); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, config)
	create(t, c, machine("default", "one", 1), machine("default", "two", 2))
	f.served(t, 1, 2)
	before := f.store.Load()

	kill(t, plane)
	eventually(t, func() string {
		if f.logged("the last snapshot is served on") == 0 || f.metric(t, "tugboot_hardware_api_connected") != 0 {
			return "it does not say that the API is gone"
		}
		return ""
	})
	time.Sleep(2 * time.Second)
	if f.store.Load() != before {
		t.Error("the snapshot changed while the API was away")
	}

	if err := plane.ControlPlane.GetAPIServer().Start(); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), machine("default", "one", 1)); err != nil {
		t.Fatal(err)
	}
	create(t, c, machine("default", "three", 3))
	f.served(t, 2, 3)
	eventually(t, func() string {
		if f.logged("watched again") == 0 || f.metric(t, "tugboot_hardware_api_connected") != 1 {
			return "it does not say that the API is back"
		}
		return ""
	})

	if err := c.DeleteAllOf(t.Context(), &v1alpha1.Hardware{}, client.InNamespace("default")); err != nil {
		t.Fatal(err)
	}
	f.served(t)
	eventually(t, func() string {
		if f.logged("all Hardware is gone") != 1 {
			return "it does not say that there is nothing left"
		}
		return ""
	})
}

// TestForeignSchema: a CRD that lets anything through must not let one object keep the others from being served.
func TestForeignSchema(t *testing.T) {
	_, config := ownPlane(t)
	keep := true
	crd := &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "hardware.tinkerbell.org"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "tinkerbell.org", Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "hardware", Singular: "hardware", Kind: "Hardware", ListKind: "HardwareList"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1alpha1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{
					OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: &keep},
				},
			}},
		},
	}
	if _, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{CRDs: []*apiextensionsv1.CustomResourceDefinition{crd}}); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, config)
	odd := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "tinkerbell.org/v1alpha1", "kind": "Hardware",
		"metadata": map[string]any{"namespace": "default", "name": "odd"},
		"spec":     map[string]any{"interfaces": "none"},
	}}
	create(t, c, odd, machine("default", "one", 1))
	listed := follow(t, config, nil, recorder(t, config).Report) // the odd one is in its list
	listed.served(t, 1)
	said(t, c, "default", "odd "+ReasonUndecodable)

	odd.SetName("odder") // and this one in its watch
	odd.SetResourceVersion("")
	create(t, c, odd, machine("default", "two", 2))
	listed.served(t, 1, 2)
	said(t, c, "default", "odd "+ReasonUndecodable, "odder "+ReasonUndecodable)
}
