package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// The reasons of a DHCPService that cannot be worked on.
const (
	reasonNotTheWriter = "NotTheWriter"
	reasonNotListed    = "HardwareNotListed"
	reasonNotRendered  = "NotRendered"
	reasonNotRecorded  = "NotRecorded"
	reasonSecret       = "SecretUnusable"
)

// outcome is how one attempt went.
type outcome struct {
	// refused is why nothing was asked of the service: a reason and a sentence; empty when it was.
	refused, message string
	order            dhcpservice.Order
	digest           string
	packed           []byte
	output           render.Output
	problems         []reservation.Problem
	withdrawal       dhcpservice.Withdrawal
	target           target
	// report is what became of the service; changed is how it stood before it was written, drifted how it differed from what
	// was written there before. wrote says that it was written.
	report, changed, drifted dhcpservice.Report
	wrote                    bool
}

func (o *outcome) refuse(reason, message string) { o.refused, o.message = reason, message }

// err is what is wrong, nil when the service is in step or waits for a person.
func (o *outcome) err() error {
	switch {
	case o.refused != "":
		return errors.New(o.message)
	case o.report.Error != "":
		return errors.New(o.report.Error)
	}
	return nil
}

// prepare finds out what the service is to say under word and how it is reached. It asks nothing of the service.
func (w *dhcpServiceWorker) prepare(ctx context.Context, object *v1alpha1.DHCPService, word render.Word) outcome {
	var o outcome
	snapshot, listed := w.c.options.Snapshot()
	if !listed {
		o.refuse(reasonNotListed, "Hardware was not listed yet: look at the log, which says why the API cannot be watched")
		return o
	}
	subnets, ask, err := settingsOf(object)
	if err != nil {
		o.refuse(reasonNotRendered, err.Error())
		return o
	}
	if err := w.recall(ctx, object); err != nil {
		o.refuse(reasonNotRecorded, err.Error())
		return o
	}
	fresh, _, problems := render.Want(word, snapshot.All(), subnets)
	var before render.Wanted
	if w.recorded != nil {
		before = w.recorded.order.Want
	}
	allowed, err := allowedBy(object)
	if err != nil {
		o.refuse(reasonNotRendered, err.Error())
		return o
	}
	o.withdrawal = dhcpservice.Withdraw(fresh, before, w.leaving, time.Now(), allowed)
	w.leaving = o.withdrawal.Leaving
	o.order = dhcpservice.Order{
		Type: string(object.Spec.Type), Plan: object.Spec.Policy == v1alpha1.DHCPServicePlan, Want: o.withdrawal.Want, Ask: ask,
	}
	if o.output, err = w.c.options.Render(object.Spec.Type, o.order.Want); err != nil {
		o.refuse(reasonNotRendered, err.Error())
		return o
	}
	o.problems = slices.Concat(problems, o.output.Problems)
	if o.packed, err = o.order.Pack(); err != nil {
		o.refuse(reasonNotRendered, err.Error())
		return o
	}
	o.digest = dhcpservice.Digest(o.packed)
	o.target, err = w.reach(ctx, object, subnets, ask)
	if err != nil {
		o.refuse(reasonSecret, err.Error())
	}
	return o
}

// settingsOf reads the spec; the schema has checked it, and what it did not is an error.
func settingsOf(object *v1alpha1.DHCPService) ([]netip.Prefix, dhcpservice.Ask, error) {
	name := object.Namespace + "/" + object.Name
	var subnets []netip.Prefix
	for i, text := range object.Spec.Subnets {
		prefix, err := netip.ParsePrefix(text)
		if err != nil || !prefix.Addr().Is4() {
			return nil, dhcpservice.Ask{}, fmt.Errorf("DHCPService %s: spec.subnets[%d] %+.80q: not an IPv4 subnet such as 192.168.2.0/24", name, i, text)
		}
		subnets = append(subnets, prefix.Masked())
	}
	verify := object.Spec.Verify
	ask := dhcpservice.Ask{Mode: string(verify.Mode), Interface: verify.Interface, Server: addressOf(verify.Server), Relay: addressOf(verify.Relay)}
	if ask.Mode == "" {
		ask.Mode = string(v1alpha1.DHCPVerifyBroadcast)
	}
	return subnets, ask, nil
}

// allowedBy is a person's word on how many reservations may be withdrawn at once.
func allowedBy(object *v1alpha1.DHCPService) (int, error) {
	text, set := object.Annotations[v1alpha1.AnnotationWithdraw]
	if !set {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("DHCPService %s/%s: annotation %s %+.80q: not a number: write that of status.reservations.withheld, or remove it",
			object.Namespace, object.Name, v1alpha1.AnnotationWithdraw, text)
	}
	return n, nil
}

// reach makes what reads and writes the service.
func (w *dhcpServiceWorker) reach(ctx context.Context, object *v1alpha1.DHCPService, subnets []netip.Prefix, ask dhcpservice.Ask) (target, error) {
	verify, err := w.verifier(ask, subnets)
	if err != nil {
		return nil, err
	}
	switch object.Spec.Type {
	case v1alpha1.DHCPServiceKea:
		driver, err := w.keaPeers(ctx, object, subnets)
		return direct{worker: w, driver: driver, verify: verify}, err
	case v1alpha1.DHCPServiceDnsmasq, v1alpha1.DHCPServiceISC:
		return byAgent{worker: w}, nil
	case v1alpha1.DHCPServiceMicrosoft:
		return byHand{worker: w, verify: verify}, nil
	}
	return nil, fmt.Errorf("DHCPService %s/%s: spec.type %q: choose from Kea, Dnsmasq, ISC and Microsoft", object.Namespace, object.Name, object.Spec.Type)
}

// verifier is nil where answers are not to be asked for.
func (w *dhcpServiceWorker) verifier(ask dhcpservice.Ask, subnets []netip.Prefix) (dhcpservice.Verify, error) {
	if ask.Mode == string(v1alpha1.DHCPVerifyOff) {
		return nil, nil
	}
	return w.c.options.Verify(ask, subnets)
}

// keaPeers makes one driver of all peers, with what the Secret says.
func (w *dhcpServiceWorker) keaPeers(ctx context.Context, object *v1alpha1.DHCPService, subnets []netip.Prefix) (dhcpservice.Driver, error) {
	var secret map[string][]byte
	kea := object.Spec.Kea
	if kea == nil {
		return nil, fmt.Errorf("DHCPService %s/%s: spec.kea: missing for type Kea", object.Namespace, object.Name)
	}
	if kea.SecretName != "" {
		s, err := w.c.core.CoreV1().Secrets(object.Namespace).Get(ctx, kea.SecretName, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return nil, fmt.Errorf("DHCPService %s/%s: spec.kea.secretName %q: there is no such Secret: create it", object.Namespace, object.Name, kea.SecretName)
		case apierrors.IsForbidden(err):
			return nil, fmt.Errorf("DHCPService %s/%s: spec.kea.secretName %q: this account may not read it: name it in config/rbac/dhcpservice",
				object.Namespace, object.Name, kea.SecretName)
		case err != nil:
			return nil, fmt.Errorf("DHCPService %s/%s: spec.kea.secretName %q: %w", object.Namespace, object.Name, kea.SecretName, err)
		}
		secret = s.Data
	}
	var rules []string
	for _, rule := range kea.LintDisable {
		rules = append(rules, string(rule))
	}
	var peers []dhcpservice.Peer
	for i, peer := range kea.Peers {
		driver, err := w.c.options.Kea(KeaServer{URL: peer.URL, Secret: secret, Subnets: subnets, Disable: rules})
		if err != nil {
			return nil, fmt.Errorf("DHCPService %s/%s: spec.kea.peers[%d] %s: %w", object.Namespace, object.Name, i, peer.URL, err)
		}
		peers = append(peers, dhcpservice.Peer{Name: peer.URL, Driver: driver})
	}
	return dhcpservice.Peers(peers), nil
}
