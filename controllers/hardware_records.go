package controllers

import (
	"fmt"
	"reflect"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/tugboot/tugboot/internal/reservation"
)

type objectKey struct{ namespace, name string }

// objectVersion tells one state of an object from any other.
type objectVersion struct {
	uid             types.UID
	resourceVersion string
}

// record is what is kept of one Hardware. It is immutable.
type record struct {
	key          objectKey
	version      objectVersion
	reservations []*reservation.Reservation
	problems     []reservation.Problem
}

// GetObjectMeta lets the reflector key records by their names while it gathers the initial list.
func (r *record) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{Namespace: r.key.namespace, Name: r.key.name, UID: r.version.uid, ResourceVersion: r.version.resourceVersion}
}

// says reports whether both records say the same, whatever the versions: a change of status or labels alters nothing.
func (r *record) says(other *record) bool {
	return reflect.DeepEqual(r.reservations, other.reservations) && reflect.DeepEqual(r.problems, other.problems)
}

// records is the set of all records, fed by one reflector for each namespace watched.
type records struct {
	mu      sync.Mutex
	byKey   map[objectKey]*record
	pending map[string]bool // the scopes whose initial list is not complete
	dirty   bool
	heard   time.Time // when the API was heard of last

	changed chan struct{} // holds one token when there may be something to take
}

// newRecords returns an empty set that is complete once each of the scopes (namespaces, or "" for all) was listed.
func newRecords(scopes []string) *records {
	r := &records{byKey: map[objectKey]*record{}, pending: map[string]bool{}, changed: make(chan struct{}, 1)}
	for _, scope := range scopes {
		r.pending[scope] = true
	}
	return r
}

// state is the content of records at one moment.
type state struct {
	objects  int
	claims   []*reservation.Reservation
	problems []reservation.Problem
	heard    time.Time
}

// take returns the content when it changed since the last call; never before all initial lists are complete.
func (r *records) take() (state, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.dirty || len(r.pending) > 0 {
		return state{}, false
	}
	r.dirty = false
	s := state{objects: len(r.byKey), claims: make([]*reservation.Reservation, 0, len(r.byKey)), heard: r.heard}
	for _, rec := range r.byKey {
		s.claims = append(s.claims, rec.reservations...)
		s.problems = append(s.problems, rec.problems...)
	}
	return s, true
}

// lastHeard is when the API was heard of last.
func (r *records) lastHeard() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heard
}

// edit changes the set under its lock; f reports whether the content changed.
func (r *records) edit(f func() bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = time.Now()
	if !f() {
		return
	}
	r.dirty = true
	select {
	case r.changed <- struct{}{}:
	default: // a token is there already
	}
}

// of returns the record of an object as the API gave it, or of a record as the reflector gathered it. An object that was
// converted before is not converted again.
func (r *records) of(obj any) (*record, error) {
	switch o := obj.(type) {
	case *record:
		return o, nil
	case *rawHardware:
		r.mu.Lock()
		known, ok := r.byKey[objectKey{o.Namespace, o.Name}]
		r.mu.Unlock()
		if ok && known.version == (objectVersion{uid: o.UID, resourceVersion: o.ResourceVersion}) {
			return known, nil
		}
		return o.convert(), nil
	}
	return nil, fmt.Errorf("the watch on Hardware delivered a %T", obj)
}

// put keeps a record and reports whether it says something new.
func (r *records) put(rec *record) bool {
	old, known := r.byKey[rec.key]
	r.byKey[rec.key] = rec
	return !known || !old.says(rec)
}

// scope is the part of records that one reflector feeds: one namespace, or all of them. It implements
// cache.TransformingStore and cache.ReflectorBookmarkStore.
type scope struct {
	*records
	namespace string // empty for all
}

// Transformer makes the reflector gather records, not whole objects, before it hands over an initial list.
func (s scope) Transformer() cache.TransformFunc {
	return func(obj any) (any, error) { return s.of(obj) }
}

// Add implements cache.ReflectorStore.
func (s scope) Add(obj any) error {
	rec, err := s.of(obj)
	if err != nil {
		return err
	}
	s.edit(func() bool { return s.put(rec) })
	return nil
}

// Update implements cache.ReflectorStore.
func (s scope) Update(obj any) error { return s.Add(obj) }

// Delete implements cache.ReflectorStore.
func (s scope) Delete(obj any) error {
	o, ok := obj.(*rawHardware)
	if !ok {
		return fmt.Errorf("the watch on Hardware delivered a %T", obj)
	}
	s.edit(func() bool {
		_, known := s.byKey[objectKey{o.Namespace, o.Name}]
		delete(s.byKey, objectKey{o.Namespace, o.Name})
		return known
	})
	return nil
}

// Replace puts a complete list in the place of all that is known of the scope.
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
		changed := s.pending[s.namespace]
		delete(s.pending, s.namespace)
		for key := range s.byKey {
			if _, stays := fresh[key]; !stays && (s.namespace == "" || s.namespace == key.namespace) {
				delete(s.byKey, key)
				changed = true
			}
		}
		for _, rec := range fresh {
			if s.put(rec) {
				changed = true
			}
		}
		return changed
	})
	return nil
}

// Bookmark notes that the API is there and has nothing new.
func (s scope) Bookmark(string) error {
	s.edit(func() bool { return false })
	return nil
}

// Resync implements cache.ReflectorStore. There is nothing to do: what was published is what is known.
func (scope) Resync() error { return nil }
