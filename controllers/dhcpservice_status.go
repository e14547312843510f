package controllers

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/reservation"
)

// The reasons of a DHCPService's conditions.
const (
	reasonInStep        = "InStep"
	reasonPlanned       = "Planned"
	reasonWithheld      = "WithdrawalWithheld"
	reasonWaiting       = "Waiting"
	reasonFenced        = "Fenced"
	reasonUnreadable    = "Unreadable"
	reasonRejected      = "Rejected"
	reasonWrongAnswers  = "WrongAnswers"
	reasonPutBack       = "PutBack"
	reasonNotRestored   = "NotPutBack"
	reasonNotYet        = "NotReached"
	reasonVerifyOff     = "VerifyOff"
	reasonChanged       = "ChangedByOthers"
	reasonRepaired      = "Repaired"
	reasonSucceeded     = "Succeeded"
	statusMessageLimit  = 1024
	statusDriftMost     = 16
	statusVersionLength = 128
)

// report shows on the DHCPService how it stands, and what changed as Events.
func (w *dhcpServiceWorker) report(ctx context.Context, object *v1alpha1.DHCPService, o outcome) {
	fresh := object.DeepCopy()
	w.describe(fresh, o)
	w.complain(o.problems)
	ready := meta.FindStatusCondition(fresh.Status.Conditions, v1alpha1.ConditionReady)
	w.c.metrics.ready.WithLabelValues(w.namespace, w.name).Set(truth(ready.Status == metav1.ConditionTrue))
	w.c.metrics.reservations.WithLabelValues(w.namespace, w.name).Set(float64(fresh.Status.Reservations.Applied))
	if w.announce == "" {
		if before := meta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady); before != nil {
			w.announce = before.Reason
		}
	}
	now := time.Now().UTC().Format(time.RFC3339Nano)
	if ready.Reason != w.announce {
		kind := corev1.EventTypeWarning
		if ready.Status == metav1.ConditionTrue || ready.Reason == reasonPlanned || ready.Reason == reasonNotTheWriter {
			kind = corev1.EventTypeNormal
		}
		w.say(object, kind, ready.Reason, ready.Message, now)
		w.announce = ready.Reason
	}
	if o.wrote && o.drifted.Drifts > 0 {
		w.say(object, corev1.EventTypeWarning, "DriftRepaired", driftText(o.drifted), now)
	}
	if len(fresh.Status.Findings) > 0 && !slices.Equal(rulesIn(object.Status.Findings), rulesIn(fresh.Status.Findings)) {
		w.say(object, corev1.EventTypeWarning, "Findings", findingsText(o.report.Findings), now)
	}
	if object.Status.NextServer != fresh.Status.NextServer && fresh.Status.NextServer != "" {
		w.say(object, corev1.EventTypeNormal, "NextServerChanged", fmt.Sprintf("machines are sent to %s instead of %s (epoch %d)",
			fresh.Status.NextServer, orNothing(object.Status.NextServer), fresh.Status.Epoch), now)
	}
	if reflect.DeepEqual(object.Status, fresh.Status) {
		return
	}
	err := w.c.api.Status().Update(ctx, fresh)
	if err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) && ctx.Err() == nil {
		w.c.options.Log.Error(err, "the DHCPService's status was not written; it is tried again", "dhcpservice", w.namespace+"/"+w.name)
	}
}

// describe fills in the status.
func (w *dhcpServiceWorker) describe(s *v1alpha1.DHCPService, o outcome) {
	status := &s.Status
	status.ObservedGeneration = s.Generation
	status.LastError = ""
	if err := o.err(); err != nil {
		status.LastError = cutTo(err.Error(), statusMessageLimit)
	}
	if o.refused == "" {
		status.Reservations = v1alpha1.ReservationCounts{
			Wanted: int32(o.order.Want.Reservations()), Applied: int32(o.report.Reservations), NotCarried: int32(len(o.problems)),
			Leaving: int32(len(o.withdrawal.Leaving)), Withheld: int32(o.withdrawal.Withheld),
		}
		if o.report.Version != "" {
			status.Version = cutTo(o.report.Version, statusVersionLength)
		}
		status.Drift = nil
		if o.order.Plan || !o.wrote {
			for _, line := range o.report.Drift[:min(len(o.report.Drift), statusDriftMost)] {
				status.Drift = append(status.Drift, cutTo(line, statusMessageLimit))
			}
		}
	}
	if o.looked() {
		status.Findings = nil
		for _, line := range o.report.Findings.Lines[:min(len(o.report.Findings.Lines), statusDriftMost)] {
			status.Findings = append(status.Findings, cutTo(line, statusMessageLimit))
		}
	}
	if o.wrote {
		at := metav1.NewTime(o.report.At)
		status.AppliedAt = &at
	}
	if word := o.report.Word; word != nil {
		status.Epoch = word.Mark.Fence.Epoch
		if o.report.Verified || s.Spec.Verify.Mode == v1alpha1.DHCPVerifyOff {
			status.NextServer = addressText(word.Says.Addr)
		}
	}
	conditionsOf(s, o)
}

// conditionsOf writes one condition for each step of the way, and Ready.
func conditionsOf(s *v1alpha1.DHCPService, o outcome) {
	set := func(kind string, status metav1.ConditionStatus, reason, message string) {
		meta.SetStatusCondition(&s.Status.Conditions, metav1.Condition{
			Type: kind, Status: status, Reason: reason, Message: cut(message), ObservedGeneration: s.Generation,
		})
	}
	if o.refused != "" {
		rendered := metav1.ConditionFalse
		if o.refused == reasonNotTheWriter || o.refused == reasonNotListed {
			rendered = metav1.ConditionUnknown
		}
		set(v1alpha1.ConditionRendered, rendered, o.refused, o.message)
		set(v1alpha1.ConditionReady, metav1.ConditionFalse, o.refused, o.message)
		return
	}
	set(v1alpha1.ConditionRendered, metav1.ConditionTrue, reasonSucceeded, fmt.Sprintf("%d reservations, next-server %s, epoch %d",
		o.order.Want.Reservations(), orNothing(addressText(o.order.Want.Word.Says.Addr)), o.order.Want.Word.Mark.Fence.Epoch))
	for _, step := range []struct {
		kind   string
		stage  dhcpservice.Stage
		reason string
	}{
		{v1alpha1.ConditionValidated, dhcpservice.StageCheck, reasonRejected},
		{v1alpha1.ConditionApplied, dhcpservice.StageWrite, reasonWriteFailed},
		{v1alpha1.ConditionVerified, dhcpservice.StageVerify, reasonWrongAnswers},
	} {
		status, reason, message := stepOf(o, step.stage, step.reason)
		if step.kind == v1alpha1.ConditionValidated && status == metav1.ConditionTrue && o.report.Findings.Count > 0 {
			message += ", and " + findingsText(o.report.Findings)
		}
		if step.kind == v1alpha1.ConditionVerified && status == metav1.ConditionTrue && !o.report.Verified {
			status, reason, message = metav1.ConditionUnknown, reasonVerifyOff, "answers are not asked for: spec.verify.mode is Off, or nothing was written yet"
		}
		set(step.kind, status, reason, message)
	}
	switch {
	case o.drifted.Drifts == 0:
		set(v1alpha1.ConditionDrifted, metav1.ConditionFalse, reasonInStep, "what is ours was changed by nobody else")
	case o.wrote:
		set(v1alpha1.ConditionDrifted, metav1.ConditionFalse, reasonRepaired, driftText(o.drifted))
	default:
		set(v1alpha1.ConditionDrifted, metav1.ConditionTrue, reasonChanged, driftText(o.drifted))
	}
	status, reason, message := readyOf(s, o)
	set(v1alpha1.ConditionReady, status, reason, message)
}

// stepOf says whether the way came past stage.
func stepOf(o outcome, stage dhcpservice.Stage, failed string) (status metav1.ConditionStatus, reason, message string) {
	reached := stageIn(o.report.Stage)
	switch {
	case o.report.Stage == stageWaiting:
		return metav1.ConditionUnknown, reasonWaiting, o.report.Error
	case o.order.Plan && differs(o.report, o.order.Want.Word) && reached == dhcpservice.StageDone:
		return metav1.ConditionFalse, reasonPlanned, "spec.policy is Plan: nothing is written"
	case reached == dhcpservice.StageVerify && stage == dhcpservice.StageWrite && o.report.Restored:
		return metav1.ConditionFalse, reasonPutBack, o.failure()
	case reached > stage:
		return metav1.ConditionTrue, reasonSucceeded, "done"
	case reached == stage:
		return metav1.ConditionFalse, failed, o.failure()
	}
	return metav1.ConditionUnknown, reasonNotYet, "an earlier step failed"
}

// failure says what failed, and what stands there now.
func (o outcome) failure() string {
	f := dhcpservice.Failure{Err: o.err(), Restored: o.report.Restored}
	if o.report.Unrestored != "" {
		f.Unrestored = fmt.Errorf("%s", o.report.Unrestored)
	}
	return f.Error()
}

func stageIn(name string) dhcpservice.Stage {
	for s := dhcpservice.StageRead; s <= dhcpservice.StageDone; s++ {
		if s.String() == name {
			return s
		}
	}
	return dhcpservice.StageRead
}

// readyOf is the one word on the service.
func readyOf(s *v1alpha1.DHCPService, o outcome) (status metav1.ConditionStatus, reason, message string) {
	r := o.report
	switch {
	case r.Fenced:
		return metav1.ConditionFalse, reasonFenced, r.Error + ": nothing is to be done if the management instance wrote it"
	case r.Unrestored != "":
		return metav1.ConditionFalse, reasonNotRestored, o.failure()
	case r.Stage == stageWaiting:
		return metav1.ConditionFalse, reasonWaiting, r.Error
	case r.Error != "":
		return metav1.ConditionFalse, map[dhcpservice.Stage]string{
			dhcpservice.StageRead: reasonUnreadable, dhcpservice.StageCheck: reasonRejected, dhcpservice.StageWrite: reasonWriteFailed,
			dhcpservice.StageVerify: reasonWrongAnswers,
		}[stageIn(r.Stage)], o.failure()
	case differs(r, o.order.Want.Word):
		return metav1.ConditionFalse, reasonPlanned, fmt.Sprintf("spec.policy is Plan: it would be told next-server %s with %d reservations; %d differences",
			orNothing(addressText(o.order.Want.Word.Says.Addr)), o.order.Want.Reservations(), r.Drifts)
	case o.withdrawal.Withheld > 0:
		return metav1.ConditionFalse, reasonWithheld, fmt.Sprintf("%d reservations of deleted Hardware are too many to be withdrawn at once: if that is meant, run "+
			"`kubectl annotate --overwrite -n %s dhcpservice %s %s=%d`, and remove it afterwards",
			o.withdrawal.Withheld, s.Namespace, s.Name, v1alpha1.AnnotationWithdraw, o.withdrawal.Withheld)
	}
	return metav1.ConditionTrue, reasonInStep, fmt.Sprintf("%d reservations stand there, and machines are sent to %s",
		r.Reservations, orNothing(addressText(o.order.Want.Word.Says.Addr)))
}

// repaired announces, once, what an agent has put right.
func (w *dhcpServiceWorker) repaired(r dhcpservice.Report) {
	object := w.c.object(w.uid)
	if r.Drifts == 0 || object == nil || !r.At.After(w.repairs) {
		return
	}
	w.repairs = r.At
	w.say(object, corev1.EventTypeWarning, "DriftRepaired", driftText(r), r.At.Format(time.RFC3339Nano))
}

// looked reports whether the service's configuration was looked at, so that what was found there is all that is.
func (o outcome) looked() bool {
	failed := o.report.Error != "" && o.report.Stage == dhcpservice.StageRead.String()
	return o.refused == "" && o.report.Stage != stageWaiting && !failed
}

func findingsText(f dhcpservice.Findings) string {
	if len(f.Lines) == 0 {
		return ""
	}
	return fmt.Sprintf("lint finds in the operator's configuration, of %d the worst: %s", f.Count, f.Lines[0])
}

// rulesIn are the rules of findings, without their places: a reservation more moves all that stand below it.
func rulesIn(findings []string) []string {
	rules := make([]string, 0, len(findings))
	for _, line := range findings {
		rules = append(rules, line[strings.LastIndex(line, "[")+1:])
	}
	slices.Sort(rules)
	return rules
}

func driftText(r dhcpservice.Report) string {
	return fmt.Sprintf("%d differences: %s", r.Drifts, strings.Join(r.Drift, "; "))
}

func cutTo(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-3], "") + "..."
}

// complain reports each setting that cannot be carried once.
func (w *dhcpServiceWorker) complain(problems []reservation.Problem) {
	still := map[reservation.Problem]bool{}
	for _, p := range problems {
		still[p] = true
		if !w.said[p] {
			w.c.options.Report(p)
		}
	}
	w.said = still
}
