package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/tugboot/tugboot/test/conformance/rows"
)

// line is a row with its verdict.
type line struct {
	Group string `json:"group"`
	rows.Row
	rows.Verdict
}

// report is what became of all rows, in the order in which they are shown.
type report []line

// judge runs the rows of a group, of all groups for "", whose ID contains only: those that may leave a mark after all others. It
// tells progress of each.
func judge(ctx context.Context, client *rows.Client, group, only string, progress func(line)) (report, error) {
	verdicts := map[string]rows.Verdict{}
	groups := slices.DeleteFunc(rows.All(), func(g rows.Group) bool { return group != "" && g.Name != group })
	ask := func(group string, all []rows.Row) error {
		for _, row := range all {
			if !strings.Contains(row.ID, only) {
				continue
			}
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("interrupted before %s: %w", row.ID, err)
			}
			verdicts[row.ID] = row.Judge(client)
			progress(line{group, row, verdicts[row.ID]})
		}
		return nil
	}
	for _, g := range groups {
		if err := ask(g.Name, g.Rows); err != nil {
			return nil, err
		}
	}
	for _, g := range groups {
		if err := ask(g.Name, g.Last); err != nil {
			return nil, err
		}
	}
	var all report
	for _, g := range groups {
		for _, row := range append(g.Rows, g.Last...) {
			if verdict, asked := verdicts[row.ID]; asked {
				all = append(all, line{g.Name, row, verdict})
			}
		}
	}
	return all, nil
}

// violated reports whether a MUST failed.
func (r report) violated() bool {
	for _, l := range r {
		if l.Level == rows.Must && l.Result == rows.Fail {
			return true
		}
	}
	return false
}

// checkFormat says what is wrong with the name of a format.
func checkFormat(format string) error {
	switch format {
	case "text", "json", "markdown":
		return nil
	}
	return fmt.Errorf("-o %q is no format: use text, json or markdown", format)
}

// checkGroup says what is wrong with the name of a group.
func checkGroup(name string) error {
	var names []string
	for _, g := range rows.All() {
		names = append(names, strconv.Quote(g.Name))
		if name == "" || name == g.Name {
			return nil
		}
	}
	return fmt.Errorf("--group %q is none: use %s", name, strings.Join(names, ", "))
}

func (r report) print(out io.Writer, format string) error {
	switch format {
	case "json":
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	case "markdown":
		return r.printMarkdown(out)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, l := range r {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", l.Result, l.Level, l.ID, l.Source, l.Evidence)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, r.sum())
	return err
}

func (r report) printMarkdown(out io.Writer) error {
	group := ""
	for _, l := range r {
		if l.Group != group {
			group = l.Group
			fmt.Fprintf(out, "\n### %s\n\n| row | rule | level | result | seen |\n|---|---|---|---|---|\n", group)
		}
		if _, err := fmt.Fprintf(out, "| `%s` | %s: %s | %s | %s | %s |\n", l.ID, l.Source, l.Rule, l.Level, l.Result, l.Evidence); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "\n%s\n", r.sum())
	return err
}

// sum counts the results.
func (r report) sum() string {
	counts := map[rows.Result]int{}
	for _, l := range r {
		counts[l.Result]++
	}
	return fmt.Sprintf("%d rows: %d pass, %d fail, %d silent, %d not applicable", len(r), counts[rows.Pass], counts[rows.Fail],
		counts[rows.Silent], counts[rows.NotApplicable])
}
