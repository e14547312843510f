package v1alpha1

import (
	"os"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

func crd(t *testing.T) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	text, err := os.ReadFile("../../../config/crd/bases/tugboot.dev_takeovers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(text, crd); err != nil {
		t.Fatal(err)
	}
	return crd
}

// TestSchemaExplainsAndBounds: every field has a text for kubectl explain that begins with its name, as the API
// conventions ask, and what a person may write has an upper bound.
func TestSchemaExplainsAndBounds(t *testing.T) {
	version := crd(t).Spec.Versions[0]
	fields := 0
	var walk func(path string, s apiextensionsv1.JSONSchemaProps)
	walk = func(path string, s apiextensionsv1.JSONSchemaProps) {
		bounded := s.MaxLength != nil || s.Maximum != nil || s.MaxItems != nil || len(s.Enum) > 0 || s.Type == "object"
		if strings.HasPrefix(path, "spec") && !bounded {
			t.Errorf("%s: has no upper bound", path)
		}
		if s.Items != nil && s.Items.Schema != nil && path != "status.conditions" { // a condition is Kubernetes' own
			walk(path+"[]", *s.Items.Schema)
		}
		for name, property := range s.Properties {
			fields++
			if !strings.HasPrefix(property.Description, name+" ") || !strings.HasSuffix(property.Description, ".") || len(property.Description) < 30 {
				t.Errorf("%s.%s: described as %q", path, name, property.Description)
			}
			walk(path+"."+name, property)
		}
	}
	for _, part := range []string{"spec", "status"} {
		walk(part, version.Schema.OpenAPIV3Schema.Properties[part])
	}
	if fields < 40 {
		t.Errorf("only %d fields were looked at", fields)
	}
}

// TestDescribedDefaultsAreTheDefaults: what a text calls the default is what the API server fills in.
func TestDescribedDefaultsAreTheDefaults(t *testing.T) {
	spec := crd(t).Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	defaults := 0
	var walk func(path string, s apiextensionsv1.JSONSchemaProps)
	walk = func(path string, s apiextensionsv1.JSONSchemaProps) {
		for name, property := range s.Properties {
			walk(path+"."+name, property)
			_, text, described := strings.Cut(property.Description, " by default.")
			if value := property.Default; value != nil && string(value.Raw) != "{}" {
				defaults++
				words := strings.Trim(string(value.Raw), `[]"`)
				words = strings.ReplaceAll(words, `","`, " and ")
				if !strings.Contains(strings.Join(strings.Fields(property.Description), " "), words+" by default.") {
					t.Errorf("%s.%s: the default is %s, the text says %q", path, name, value.Raw, property.Description)
				}
			} else if described {
				t.Errorf("%s.%s: the text names a default and there is none: %q", path, name, text)
			}
		}
	}
	walk("spec", spec)
	if defaults != 7 {
		t.Errorf("%d defaults, want 7", defaults)
	}
}

func TestCRD(t *testing.T) {
	crd := crd(t)
	if crd.Name != TakeoverResource+"."+GroupVersion.Group || crd.Spec.Scope != apiextensionsv1.NamespaceScoped || crd.Spec.Names.Kind != TakeoverKind {
		t.Errorf("%s %s %s", crd.Name, crd.Spec.Scope, crd.Spec.Names.Kind)
	}
	if !slices.Equal(crd.Spec.Names.ShortNames, []string{"to"}) || !slices.Equal(crd.Spec.Names.Categories, []string{"tugboot"}) {
		t.Errorf("short names %v, categories %v", crd.Spec.Names.ShortNames, crd.Spec.Names.Categories)
	}
	if len(crd.Labels) > 0 {
		t.Errorf("labels %v: a move label would abort the move to a cluster without this CRD", crd.Labels)
	}
	version := crd.Spec.Versions[0]
	if version.Name != GroupVersion.Version || version.Subresources == nil || version.Subresources.Status == nil {
		t.Errorf("version %s, subresources %v", version.Name, version.Subresources)
	}
	var columns []string
	for _, c := range version.AdditionalPrinterColumns {
		if c.Priority == 0 {
			columns = append(columns, c.Name)
		}
	}
	if want := []string{"Phase", "Next-Server", "Since", "Ready", "Age"}; !slices.Equal(columns, want) {
		t.Errorf("columns %v, want %v", columns, want)
	}
	if limit := version.Schema.OpenAPIV3Schema.Properties["status"].Properties["history"].MaxItems; limit == nil || *limit != MaxHistory {
		t.Errorf("the schema does not bound the history at %d", MaxHistory)
	}
}

func TestSchemeKnowsTheTypes(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{TakeoverKind, "TakeoverList", "ListOptions"} {
		if !scheme.Recognizes(GroupVersion.WithKind(kind)) {
			t.Errorf("%s is unknown", kind)
		}
	}
}
