package controllers

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
)

// takeoverList holds the Takeovers of one namespace. It implements cache.ReflectorStore.
type takeoverList struct {
	watched *watched
	changed func()

	mu     sync.Mutex
	listed bool
	byName map[string]*v1alpha1.Takeover
}

func newTakeoverList(api client.WithWatch, namespace string, log logr.Logger, changed func()) *takeoverList {
	l := &takeoverList{changed: changed, byName: map[string]*v1alpha1.Takeover{}}
	l.watched = &watched{
		what: "Takeovers", example: &v1alpha1.Takeover{}, store: l, log: log,
		list: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list := &v1alpha1.TakeoverList{}
			return list, api.List(ctx, list, &client.ListOptions{Namespace: namespace, Raw: &options})
		},
		watch: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return api.Watch(ctx, &v1alpha1.TakeoverList{}, &client.ListOptions{Namespace: namespace, Raw: &options})
		},
		remedy: func(error) string {
			return "the API does not know Takeovers, or this account may not watch them: run `kubectl apply -f config/crd/bases/tugboot.dev_takeovers.yaml` and `kubectl apply -k config/rbac/takeover`"
		},
	}
	return l
}

// chosen returns the Takeover that counts, the oldest, and the others. Known is false before the API has told.
func (l *takeoverList) chosen() (first *v1alpha1.Takeover, others []*v1alpha1.Takeover, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.listed || len(l.byName) == 0 {
		return nil, nil, l.listed
	}
	var all []*v1alpha1.Takeover
	for _, t := range l.byName {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *v1alpha1.Takeover) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return all[0], all[1:], true
}

func (l *takeoverList) edit(f func()) {
	l.mu.Lock()
	f()
	l.mu.Unlock()
	l.changed()
}

// Add implements cache.ReflectorStore.
func (l *takeoverList) Add(obj any) error {
	t, ok := obj.(*v1alpha1.Takeover)
	if !ok {
		return fmt.Errorf("the watch on Takeovers delivered a %T", obj)
	}
	l.edit(func() { l.byName[t.Name] = t })
	return nil
}

// Update implements cache.ReflectorStore. A change of status alone, which is our own, starts no round.
func (l *takeoverList) Update(obj any) error {
	t, ok := obj.(*v1alpha1.Takeover)
	if !ok {
		return fmt.Errorf("the watch on Takeovers delivered a %T", obj)
	}
	l.mu.Lock()
	old := l.byName[t.Name]
	l.byName[t.Name] = t
	l.mu.Unlock()
	if old == nil || old.Generation != t.Generation || !maps.Equal(old.Annotations, t.Annotations) {
		l.changed()
	}
	return nil
}

// Delete implements cache.ReflectorStore.
func (l *takeoverList) Delete(obj any) error {
	t, ok := obj.(*v1alpha1.Takeover)
	if !ok {
		return fmt.Errorf("the watch on Takeovers delivered a %T", obj)
	}
	l.edit(func() { delete(l.byName, t.Name) })
	return nil
}

// Replace implements cache.ReflectorStore.
func (l *takeoverList) Replace(list []any, _ string) error {
	fresh := map[string]*v1alpha1.Takeover{}
	for _, obj := range list {
		t, ok := obj.(*v1alpha1.Takeover)
		if !ok {
			return fmt.Errorf("the list of Takeovers held a %T", obj)
		}
		fresh[t.Name] = t
	}
	l.edit(func() { l.listed, l.byName = true, fresh })
	return nil
}

// Resync implements cache.ReflectorStore. There is nothing to do.
func (*takeoverList) Resync() error { return nil }
