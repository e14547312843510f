package controllers

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
)

// dhcpServiceList holds the DHCPServices of one namespace. It implements cache.ReflectorStore.
type dhcpServiceList struct {
	watched *watched
	changed func()

	mu     sync.Mutex
	listed bool
	byUID  map[types.UID]*v1alpha1.DHCPService
}

func newDHCPServiceList(api client.WithWatch, namespace string, log logr.Logger, changed func()) *dhcpServiceList {
	l := &dhcpServiceList{changed: changed, byUID: map[types.UID]*v1alpha1.DHCPService{}}
	l.watched = &watched{
		what: "DHCPServices", example: &v1alpha1.DHCPService{}, store: l, log: log,
		list: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list := &v1alpha1.DHCPServiceList{}
			return list, api.List(ctx, list, &client.ListOptions{Namespace: namespace, Raw: &options})
		},
		watch: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return api.Watch(ctx, &v1alpha1.DHCPServiceList{}, &client.ListOptions{Namespace: namespace, Raw: &options})
		},
		remedy: func(error) string {
			return "the API does not know DHCPServices, or this account may not watch them: run `kubectl apply -f config/crd/bases/tugboot.dev_dhcpservices.yaml` and `kubectl apply -k config/rbac/dhcpservice`"
		},
	}
	return l
}

// all returns the objects by their UID. Known is false before the API has told.
func (l *dhcpServiceList) all() (objects map[types.UID]*v1alpha1.DHCPService, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.byUID), l.listed
}

func (l *dhcpServiceList) edit(f func()) {
	l.mu.Lock()
	f()
	l.mu.Unlock()
	l.changed()
}

func dhcpServiceIn(obj any) (*v1alpha1.DHCPService, error) {
	s, ok := obj.(*v1alpha1.DHCPService)
	if !ok {
		return nil, fmt.Errorf("the watch on DHCPServices delivered a %T", obj)
	}
	return s, nil
}

// Add implements cache.ReflectorStore.
func (l *dhcpServiceList) Add(obj any) error {
	s, err := dhcpServiceIn(obj)
	if err == nil {
		l.edit(func() { l.byUID[s.UID] = s })
	}
	return err
}

// Update implements cache.ReflectorStore. A change of status alone, which is our own, wakes nobody.
func (l *dhcpServiceList) Update(obj any) error {
	s, err := dhcpServiceIn(obj)
	if err != nil {
		return err
	}
	l.mu.Lock()
	old := l.byUID[s.UID]
	l.byUID[s.UID] = s
	l.mu.Unlock()
	if old == nil || old.Generation != s.Generation || !maps.Equal(old.Annotations, s.Annotations) {
		l.changed()
	}
	return nil
}

// Delete implements cache.ReflectorStore.
func (l *dhcpServiceList) Delete(obj any) error {
	s, err := dhcpServiceIn(obj)
	if err == nil {
		l.edit(func() { delete(l.byUID, s.UID) })
	}
	return err
}

// Replace implements cache.ReflectorStore.
func (l *dhcpServiceList) Replace(list []any, _ string) error {
	fresh := map[types.UID]*v1alpha1.DHCPService{}
	for _, obj := range list {
		s, err := dhcpServiceIn(obj)
		if err != nil {
			return err
		}
		fresh[s.UID] = s
	}
	l.edit(func() { l.listed, l.byUID = true, fresh })
	return nil
}

// Resync implements cache.ReflectorStore. There is nothing to do.
func (*dhcpServiceList) Resync() error { return nil }
