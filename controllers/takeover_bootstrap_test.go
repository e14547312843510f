package controllers

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
)

// says waits until a condition that is not True has all the words.
func (s *side) says(words ...string) {
	s.t.Helper()
	eventually(s.t, func() string {
		text := ""
		for _, c := range s.takeoverNow("tugboot").Status.Conditions {
			if c.Status != metav1.ConditionTrue {
				text += c.Type + " " + c.Reason + ": " + c.Message + "\n"
			}
		}
		for _, word := range words {
			if !strings.Contains(text, word) {
				return "conditions say\n" + text + "and not " + word
			}
		}
		return ""
	})
}

// annotate sets the bootstrap IP on the EKS Anywhere cluster.
func (s *side) annotate(value string) {
	s.t.Helper()
	cluster := eksaCluster()
	if err := s.client.Get(s.t.Context(), client.ObjectKeyFromObject(cluster), cluster); err != nil {
		s.t.Fatal(err)
	}
	cluster.SetAnnotations(map[string]string{"anywhere.eks.amazonaws.com/tinkerbell-bootstrap-ip": value})
	if err := s.client.Update(s.t.Context(), cluster); err != nil {
		s.t.Fatal(err)
	}
}

// TestBadBootstrapIP: whatever is wrong with B, it is said, and what is advertised stays.
func TestBadBootstrapIP(t *testing.T) {
	t.Parallel()
	world := &stacks{serving: map[string]bool{bootstrapIP: true, tinkerbellIP: true}}
	s := newSide(t)
	bootstrapCluster(s)
	in := s.run(world)
	s.reaches(in, v1alpha1.PhaseBootstrap, bootstrapIP)
	for _, bad := range []struct {
		value string
		words []string
	}{
		{tinkerbellIP, []string{"SameAddress", tinkerbellIP}},
		{"127.0.0.1", []string{"127.0.0.1", "loopback"}},
		{"172.17.0.1", []string{"172.17.0.1", "bridge"}},
		{"not-an-address", []string{"not-an-address", "tinkerbell-bootstrap-ip", "default/lab"}},
	} {
		s.annotate(bad.value)
		s.says(bad.words...)
		time.Sleep(1500 * time.Millisecond)
		if to := s.takeoverNow("tugboot"); to.Status.Advertised == nil || to.Status.Advertised.Address != bootstrapIP {
			t.Errorf("with B %s it advertises %+v", bad.value, to.Status.Advertised)
		}
		if got := in.stance(); got.Advertise.Addr != addr(bootstrapIP) || got.Silent {
			t.Errorf("with B %s its stance is %+v", bad.value, got)
		}
	}
	s.annotate(bootstrapIP)
	s.reaches(in, v1alpha1.PhaseBootstrap, bootstrapIP)

	// The bootstrap stack dies: machines are not sent where nothing serves.
	world.serve(bootstrapIP, false)
	eventually(t, func() string {
		if got := in.stance(); !got.Withheld {
			return "machines are still sent to a stack that does not serve"
		}
		return ""
	})
	world.serve(bootstrapIP, true)
	eventually(t, func() string {
		if got := in.stance(); got.Withheld || got.Advertise.Addr != addr(bootstrapIP) {
			return "machines are not sent to the stack that serves again"
		}
		return ""
	})
}

// TestManualPolicy: all gates open is not enough; a person's word is, and only for this very cluster.
func TestManualPolicy(t *testing.T) {
	t.Parallel()
	world := &stacks{serving: map[string]bool{tinkerbellIP: true}}
	s := newSide(t)
	managed(s)
	manual := s.takeoverNow("tugboot")
	manual.Spec.Policy = v1alpha1.PolicyManual
	if err := s.client.Update(t.Context(), manual); err != nil {
		t.Fatal(err)
	}
	in := s.run(world)
	force := func(identity string) {
		t.Helper()
		patch := []byte(`{"metadata":{"annotations":{"` + v1alpha1.AnnotationForce + `":"` + identity + `"}}}`)
		if err := s.client.Patch(t.Context(), newTakeover(), client.RawPatch("application/merge-patch+json", patch)); err != nil {
			t.Fatal(err)
		}
	}
	s.says("ApprovalNeeded", "tugboot takeover now")
	time.Sleep(3 * time.Second)
	if got := in.stance(); !got.Silent {
		t.Fatalf("it did not wait for a person: %+v", got)
	}
	force("11111111-2222-3333-4444-555555555555")
	s.says("ForceIdentityMismatch", s.identity())
	force(s.identity())
	s.reaches(in, v1alpha1.PhaseManaged, tinkerbellIP)
}
