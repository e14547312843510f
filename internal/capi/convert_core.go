package capi

import (
	"net/netip"
	"slices"
	"time"
)

// namespace is what is kept of the Namespace kube-system, which is as old as its cluster.
type namespace struct {
	uid  string
	born int64
}

func toNamespace(o *object) any {
	if o.key().name != "kube-system" {
		return nil
	}
	n := namespace{}
	n.uid, _ = o.text("metadata", "uid")
	created, _ := o.text("metadata", "creationTimestamp")
	if at, err := time.Parse(time.RFC3339, created); err == nil {
		n.born = at.Unix()
	}
	return n
}

// node is what is kept of a Node.
type node struct{ uid, providerID string }

func toNode(o *object) any {
	n := node{}
	n.uid, _ = o.text("metadata", "uid")
	n.providerID, _ = o.text("spec", "providerID")
	return n
}

// service is what is kept of a Service of type LoadBalancer: the addresses that it has. Of the others nothing is kept.
type service struct{ ingress []netip.Addr }

func toService(o *object) any {
	if t, _ := o.text("spec", "type"); t != "LoadBalancer" {
		return nil
	}
	s := service{}
	for _, i := range o.list("status", "loadBalancer", "ingress") {
		entry := object{content: fields(i)}
		text, _ := entry.text("ip")
		if addr, err := netip.ParseAddr(text); err == nil {
			s.ingress = append(s.ingress, addr)
		}
	}
	return s
}

// endpointSlice is what is kept of an EndpointSlice: the endpoints that are ready. One endpoint may be in several slices.
type endpointSlice struct {
	service string
	ready   []string
}

func toEndpointSlice(o *object) any {
	s := endpointSlice{}
	s.service, _ = o.text("metadata", "labels", "kubernetes.io/service-name")
	if s.service == "" {
		return nil
	}
	for _, e := range o.list("endpoints") {
		endpoint := object{content: fields(e)}
		if isReady(endpoint) {
			s.ready = append(s.ready, identify(endpoint))
		}
	}
	slices.Sort(s.ready)
	s.ready = slices.Compact(s.ready)
	return s
}

// isReady heeds that an endpoint of which it is not known counts as ready.
func isReady(endpoint object) bool {
	conditions := object{content: fields(endpoint.content["conditions"])}
	ready, isBool := conditions.content["ready"].(bool)
	return ready || !isBool && conditions.content["ready"] == nil
}

// identify names an endpoint: by the UID of its Pod, which has an endpoint for each family of addresses, else by address.
func identify(endpoint object) string {
	if uid, _ := endpoint.text("targetRef", "uid"); uid != "" {
		return uid
	}
	if addresses := endpoint.list("addresses"); len(addresses) > 0 {
		first := object{content: map[string]any{"address": addresses[0]}}
		text, _ := first.text("address")
		return text
	}
	return ""
}

// fields returns the fields of an object within an object.
func fields(v any) map[string]any {
	m, isObject := v.(map[string]any)
	if !isObject {
		return nil
	}
	return m
}
