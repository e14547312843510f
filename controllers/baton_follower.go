package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/takeover"
)

// BatonFollowerOptions are what a BatonFollower needs; all fields are required.
type BatonFollowerOptions struct {
	Client typedcorev1.ConfigMapsGetter
	// Namespace is that of the Takeover.
	Namespace string
	// Cluster returns the name of the cluster whose baton counts; while that is not known (""), the only baton does.
	Cluster func() string
	// Changed is called whenever State returns something new. It must not block.
	Changed func()
	Log     logr.Logger
}

// BatonFollower knows what the API says of the baton, on every replica: DHCP answers follow it. It also sees it being
// moved away, which no later look at the API can show.
type BatonFollower struct {
	options BatonFollowerOptions
	watched *watched

	mu     sync.Mutex
	listed bool
	byName map[string]*corev1.ConfigMap // the batons that are there
	moved  map[string]takeover.Baton    // those that left with the mark of a move, as they were last
	held   *takeover.Baton
}

// BatonState is what is known of the baton.
type BatonState struct {
	takeover.BatonSeen
	// Moved is true once the baton left with the mark of a move and none took its place; Left is that baton.
	Moved bool
	// Held is true while the baton is one that could not be stored.
	Held bool
	// Reachable is false while the API does not answer.
	Reachable bool
}

// NewBatonFollower returns a follower that does not contact the API yet.
func NewBatonFollower(o BatonFollowerOptions) (*BatonFollower, error) {
	if o.Client == nil || o.Namespace == "" || o.Cluster == nil || o.Changed == nil {
		return nil, errors.New("baton follower: Client, Namespace, Cluster and Changed are required")
	}
	f := &BatonFollower{options: o, byName: map[string]*corev1.ConfigMap{}, moved: map[string]takeover.Baton{}}
	api := o.Client.ConfigMaps(o.Namespace)
	f.watched = &watched{
		what: "ConfigMaps", example: &corev1.ConfigMap{}, store: batonScope{f}, log: o.Log,
		list: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return api.List(ctx, options)
		},
		watch: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return api.Watch(ctx, options)
		},
		remedy: func(error) string {
			return fmt.Sprintf("this account may not list and watch ConfigMaps in the namespace %s: apply config/rbac there and bind the role to it", o.Namespace)
		},
	}
	return f, nil
}

// NeedLeaderElection is false: every replica's answers follow the baton.
func (*BatonFollower) NeedLeaderElection() bool { return false }

// Start follows the API until ctx is done and returns nil.
func (f *BatonFollower) Start(ctx context.Context) error {
	f.watched.follow(ctx)
	return nil
}

// State returns what is known of the baton.
func (f *BatonFollower) State() BatonState {
	cluster := f.options.Cluster()
	f.mu.Lock()
	defer f.mu.Unlock()
	state := BatonState{Reachable: f.listed && !f.watched.failing()}
	state.Known = f.listed
	name, problem := f.which(cluster)
	if problem != nil {
		state.Problem = problem
		return state
	}
	last, moved := f.moved[name]
	object, present := f.byName[name]
	switch {
	case f.held != nil:
		state.Held = true
		state.BatonSeen = takeover.BatonSeen{Known: true, Present: true, Baton: *f.held}
	case present:
		state.BatonSeen = readBaton(object)
	case moved:
		state.Moved, state.Left = true, last
	}
	return state
}

// which returns the name of the ConfigMap that counts, with f.mu held.
func (f *BatonFollower) which(cluster string) (string, *takeover.Problem) {
	if cluster != "" {
		return v1alpha1.BatonPrefix + cluster, nil
	}
	var names []string
	for name := range f.byName {
		names = append(names, name)
	}
	if len(names) == 0 {
		for name := range f.moved {
			names = append(names, name)
		}
	}
	switch len(names) {
	case 0:
		return "", nil
	case 1:
		return names[0], nil
	}
	return "", &takeover.Problem{
		Reason: takeover.ReasonSeveralBatons, Object: "Namespace " + f.options.Namespace, Field: "ConfigMaps " + v1alpha1.BatonPrefix + "*",
		Value:  fmt.Sprint(len(names)),
		Remedy: "it is not known which cluster's baton counts: set clusterName in the Takeover, or delete the ConfigMaps of clusters that are gone", Conflict: true,
	}
}

// Hold keeps a baton that cannot be stored because the API is gone, maybe for good. It counts until the API shows one
// that is not older.
func (f *BatonFollower) Hold(b takeover.Baton) {
	f.mu.Lock()
	f.held = &b
	f.mu.Unlock()
	f.options.Changed()
}

// readBaton turns a ConfigMap into what the judge sees.
func readBaton(object *corev1.ConfigMap) takeover.BatonSeen {
	b, problem := takeover.ParseBaton(strings.TrimPrefix(object.Name, v1alpha1.BatonPrefix), object.Data)
	if problem != nil {
		problem.Object = "ConfigMap " + object.Namespace + "/" + object.Name
		return takeover.BatonSeen{Known: true, Present: true, Problem: problem}
	}
	return takeover.BatonSeen{Known: true, Present: true, Baton: b}
}

// batonScope is the store that the reflector feeds. It implements cache.ReflectorStore.
type batonScope struct{ *BatonFollower }

// Add implements cache.ReflectorStore.
func (s batonScope) Add(obj any) error {
	object, ok := obj.(*corev1.ConfigMap)
	if !ok {
		return fmt.Errorf("the watch on ConfigMaps delivered a %T", obj)
	}
	if strings.HasPrefix(object.Name, v1alpha1.BatonPrefix) {
		s.edit(func() { s.put(object) })
	}
	return nil
}

// Update implements cache.ReflectorStore.
func (s batonScope) Update(obj any) error { return s.Add(obj) }

// Delete implements cache.ReflectorStore.
func (s batonScope) Delete(obj any) error {
	object, ok := obj.(*corev1.ConfigMap)
	if !ok {
		return fmt.Errorf("the watch on ConfigMaps delivered a %T", obj)
	}
	if strings.HasPrefix(object.Name, v1alpha1.BatonPrefix) {
		s.edit(func() { s.remove(object) })
	}
	return nil
}

// Replace puts a complete list in the place of all that is known. What is missing in it left while nobody watched: with
// the mark of a move when that was the last that was seen of it.
func (s batonScope) Replace(list []any, _ string) error {
	fresh := map[string]*corev1.ConfigMap{}
	for _, obj := range list {
		object, ok := obj.(*corev1.ConfigMap)
		if !ok {
			return fmt.Errorf("the list of ConfigMaps held a %T", obj)
		}
		if strings.HasPrefix(object.Name, v1alpha1.BatonPrefix) {
			fresh[object.Name] = object
		}
	}
	s.edit(func() {
		for name, object := range s.byName {
			if fresh[name] == nil {
				s.remove(object)
			}
		}
		for _, object := range fresh {
			s.put(object)
		}
		s.listed = true
	})
	return nil
}

// Resync implements cache.ReflectorStore. There is nothing to do.
func (batonScope) Resync() error { return nil }

func (s batonScope) edit(f func()) {
	s.mu.Lock()
	f()
	s.mu.Unlock()
	s.options.Changed()
}

func (s batonScope) put(object *corev1.ConfigMap) {
	s.byName[object.Name] = object
	delete(s.moved, object.Name)
	if seen := readBaton(object); s.held != nil && seen.Problem == nil && !seen.Baton.Fence.Less(s.held.Fence) {
		s.held = nil
	}
}

func (s batonScope) remove(object *corev1.ConfigMap) {
	delete(s.byName, object.Name)
	seen := readBaton(object)
	if _, move := object.Annotations[v1alpha1.DeleteForMove]; move && seen.Problem == nil {
		s.moved[object.Name] = seen.Baton
		s.options.Log.Info("the baton was moved away: the cluster's objects go to the management cluster", "baton", object.Namespace+"/"+object.Name)
	}
}
