package v1alpha1

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// again decodes text into a Hardware and encodes it, and returns both as plain maps.
func again(t *testing.T, text []byte) (before, after map[string]any) {
	t.Helper()
	hw := &Hardware{}
	if err := yaml.UnmarshalStrict(text, hw); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(hw.DeepCopy())
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &before); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(encoded, &after); err != nil {
		t.Fatal(err)
	}
	return before, after
}

// TestNothingIsLost leaves aside that an empty string and 0, which mean the same as no field, are not written.
func TestNothingIsLost(t *testing.T) {
	for _, name := range []string{"valid-eksa", "valid-full", "valid-infinite-lease"} {
		text, err := os.ReadFile("../../../test/testdata/hardware/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		before, after := again(t, text)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%s (-before +after):\n%s", name, diff)
		}
	}
}

func TestAbsentAndFalseDiffer(t *testing.T) {
	for _, netboot := range []string{`{}`, `{"allowPXE":false}`, `{"allowPXE":true}`, `{"allowWorkflow":false}`} {
		before, after := again(t, []byte(`{"spec":{"interfaces":[{"netboot":`+netboot+`}],"metadata":{"instance":{"operating_system":{}}},"userData":""}}`))
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%s (-before +after):\n%s", netboot, diff)
		}
	}
}

func TestSchemeKnowsTheTypes(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"Hardware", "HardwareList", "ListOptions"} {
		if !scheme.Recognizes(GroupVersion.WithKind(kind)) {
			t.Errorf("%s is unknown", kind)
		}
	}
}
