package controllers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/takeover"
)

const takeoverCRD = "../config/crd/bases/tugboot.dev_takeovers.yaml"

// takeoverFiles are the test data of that kind: valid or invalid.
func takeoverFiles(t *testing.T, kind string) []string {
	t.Helper()
	files, err := filepath.Glob("../test/testdata/takeover/" + kind + "-*.yaml")
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

func TestInvalidTakeoversAreRefused(t *testing.T) {
	c := newClient(t, shared(t))
	ns := namespace(t, c, "takeover-invalid")
	for _, path := range takeoverFiles(t, "invalid") {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			object := &unstructured.Unstructured{}
			field, words := refusal(t, path, readYAML(t, path, object))
			object.SetNamespace(ns)
			err := c.Create(t.Context(), object)
			status := apierrors.APIStatus(nil)
			if !apierrors.IsInvalid(err) || !errors.As(err, &status) {
				t.Fatalf("created, or refused otherwise: %v", err)
			}
			for _, cause := range status.Status().Details.Causes {
				if cause.Field == field && strings.Contains(cause.Message, words) {
					return
				}
			}
			t.Errorf("refused with %v, want %s: %s", status.Status().Details.Causes, field, words)
		})
	}
}

// TestEachTakeoverRuleHasARefusedFile: what the schema asks of spec is shown to be asked.
func TestEachTakeoverRuleHasARefusedFile(t *testing.T) {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	readYAML(t, takeoverCRD, crd)
	shown := map[string]bool{}
	for _, path := range takeoverFiles(t, "invalid") {
		field, words := refusal(t, path, readYAML(t, path, &unstructured.Unstructured{}))
		shown[regexp.MustCompile(`\[\d+\]`).ReplaceAllString(field, "[]")+": "+words] = true
	}
	rules := 0
	need := func(path, words string) {
		rules++
		for rule := range shown {
			field, said, _ := strings.Cut(rule, ": ")
			if field == path && (strings.HasPrefix(words, said) || strings.HasPrefix(said, words)) {
				return
			}
		}
		t.Errorf("%s: %s: no invalid-*.yaml shows it", path, words)
	}
	var walk func(path string, s apiextensionsv1.JSONSchemaProps)
	walk = func(path string, s apiextensionsv1.JSONSchemaProps) {
		for _, rule := range s.XValidations {
			need(path, rule.Message)
		}
		for words, set := range map[string]bool{
			"Unsupported value": len(s.Enum) > 0, "Too long": s.MaxLength != nil, "Too many": s.MaxItems != nil, "Invalid value": s.MinItems != nil,
			"should be greater than or equal to": s.Minimum != nil, "should be less than or equal to": s.Maximum != nil,
		} {
			if set {
				need(path, words)
			}
		}
		if s.XListType != nil && *s.XListType == "set" {
			need(path+"[]", "Duplicate value")
		}
		if s.Items != nil {
			walk(path+"[]", *s.Items.Schema)
		}
		for name, property := range s.Properties {
			walk(path+"."+name, property)
		}
	}
	walk("spec", crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"])
	if rules < 24 {
		t.Errorf("only %d rules were found", rules)
	}
}

func TestValidTakeoversAreAcceptedAndDefaulted(t *testing.T) {
	c := newClient(t, shared(t))
	ns := namespace(t, c, "takeover-valid")
	for _, path := range takeoverFiles(t, "valid") {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			object := &unstructured.Unstructured{}
			readYAML(t, path, object)
			object.SetNamespace(ns)
			if err := c.Create(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			want := map[string]any{}
			readYAML(t, strings.TrimSuffix(path, ".yaml")+".golden", &want)
			got := map[string]any{}
			text, err := yaml.Marshal(object.Object["spec"])
			do(t, err)
			do(t, yaml.Unmarshal(text, &got))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			typed := &v1alpha1.Takeover{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, typed); err != nil || typed.Spec.Probe.Interval.Duration < time.Second {
				t.Errorf("decoded as %+v %v", typed.Spec, err)
			}
		})
	}
}

// takeoverClient is a client with all rights that knows Takeovers.
func takeoverClient(t *testing.T) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	do(t, v1alpha1.AddToScheme(scheme))
	c, err := client.New(shared(t), client.Options{Scheme: scheme})
	do(t, err)
	return c
}

// TestTakeoverAsGoWritesIt: an object of Go's zero values is one with the defaults, and a full status comes back as it
// was written, its conditions in their order.
func TestTakeoverAsGoWritesIt(t *testing.T) {
	c := takeoverClient(t)
	ns := namespace(t, newClient(t, shared(t)), "takeover-go")
	written := &v1alpha1.Takeover{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "one"}}
	written.Status.Phase = v1alpha1.PhaseManaged
	do(t, c.Create(t.Context(), written))
	if written.Spec.Policy != v1alpha1.PolicyAutomatic || written.Spec.Probe.TinkServerPort != 42113 || written.Status.Phase != "" {
		t.Fatalf("created as %+v, status %+v", written.Spec, written.Status)
	}
	at := metav1.NewTime(time.Unix(1_700_000_000, 0))
	written.Status = v1alpha1.TakeoverStatus{
		ObservedGeneration: 1, Phase: v1alpha1.PhaseManaged, ClusterName: "lab", Role: v1alpha1.RoleManagement,
		BootstrapIP: "192.168.2.112", TinkerbellIP: "192.168.2.50", Since: &at, Epoch: 3, Identity: "uid", InFlightMachines: 2,
		Advertised: &v1alpha1.Advertised{Address: "192.168.2.50", TFTPPort: 69, HTTPPort: 7171, ScriptURL: "http://192.168.2.50:7171/auto.ipxe",
			BootFiles: []string{"bios=undionly.kpxe"}, Withheld: true},
		Next:    &v1alpha1.Advertised{Address: "192.168.2.50"},
		History: []v1alpha1.Change{{At: at, Reason: "GatesOpen", From: "192.168.2.112", To: "192.168.2.50", Epoch: 3}},
	}
	for _, gate := range []string{"Steady", v1alpha1.ConditionReady, "EvidenceSeen", "BootFileServed"} {
		written.Status.Conditions = append(written.Status.Conditions,
			metav1.Condition{Type: gate, Status: metav1.ConditionUnknown, Reason: "Because", LastTransitionTime: at})
	}
	want := written.Status.DeepCopy()
	do(t, c.Status().Update(t.Context(), written))
	read := &v1alpha1.Takeover{}
	do(t, c.Get(t.Context(), client.ObjectKeyFromObject(written), read))
	if diff := cmp.Diff(*want, read.Status); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	for range v1alpha1.MaxHistory {
		read.Status.History = append(read.Status.History, read.Status.History[0])
	}
	if err := c.Status().Update(t.Context(), read); !apierrors.IsInvalid(err) {
		t.Errorf("a longer history than %d is stored: %v", v1alpha1.MaxHistory, err)
	}
}

// TestPhasesAreTheJudges: the schema accepts every phase of the judge and no other.
func TestPhasesAreTheJudges(t *testing.T) {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	readYAML(t, takeoverCRD, crd)
	var accepted, judged []string
	for _, phase := range crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["status"].Properties["phase"].Enum {
		accepted = append(accepted, strings.Trim(string(phase.Raw), `"`))
	}
	for p := takeover.Idle; p <= takeover.Conflict; p++ {
		judged = append(judged, fmt.Sprint(p))
	}
	if diff := cmp.Diff(judged, accepted); diff != "" {
		t.Errorf("(-judge +schema):\n%s", diff)
	}
}
