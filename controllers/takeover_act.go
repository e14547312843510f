package controllers

import (
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/events"
	"github.com/tugboot/tugboot/internal/takeover"
)

// write tells the existing DHCP services that the step names, and reports whether any of them took it.
func (c *TakeoverController) write(ctx context.Context, t *v1alpha1.Takeover, step takeover.Step) bool {
	failed := applyServices(ctx, c.options.Services(), step)
	for _, name := range step.Write {
		err := failed[name]
		c.outcome(t, name, err, "the DHCP service was not changed; it is tried again",
			fmt.Sprintf("DHCP service %s was not told to send machines to %s: %v", name, step.Advertise.Addr, err))
		if err == nil {
			c.options.Log.Info("an existing DHCP service sends machines to another next-server now", "service", name,
				"nextServer", step.Advertise.Addr.String(), "epoch", step.Mark.Fence.Epoch)
		}
	}
	return len(failed) < len(step.Write)
}

// store writes the baton, provided that what is stored is still what the step was judged from, and reports whether it
// is in force. An instance that is on its own keeps it for its own answers.
func (c *TakeoverController) store(ctx context.Context, t *v1alpha1.Takeover, seen BatonState, b takeover.Baton, alone bool) bool {
	if alone {
		c.options.Log.Info("the API that held the baton is gone; this instance goes on by itself", "advertises", b.Advertised.Addr.String())
		c.options.Baton.Hold(b)
		return true
	}
	err := c.put(ctx, t.Namespace, seen, b)
	c.outcome(t, "baton", err, "the baton was not stored; it is tried again",
		fmt.Sprintf("ConfigMap %s/%s was not written: %v", t.Namespace, v1alpha1.BatonPrefix+b.Cluster, err))
	if err != nil {
		return false
	}
	c.options.Log.Info("the baton is stored", "cluster", b.Cluster, "advertises", b.Advertised.Addr.String(), "scriptURL", b.Advertised.ScriptURL(),
		"epoch", b.Fence.Epoch, "latched", b.Latch.Set(), "handover", b.Handover)
	return true
}

// put creates or updates the ConfigMap. What stands there must be what was seen; else somebody wrote in between, and the
// next round judges anew.
func (c *TakeoverController) put(ctx context.Context, namespace string, seen BatonState, b takeover.Baton) error {
	api := c.core.CoreV1().ConfigMaps(namespace)
	name := v1alpha1.BatonPrefix + b.Cluster
	now, err := api.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		if seen.Present && !seen.Held {
			return fmt.Errorf("it was there a moment ago and is gone: judging anew")
		}
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		fill(object, b)
		_, err = api.Create(ctx, object, metav1.CreateOptions{})
		return err
	}
	if err != nil {
		return err
	}
	stands := readBaton(now)
	if stands.Problem != nil || !seen.Held && (!seen.Present || !stands.Baton.Equal(seen.Baton)) || b.Fence.Less(stands.Baton.Fence) {
		return fmt.Errorf("it was changed a moment ago: judging anew")
	}
	fill(now, b)
	_, err = api.Update(ctx, now, metav1.UpdateOptions{}) // refused when somebody wrote since the Get
	return err
}

// fill writes the baton into the object. One that keeps what a bootstrap instance saw stays where it is; all others move
// with the cluster.
func fill(object *corev1.ConfigMap, b takeover.Baton) {
	labels := maps.Clone(object.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels["app.kubernetes.io/managed-by"] = "tugboot"
	labels[v1alpha1.MoveLabel] = "true"
	if b.Handover != "" {
		delete(labels, v1alpha1.MoveLabel)
	}
	object.Labels, object.Data = labels, b.Data()
}

// outcome logs a failed write once for each way of failing, and puts it on the Takeover as an Event.
func (c *TakeoverController) outcome(t *v1alpha1.Takeover, what string, err error, words, message string) {
	if err == nil {
		delete(c.refused, what)
		return
	}
	c.metrics.failures.WithLabelValues(what).Inc()
	if c.refused[what] == err.Error() {
		return
	}
	c.refused[what] = err.Error()
	c.options.Log.Error(err, words, "what", what)
	if message == "" {
		return
	}
	c.options.Announce(events.Notice{
		Object: referenceTo(t), Type: corev1.EventTypeWarning, Reason: reasonWriteFailed, Message: message, Occurrence: t.ResourceVersion,
	})
}

// reasonWriteFailed is the reason of an Event about something that could not be written.
const reasonWriteFailed = "WriteFailed"

func referenceTo(t *v1alpha1.Takeover) corev1.ObjectReference {
	return corev1.ObjectReference{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.TakeoverKind, Namespace: t.Namespace, Name: t.Name, UID: t.UID,
	}
}
