package controllers

import (
	"encoding/json"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kjson "sigs.k8s.io/json"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	tugbootv1alpha1 "github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/tink"
)

// ReasonUndecodable is the reason of the problem of a Hardware whose spec has not the types that Tinkerbell gives it, which a
// foreign schema may let through.
const ReasonUndecodable = "UndecodableSpec"

// rawHardware is a Hardware whose spec is decoded later, and by itself: one object with a wrong type in it would
// otherwise keep the whole list from being read.
type rawHardware struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec json.RawMessage `json:"spec,omitempty"`
}

// DeepCopyObject implements runtime.Object.
func (h *rawHardware) DeepCopyObject() runtime.Object {
	return &rawHardware{TypeMeta: h.TypeMeta, ObjectMeta: *h.ObjectMeta.DeepCopy(), Spec: slices.Clone(h.Spec)}
}

// rawHardwareList is a list of them.
type rawHardwareList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []rawHardware `json:"items"`
}

// DeepCopyObject implements runtime.Object.
func (l *rawHardwareList) DeepCopyObject() runtime.Object {
	out := &rawHardwareList{TypeMeta: l.TypeMeta, ListMeta: *l.ListMeta.DeepCopy(), Items: make([]rawHardware, len(l.Items))}
	for i := range l.Items {
		out.Items[i] = rawHardware{
			TypeMeta: l.Items[i].TypeMeta, ObjectMeta: *l.Items[i].ObjectMeta.DeepCopy(), Spec: slices.Clone(l.Items[i].Spec),
		}
	}
	return out
}

// rawScheme knows Hardware under its own name and decodes it to rawHardware.
func rawScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypeWithName(v1alpha1.GroupVersion.WithKind(v1alpha1.HardwareKind), &rawHardware{})
	scheme.AddKnownTypeWithName(v1alpha1.GroupVersion.WithKind(v1alpha1.HardwareKind+"List"), &rawHardwareList{})
	metav1.AddToGroupVersion(scheme, v1alpha1.GroupVersion)
	return scheme
}

// convert decodes the spec and turns the object into a record; before is what is known of the object, nil for nothing.
//
// Cluster API puts an annotation of its own in the place of all others before it deletes an object that it has moved. A
// Hardware that was disabled then is so still, and one with DHCP options of its own keeps them.
func (h *rawHardware) convert(before *record) *record {
	hw := &v1alpha1.Hardware{ObjectMeta: h.ObjectMeta}
	r := &record{
		key:     objectKey{h.Namespace, h.Name},
		version: objectVersion{uid: h.UID, resourceVersion: h.ResourceVersion},
	}
	_, r.disabled = h.Annotations[v1alpha1.AnnotationDisabled]
	_, r.leaving = h.Annotations[tugbootv1alpha1.DeleteForMove]
	if r.leaving && before != nil && before.version.uid == h.UID && before.disabled {
		r.disabled = true
	}
	if len(h.Spec) > 0 {
		if err := kjson.UnmarshalCaseSensitivePreserveInts(h.Spec, &hw.Spec); err != nil {
			r.problems = []reservation.Problem{{
				Source: reservation.Source{
					Namespace: h.Namespace, Name: h.Name, UID: string(h.UID),
					Generation: h.Generation, Created: h.CreationTimestamp.Unix(),
				},
				Reason: ReasonUndecodable, Field: "spec", Fatal: true,
				Remedy: "is not what Tinkerbell's schema says (" + err.Error() + "): correct it; this machine is not served",
			}}
			return r
		}
	}
	if !r.disabled {
		r.reservations, r.problems = tink.Convert(hw)
		if r.leaving && before != nil && before.version.uid == h.UID {
			keepOptions(r.reservations, before.reservations)
		}
	}
	return r
}

// keepOptions gives reservations the options that they had before the annotation with these was taken away.
func keepOptions(reservations, before []*reservation.Reservation) {
	for _, r := range reservations {
		if i := slices.IndexFunc(before, func(b *reservation.Reservation) bool { return b.MAC == r.MAC }); i >= 0 {
			r.Options = before[i].Options
		}
	}
}
