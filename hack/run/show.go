package main

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tugboot/tugboot/test/lab"
)

// lineWidth is how much of a text fits into a line of 100 characters.
const lineWidth = 78

// line prints one line of progress: when, what part, what happened.
func line(out io.Writer, since time.Duration, stage, text string) {
	if characters := []rune(text); len(characters) > lineWidth {
		text = string(characters[:lineWidth-3]) + "..."
	}
	fmt.Fprintf(out, "%7.1f s  %-10s %s\n", since.Seconds(), stage, text)
}

// mark says that a line of a machine's console means progress, of which stage, and what of it to show.
type mark struct {
	line  *regexp.Regexp
	stage string
}

// marks returns the lines worth showing; the first group is what is shown.
func marks() []mark {
	return []mark{
		{regexp.MustCompile(`^(SeaBIOS \(version \S+)`), "firmware"},
		{regexp.MustCompile(`(>>Start \w+(?: Boot)? over IPv4)`), "firmware"},
		{regexp.MustCompile(`^(BdsDxe: (?:loading|starting) \S+ "[^"]*")`), "firmware"},
		{regexp.MustCompile(`^(iPXE \d\S+) `), "ipxe"},
		{regexp.MustCompile(`^(iPXE initialising devices)`), "ipxe"},
		{regexp.MustCompile(`^((?:tftp|http)://\S+\.\.\. .*\S)`), "ipxe"},
		{regexp.MustCompile(`\] (Linux version \S+)`), lab.StageKernel},
		{regexp.MustCompile(`\] (Run /init as init process)`), lab.StageKernel},
		{regexp.MustCompile(`(` + lab.Marker + `.*)`), lab.StageInit},
		{regexp.MustCompile(`\] (Kernel panic.*)`), lab.StageKernel},
	}
}

// progress returns the stage and the text to show of a console's line; an empty text for a line that is not worth it.
func progress(console string) (stage, text string) {
	for _, m := range marks() {
		if found := m.line.FindStringSubmatch(console); found != nil {
			return m.stage, found[1]
		}
	}
	return "", ""
}

// The table's columns fit a terminal of 100 characters.
const (
	row       = "%7s  %-6s  %-51s  %8s  %s"
	whatWidth = 51
	wordWidth = 50
)

// table prints a boot's timeline.
func table(out io.Writer, powerOn time.Time, events []lab.Event) {
	printRow(out, "TIME", "STAGE", "WHAT", "BYTES", "REASON")
	for _, e := range events {
		bytes := ""
		if e.Bytes > 0 {
			bytes = strconv.FormatInt(e.Bytes, 10)
		}
		what := wrap(describe(e))
		printRow(out, fmt.Sprintf("%.3f", e.At.Sub(powerOn).Seconds()), e.Stage, what[0], bytes, e.Reason)
		for _, more := range what[1:] {
			printRow(out, "", "", more, "", "")
		}
	}
}

func printRow(out io.Writer, cells ...any) {
	fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf(row, cells...), " "))
}

// describe is an event's text. What the init says in full stands among the progress above the table.
func describe(e lab.Event) string {
	if e.Stage == lab.StageInit {
		return "the kernel runs its first program"
	}
	return e.What
}

// wrap breaks a text into lines of the table's width, at blanks. The middle of a word that is longer is left out.
func wrap(text string) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		if r := []rune(word); len(r) > wordWidth {
			word = string(r[:wordWidth-17]) + "..." + string(r[len(r)-14:])
		}
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case len([]rune(*last))+1+len([]rune(word)) <= whatWidth:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// size writes a number of bytes for people.
func size(bytes int64) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	default:
		return fmt.Sprintf("%d B", bytes)
	}
}
