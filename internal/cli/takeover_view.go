package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
)

// takeoverView is a Takeover as a person wants to see it; it is what -o json prints.
type takeoverView struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Phase is empty while no instance has looked at the Takeover.
	Phase            v1alpha1.Phase       `json:"phase"`
	Ready            bool                 `json:"ready"`
	Reason           string               `json:"reason"`
	Message          string               `json:"message"`
	Cluster          string               `json:"cluster"`
	Role             v1alpha1.Role        `json:"role"`
	BootstrapIP      string               `json:"bootstrapIP"`
	TinkerbellIP     string               `json:"tinkerbellIP"`
	Advertised       *v1alpha1.Advertised `json:"advertised"`
	Next             *v1alpha1.Advertised `json:"next"`
	Since            *metav1.Time         `json:"since"`
	Epoch            int64                `json:"epoch"`
	Identity         string               `json:"identity"`
	InFlightMachines int32                `json:"inFlightMachines"`
	Frozen           bool                 `json:"frozen"`
	Override         string               `json:"override"`
	Force            string               `json:"force"`
	Gates            []gateView           `json:"gates"`
	History          []v1alpha1.Change    `json:"history"`
}

// gateView is one gate.
type gateView struct {
	Gate string `json:"gate"`
	// State is open, shut or unknown.
	State   string `json:"state"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// The states of a gate.
const (
	gateOpen    = "open"
	gateShut    = "shut"
	gateUnknown = "unknown"
)

func viewOf(t *v1alpha1.Takeover) takeoverView {
	freeze, set := t.Annotations[v1alpha1.AnnotationFreeze]
	v := takeoverView{
		Namespace: t.Namespace, Name: t.Name,
		Phase: t.Status.Phase, Cluster: t.Status.ClusterName, Role: t.Status.Role,
		BootstrapIP: t.Status.BootstrapIP, TinkerbellIP: t.Status.TinkerbellIP,
		Advertised: t.Status.Advertised, Next: t.Status.Next,
		Since: t.Status.Since, Epoch: t.Status.Epoch, Identity: t.Status.Identity, InFlightMachines: t.Status.InFlightMachines,
		Frozen: set && freeze != "false", Override: t.Annotations[v1alpha1.AnnotationOverride], Force: t.Annotations[v1alpha1.AnnotationForce],
		Gates: []gateView{}, History: append([]v1alpha1.Change{}, t.Status.History...),
		Reason:  "NotObserved",
		Message: "no instance has looked at this Takeover yet: run `tugboot serve --takeover-namespace " + t.Namespace + "` in this cluster",
	}
	for _, c := range t.Status.Conditions {
		if c.Type == v1alpha1.ConditionReady {
			v.Ready, v.Reason, v.Message = c.Status == metav1.ConditionTrue, c.Reason, c.Message
			continue
		}
		v.Gates = append(v.Gates, gateView{c.Type, gateState(c.Status), c.Reason, c.Message})
	}
	if v.Phase != "" && t.Status.ObservedGeneration < t.Generation {
		v.Ready, v.Reason = false, "OutOfDate"
		v.Message = fmt.Sprintf("the status is about generation %d of the spec, which is at %d: ask again in a moment, and see that `tugboot serve --takeover-namespace %s` runs in this cluster",
			t.Status.ObservedGeneration, t.Generation, t.Namespace)
	}
	return v
}

func gateState(s metav1.ConditionStatus) string {
	switch s {
	case metav1.ConditionTrue:
		return gateOpen
	case metav1.ConditionFalse:
		return gateShut
	case metav1.ConditionUnknown:
	}
	return gateUnknown
}

// object is the Takeover as messages name it, target as a command line does.
func (v takeoverView) object() string { return "Takeover " + v.Namespace + "/" + v.Name }

func (v takeoverView) target() string { return "-n " + v.Namespace + " " + v.Name }

// waitsFor are the gates that are not open, in their order.
func (v takeoverView) waitsFor() []string {
	names := []string{}
	for _, g := range v.Gates {
		if g.State != gateOpen {
			names = append(names, g.Gate)
		}
	}
	return names
}

// observed reports whether the status is about the spec as it is.
func (v takeoverView) observed() bool {
	return v.Phase != "" && v.Reason != "OutOfDate"
}

// table writes all of v. What objects and networks say is printed so that no terminal obeys it.
func (v takeoverView) table(w io.Writer, now time.Time) error {
	fmt.Fprintln(w, v.object())
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row := func(name, value string) { fmt.Fprintf(table, "%s\t%s\n", name, printable(value)) }
	row("PHASE", orDash(string(v.Phase)))
	row("READY", fmt.Sprintf("%s, %s: %s", yesNo(v.Ready), v.Reason, v.Message))
	row("NEXT-SERVER", nextServer(v.Advertised))
	row("SCRIPT", scriptURL(v.Advertised))
	if v.Advertised != nil && v.Advertised.Withheld {
		row("WITHHELD", "yes: that stack does not serve, so machines get addresses and nothing to boot")
	}
	row("SINCE", ago(v.Since, now))
	row("EPOCH", fmt.Sprint(v.Epoch))
	row("CLUSTER", orDash(v.Cluster))
	row("ROLE", orDash(string(v.Role)))
	row("IN FLIGHT", fmt.Sprintf("%d machines", v.InFlightMachines))
	if v.Frozen {
		row("FROZEN", "yes, by the annotation "+v1alpha1.AnnotationFreeze)
	}
	if v.Override != "" {
		row("OVERRIDE", v.Override)
	}
	if v.Force != "" {
		row("FORCE", v.Force)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if err := gateTable(w, v.Gates); err != nil {
		return err
	}
	return historyTable(w, v.History)
}

func gateTable(w io.Writer, gates []gateView) error {
	if len(gates) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "\nSTATE\tGATE\tREASON\tMESSAGE")
	for _, g := range gates {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", g.State, printable(g.Gate), printable(g.Reason), printable(orDash(g.Message)))
	}
	return table.Flush()
}

func historyTable(w io.Writer, history []v1alpha1.Change) error {
	if len(history) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "\nAT\tREASON\tFROM\tTO\tEPOCH")
	for _, h := range history {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\n", stamp(h.At.Time), printable(h.Reason), printable(orDash(h.From)), printable(orDash(h.To)), h.Epoch)
	}
	return table.Flush()
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func ago(t *metav1.Time, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return stamp(t.Time) + ", " + duration.HumanDuration(now.Sub(t.Time)) + " ago"
}

func nextServer(a *v1alpha1.Advertised) string {
	if a == nil {
		return "- (nothing is advertised)"
	}
	return a.Address
}

func scriptURL(a *v1alpha1.Advertised) string {
	if a == nil || a.ScriptURL == "" {
		return "- (not seen to serve one)"
	}
	return a.ScriptURL
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// printable is s with everything spelt out that a terminal would obey or that would break the line.
func printable(s string) string {
	s = strings.ToValidUTF8(s, string(unicode.ReplacementChar))
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
	}
	return b.String()
}
