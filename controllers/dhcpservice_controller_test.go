package controllers

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/lint"
	"github.com/tugboot/tugboot/internal/takeover"
)

func TestKeaIsKeptInStep(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "dhcp-step")
	o.publish(3)
	o.create(v1alpha1.DHCPServiceKea, nil)
	s := o.shows("Rendered=True/Succeeded", "Validated=True/Succeeded", "Applied=True/Succeeded", "Verified=True/Succeeded", "Drifted=False/InStep", "Ready=True/InStep")
	want := v1alpha1.ReservationCounts{Wanted: 3, Applied: 3}
	if s.Status.NextServer != bootstrapIP || s.Status.Epoch != 1 || s.Status.Reservations != want || s.Status.AppliedAt == nil || s.Status.LastError != "" {
		t.Errorf("status %+v", s.Status)
	}
	order, err := dhcpservice.Unpack(o.configMap("tugboot-dhcp-hall").BinaryData[dhcpservice.KeyOrder])
	if err != nil || order.Want.Reservations() != 3 || order.Type != "Kea" {
		t.Errorf("recorded %+v, %v", order, err)
	}

	// 500 changes are one apply.
	_, before := o.kea.seen()
	for i := range 500 {
		o.publish(4 + i)
		time.Sleep(time.Millisecond / 2)
	}
	eventually(t, func() string {
		if now := o.now(); now.Status.Reservations.Applied != 503 {
			return fmt.Sprintf("%+v", now.Status.Reservations)
		}
		return ""
	})
	if _, after := o.kea.seen(); after != before+1 {
		t.Errorf("500 changes were written %d times", after-before)
	}

	// what others change is repaired, once, and said.
	o.kea.set(func() { o.kea.drift = []string{"10.0.0.2: gone"} })
	eventually(t, func() string {
		if !slices.Contains(o.reasons(), "DriftRepaired") {
			return fmt.Sprintf("no DriftRepaired in %q", o.reasons())
		}
		return ""
	})
	o.shows("Drifted=False/InStep", "Ready=True/InStep")
	if n := slices.Index(o.reasons(), "NextServerChanged"); n < 0 {
		t.Errorf("no NextServerChanged in %q", o.reasons())
	}
}

func TestWhatLintFindsIsShown(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "dhcp-findings")
	const peer = "unix:///run/kea/kea4-ctrl-socket: "
	trap := func(line int) dhcpservice.Findings {
		text := fmt.Sprintf("config-get:%d:5: error: option 67 here: Remove it. [kea-scope-option-66-67]", line)
		return dhcpservice.Findings{Lines: []string{text, "config-get:1:1: note: x. [kea-next-server-outside]"}, Count: 30}
	}
	o.kea.set(func() { o.kea.found = trap(7) })
	o.publish(2)
	o.create(v1alpha1.DHCPServiceKea, func(s *v1alpha1.DHCPService) { s.Spec.Kea.LintDisable = []v1alpha1.KeaLintRule{"kea-syntax"} })
	s := o.shows("Validated=True/Succeeded", "Ready=True/InStep")
	validated := meta.FindStatusCondition(s.Status.Conditions, v1alpha1.ConditionValidated)
	if s.Status.Findings[0] != peer+trap(7).Lines[0] || len(s.Status.Findings) != 2 || !strings.Contains(validated.Message, "of 30 the worst: "+peer+trap(7).Lines[0]) {
		t.Errorf("findings %q, Validated: %s", s.Status.Findings, validated.Message)
	}
	o.locked(func() {
		if !slices.Equal(o.disabled, []string{"kea-syntax"}) {
			t.Errorf("the driver is told to leave out the rules %q", o.disabled)
		}
	})
	// They move with each reservation above them, which is worth no Event.
	o.kea.set(func() { o.kea.found = trap(9) })
	eventually(t, func() string {
		if s := o.now(); s.Status.Findings[0] != peer+trap(9).Lines[0] {
			return fmt.Sprintf("findings %q", s.Status.Findings)
		}
		return ""
	})
	o.kea.set(func() { o.kea.found = dhcpservice.Findings{} })
	eventually(t, func() string {
		if s := o.now(); len(s.Status.Findings) != 0 {
			return fmt.Sprintf("findings %q are still shown", s.Status.Findings)
		}
		return ""
	})
	announced := slices.DeleteFunc(o.reasons(), func(reason string) bool { return reason != "Findings" })
	if len(announced) != 1 {
		t.Errorf("%d Events for one finding", len(announced))
	}
}

// TestEveryKeaRuleCanBeTurnedOff: the schema of spec.kea.lintDisable knows lint's rules for Kea, and no other.
func TestEveryKeaRuleCanBeTurnedOff(t *testing.T) {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	readYAML(t, "../config/crd/bases/tugboot.dev_dhcpservices.yaml", crd)
	spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	var known, rules []string
	for _, value := range spec.Properties["kea"].Properties["lintDisable"].Items.Schema.Enum {
		known = append(known, strings.Trim(string(value.Raw), `"`))
	}
	for _, rule := range lint.Rules() {
		if strings.HasPrefix(rule.ID, string(lint.Kea)+"-") {
			rules = append(rules, rule.ID)
		}
	}
	if diff := cmp.Diff(rules, known); diff != "" {
		t.Errorf("(-rules +schema):\n%s", diff)
	}
}

func TestWithdrawalNeedsTimeAndWord(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "dhcp-withdraw")
	o.publish(10)
	o.create(v1alpha1.DHCPServiceKea, nil)
	o.shows("Ready=True/InStep")
	o.publish(4)
	eventually(t, func() string {
		if got := o.now().Status.Reservations; got.Leaving != 6 || got.Applied != 10 {
			return fmt.Sprintf("%+v, want 6 leaving and all 10 there", got)
		}
		return ""
	})
}

func TestPlanWritesNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "dhcp-plan")
	o.publish(2)
	o.create(v1alpha1.DHCPServiceKea, func(s *v1alpha1.DHCPService) { s.Spec.Policy = v1alpha1.DHCPServicePlan })
	s := o.shows("Rendered=True/Succeeded", "Applied=False/Planned", "Ready=False/Planned")
	if _, written := o.kea.seen(); written != 0 {
		t.Errorf("written %d times", written)
	}
	if s.Status.AppliedAt != nil || len(o.Services()) != 0 {
		t.Errorf("applied at %v, and the takeover is to write %d services", s.Status.AppliedAt, len(o.Services()))
	}
	o.edit(func(s *v1alpha1.DHCPService) { s.Spec.Policy = v1alpha1.DHCPServiceSync })
	o.shows("Ready=True/InStep")
	o.edit(func(s *v1alpha1.DHCPService) { s.Spec.Policy = v1alpha1.DHCPServicePlan })
	o.kea.set(func() { o.kea.drift = []string{"10.0.0.2: gone"} })
	s = o.shows("Applied=False/Planned", "Ready=False/Planned")
	if !slices.Equal(s.Status.Drift, []string{"unix:///run/kea/kea4-ctrl-socket: 10.0.0.2: gone"}) {
		t.Errorf("drift %q", s.Status.Drift)
	}
}

// TestFailuresAreNamedAndRetried goes through every way of failing; each is over as soon as its cause is.
func TestFailuresAreNamedAndRetried(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "dhcp-fail")
	o.publish(2)
	o.create(v1alpha1.DHCPServiceKea, nil)
	o.shows("Ready=True/InStep")
	good, _ := o.kea.seen()
	n := 2
	for _, test := range []struct {
		name  string
		fail  func(error)
		shows []string
	}{
		{"unreachable", func(err error) { o.kea.set(func() { o.kea.read = err }) }, []string{"Validated=Unknown/NotReached", "Ready=False/Unreadable"}},
		{"rejected", func(err error) { o.kea.set(func() { o.kea.rejects = err }) }, []string{"Validated=False/Rejected", "Applied=Unknown/NotReached", "Ready=False/Rejected"}},
		{"half written", func(err error) { o.kea.set(func() { o.kea.writes = err }) }, []string{"Validated=True/Succeeded", "Applied=False/WriteFailed", "Ready=False/WriteFailed"}},
		{"wrong answers", func(err error) { o.locked(func() { o.wrong = err }) }, []string{"Applied=False/PutBack", "Verified=False/WrongAnswers", "Ready=False/WrongAnswers"}},
	} {
		test.fail(errors.New("the cause is " + test.name))
		n++
		o.publish(n)
		s := o.shows(test.shows...)
		if !strings.Contains(s.Status.LastError, "the cause is "+test.name) {
			t.Errorf("%s: last error %q", test.name, s.Status.LastError)
		}
		if stands, _ := o.kea.seen(); stands.Reservations() != good.Reservations() {
			t.Errorf("%s: %d reservations stand there, want the %d of before", test.name, stands.Reservations(), good.Reservations())
		}
		test.fail(nil)
		if s = o.shows("Ready=True/InStep"); s.Status.LastError != "" || int(s.Status.Reservations.Applied) != n {
			t.Errorf("after %s: %+v", test.name, s.Status)
		}
		good, _ = o.kea.seen()
	}
	for _, reason := range []string{"Unreadable", "Rejected", "WriteFailed", "WrongAnswers"} {
		if got := o.reasons(); !slices.Contains(got, reason) {
			t.Errorf("no Event %s in %q", reason, got)
		}
	}
}

func TestSecretThatIsMissing(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "dhcp-secret")
	o.publish(1)
	o.create(v1alpha1.DHCPServiceKea, func(s *v1alpha1.DHCPService) { s.Spec.Kea.SecretName = "tugboot-kea" })
	s := o.shows("Rendered=False/SecretUnusable", "Ready=False/SecretUnusable")
	if !strings.Contains(s.Status.LastError, `DHCPService dhcp-secret/hall: spec.kea.secretName "tugboot-kea": there is no such Secret: create it`) {
		t.Errorf("last error %q", s.Status.LastError)
	}
}

// TestTakeoverWritesThroughTheWorker: the service is written with the takeover's word, keeps it for later changes of
// Hardware, and gives way to a higher epoch.
func TestTakeoverWritesThroughTheWorker(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "dhcp-takeover")
	o.locked(func() { o.speaks = false })
	o.publish(2)
	o.create(v1alpha1.DHCPServiceKea, nil)
	o.shows("Rendered=Unknown/NotTheWriter", "Ready=False/NotTheWriter")
	if _, written := o.kea.seen(); written != 0 {
		t.Fatalf("written %d times by an instance that is not the one to write", written)
	}
	services := o.Services()
	if len(services) != 1 || services[0].Name() != "hall" {
		t.Fatalf("services %v", services)
	}
	if says, mark, err := services[0].ReadBack(t.Context()); err != nil || !says.IsZero() || mark != (takeover.Mark{}) {
		t.Errorf("before: %+v, %+v, %v", says, mark, err)
	}
	m := endpointB
	m.Addr = addr(tinkerbellIP)
	word := wordOf(3, m)
	if says, mark, err := services[0].Apply(t.Context(), word.Says, word.Mark); err != nil || says != word.Says || mark != word.Mark {
		t.Fatalf("applied %+v, %+v, %v", says, mark, err)
	}
	if says, mark, err := services[0].ReadBack(t.Context()); err != nil || says != word.Says || mark != word.Mark {
		t.Errorf("after: %+v, %+v, %v", says, mark, err)
	}
	o.locked(func() { o.speaks = true }) // the baton that is stored is still the one of before
	o.publish(3)
	eventually(t, func() string {
		if stands, _ := o.kea.seen(); stands.Word != word || stands.Reservations() != 3 {
			return fmt.Sprintf("%+v", stands.Word)
		}
		return ""
	})
	if s := o.shows("Ready=True/InStep"); s.Status.NextServer != tinkerbellIP || s.Status.Epoch != 3 {
		t.Errorf("status %+v", s.Status)
	}
	higher := wordOf(5, endpointB)
	o.kea.set(func() { o.kea.stands.Word = higher })
	o.shows("Ready=False/Fenced")
	if _, _, err := services[0].Apply(t.Context(), word.Says, word.Mark); !errors.Is(err, dhcpservice.ErrFenced) && (err == nil || !strings.Contains(err.Error(), "a higher epoch")) {
		t.Errorf("written over a higher epoch: %v", err)
	}
	if says, mark, err := services[0].ReadBack(t.Context()); err != nil || says != higher.Says || mark != higher.Mark {
		t.Errorf("the higher word is read back as %+v, %+v, %v", says, mark, err)
	}
}

func TestAgentReports(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "dhcp-agent")
	o.publish(2)
	o.create(v1alpha1.DHCPServiceDnsmasq, nil)
	s := o.shows("Rendered=True/Succeeded", "Applied=Unknown/Waiting", "Ready=False/Waiting")
	if !strings.Contains(s.Status.LastError, "install `tugboot agent`") {
		t.Errorf("last error %q", s.Status.LastError)
	}
	packed := o.configMap("tugboot-dhcp-hall").BinaryData[dhcpservice.KeyOrder]
	order, err := dhcpservice.Unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	report := func(r dhcpservice.Report) {
		t.Helper()
		m := o.configMap("tugboot-dhcp-hall-report")
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		m.Data = map[string]string{dhcpservice.KeyReport: string(text)}
		if err := o.api.Update(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	standing := dhcpservice.Standing{Word: order.Want.Word, Reservations: 2}
	failed := &dhcpservice.Failure{Stage: dhcpservice.StageWrite, Err: errors.New("hosts: no space left on device"), Restored: true}
	report(dhcpservice.NewReport(dhcpservice.Digest(packed), dhcpservice.Standing{}, dhcpservice.Standing{}, failed, false, "", time.Now()))
	s = o.shows("Validated=True/Succeeded", "Applied=False/WriteFailed", "Ready=False/WriteFailed")
	if s.Status.LastError != "hosts: no space left on device" {
		t.Errorf("last error %q", s.Status.LastError)
	}
	report(dhcpservice.NewReport(dhcpservice.Digest(packed), dhcpservice.Standing{}, standing, nil, true, "dnsmasq 2.90", time.Now()))
	s = o.shows("Applied=True/Succeeded", "Verified=True/Succeeded", "Ready=True/InStep")
	if s.Status.Version != "dnsmasq 2.90" || s.Status.NextServer != bootstrapIP {
		t.Errorf("status %+v", s.Status)
	}
	edited := dhcpservice.Standing{Drift: []string{"hosts:3: a line of somebody's"}, Drifts: 1}
	report(dhcpservice.NewReport(dhcpservice.Digest(packed), edited, standing, nil, true, "dnsmasq 2.90", time.Now()))
	eventually(t, func() string {
		if !slices.Contains(o.reasons(), "DriftRepaired") {
			return fmt.Sprintf("no DriftRepaired in %q", o.reasons())
		}
		return ""
	})
	o.shows("Drifted=False/InStep", "Ready=True/InStep")
	report(dhcpservice.NewReport(dhcpservice.Digest(packed), dhcpservice.Standing{}, standing, nil, true, "dnsmasq 2.90", time.Now().Add(-time.Hour)))
	o.shows("Ready=False/Waiting")
}

func TestMicrosoftScriptIsForAPerson(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "dhcp-microsoft")
	o.locked(func() { o.wrong = errors.New("firmware-bios: no answer") })
	o.publish(2)
	o.create(v1alpha1.DHCPServiceMicrosoft, nil)
	s := o.shows("Rendered=True/Succeeded", "Ready=False/Waiting")
	if !strings.Contains(s.Status.LastError, "run the script of ConfigMap dhcp-microsoft/tugboot-dhcp-hall") {
		t.Errorf("last error %q", s.Status.LastError)
	}
	if script := o.configMap("tugboot-dhcp-hall").Data["tugboot.ps1"]; script != "# Microsoft, 2\n" {
		t.Errorf("script %q", script)
	}
	o.locked(func() { o.wrong = nil })
	if s = o.shows("Verified=True/Succeeded", "Ready=True/InStep"); s.Status.NextServer != bootstrapIP {
		t.Errorf("status %+v", s.Status)
	}
}
