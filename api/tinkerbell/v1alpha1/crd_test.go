package v1alpha1

import (
	"os"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

func crd(t *testing.T) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	text, err := os.ReadFile("../../../config/crd/bases/tinkerbell.org_hardware.yaml")
	if err != nil {
		t.Fatal(err)
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(text, crd); err != nil {
		t.Fatal(err)
	}
	return crd
}

// TestSchemaExplainsKeepsAndRefusesNothing: every field has a text for kubectl explain, unmodelled fields are kept on
// every level, and no value is refused that Tinkerbell's own schema accepts.
func TestSchemaExplainsKeepsAndRefusesNothing(t *testing.T) {
	version := crd(t).Spec.Versions[0]
	fields := 0
	var walk func(path string, s apiextensionsv1.JSONSchemaProps)
	walk = func(path string, s apiextensionsv1.JSONSchemaProps) {
		if s.Type == "object" && (s.XPreserveUnknownFields == nil || !*s.XPreserveUnknownFields) {
			t.Errorf("%s: fields that are not modelled are lost", path)
		}
		if s.Pattern != "" || s.Format != "" && s.Format != "int64" || len(s.Required) > 0 || len(s.Enum) > 0 || s.Default != nil ||
			s.MaxLength != nil || s.Minimum != nil || s.Maximum != nil || s.MaxItems != nil || len(s.XValidations) > 0 {
			t.Errorf("%s: refuses or alters what Tinkerbell's schema accepts", path)
		}
		if s.Items != nil {
			walk(path+"[]", *s.Items.Schema)
		}
		for name, property := range s.Properties {
			fields++
			if len(property.Description) < 20 || !strings.HasSuffix(property.Description, ".") {
				t.Errorf("%s.%s: described as %q", path, name, property.Description)
			}
			walk(path+"."+name, property)
		}
	}
	for _, part := range []string{"spec", "status"} {
		walk(part, version.Schema.OpenAPIV3Schema.Properties[part])
	}
	if fields < 60 {
		t.Errorf("only %d fields were looked at", fields)
	}
}

func TestCRDIsServedAsUpstreams(t *testing.T) {
	crd := crd(t)
	if crd.Name != "hardware.tinkerbell.org" || crd.Spec.Scope != apiextensionsv1.NamespaceScoped || !slices.Contains(crd.Spec.Names.ShortNames, "hw") {
		t.Errorf("%s %s %v", crd.Name, crd.Spec.Scope, crd.Spec.Names.ShortNames)
	}
	if version := crd.Spec.Versions[0]; version.Subresources == nil || version.Subresources.Status == nil || len(version.AdditionalPrinterColumns) == 0 {
		t.Error("no status subresource or no printer columns")
	}
	if len(crd.Labels) > 0 {
		t.Errorf("labels %v: a move label would abort the move to a cluster without this CRD", crd.Labels)
	}
}
