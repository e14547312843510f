package controllers

import (
	"context"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// campaign runs a Leader until the test or the returned function ends it.
func campaign(t *testing.T, config *rest.Config, namespace, instance string) (*Leader, func()) {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLeader(LeaderOptions{Client: client, Namespace: namespace, Name: "tugboot", Instance: instance, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Start(ctx) }()
	stop := func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	return l, stop
}

// One replica leads; when it stops, the other does, at once and not only when the lease runs out.
func TestOneLeaderAtATime(t *testing.T) {
	t.Parallel()
	ns := namespace(t, newClient(t, shared(t)), "leader")
	first, stopFirst := campaign(t, shared(t), ns, "first")
	eventually(t, func() string {
		if !first.Leading() {
			return "the only replica does not lead"
		}
		return ""
	})
	changes := make(chan struct{}, 16)
	first.OnChange(func() { changes <- struct{}{} })
	second, stopSecond := campaign(t, shared(t), ns, "second")
	time.Sleep(2 * retryPeriod)
	if second.Leading() {
		t.Fatal("two lead at once")
	}
	stopped := time.Now()
	stopFirst()
	if first.Leading() {
		t.Error("a stopped replica leads")
	}
	if len(changes) != 1 {
		t.Errorf("%d changes were told of, want 1", len(changes))
	}
	eventually(t, func() string {
		if !second.Leading() {
			return "nobody leads after the leader stopped"
		}
		return ""
	})
	if took := time.Since(stopped); took > leaseDuration {
		t.Errorf("the next leader waited %v for a lease that was given back", took)
	}
	stopSecond()
	if second.Leading() {
		t.Error("a stopped replica leads")
	}
}
