package capi

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/cache"
)

type objectKey struct{ namespace, name string }

func (k objectKey) compare(other objectKey) int {
	return cmp.Or(cmp.Compare(k.namespace, other.namespace), cmp.Compare(k.name, other.name))
}

// record is what is kept of one object. It is immutable.
type record struct {
	key     objectKey
	content any // nil when nothing of the object matters
}

// GetObjectMeta lets the reflector key records by their names while it gathers the initial list.
func (r *record) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{Namespace: r.key.namespace, Name: r.key.name}
}

// state is how a resource stands with the API.
type state struct {
	// answered is true once the API said what there is, or that it will not say.
	answered bool
	// listed is true once the records are what the API listed: none, when it does not serve the resource.
	listed bool
	// version is the one that is followed; empty while the resource is not served.
	version string
	trouble trouble
}

// records is everything that is known of one API, fed by one reflector for each kind.
type records struct {
	mu     sync.Mutex
	byKey  [kinds]map[objectKey]*record
	states [kinds]state
	sorted [kinds][]*record // what views share; nil when it is to be made anew

	changed chan struct{} // holds one token when views may say something new
}

func newRecords() *records {
	r := &records{changed: make(chan struct{}, 1)}
	for k := range kinds {
		r.byKey[k] = map[objectKey]*record{}
	}
	return r
}

// edit changes the records under their lock; f reports whether views say something new.
func (r *records) edit(f func() bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !f() {
		return
	}
	select {
	case r.changed <- struct{}{}:
	default: // a token is there already
	}
}

// view returns everything as it stands.
func (r *records) view() View {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, byKey := range r.byKey {
		if r.sorted[k] != nil {
			continue
		}
		r.sorted[k] = make([]*record, 0, len(byKey))
		for _, rec := range byKey {
			r.sorted[k] = append(r.sorted[k], rec)
		}
		slices.SortFunc(r.sorted[k], func(a, b *record) int { return a.key.compare(b.key) })
	}
	return View{records: r.sorted, states: r.states}
}

// setState changes how a resource stands, and returns how it stood.
func (r *records) setState(k kind, change func(*state)) (before state) {
	r.edit(func() bool {
		before = r.states[k]
		change(&r.states[k])
		return r.states[k] != before
	})
	return before
}

// put keeps a record, or drops what was kept under its name, and reports whether views say something new.
func (r *records) put(k kind, rec *record) bool {
	if rec.content == nil {
		return r.drop(k, rec.key)
	}
	old, known := r.byKey[k][rec.key]
	if known && reflect.DeepEqual(old.content, rec.content) {
		return false
	}
	r.byKey[k][rec.key] = rec
	r.sorted[k] = nil
	return r.matters(k, rec) || known && r.matters(k, old)
}

func (r *records) drop(k kind, key objectKey) bool {
	old, known := r.byKey[k][key]
	if !known {
		return false
	}
	delete(r.byKey[k], key)
	r.sorted[k] = nil
	return r.matters(k, old)
}

// matters reports whether any view looks at the record: at an EndpointSlice only when its Service is one that is kept.
// Busy clusters change the others all the time.
func (r *records) matters(k kind, rec *record) bool {
	slice, ok := rec.content.(endpointSlice)
	if k != endpointSlices || !ok {
		return true
	}
	_, kept := r.byKey[services][objectKey{rec.key.namespace, slice.service}]
	return kept
}

// clear forgets all records of a resource that the API does not serve.
func (r *records) clear(k kind) {
	r.edit(func() bool {
		before := r.states[k]
		r.states[k] = state{answered: true, listed: true}
		if len(r.byKey[k]) == 0 {
			return r.states[k] != before
		}
		r.byKey[k], r.sorted[k] = map[objectKey]*record{}, nil
		return true
	})
}

// scope is the part of records that one reflector feeds. It implements cache.TransformingStore.
type scope struct {
	*records
	kind kind
}

// Transformer makes the reflector gather records, not whole objects, before it hands over an initial list.
func (s scope) Transformer() cache.TransformFunc {
	return func(obj any) (any, error) { return s.of(obj) }
}

// of returns the record of an object as the API gave it, or of a record as the reflector gathered it.
func (s scope) of(obj any) (*record, error) {
	switch o := obj.(type) {
	case *record:
		return o, nil
	case *unstructured.Unstructured:
		return convert(s.kind, o.Object), nil
	}
	return nil, fmt.Errorf("the watch on %s delivered a %T", resourceOf(s.kind).what, obj)
}

// convert makes the record of an object.
func convert(k kind, content map[string]any) *record {
	r := resourceOf(k)
	o := &object{what: r.what, content: content}
	return &record{key: o.key(), content: r.convert(o)}
}

// Add implements cache.ReflectorStore.
func (s scope) Add(obj any) error {
	rec, err := s.of(obj)
	if err != nil {
		return err
	}
	s.edit(func() bool { return s.put(s.kind, rec) })
	return nil
}

// Update implements cache.ReflectorStore.
func (s scope) Update(obj any) error { return s.Add(obj) }

// Delete implements cache.ReflectorStore.
func (s scope) Delete(obj any) error {
	rec, err := s.of(obj)
	if err != nil {
		return err
	}
	s.edit(func() bool { return s.drop(s.kind, rec.key) })
	return nil
}

// Replace puts a complete list in the place of all that is known of the kind.
func (s scope) Replace(list []any, _ string) error {
	fresh := make(map[objectKey]*record, len(list))
	for _, obj := range list {
		rec, err := s.of(obj)
		if err != nil {
			return err
		}
		fresh[rec.key] = rec
	}
	s.edit(func() bool {
		before := s.states[s.kind]
		s.states[s.kind].answered, s.states[s.kind].listed = true, true
		changed := s.states[s.kind] != before
		for key := range s.byKey[s.kind] {
			if _, stays := fresh[key]; !stays && s.drop(s.kind, key) {
				changed = true
			}
		}
		for _, rec := range fresh {
			if s.put(s.kind, rec) {
				changed = true
			}
		}
		return changed
	})
	return nil
}

// Resync implements cache.ReflectorStore. There is nothing to do: views show what is known.
func (scope) Resync() error { return nil }

// state returns how the kind stands with the API.
func (s scope) state() state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[s.kind]
}
