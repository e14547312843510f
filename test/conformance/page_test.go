package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/test/conformance/rows"
)

const pageHead = `# Conformance

What DHCP, PXE, HTTP boot and TFTP servers are to do, one row for each MUST or SHOULD that can be seen from outside, and which server does
it. ` + "`make interop`" + ` asks Tugboot all of it each time; the other servers were asked when this page was written, by
` + "`go test ./test/conformance -update`" + `, each with the same reservations and boot rules. They serve other ends too: a row that one of
them fails is no verdict on it.

Ask a server of your own, as root, from a host on its network, with machines that it has reservations for and that are switched off:

` + "```sh" + `
go run ./test/conformance --server 192.168.2.112 --interface eth1 --known 52:54:00:00:00:01=192.168.2.21 \
    --known 52:54:00:00:00:02=192.168.2.22 --tftp-file ipxe.efi
` + "```" + `

` + "`-o json`" + ` and ` + "`-o markdown`" + ` print the same for programs and pages, ` + "`--strict`" + ` makes a violated MUST an exit code of 1. It asks in
the name of those machines and of one that nobody knows; the last one declines and releases its address at the end. With --tftp-file it
reads that file some dozens of times, and tries to write one named conformance-may-be-deleted. A machine with the interface's own
address is the asking host itself: name it where scripts are given to their own machines only.

pass: the rule is kept. FAIL: it is not. silent: no answer came where the rule wants one. n/a: the server, as it is configured, gives no
occasion to see it.

## Where Tugboot deviates

| row | why |
|---|---|
`

// writePage is docs/conformance.md.
func writePage(all []column) string {
	var b strings.Builder
	b.WriteString(pageHead)
	ids := make([]string, 0, len(deviations()))
	for id := range deviations() {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		fmt.Fprintf(&b, "| `%s` | %s |\n", id, deviations()[id])
	}
	b.WriteString("\n## In numbers\n\n| server | rows | pass | FAIL | silent | n/a |\n|---|---|---|---|---|---|\n")
	for _, c := range all {
		counts := map[rows.Result]int{}
		for _, l := range c.report {
			counts[l.Result]++
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d |\n", c.Name, len(c.report), counts[rows.Pass], counts[rows.Fail], counts[rows.Silent], counts[rows.NotApplicable])
	}
	for _, g := range rows.All() {
		writeGroup(&b, g, all)
	}
	writeSeen(&b, all)
	return b.String()
}

// writeGroup writes the table of one protocol: Tugboot and those servers that speak it.
func writeGroup(b *strings.Builder, g rows.Group, all []column) {
	shows := func(c column) bool {
		return c.Name == "Tugboot" || c.TFTP == (g.Name == rows.TFTP) && g.Name != rows.HTTP || !c.TFTP && g.Name == rows.HTTP
	}
	fmt.Fprintf(b, "\n## %s\n\n| row | rule | level |", g.Name)
	var columns []map[string]string
	rule := "\n|---|---|---|"
	for _, c := range all {
		if shows(c) {
			fmt.Fprintf(b, " %s |", c.Name)
			rule += "---|"
			columns = append(columns, results(c))
		}
	}
	b.WriteString(rule + "\n")
	for _, row := range slices.Concat(g.Rows, g.Last) {
		fmt.Fprintf(b, "| `%s` | %s: %s | %s |", row.ID, row.Source, row.Rule, row.Level)
		for _, c := range columns {
			fmt.Fprintf(b, " %s |", c[row.ID])
		}
		b.WriteString("\n")
	}
}

// writeSeen writes what was seen where a rule was not kept.
func writeSeen(b *strings.Builder, all []column) {
	b.WriteString("\n## What was seen\n\n| row | server | result | seen |\n|---|---|---|---|\n")
	for _, g := range rows.All() {
		for _, row := range slices.Concat(g.Rows, g.Last) {
			for _, c := range all {
				for _, l := range c.report {
					if l.ID == row.ID && (l.Result == rows.Fail || l.Result == rows.Silent) {
						fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", l.ID, c.Name, l.Result, l.Evidence)
					}
				}
			}
		}
	}
}

// results are a column's, by row.
func results(c column) map[string]string {
	all := map[string]string{}
	for _, l := range c.report {
		all[l.ID] = string(l.Result)
	}
	return all
}

var shownRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .* \\| (?:MUST|SHOULD|MAY) \\| ([^|]+) \\|")

// shown is Tugboot's column of the page, by row.
func shown(page string) map[string]string {
	all := map[string]string{}
	for _, found := range shownRow.FindAllStringSubmatch(page, -1) {
		all[found[1]] = found[2]
	}
	return all
}
