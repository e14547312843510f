package agent

import (
	"context"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/dhcpservice"
)

// ConfigMaps is the API in which a DHCPService has its ConfigMaps. It needs the verb get on two names, and update on the
// report's; it lists and watches nothing.
type ConfigMaps struct {
	// Label names the API in the log.
	Label string
	// Connect makes a client. It is called before the first call, and again after each that failed, so that a kubeconfig
	// may appear or be replaced at any time.
	Connect func() (kubernetes.Interface, error)
	// Namespace and Name are the DHCPService's.
	Namespace, Name string
}

// API returns how the agent reads and writes them.
func (c ConfigMaps) API() API {
	l := &link{ConfigMaps: c}
	return API{Name: c.Label, Read: l.read, Write: l.write}
}

// link holds the client of an API while that works.
type link struct {
	ConfigMaps
	mu     sync.Mutex
	client kubernetes.Interface
}

// with calls f with a client, and forgets the client when that failed.
func (l *link) with(f func(kubernetes.Interface) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.client == nil {
		client, err := l.Connect()
		if err != nil {
			return err
		}
		l.client = client
	}
	err := f(l.client)
	if err != nil {
		l.client = nil
	}
	return err
}

func (l *link) read(ctx context.Context) (packed []byte, err error) {
	name := v1alpha1.RenderedPrefix + l.Name
	err = l.with(func(client kubernetes.Interface) error {
		object, err := client.CoreV1().ConfigMaps(l.Namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("ConfigMap %s/%s: %w", l.Namespace, name, err)
		}
		packed = object.BinaryData[dhcpservice.KeyOrder]
		return nil
	})
	return packed, err
}

func (l *link) write(ctx context.Context, report []byte) error {
	name := v1alpha1.RenderedPrefix + l.Name + v1alpha1.ReportSuffix
	missing := false
	err := l.with(func(client kubernetes.Interface) error {
		api := client.CoreV1().ConfigMaps(l.Namespace)
		object, err := api.Get(ctx, name, metav1.GetOptions{})
		if missing = apierrors.IsNotFound(err); missing {
			return nil
		}
		if err == nil {
			object.Data = map[string]string{dhcpservice.KeyReport: string(report)}
			_, err = api.Update(ctx, object, metav1.UpdateOptions{})
		}
		if err != nil {
			return fmt.Errorf("ConfigMap %s/%s was not written: %w", l.Namespace, name, err)
		}
		return nil
	})
	if missing {
		return fmt.Errorf("ConfigMap %s/%s: %w: the DHCPService's controller makes it", l.Namespace, name, ErrNoReport)
	}
	return err
}
