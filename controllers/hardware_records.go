package controllers

import (
	"fmt"
	"reflect"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	tugbootv1alpha1 "github.com/tugboot/tugboot/api/tugboot/v1alpha1"
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
	disabled     bool // Tugboot leaves the machine alone
	leaving      bool // Cluster API has moved the object and is about to delete it here
	reservations []*reservation.Reservation
	problems     []reservation.Problem
}

// GetObjectMeta lets the reflector key records by their names while it gathers the initial list.
func (r *record) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{Namespace: r.key.namespace, Name: r.key.name, UID: r.version.uid, ResourceVersion: r.version.resourceVersion}
}

// says reports whether both records say the same, whatever the versions: a change of status or labels alters nothing.
func (r *record) says(other *record) bool {
	return r.leaving == other.leaving && reflect.DeepEqual(r.reservations, other.reservations) && reflect.DeepEqual(r.problems, other.problems)
}

// records is the set of all records, fed by one reflector for each namespace watched.
type records struct {
	mu       sync.Mutex
	byKey    map[objectKey]*record // what the API has
	troubled map[objectKey]*record // of byKey: what has problems
	absent   absent                // what it has no more, and is served all the same
	pending  map[string]bool       // the scopes whose initial list is not complete
	dirty    bool
	taken    map[objectKey][]*reservation.Reservation // of what changed since the last take: what was served then
	heard    time.Time                                // when the API was heard of last

	unconfirmed map[objectKey]bool // of byKey: what was kept over a restart and the API has not said anything about
	restored    bool               // there was something kept
	released    bool               // it is served although not all initial lists are complete
	withdrawn   int                // of what was kept, how many were withdrawn because the API has them no more

	pool    *reservation.Pool
	changed chan struct{} // holds one token when there may be something to take
}

// newRecords returns an empty set that is complete once each of the scopes (namespaces, or "" for all) was listed.
func newRecords(scopes []string) *records {
	r := &records{
		byKey: map[objectKey]*record{}, troubled: map[objectKey]*record{}, pending: map[string]bool{}, unconfirmed: map[objectKey]bool{},
		taken: map[objectKey][]*reservation.Reservation{}, pool: reservation.NewPool(), changed: make(chan struct{}, 1),
	}
	r.absent = newAbsent(r.changes)
	for _, scope := range scopes {
		r.pending[scope] = true
	}
	return r
}

// state is the content of records at one moment, and how it differs from the one taken before.
type state struct {
	objects int
	// removed are claims that were served before and are no more, added those that are new: pointers tell them apart.
	removed, added []*reservation.Reservation
	problems       []reservation.Problem
	heard          time.Time
	// complete is false while some of it is what was kept over a restart.
	complete bool
	// moved and undecided count the objects that are not in the API and are served all the same, see absent; withdrawn
	// those that are not served any more because the API no longer had them after a restart.
	moved, undecided, withdrawn int
}

// take returns the content when it changed since the last call; never before all initial lists are complete, unless what
// was kept over a restart was released.
func (r *records) take() (state, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.dirty || len(r.pending) > 0 && !r.released {
		return state{}, false
	}
	r.dirty = false
	s := state{
		objects: len(r.byKey), heard: r.heard,
		complete: len(r.pending) == 0, moved: r.absent.moved, undecided: r.absent.undecided(), withdrawn: r.withdrawn,
	}
	for key, before := range r.taken {
		s.removed, s.added = append(s.removed, before...), append(s.added, r.serves(key)...)
	}
	clear(r.taken)
	for _, rec := range r.troubled {
		s.problems = append(s.problems, rec.problems...)
	}
	return s, true
}

// serves returns what is served of an object.
func (r *records) serves(key objectKey) []*reservation.Reservation {
	if rec, there := r.byKey[key]; there {
		return rec.reservations
	}
	if gone, there := r.absent.byKey[key]; there {
		return gone.record.reservations
	}
	return nil
}

// changes notes what is served of an object before that changes, with r.mu held.
func (r *records) changes(key objectKey) {
	if _, noted := r.taken[key]; !noted {
		r.taken[key] = r.serves(key)
	}
}

// lastHeard is when the API was heard of last.
func (r *records) lastHeard() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heard
}

// edit changes the set under its lock because the API said something; f reports whether the content changed.
func (r *records) edit(f func() bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = time.Now()
	if f() {
		r.touch()
	}
}

// touch notes that there is something to take, with r.mu held.
func (r *records) touch() {
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
		known := r.known(objectKey{o.Namespace, o.Name})
		if known != nil && known.version == (objectVersion{uid: o.UID, resourceVersion: o.ResourceVersion}) {
			return known, nil
		}
		rec := o.convert(known)
		for _, one := range rec.reservations {
			r.pool.Share(one)
		}
		return rec, nil
	}
	return nil, fmt.Errorf("the watch on Hardware delivered a %T", obj)
}

// known returns what the API said last of an object, nil when it said nothing.
func (r *records) known(key objectKey) *record {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rec, there := r.byKey[key]; there {
		return rec
	}
	return r.absent.byKey[key].record
}

// put keeps a record and reports whether it says something new.
func (r *records) put(rec *record) bool {
	old, known := r.byKey[rec.key]
	if known && old.says(rec) {
		same := *rec
		same.reservations = old.reservations // those that are served
		r.byKey[rec.key] = &same
		return false
	}
	r.changes(rec.key)
	r.absent.giveWay(rec)
	r.byKey[rec.key] = rec
	if delete(r.troubled, rec.key); len(rec.problems) > 0 {
		r.troubled[rec.key] = rec
	}
	return true
}

// remove takes away the record of an object that the API has no more, and reports whether there was one. One that was
// moved is served on: a machine half-way through a boot needs it.
func (r *records) remove(key objectKey, moved bool) bool {
	rec, known := r.byKey[key]
	if known {
		r.changes(key)
	}
	delete(r.byKey, key)
	delete(r.troubled, key)
	delete(r.unconfirmed, key)
	if known && (moved || rec.leaving) {
		r.absent.add(rec, true)
	}
	return known
}

// scope is the part of records that one reflector feeds: one namespace, or all of them. It implements
// cache.TransformingStore and cache.ReflectorBookmarkStore.
type scope struct {
	*records
	namespace string // empty for all
}

func (s scope) covers(key objectKey) bool { return s.namespace == "" || s.namespace == key.namespace }

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
	_, moved := o.Annotations[tugbootv1alpha1.DeleteForMove]
	s.edit(func() bool { return s.remove(objectKey{o.Namespace, o.Name}, moved) })
	return nil
}

// Replace puts a complete list in the place of all that is known of the scope. What is missing in it was deleted while
// nobody watched: it was moved if the last that was seen of it said so.
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
		s.confirm(fresh)
		for key := range s.byKey {
			if _, stays := fresh[key]; !stays && s.covers(key) {
				s.remove(key, false)
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
