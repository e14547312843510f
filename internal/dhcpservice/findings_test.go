package dhcpservice

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/dhcpconf"
	"github.com/tugboot/tugboot/internal/lint"
)

func found(severity lint.Severity, rule string, stops bool) lint.Finding {
	return lint.Finding{
		Rule: rule, Pos: dhcpconf.Position{File: "/etc/dnsmasq.conf", Line: 3, Column: 1}, Severity: severity, Why: "why\nso", Remedy: "Change it.", Stops: stops,
	}
}

func TestFindingsTellTheWorstFirst(t *testing.T) {
	f := FindingsOf([]lint.Finding{found(lint.Note, "c", false), found(lint.Error, "b", false), found(lint.Warning, "w", false), found(lint.Error, "a", true)})
	want := []string{
		"/etc/dnsmasq.conf:3:1: error: why?so: Change it. [a]", "/etc/dnsmasq.conf:3:1: error: why?so: Change it. [b]",
		"/etc/dnsmasq.conf:3:1: warning: why?so: Change it. [w]", "/etc/dnsmasq.conf:3:1: note: why?so: Change it. [c]",
	}
	if diff := cmp.Diff(want, f.Lines); diff != "" || f.Count != 4 {
		t.Errorf("%d of them:\n%s", f.Count, diff)
	}
}

func TestFindingsAreBounded(t *testing.T) {
	var many []lint.Finding
	for i := range 100 {
		one := found(lint.Error, fmt.Sprintf("rule-%d", i), false)
		one.Why = strings.Repeat("ä", 1000)
		many = append(many, one)
	}
	f := FindingsOf(many)
	if len(f.Lines) != maxFindings || f.Count != 100 {
		t.Errorf("%d lines of %d", len(f.Lines), f.Count)
	}
	for _, line := range f.Lines {
		if len(line) > maxFinding+len("...") || strings.ToValidUTF8(line, "") != line {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}

func TestStopping(t *testing.T) {
	harmless := []lint.Finding{found(lint.Error, "a", false), found(lint.Note, "b", false)}
	if err := Stopping(harmless); err != nil {
		t.Errorf("stopped by what does no harm: %v", err)
	}
	err := Stopping(append(harmless, found(lint.Error, "c", true)))
	if want := "/etc/dnsmasq.conf:3:1: error: why?so: Change it. [c]"; err == nil || err.Error() != want {
		t.Errorf("%v; want %s", err, want)
	}
	if err := Stopping(append(harmless, found(lint.Error, "c", true), found(lint.Error, "d", true))); err == nil || !strings.HasSuffix(err.Error(), "[c]; and 1 more like it") {
		t.Errorf("two of them: %v", err)
	}
}
