package hardwarefile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"

	kjson "sigs.k8s.io/json"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
)

// object is what is read of every object, to see what it is.
type object struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Items      []json.RawMessage `json:"items"`
}

// objects takes the Hardware out of a file of Kubernetes objects, and leaves objects of other kinds alone.
func (r *reading) objects(text []byte, documents func([]byte) iter.Seq[document]) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if complaint := plainText(text); complaint != "" {
		r.failure = append(r.failure, placed(r.name, 1, ReasonFileInvalid, "file", complaint))
		return
	}
	for d := range documents(text) {
		if d.err != nil {
			r.refuse(d.line, d.err.Error())
			continue
		}
		r.take(d.line, d.json)
	}
}

func (r *reading) refuse(line int, text string) {
	r.failure = append(r.failure, placed(r.name, line, ReasonFileInvalid, "document", text))
}

// take reads one object. Field names count with their case, as they do in Kubernetes.
func (r *reading) take(line int, text []byte) {
	if bytes.Equal(text, []byte("null")) {
		return
	}
	var what object
	if err := kjson.UnmarshalCaseSensitivePreserveInts(text, &what); err != nil || what.Kind == "" || what.APIVersion == "" {
		// The error would repeat what stands there, which may be anything.
		r.refuse(line, "is no Kubernetes object: write apiVersion "+v1alpha1.GroupVersion.String()+" and kind Hardware")
		return
	}
	group := v1alpha1.GroupVersion.Group + "/"
	switch ours := what.APIVersion == v1alpha1.GroupVersion.String(); {
	case what.Kind == "List" && what.APIVersion == "v1", what.Kind == v1alpha1.HardwareKind+"List" && ours:
		for _, item := range what.Items {
			r.take(line, item)
		}
	case what.Kind == v1alpha1.HardwareKind && ours:
		r.hardware(line, text)
	case what.Kind == v1alpha1.HardwareKind && len(what.APIVersion) > len(group) && what.APIVersion[:len(group)] == group:
		r.refuse(line, fmt.Sprintf("is Hardware of apiVersion %.60q, which is not known: write %s", what.APIVersion, v1alpha1.GroupVersion))
	}
}

func (r *reading) hardware(line int, text []byte) {
	var hw v1alpha1.Hardware
	if err := kjson.UnmarshalCaseSensitivePreserveInts(text, &hw); err != nil {
		r.refuse(line, "is no Hardware: "+oneLine(err.Error())+": correct it")
		return
	}
	r.add(objectAt(r.name, hw.Name, line), &hw, 0)
}
