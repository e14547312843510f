package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/test/bench/contender"
	"github.com/tugboot/tugboot/test/bench/measure"
	"github.com/tugboot/tugboot/test/bench/results"
)

// own is the contender that all others are compared with.
const own = "tugboot"

// entrant is one row's contender.
type entrant struct {
	name, title string
	limit       bool
	results     results.Contender
}

// entrants are all that may have a row, in the order of the tables.
func entrants(all []results.Contender) []entrant {
	var list []entrant
	for _, c := range contender.All() {
		list = append(list, entrant{name: c.Name, title: c.Title, limit: c.Limit})
	}
	for _, s := range contender.Stacks() {
		list = append(list, entrant{name: "stack-" + s.Name, title: s.Title})
	}
	list = append(list, entrant{name: "echo", title: "C echo: the generator's own limit", limit: true},
		entrant{name: "boot", title: "boot"})
	for i := range list {
		at := slices.IndexFunc(all, func(c results.Contender) bool { return c.Name == list[i].name })
		if at >= 0 {
			list[i].results = all[at]
		}
	}
	return list
}

// isOwn is true for Tugboot, alone or as a stack.
func (e entrant) isOwn() bool { return e.name == own || e.name == "stack-"+own }

// samples are the entrant's for one case.
func (e entrant) samples(suite, name string) []results.Sample {
	var found []results.Sample
	for _, s := range e.results.Samples {
		if s.Suite == suite && s.Case == name {
			found = append(found, s)
		}
	}
	return found
}

// summary is what an entrant's rounds of one figure come to.
func (e entrant) summary(suite, name, key string) measure.Summary {
	var rounds []float64
	for _, s := range e.samples(suite, name) {
		if value, ok := s.Values[key]; ok {
			rounds = append(rounds, value)
		}
	}
	return measure.Summarize(rounds)
}

// mark is " !" when others took more than a tenth of the machine in any round of the case.
func (e entrant) mark(suite, name string) string {
	for _, s := range e.samples(suite, name) {
		if s.Foreign > disturbed {
			return " !"
		}
	}
	return ""
}

// failure is why rounds of a case have no figures; empty when all have.
func (e entrant) failure(suite, name string) string {
	samples := e.samples(suite, name)
	failed, why := 0, ""
	for _, s := range samples {
		if s.Lacks != "" {
			return plain(s.Lacks)
		}
		if s.Failed != "" {
			failed++
			why = s.Failed
		}
	}
	switch {
	case failed == 0:
		return ""
	case failed == len(samples):
		return "failed: " + plain(why)
	default:
		return fmt.Sprintf("%d of %d rounds failed: %s", failed, len(samples), plain(why))
	}
}

// plain makes text fit into a table's cell.
func plain(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 160 {
		text = strings.ToValidUTF8(text[:160], "") + "..."
	}
	return strings.NewReplacer("|", "\\|", "<", "&lt;").Replace(text)
}

// cell writes a figure: the median, its extremes when there were several rounds, and a mark when they lie far apart.
func cell(s measure.Summary) string {
	if s.Rounds == 0 {
		return "-"
	}
	text := number(s.Median)
	if s.Rounds > 1 {
		text += fmt.Sprintf(" (%s-%s)", number(s.Min), number(s.Max))
	}
	if s.Noisy() {
		text += " ~"
	}
	return text
}

// column is one figure of a table.
type column struct {
	head, key string
	// ratio adds a column with the figure divided by Tugboot's.
	ratio bool
}

// figure is a column alone, compared one with its ratio beside it.
func figure(head, key string) column   { return column{head: head, key: key} }
func compared(head, key string) column { return column{head: head, key: key, ratio: true} }

// table is the entrants of one case beside each other. An entrant without samples has no row.
type table struct {
	suite, name string
	columns     []column
}

func (t table) write(w *strings.Builder, list []entrant) {
	var rows []entrant
	base := entrant{}
	for _, e := range list {
		if len(e.samples(t.suite, t.name)) > 0 {
			rows = append(rows, e)
		}
		if e.isOwn() && len(e.samples(t.suite, t.name)) > 0 {
			base = e
		}
	}
	if len(rows) == 0 {
		w.WriteString("Not tried.\n\n")
		return
	}
	heads := []string{"server"}
	for _, c := range t.columns {
		heads = append(heads, c.head)
		if c.ratio {
			heads = append(heads, "to Tugboot's")
		}
	}
	w.WriteString("| " + strings.Join(heads, " | ") + " |\n|" + strings.Repeat("---|", len(heads)) + "\n")
	for _, e := range rows {
		w.WriteString("| " + strings.Join(t.row(e, base), " | ") + " |\n")
	}
	w.WriteString("\n")
}

func (t table) row(e, base entrant) []string {
	title := e.title
	if e.isOwn() {
		title = "**" + title + "**"
	}
	cells := []string{title + e.mark(t.suite, t.name)}
	for _, c := range t.columns {
		s := e.summary(t.suite, t.name, c.key)
		cells = append(cells, cell(s))
		if c.ratio {
			cells = append(cells, ratio(s, base.summary(t.suite, t.name, c.key)))
		}
	}
	if failure := e.failure(t.suite, t.name); failure != "" {
		cells[1] = strings.TrimPrefix(cells[1]+"; "+failure, "-; ")
	}
	return cells
}

// ratio is a figure divided by another.
func ratio(s, base measure.Summary) string {
	if s.Rounds == 0 || base.Median == 0 {
		return "-"
	}
	return number(s.Median/base.Median) + "x"
}

// bars makes a plot of one figure of one case.
func bars(list []entrant, title, unit, suite, name, key string, log bool) Bars {
	b := Bars{Title: title, Unit: unit, Log: log}
	for _, e := range list {
		if len(e.samples(suite, name)) > 0 {
			b.Bars = append(b.Bars, Bar{Label: e.title, Summary: e.summary(suite, name, key), Own: e.isOwn(), Limit: e.limit})
		}
	}
	return b
}

// matrix is one figure of many cases beside each other: a row for each entrant, a column for each case.
type matrix struct {
	suite, key string
	cases      []string
	heads      []string
}

// write writes the matrix. Where a case has no figures the cell says why, if anything is known.
func (m matrix) write(w *strings.Builder, list []entrant) {
	w.WriteString("| server | " + strings.Join(m.heads, " | ") + " |\n|" + strings.Repeat("---|", len(m.heads)+1) + "\n")
	for _, e := range list {
		var cells []string
		tried := false
		for _, name := range m.cases {
			tried = tried || len(e.samples(m.suite, name)) > 0
			cells = append(cells, m.cell(e, name))
		}
		title := e.title
		if e.isOwn() {
			title = "**" + title + "**"
		}
		if tried {
			w.WriteString("| " + title + " | " + strings.Join(cells, " | ") + " |\n")
		}
	}
	w.WriteString("\n")
}

func (m matrix) cell(e entrant, name string) string {
	if len(e.samples(m.suite, name)) == 0 {
		return "not tried"
	}
	text := cell(e.summary(m.suite, name, m.key))
	if failure := e.failure(m.suite, name); failure != "" {
		text = strings.TrimPrefix(text+"; "+failure, "-; ")
	}
	return text + e.mark(m.suite, name)
}
