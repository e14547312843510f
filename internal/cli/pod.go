package cli

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/tugboot/tugboot/internal/events"
)

// The environment by which a pod tells its container which one it is, through the downward API.
const (
	podName      = "POD_NAME"
	podNamespace = "POD_NAMESPACE"
	podUID       = "POD_UID"
)

// The reasons of the Events on a pod that does not start.
const (
	reasonPortTaken = "PortTaken"
	reasonNotServed = "NotServed"
)

// tellPodTimeout bounds how much longer a process that cannot start lives for the sake of its Event.
const tellPodTimeout = 5 * time.Second

// ownPod is the pod that this process runs in; false outside of one, or in one that does not tell.
func ownPod(getenv func(string) string) (corev1.ObjectReference, bool) {
	pod := corev1.ObjectReference{
		APIVersion: "v1", Kind: "Pod", Namespace: getenv(podNamespace), Name: getenv(podName), UID: types.UID(getenv(podUID)),
	}
	return pod, pod.Namespace != "" && pod.Name != "" && pod.UID != ""
}

// startFailures are the Events on a pod that cannot start because of err, one for each thing that is wrong.
func startFailures(pod corev1.ObjectReference, err error) []events.Notice {
	var all []events.Notice
	for _, problem := range eachOf(err) {
		reason := reasonNotServed
		if errors.Is(problem, syscall.EADDRINUSE) {
			reason = reasonPortTaken
		}
		all = append(all, events.Notice{Object: pod, Type: corev1.EventTypeWarning, Reason: reason, Message: problem.Error()})
	}
	return all
}

// eachOf takes joined errors apart.
func eachOf(err error) []error {
	joined, is := err.(interface{ Unwrap() []error }) // the outermost alone: what it wraps belongs together
	if !is {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, eachOf(e)...)
	}
	return all
}

// tellPod writes on the pod, if there is one, why this process does not start.
func (s *stack) tellPod(ctx context.Context, err error) {
	pod, known := ownPod(os.Getenv)
	if !known || s.source.config == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tellPodTimeout)
	defer cancel()
	core, failed := typedcorev1.NewForConfig(s.source.config)
	if failed == nil {
		for _, n := range startFailures(pod, err) {
			failed = errors.Join(failed, events.Post(ctx, core, pod.Name, n))
		}
	}
	if failed != nil {
		s.log.Info("the Event on this pod was not written", "pod", pod.Namespace+"/"+pod.Name, "error", oneLine(failed))
	}
}
