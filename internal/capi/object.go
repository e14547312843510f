package capi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/internal/takeover"
)

// maxText bounds the bytes that are kept of a text; what is longer names nothing.
const maxText = 1024

// object is a foreign object that is being read. Its schema may let anything through: a value of another type than the
// field has is a problem of that object, and nobody else's.
type object struct {
	what     string // such as Machine.cluster.x-k8s.io
	content  map[string]any
	problems []takeover.Problem
}

// key returns the object's name.
func (o *object) key() objectKey {
	silent := object{content: o.content} // the API gives every object a name, and takes care of its type
	namespace, _ := silent.text("metadata", "namespace")
	name, _ := silent.text("metadata", "name")
	return objectKey{namespace, name}
}

// deleting reports whether the object is on its way out.
func (o *object) deleting() bool {
	at, ok := o.text("metadata", "deletionTimestamp")
	return !ok || at != ""
}

// text returns a string, "" where there is none. It returns false when something else stands there.
func (o *object) text(path ...string) (string, bool) {
	s, ok := read[string](o, "a string", path)
	return clip(s), ok
}

// truth returns a boolean, false where there is none. It returns false, false when something else stands there.
func (o *object) truth(path ...string) (value, ok bool) {
	return read[bool](o, "true or false", path)
}

// list returns the elements of a list.
func (o *object) list(path ...string) []any {
	l, _ := read[[]any](o, "a list", path) // the problem is noted
	return l
}

// read returns the value at path; the zero value where nothing stands there, and false where something else does.
func read[T any](o *object, want string, path []string) (T, bool) {
	var none T
	var v any = o.content
	for i, field := range path {
		if v == nil {
			return none, true
		}
		parent, ok := v.(map[string]any)
		if !ok {
			o.undecodable(path[:i], v, "an object")
			return none, false
		}
		v = parent[field]
	}
	if v == nil {
		return none, true
	}
	t, ok := v.(T)
	if !ok {
		o.undecodable(path, v, want)
	}
	return t, ok
}

func (o *object) undecodable(path []string, value any, want string) {
	if o.what == "" {
		return
	}
	p := takeover.Problem{
		Reason: ReasonUndecodable, Object: nameOf(o.what, o.key()), Field: fieldPath(path), Value: describe(value),
		Remedy: "is not " + want + ": write it as the schema of its kind says",
	}
	if !slices.Contains(o.problems, p) {
		o.problems = append(o.problems, p)
	}
}

// nameOf is an object as messages name it: "Machine.cluster.x-k8s.io eksa-system/lab-1".
func nameOf(what string, key objectKey) string {
	if key.namespace == "" {
		return what + " " + key.name
	}
	return what + " " + key.namespace + "/" + key.name
}

// fieldPath writes a path as people do: spec.paused, metadata.annotations[example.com/name].
func fieldPath(path []string) string {
	if len(path) == 3 && path[1] == "annotations" {
		return "metadata.annotations[" + path[2] + "]"
	}
	return strings.Join(path, ".")
}

// describe writes a value of the wrong type, without what may be a great deal in it.
func describe(v any) string {
	switch v := v.(type) {
	case string:
		return shorten(v)
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case bool, int64, float64:
		return fmt.Sprint(v)
	}
	return "a " + strconv.Quote(fmt.Sprintf("%T", v))
}

// clip keeps the beginning of a text and nothing of the memory behind it.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(strings.Clone(s[:maxText]), "")
}

// maxValue bounds the bytes of a value in a problem: enough to recognize it.
const maxValue = 256

func shorten(s string) string {
	if len(s) <= maxValue {
		return s
	}
	return strings.ToValidUTF8(strings.Clone(s[:maxValue]), "") + "..."
}
