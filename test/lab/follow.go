package lab

import (
	"context"
	"maps"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// followAgain is the pause after a watch that ended or could not begin: the resource may come later, and APIs come and go.
const followAgain = 200 * time.Millisecond

// follow watches one object of a side until ctx ends, and calls see with each state of it that the API tells of.
func (s *Side) follow(ctx context.Context, resource schema.GroupVersionResource, name string, see func(watch.EventType, *unstructured.Unstructured)) {
	only := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", name).String()}
	for ctx.Err() == nil {
		// An error means that the API or the resource is not there, and is met by trying again.
		if stream, err := s.objects.Resource(resource).Namespace(KubernetesNamespace).Watch(ctx, only); err == nil {
			for event := range stream.ResultChan() {
				if object, ok := event.Object.(*unstructured.Unstructured); ok && event.Type != watch.Error {
					see(event.Type, object)
				}
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(followAgain):
		}
	}
}

// batonName is the ConfigMap that the two instances hand to each other.
const batonName = "tugboot-baton-" + ClusterName

// seeBaton notes what becomes of a side's baton.
func (c *Creation) seeBaton(s *Side) func(watch.EventType, *unstructured.Unstructured) {
	var last map[string]string
	return func(kind watch.EventType, object *unstructured.Unstructured) {
		now := time.Now()
		words, _, err := unstructured.NestedStringMap(object.Object, "data")
		if err != nil || kind != watch.Deleted && maps.Equal(words, last) {
			return // what is not text is for the instance to refuse
		}
		last = words
		switch {
		case kind == watch.Deleted:
			c.add(Moment{At: now, By: s.Role + " API", What: "the baton is gone, epoch " + words["epoch"]})
			last = nil
		case latched(words):
			s.latch(now)
			c.add(Moment{At: now, By: s.Role + " API", What: "the baton holds the latch, epoch " + words["epoch"], NextServer: words["advertised.address"]})
		default:
			what := "the baton, epoch " + words["epoch"]
			if evidence := words["handover"]; evidence != "" {
				what += ", keeps the evidence " + evidence
			}
			c.add(Moment{At: now, By: s.Role + " API", What: what, NextServer: words["advertised.address"]})
		}
	}
}

// latched reports whether a baton's data holds a latch.
func latched(words map[string]string) bool {
	for key, value := range words {
		if strings.HasPrefix(key, "latch.") && value != "" {
			return true
		}
	}
	return false
}

// seePhase notes the phases of a side's Takeover.
func (c *Creation) seePhase(s *Side) func(watch.EventType, *unstructured.Unstructured) {
	last := ""
	return func(_ watch.EventType, object *unstructured.Unstructured) {
		phase, found, err := unstructured.NestedString(object.Object, "status", "phase")
		if err != nil || !found || phase == last {
			return
		}
		last = phase
		c.note(s.Role+" API", "the Takeover is in phase %s", phase)
		s.enter(phase)
	}
}

// latch notes when the side's baton was first seen with the latch.
func (s *Side) latch(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.latchedAt.IsZero() {
		s.latchedAt = at
	}
}

// Latched returns when the side's API first showed a baton with the latch; zero while it has not.
func (s *Side) Latched() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latchedAt
}

func (s *Side) enter(phase string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase = phase
}

// Phase returns the phase of the side's Takeover as the API showed it last.
func (s *Side) Phase() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase
}
