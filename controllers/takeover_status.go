package controllers

import (
	"context"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/events"
	"github.com/tugboot/tugboot/internal/takeover"
)

// announced is what was said last, so that a status that cannot be written does not repeat Events.
type announced struct {
	phase    v1alpha1.Phase
	reason   string
	address  string
	inFlight int32
	others   map[string]string // by the name of another Takeover: its UID
	ignored  map[takeover.Problem]bool
}

// report shows on the Takeover how things stand, and what changed as Events.
func (c *TakeoverController) report(ctx context.Context, t *v1alpha1.Takeover, o takeover.Observation, step takeover.Step, b takeover.Baton) {
	fresh := t.DeepCopy()
	c.describe(fresh, o, step, b)
	c.announce(t, fresh, step)
	for _, p := range c.options.Cluster.View().Ignored(o.Cluster, o.TinkerbellIP) {
		if c.announced.ignored == nil {
			c.announced.ignored = map[takeover.Problem]bool{}
		}
		if !c.announced.ignored[p] {
			c.announced.ignored[p] = true
			c.say(t, corev1.EventTypeNormal, p.Reason, p.String())
		}
	}
	c.patchStatus(ctx, t, fresh)
}

// describe fills in the status.
func (c *TakeoverController) describe(t *v1alpha1.Takeover, o takeover.Observation, step takeover.Step, b takeover.Baton) {
	s := &t.Status
	s.ObservedGeneration = t.Generation
	s.Phase = v1alpha1.Phase(step.Phase.String())
	s.ClusterName, s.Role = o.Cluster, roleName(o.Role)
	s.BootstrapIP, s.TinkerbellIP = addressText(o.BootstrapIP), addressText(o.TinkerbellIP)
	s.Identity = o.ForceIdentity()
	s.InFlightMachines = int32(o.InFlight)
	if o.Baton.Known && o.Baton.Problem == nil { // else what replicas tell machines is what they told them before
		told(s, o, step, b)
	}
	s.Next = nil
	switch step.Phase {
	case takeover.Idle, takeover.Bootstrap, takeover.HandoverSeen, takeover.Verifying:
		s.Next = advertised(o.AtTinkerbell.Endpoint)
	case takeover.Managed, takeover.Degraded, takeover.Override, takeover.Conflict:
	}
	c.conditions(t, step)
}

// told fills in what machines are told by the baton b, and the history.
func told(s *v1alpha1.TakeoverStatus, o takeover.Observation, step takeover.Step, b takeover.Baton) {
	before := addressIn(s.Advertised)
	s.Advertised, s.Since, s.Epoch = advertised(b.Advertised), nil, b.Fence.Epoch
	if s.Advertised != nil {
		s.Advertised.Withheld = b.Withheld
	}
	at := metav1.NewTime(o.At)
	if !b.Since.IsZero() {
		at = metav1.NewTime(b.Since)
		s.Since = &at
	}
	if after := addressIn(s.Advertised); before != after {
		change := v1alpha1.Change{At: at, Reason: step.Reason, From: before, To: after, Epoch: s.Epoch}
		s.History = slices.Insert(s.History, 0, change)
		s.History = s.History[:min(len(s.History), v1alpha1.MaxHistory)]
	}
}

func addressIn(a *v1alpha1.Advertised) string {
	if a == nil {
		return ""
	}
	return a.Address
}

// conditions writes Ready and one condition for each gate, in their order.
func (c *TakeoverController) conditions(t *v1alpha1.Takeover, step takeover.Step) {
	old := t.Status.Conditions
	t.Status.Conditions = nil
	add := func(kind string, status metav1.ConditionStatus, reason, message string) {
		condition := metav1.Condition{Type: kind, Status: status, Reason: reason, Message: cut(message), ObservedGeneration: t.Generation}
		if before := meta.FindStatusCondition(old, kind); before != nil {
			t.Status.Conditions = append(t.Status.Conditions, *before)
		}
		meta.SetStatusCondition(&t.Status.Conditions, condition)
	}
	ready := metav1.ConditionFalse
	if step.Ready {
		ready = metav1.ConditionTrue
	}
	add(v1alpha1.ConditionReady, ready, step.Reason, step.Message)
	for _, f := range step.Findings {
		status := metav1.ConditionFalse
		switch f.State {
		case takeover.Open, takeover.Skipped:
			status = metav1.ConditionTrue
		case takeover.Unknown:
			status = metav1.ConditionUnknown
		case takeover.Shut:
		}
		add(f.Gate, status, f.Reason, f.Message)
	}
}

// messageLimit is a condition's, in characters.
const messageLimit = 32768

func cut(message string) string {
	if len(message) <= messageLimit {
		return message
	}
	return strings.ToValidUTF8(message[:messageLimit-3], "") + "..."
}

// advertised is an endpoint as the status shows it; nil for none.
func advertised(e takeover.Endpoint) *v1alpha1.Advertised {
	if !e.Addr.IsValid() {
		return nil
	}
	return &v1alpha1.Advertised{
		Address: e.Addr.String(), TFTPPort: int32(e.TFTPPort), HTTPPort: int32(e.HTTPPort), ScriptURL: e.ScriptURL(),
		BootFiles: strings.Fields(e.BootFiles),
	}
}

// announce writes Events for what differs from what was said last.
func (c *TakeoverController) announce(old, t *v1alpha1.Takeover, step takeover.Step) {
	said := &c.announced
	if said.phase == "" { // after a start the status says what was said before
		said.phase, said.inFlight = old.Status.Phase, old.Status.InFlightMachines
		if ready := meta.FindStatusCondition(old.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
			said.reason = ready.Reason
		}
		said.address = addressIn(old.Status.Advertised)
	}
	kind := corev1.EventTypeNormal
	if step.Phase == takeover.Degraded || step.Phase == takeover.Conflict {
		kind = corev1.EventTypeWarning
	}
	s := t.Status
	switch {
	case s.Phase != said.phase:
		c.say(t, kind, string(s.Phase), step.Reason+": "+step.Message)
	case step.Reason != said.reason && !step.Ready:
		c.say(t, corev1.EventTypeWarning, step.Reason, step.Message)
	}
	address := addressIn(s.Advertised)
	if address != said.address {
		c.say(t, corev1.EventTypeNormal, "NextServerChanged", fmt.Sprintf("machines are sent to %s instead of %s (epoch %d, %s)",
			orNothing(address), orNothing(said.address), s.Epoch, step.Reason))
	}
	if s.InFlightMachines == 0 && said.inFlight > 0 && step.Phase == takeover.Managed {
		c.say(t, corev1.EventTypeNormal, "NoMachineInFlight", "no machine is in the middle of a boot any more: nobody needs the bootstrap stack")
	}
	said.phase, said.reason, said.address, said.inFlight = s.Phase, step.Reason, address, s.InFlightMachines
}

func orNothing(address string) string {
	if address == "" {
		return "nowhere"
	}
	return address
}

func (c *TakeoverController) say(t *v1alpha1.Takeover, kind, reason, message string) {
	c.options.Log.Info("takeover", "takeover", t.Namespace+"/"+t.Name, "reason", reason, "message", message)
	c.options.Announce(events.Notice{
		Object: referenceTo(t), Type: kind, Reason: reason, Message: message, Occurrence: time.Now().UTC().Format(time.RFC3339Nano),
	})
}

// reportOthers says on every other Takeover of the namespace that it has no effect.
func (c *TakeoverController) reportOthers(ctx context.Context, first *v1alpha1.Takeover, others []*v1alpha1.Takeover) {
	if c.announced.others == nil {
		c.announced.others = map[string]string{}
	}
	for _, t := range others {
		message := fmt.Sprintf("Takeover %s/%s: metadata.name %q: has no effect, because Takeover %q is older and one instance follows one: delete one of the two",
			t.Namespace, t.Name, t.Name, first.Name)
		fresh := t.DeepCopy()
		fresh.Status = v1alpha1.TakeoverStatus{
			ObservedGeneration: t.Generation, Phase: v1alpha1.PhaseConflict, Conditions: t.Status.Conditions, History: t.Status.History,
		}
		step := takeover.Step{Phase: takeover.Conflict, Reason: reasonDuplicate, Message: message}
		c.conditions(fresh, step)
		if c.announced.others[t.Name] != string(t.UID) {
			c.announced.others[t.Name] = string(t.UID)
			c.say(t, corev1.EventTypeWarning, reasonDuplicate, message)
		}
		c.patchStatus(ctx, t, fresh)
	}
}

// reasonDuplicate is the reason of a Takeover that an older one stands before.
const reasonDuplicate = "DuplicateTakeover"

// patchStatus writes the status when it differs from what stands there.
func (c *TakeoverController) patchStatus(ctx context.Context, old, fresh *v1alpha1.Takeover) {
	if reflect.DeepEqual(old.Status, fresh.Status) {
		return
	}
	err := c.api.Status().Update(ctx, fresh)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return // somebody wrote since; the next round sees it
	}
	c.outcome(old, "status", err, "the Takeover's status was not written; it is tried again", "")
}

func roleName(r takeover.Role) v1alpha1.Role {
	switch r {
	case takeover.RoleBootstrap:
		return v1alpha1.RoleBootstrap
	case takeover.RoleManagement:
		return v1alpha1.RoleManagement
	case takeover.RoleUnknown:
	}
	return ""
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
