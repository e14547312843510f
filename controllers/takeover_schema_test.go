package controllers

import (
	"fmt"
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

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/takeover"
)

const takeoverCRD = "../config/crd/bases/tugboot.dev_takeovers.yaml"

func TestInvalidTakeoversAreRefused(t *testing.T) { refusesInvalid(t, "takeover") }

// TestEachTakeoverRuleHasARefusedFile: what the schema asks of spec is shown to be asked.
func TestEachTakeoverRuleHasARefusedFile(t *testing.T) {
	if rules := showsEachRule(t, "takeover", takeoverCRD); rules < 24 {
		t.Errorf("only %d rules were found", rules)
	}
}

func TestValidTakeoversAreAcceptedAndDefaulted(t *testing.T) {
	acceptsValid(t, "takeover", func(object *unstructured.Unstructured) error {
		typed := &v1alpha1.Takeover{}
		err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, typed)
		if err == nil && typed.Spec.Probe.Interval.Duration < time.Second {
			err = fmt.Errorf("decoded as %+v", typed.Spec)
		}
		return err
	})
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
