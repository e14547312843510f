package controllers

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
)

func TestInvalidDHCPServicesAreRefused(t *testing.T) { refusesInvalid(t, "dhcpservice") }

// TestEachDHCPServiceRuleHasARefusedFile: what the schema asks of spec is shown to be asked.
func TestEachDHCPServiceRuleHasARefusedFile(t *testing.T) {
	if rules := showsEachRule(t, "dhcpservice", "../config/crd/bases/tugboot.dev_dhcpservices.yaml"); rules < 29 {
		t.Errorf("only %d rules were found", rules)
	}
}

func TestValidDHCPServicesAreAcceptedAndDefaulted(t *testing.T) {
	acceptsValid(t, "dhcpservice", func(object *unstructured.Unstructured) error {
		typed := &v1alpha1.DHCPService{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, typed); err != nil {
			return err
		}
		again, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
		if diff := cmp.Diff(object.Object["spec"], again["spec"]); err == nil && diff != "" {
			err = fmt.Errorf("(-stored +as Go writes it):\n%s", diff)
		}
		return err
	})
}

// TestInvalidDHCPServiceTypeChange: a service stays of its type; everything else can be changed.
func TestInvalidDHCPServiceTypeChange(t *testing.T) {
	c := newClient(t, shared(t))
	s := &v1alpha1.DHCPService{Spec: v1alpha1.DHCPServiceSpec{Type: v1alpha1.DHCPServiceISC, Subnets: []string{"192.168.2.0/24"}}}
	s.Namespace, s.Name = namespace(t, c, "dhcpservice-change"), "one"
	do(t, c.Create(t.Context(), s))
	s.Spec.Policy, s.Spec.ClusterName, s.Spec.Subnets = v1alpha1.DHCPServicePlan, "lab", []string{"192.168.3.0/24"}
	do(t, c.Update(t.Context(), s))
	s.Spec.Type = v1alpha1.DHCPServiceDnsmasq
	refused(t, c.Update(t.Context(), s), "spec", "type cannot be changed: make another DHCPService")
}

// TestExampleDHCPServiceFilesAreValid: there is one for each type, and the API server takes it as it is.
func TestExampleDHCPServiceFilesAreValid(t *testing.T) {
	c := newClient(t, shared(t))
	ns := namespace(t, c, "dhcpservice-examples")
	for name, kind := range map[string]v1alpha1.DHCPServiceType{
		"kea": v1alpha1.DHCPServiceKea, "dnsmasq": v1alpha1.DHCPServiceDnsmasq, "isc": v1alpha1.DHCPServiceISC, "microsoft": v1alpha1.DHCPServiceMicrosoft,
	} {
		t.Run(name, func(t *testing.T) {
			s := &v1alpha1.DHCPService{}
			objects := objectsIn(t, filepath.Join("..", "examples", "dhcpservice-"+name+".yaml"))
			if len(objects) != 1 {
				t.Fatalf("%d objects, want 1", len(objects))
			}
			objects[0].SetNamespace(ns)
			do(t, c.Create(t.Context(), objects[0]))
			do(t, runtime.DefaultUnstructuredConverter.FromUnstructured(objects[0].Object, s))
			if s.Spec.Type != kind {
				t.Errorf("type %s, want %s", s.Spec.Type, kind)
			}
		})
	}
}
