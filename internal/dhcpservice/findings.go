package dhcpservice

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/tugboot/tugboot/internal/lint"
)

// The bounds of what is told of findings: how many, and how many bytes each.
const (
	maxFindings = 16
	maxFinding  = 600
)

// Findings are what lint found in the operator's configuration, in which what is ours stands.
type Findings struct {
	// Lines are the worst of them, each on one line: place, severity, why, remedy and rule.
	Lines []string `json:"lines,omitempty"`
	// Count counts all of them.
	Count int `json:"count,omitempty"`
}

// FindingsOf tells what lint found.
func FindingsOf(found []lint.Finding) Findings {
	worst := slices.Clone(found)
	slices.SortStableFunc(worst, func(a, b lint.Finding) int { return rank(a) - rank(b) })
	f := Findings{Count: len(worst)}
	for _, one := range worst[:min(len(worst), maxFindings)] {
		f.Lines = append(f.Lines, lineOf(one))
	}
	return f
}

// rank orders findings from the worst to the least.
func rank(f lint.Finding) int {
	if f.Stops {
		return -1
	}
	return slices.Index([]lint.Severity{lint.Error, lint.Warning, lint.Note}, f.Severity)
}

// with adds the findings of a peer.
func (f *Findings) with(peer string, more Findings) {
	f.Count += more.Count
	for _, line := range more.Lines {
		if len(f.Lines) < maxFindings {
			f.Lines = append(f.Lines, peer+": "+line)
		}
	}
}

// Stopping is the error of findings with which nothing may be written, nil when there is none.
func Stopping(found []lint.Finding) error {
	stops := slices.DeleteFunc(slices.Clone(found), func(f lint.Finding) bool { return !f.Stops })
	switch len(stops) {
	case 0:
		return nil
	case 1:
		return errors.New(lineOf(stops[0]))
	}
	return fmt.Errorf("%s; and %d more like it", lineOf(stops[0]), len(stops)-1)
}

// lineOf is a finding on one line of printable text.
func lineOf(f lint.Finding) string {
	line := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, f.String())
	if len(line) > maxFinding {
		line = strings.ToValidUTF8(line[:maxFinding], "") + "..."
	}
	return line
}
