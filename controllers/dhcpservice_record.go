package controllers

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/events"
)

// orderRecord is what was ordered last, as it stands in the ConfigMap: an agent reads it, and after a restart it tells which
// reservations were there.
type orderRecord struct {
	digest string
	order  dhcpservice.Order
}

// recall reads the ConfigMap once. One that cannot be read is not written over: reservations would go without a grace.
func (w *dhcpServiceWorker) recall(ctx context.Context, object *v1alpha1.DHCPService) error {
	if w.recorded != nil {
		return nil
	}
	name := v1alpha1.RenderedPrefix + object.Name
	stands, err := w.c.core.CoreV1().ConfigMaps(object.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		w.recorded = &orderRecord{}
		return nil
	}
	if err != nil {
		return fmt.Errorf("ConfigMap %s/%s: %w", object.Namespace, name, err)
	}
	packed := stands.BinaryData[dhcpservice.KeyOrder]
	order, err := dhcpservice.Unpack(packed)
	if err != nil {
		return fmt.Errorf("ConfigMap %s/%s: binaryData %s: %w: it was written by another program: delete it, and reservations of deleted Hardware are withdrawn at once",
			object.Namespace, name, dhcpservice.KeyOrder, err)
	}
	w.recorded = &orderRecord{digest: dhcpservice.Digest(packed), order: order}
	return nil
}

// record puts the order into the ConfigMap when it is another, and has the one for the report there.
func (w *dhcpServiceWorker) record(ctx context.Context, object *v1alpha1.DHCPService, o *outcome) error {
	if w.recorded != nil && w.recorded.digest == o.digest {
		return nil
	}
	data, binary, err := documents(o)
	if err != nil {
		return err
	}
	agent := object.Spec.Type == v1alpha1.DHCPServiceDnsmasq || object.Spec.Type == v1alpha1.DHCPServiceISC
	if agent {
		if err := w.put(ctx, object, v1alpha1.RenderedPrefix+object.Name+v1alpha1.ReportSuffix, nil, nil); err != nil {
			return err
		}
	}
	if err := w.put(ctx, object, v1alpha1.RenderedPrefix+object.Name, data, binary); err != nil {
		w.recorded = nil // what stands there is read again
		return err
	}
	w.recorded = &orderRecord{digest: o.digest, order: o.order}
	w.applied = ""
	return nil
}

// documents are the keys of the ConfigMap: the order, the word for people, and for Microsoft the script.
func documents(o *outcome) (data map[string]string, binary map[string][]byte, err error) {
	word, err := json.Marshal(o.order.Want.Word)
	if err != nil {
		return nil, nil, err
	}
	data = map[string]string{dhcpservice.KeyWord: string(word)}
	binary = map[string][]byte{dhcpservice.KeyOrder: o.packed}
	if o.order.Type != string(v1alpha1.DHCPServiceMicrosoft) {
		return data, binary, nil
	}
	for _, file := range o.output.Live {
		if len(file.Text)+len(o.packed) <= dhcpservice.MaxPacked {
			data[file.Name] = file.Text
			continue
		}
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, err := w.Write([]byte(file.Text))
		if err = errors.Join(err, w.Close()); err != nil {
			return nil, nil, fmt.Errorf("compress %s: %w", file.Name, err)
		}
		if packed.Len()+len(o.packed) > dhcpservice.MaxPacked {
			return nil, nil, fmt.Errorf("%s: %w: divide spec.subnets between several DHCPServices", file.Name, dhcpservice.ErrTooLarge)
		}
		binary[file.Name+".gz"] = packed.Bytes()
	}
	return data, binary, nil
}

// put creates or updates a ConfigMap that belongs to the object; without data it is only created.
func (w *dhcpServiceWorker) put(ctx context.Context, object *v1alpha1.DHCPService, name string, data map[string]string, binary map[string][]byte) error {
	api := w.c.core.CoreV1().ConfigMaps(object.Namespace)
	stands, err := api.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		owned := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: object.Namespace, Name: name, Labels: map[string]string{"app.kubernetes.io/managed-by": "tugboot"},
				OwnerReferences: []metav1.OwnerReference{{
					APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.DHCPServiceKind, Name: object.Name, UID: object.UID,
				}},
			},
			Data: data, BinaryData: binary,
		}
		_, err = api.Create(ctx, owned, metav1.CreateOptions{})
	} else if err == nil && binary != nil {
		if len(stands.OwnerReferences) > 0 && stands.OwnerReferences[0].UID != object.UID {
			return fmt.Errorf("ConfigMap %s/%s belongs to an object that is gone: it is deleted soon, and made again then", object.Namespace, name)
		}
		stands.Data, stands.BinaryData = maps.Clone(data), binary
		_, err = api.Update(ctx, stands, metav1.UpdateOptions{}) // refused when somebody wrote since the Get
	}
	if err != nil {
		return fmt.Errorf("ConfigMap %s/%s was not written: %w", object.Namespace, name, err)
	}
	return nil
}

func (w *dhcpServiceWorker) say(object *v1alpha1.DHCPService, kind, reason, message, occurrence string) {
	w.c.options.Log.Info("DHCP service", "dhcpservice", w.namespace+"/"+w.name, "reason", reason, "message", message)
	w.c.options.Announce(events.Notice{
		Object: corev1.ObjectReference{
			APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.DHCPServiceKind, Namespace: object.Namespace, Name: object.Name, UID: object.UID,
		},
		Type: kind, Reason: reason, Message: message, Occurrence: occurrence,
	})
}
