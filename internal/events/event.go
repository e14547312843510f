package events

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/reservation"
)

// The limits of an Event's fields, in bytes.
const (
	maxMessage = 1024
	maxReason  = 128
	maxName    = 253
)

// component is what Events name as their source.
const component = "tugboot"

// event makes the Event about p. Equal problems make Events of equal names whoever reports them, so that all replicas
// and all restarts together write one.
func event(p reservation.Problem, instance string, now time.Time) *corev1.Event {
	return notice(Notice{
		Object: corev1.ObjectReference{
			APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.HardwareKind,
			Namespace: p.Source.Namespace, Name: p.Source.Name, UID: types.UID(p.Source.UID),
		},
		Type: corev1.EventTypeWarning, Reason: p.Reason, Message: message(p),
		Occurrence: strconv.FormatInt(p.Source.Generation, 10),
	}, instance, now)
}

// notice makes the Event about n.
func notice(n Notice, instance string, now time.Time) *corev1.Event {
	at := metav1.NewTime(now)
	message := oneLine(n.Message, maxMessage)
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: n.Object.Namespace, Name: name(n, message)},
		InvolvedObject: n.Object,
		Type:           n.Type,
		Reason:         oneLine(n.Reason, maxReason),
		Message:        message,
		Source:         corev1.EventSource{Component: component, Host: instance},
		FirstTimestamp: at, LastTimestamp: at, Count: 1,
		ReportingController: component, ReportingInstance: instance,
	}
}

// message is what p says without the object, which the Event is about.
func message(p reservation.Problem) string {
	return oneLine(strings.TrimPrefix(p.Error(), p.Source.Object()+": "), maxMessage)
}

// name is the object's name, cut where need be, and a digest of all that makes one notice differ from another.
func name(n Notice, message string) string {
	digest := sha256.New()
	for _, part := range []string{string(n.Object.UID), n.Occurrence, n.Reason, message} {
		digest.Write([]byte(part)) // a hash never fails
		digest.Write([]byte{0})
	}
	suffix := "." + hex.EncodeToString(digest.Sum(nil)[:8])
	prefix := n.Object.Name[:min(len(n.Object.Name), maxName-len(suffix))]
	return strings.TrimRight(prefix, ".-") + suffix
}

// oneLine makes s printable and cuts it, at a character's end, to at most limit bytes.
func oneLine(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "?"))
	if len(s) <= limit {
		return s
	}
	const ellipsis = "..."
	end := limit - len(ellipsis)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}
