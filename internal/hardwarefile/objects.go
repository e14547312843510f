package hardwarefile

import (
	"bytes"
	"encoding/json"
	"fmt"

	kjson "sigs.k8s.io/json"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/reservation"
)

// object is what is read of every object, to see what it is.
type object struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Items      []json.RawMessage `json:"items"`
}

// objects gathers the Hardware of one file.
type objects struct {
	name    string
	content content
	failure []reservation.Problem
}

// parseObjects takes the Hardware out of a file of Kubernetes objects, and leaves objects of other kinds alone.
func parseObjects(name string, text []byte, documents func([]byte) []document) (content, []reservation.Problem) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if complaint := plainText(text); complaint != "" {
		return content{}, []reservation.Problem{placed(name, 1, ReasonFileInvalid, "file", complaint)}
	}
	o := objects{name: name}
	for _, d := range documents(text) {
		if d.err != nil {
			o.refuse(d.line, d.err.Error())
			continue
		}
		o.take(d.line, d.json)
	}
	return o.content, o.failure
}

func (o *objects) refuse(line int, text string) {
	o.failure = append(o.failure, placed(o.name, line, ReasonFileInvalid, "document", text))
}

// take reads one object. Field names count with their case, as they do in Kubernetes.
func (o *objects) take(line int, text []byte) {
	if bytes.Equal(text, []byte("null")) {
		return
	}
	var what object
	if err := kjson.UnmarshalCaseSensitivePreserveInts(text, &what); err != nil || what.Kind == "" || what.APIVersion == "" {
		// The error would repeat what stands there, which may be anything.
		o.refuse(line, "is no Kubernetes object: write apiVersion "+v1alpha1.GroupVersion.String()+" and kind Hardware")
		return
	}
	group := v1alpha1.GroupVersion.Group + "/"
	switch ours := what.APIVersion == v1alpha1.GroupVersion.String(); {
	case what.Kind == "List" && what.APIVersion == "v1", what.Kind == v1alpha1.HardwareKind+"List" && ours:
		for _, item := range what.Items {
			o.take(line, item)
		}
	case what.Kind == v1alpha1.HardwareKind && ours:
		o.hardware(line, text)
	case what.Kind == v1alpha1.HardwareKind && len(what.APIVersion) > len(group) && what.APIVersion[:len(group)] == group:
		o.refuse(line, fmt.Sprintf("is Hardware of apiVersion %.60q, which is not known: write %s", what.APIVersion, v1alpha1.GroupVersion))
	}
}

func (o *objects) hardware(line int, text []byte) {
	var hw v1alpha1.Hardware
	if err := kjson.UnmarshalCaseSensitivePreserveInts(text, &hw); err != nil {
		o.refuse(line, "is no Hardware: "+oneLine(err.Error())+": correct it")
		return
	}
	o.content.add(objectAt(o.name, hw.Name, line), &hw)
}
