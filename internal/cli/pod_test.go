package cli

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/tugboot/tugboot/internal/events"
)

func TestEachThingThatKeepsAPodFromStartingIsAnEvent(t *testing.T) {
	environment := map[string]string{"POD_NAME": "tugboot-1", "POD_NAMESPACE": "eksa-system", "POD_UID": "8a4c"}
	pod, known := ownPod(func(name string) string { return environment[name] })
	want := corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: "eksa-system", Name: "tugboot-1", UID: "8a4c"}
	if !known || pod != want {
		t.Fatalf("%+v, %t", pod, known)
	}
	for name := range environment {
		if _, known := ownPod(func(n string) string {
			if n == name {
				return ""
			}
			return environment[n]
		}); known {
			t.Errorf("known without %s", name)
		}
	}
	taken := fmt.Errorf("DHCP: port 67/udp at 0.0.0.0 is taken: %w", syscall.EADDRINUSE)
	right := fmt.Errorf("TFTP: no right to listen on port 69/udp: %w", syscall.EPERM)
	got := startFailures(pod, errors.Join(errors.Join(taken, nil), errors.Join(right)))
	if diff := cmp.Diff([]events.Notice{
		{Object: want, Type: "Warning", Reason: "PortTaken", Message: taken.Error()},
		{Object: want, Type: "Warning", Reason: "NotServed", Message: right.Error()},
	}, got); diff != "" {
		t.Error(diff)
	}
}
