package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/dhcpservice"
)

// target is how a service is read and written: by us, by an agent beside it, or by a person.
type target interface {
	// look says how the service stands to the order; it changes nothing.
	look(ctx context.Context, order dhcpservice.Order, digest string) dhcpservice.Report
	// apply makes the service say the order, and tells how far that came; seen is what look returned.
	apply(ctx context.Context, order dhcpservice.Order, digest string, seen dhcpservice.Report) dhcpservice.Report
}

// stageWaiting is the stage of an order that waits for an agent or a person.
const stageWaiting = "Waiting"

// direct writes over the service's own control channel.
type direct struct {
	worker *dhcpServiceWorker
	driver dhcpservice.Driver
	verify dhcpservice.Verify
}

func (t direct) look(ctx context.Context, order dhcpservice.Order, digest string) dhcpservice.Report {
	standing, err := t.driver.Read(ctx, order.Want)
	if err != nil {
		err = &dhcpservice.Failure{Stage: dhcpservice.StageRead, Err: err}
		return dhcpservice.NewReport(digest, standing, standing, err, false, "", time.Now())
	}
	ask := t.verify
	if standing.Word != order.Want.Word || standing.Drifts > 0 || order.Plan || t.worker.verified == digest {
		ask = nil // there is nothing to be seen to be right, or it was seen
	}
	if ask != nil { // written before a restart, or verified in vain
		if err = ask(ctx, order.Want); err != nil && t.renewed(ctx) {
			err = ask(ctx, order.Want)
		}
		if err != nil {
			err = &dhcpservice.Failure{Stage: dhcpservice.StageVerify, Err: err}
		} else {
			t.worker.verified, t.worker.good = digest, order.Want
		}
	}
	return dhcpservice.NewReport(digest, standing, standing, err, t.worker.verified == digest, t.version(ctx), time.Now())
}

func (t direct) apply(ctx context.Context, order dhcpservice.Order, digest string, _ dhcpservice.Report) dhcpservice.Report {
	t.worker.verified = ""
	standing, err := dhcpservice.ApplyOver(ctx, t.driver, t.worker.good, order.Want, t.verify)
	if err == nil && t.verify != nil {
		t.worker.verified, t.worker.good = digest, order.Want
	}
	return dhcpservice.NewReport(digest, dhcpservice.Standing{}, standing, err, t.verify != nil, t.version(ctx), time.Now())
}

// renewed has the service take up once more what stands in it, which is right while the answers are not: it may be deaf. It
// reports whether that was done, which is seldom: the service may pause for it.
func (t direct) renewed(ctx context.Context) bool {
	r, can := t.driver.(dhcpservice.Renewer)
	if !can || time.Since(t.worker.renewed) < t.worker.c.options.Times.RetryMost {
		return false
	}
	t.worker.renewed = time.Now()
	err := r.Renew(ctx)
	t.worker.c.options.Log.Info("the DHCP service says what it should and does not answer so: it was made to take that up again",
		"dhcpservice", t.worker.namespace+"/"+t.worker.name, "error", fmt.Sprint(err))
	return err == nil
}

// version is what the service says of itself, where its driver asks.
func (t direct) version(ctx context.Context) string {
	v, asks := t.driver.(interface {
		Version(ctx context.Context) (string, error)
	})
	if !asks {
		return ""
	}
	text, err := v.Version(ctx)
	if err != nil {
		return "" // the status shows what else failed
	}
	return text
}

// byAgent leaves the work to `tugboot agent`, which reads the order from the ConfigMap and reports into another.
type byAgent struct{ worker *dhcpServiceWorker }

// silentAfter is how old a report may be: agents report every five minutes at least.
const silentAfter = 12 * time.Minute

func (t byAgent) look(ctx context.Context, order dhcpservice.Order, digest string) dhcpservice.Report {
	name := v1alpha1.RenderedPrefix + t.worker.name + v1alpha1.ReportSuffix
	waiting := func(message string) dhcpservice.Report {
		return dhcpservice.Report{Digest: digest, Stage: stageWaiting, Error: message}
	}
	object, err := t.worker.c.core.CoreV1().ConfigMaps(t.worker.namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && object.Data[dhcpservice.KeyReport] == "" {
		return waiting(fmt.Sprintf("no agent has reported into ConfigMap %s/%s: install `tugboot agent` beside the DHCP service, or look at its log", t.worker.namespace, name))
	}
	if err != nil {
		return dhcpservice.Report{Digest: digest, Stage: dhcpservice.StageRead.String(), Error: err.Error()}
	}
	var r dhcpservice.Report
	if err := json.Unmarshal([]byte(object.Data[dhcpservice.KeyReport]), &r); err != nil {
		return waiting(fmt.Sprintf("ConfigMap %s/%s: %s cannot be read: %v: delete it, and the agent writes it again", t.worker.namespace, name, dhcpservice.KeyReport, err))
	}
	switch age := time.Since(r.At).Round(time.Second); {
	case age > silentAfter:
		r.Stage, r.Error = stageWaiting, fmt.Sprintf("the agent is silent for %s: look at its log, and at the network between it and the API", age)
		r.Verified = false
	case r.Digest != digest:
		r.Drift, r.Drifts, r.Verified = nil, 0, false // of another order
		r.Stage, r.Error = stageWaiting, "the agent has not reported on the last change yet"
	case !order.Plan && r.Stage == dhcpservice.StageDone.String():
		t.worker.repaired(r)
		r.Drift, r.Drifts = nil, 0 // it was put right
	}
	return r
}

func (t byAgent) apply(ctx context.Context, order dhcpservice.Order, digest string, seen dhcpservice.Report) dhcpservice.Report {
	ctx, cancel := context.WithTimeout(ctx, t.worker.c.options.Times.Agent)
	defer cancel()
	last := seen
	for last.Digest != digest || last.Stage == stageWaiting {
		select {
		case <-ctx.Done():
			return last
		case <-time.After(t.worker.c.options.Times.Agent / 25):
		}
		if seen := t.look(ctx, order, digest); ctx.Err() == nil {
			last = seen
		}
	}
	return last
}

// byHand leaves the work to a person, who runs the script; what machines are answered shows whether they did.
type byHand struct {
	worker *dhcpServiceWorker
	verify dhcpservice.Verify
}

func (t byHand) look(ctx context.Context, order dhcpservice.Order, digest string) dhcpservice.Report {
	r := dhcpservice.Report{Digest: digest, At: time.Now().UTC()}
	run := fmt.Sprintf("run the script of ConfigMap %s/%s on the DHCP server", t.worker.namespace, v1alpha1.RenderedPrefix+t.worker.name)
	if t.verify == nil {
		r.Stage, r.Error = stageWaiting, run+"; with verify.mode Off it cannot be seen whether that was done"
		return r
	}
	if err := t.verify(ctx, order.Want); err != nil {
		r.Stage, r.Error = stageWaiting, run+": "+err.Error()
		return r
	}
	r.Stage, r.Word, r.Reservations, r.Verified = dhcpservice.StageDone.String(), &order.Want.Word, order.Want.Reservations(), true
	return r
}

func (byHand) apply(_ context.Context, _ dhcpservice.Order, _ string, seen dhcpservice.Report) dhcpservice.Report {
	return seen
}
