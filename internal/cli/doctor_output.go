package cli

import (
	"fmt"
	"io"

	"github.com/tugboot/tugboot/internal/doctor"
)

// diagnosisView is what `doctor -o json` prints.
type diagnosisView struct {
	// OK is true where nothing keeps serve from working.
	OK       bool            `json:"ok"`
	Errors   int             `json:"errors"`
	Warnings int             `json:"warnings"`
	Findings []diagnosisLine `json:"findings"`
}

// diagnosisLine is one finding as JSON has it.
type diagnosisLine struct {
	Check  string       `json:"check"`
	Level  doctor.Level `json:"level"`
	What   string       `json:"what"`
	Remedy string       `json:"remedy"`
}

// printDiagnosis writes the findings in the form of --output.
func printDiagnosis(w io.Writer, form string, findings []doctor.Finding) error {
	if form == "json" {
		v := diagnosisView{Errors: doctor.Count(findings, doctor.Error), Warnings: doctor.Count(findings, doctor.Warning), Findings: []diagnosisLine{}}
		v.OK = v.Errors == 0
		for _, f := range findings {
			v.Findings = append(v.Findings, diagnosisLine{f.Check, f.Level, f.What, f.Remedy})
		}
		return printIndented(w, v)
	}
	wide := 0
	for _, name := range doctor.Checks() {
		wide = max(wide, len(name))
	}
	for _, f := range findings {
		text := f.What
		if f.Remedy != "" {
			text += "; " + f.Remedy
		}
		if _, err := fmt.Fprintf(w, "%-4s  %-*s  %s\n", f.Level.Word(), wide, f.Check, printable(text)); err != nil {
			return err
		}
	}
	return nil
}
