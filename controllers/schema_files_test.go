package controllers

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// filesOf are the test data of that folder and kind: valid or invalid.
func filesOf(t *testing.T, folder, kind string) []string {
	t.Helper()
	files, err := filepath.Glob("../test/testdata/" + folder + "/" + kind + "-*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	return files
}

func readYAML(t *testing.T, path string, into any) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return text
}

// refusal is the first line of an invalid-*.yaml: the field, and words of the API server's message.
func refusal(t *testing.T, path string, text []byte) (field, words string) {
	t.Helper()
	line, _, _ := strings.Cut(string(text), "\n")
	line, found := strings.CutPrefix(line, "# refused: ")
	field, words, split := strings.Cut(line, ": ")
	if !found || !split {
		t.Fatalf("%s: begins with %q, want # refused: FIELD: WORDS", path, line)
	}
	return field, words
}

// refused fails the test unless err refuses that field with these words.
func refused(t *testing.T, err error, field, words string) {
	t.Helper()
	status := apierrors.APIStatus(nil)
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) {
		t.Fatalf("accepted, or refused otherwise: %v", err)
	}
	for _, cause := range status.Status().Details.Causes {
		if cause.Field == field && strings.Contains(cause.Message, words) {
			return
		}
	}
	t.Errorf("refused with %v, want %s: %s", status.Status().Details.Causes, field, words)
}

// refusesInvalid creates each invalid object of the folder, which the API server must refuse for what the file says.
func refusesInvalid(t *testing.T, folder string) {
	t.Helper()
	c := newClient(t, shared(t))
	ns := namespace(t, c, folder+"-invalid")
	for _, path := range filesOf(t, folder, "invalid") {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			object := &unstructured.Unstructured{}
			field, words := refusal(t, path, readYAML(t, path, object))
			object.SetNamespace(ns)
			refused(t, c.Create(t.Context(), object), field, words)
		})
	}
}

// acceptsValid creates each valid object of the folder. Its spec must be the one of the golden file, and decode, which reads
// the object into Go, may find fault with it.
func acceptsValid(t *testing.T, folder string, decode func(*unstructured.Unstructured) error) {
	t.Helper()
	c := newClient(t, shared(t))
	ns := namespace(t, c, folder+"-valid")
	for _, path := range filesOf(t, folder, "valid") {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			object := &unstructured.Unstructured{}
			readYAML(t, path, object)
			object.SetNamespace(ns)
			do(t, c.Create(t.Context(), object))
			want := map[string]any{}
			readYAML(t, strings.TrimSuffix(path, ".yaml")+".golden", &want)
			got := map[string]any{}
			text, err := yaml.Marshal(object.Object["spec"])
			do(t, err)
			do(t, yaml.Unmarshal(text, &got))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			do(t, decode(object))
		})
	}
}

// showsEachRule looks for an invalid-*.yaml of the folder for each rule of the CRD's spec and returns how many rules there
// are. Those that compare with what stood before have no file: no new object breaks one.
func showsEachRule(t *testing.T, folder, crdFile string) (rules int) {
	t.Helper()
	crd := &apiextensionsv1.CustomResourceDefinition{}
	readYAML(t, crdFile, crd)
	shown := map[string]bool{}
	for _, path := range filesOf(t, folder, "invalid") {
		field, words := refusal(t, path, readYAML(t, path, &unstructured.Unstructured{}))
		shown[regexp.MustCompile(`\[\d+\]`).ReplaceAllString(field, "[]")+": "+words] = true
	}
	eachRule("spec", crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"], func(path, words string) {
		rules++
		for rule := range shown {
			field, said, _ := strings.Cut(rule, ": ")
			if field == path && (strings.HasPrefix(words, said) || strings.HasPrefix(said, words)) {
				return
			}
		}
		t.Errorf("%s: %s: no invalid-*.yaml shows it", path, words)
	})
	return rules
}

// eachRule calls need for each rule of the schema, with the words by which the API server refuses what breaks it.
func eachRule(path string, s apiextensionsv1.JSONSchemaProps, need func(path, words string)) {
	for _, rule := range s.XValidations {
		if !strings.Contains(rule.Rule, "oldSelf") {
			need(path, rule.Message)
		}
	}
	for words, set := range map[string]bool{
		"Unsupported value": len(s.Enum) > 0, "Too long": s.MaxLength != nil, "Too many": s.MaxItems != nil, "Invalid value": s.MinItems != nil,
		"should be at least": s.MinLength != nil, "should be greater than or equal to": s.Minimum != nil, "should be less than or equal to": s.Maximum != nil,
	} {
		if set {
			need(path, words)
		}
	}
	for _, name := range s.Required {
		need(path+"."+name, "Required value")
	}
	if s.XListType != nil && (*s.XListType == "set" || *s.XListType == "map") {
		need(path+"[]", "Duplicate value")
	}
	if s.Items != nil {
		eachRule(path+"[]", *s.Items.Schema, need)
	}
	for name, property := range s.Properties {
		eachRule(path+"."+name, property, need)
	}
}
