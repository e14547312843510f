package render

import (
	"fmt"
	"strings"
)

// MaxDrift is how many differences are told one by one; the others are counted.
const MaxDrift = 16

// Drift collects how live files differ from what is wanted: each difference is counted, and the first few are told in a
// sentence each.
type Drift struct {
	Sentences []string
	Count     int
}

// Add notes one difference.
func (d *Drift) Add(format string, args ...any) {
	d.Count++
	if len(d.Sentences) < MaxDrift {
		d.Sentences = append(d.Sentences, fmt.Sprintf(format, args...))
	}
}

// Compare finds the lines of the file live that are not those of wanted; the mark is left out. key is what a line is
// about: of two lines with one key the texts are compared. Lines that stand in another order count too.
func (d *Drift) Compare(name, live, wanted string, key func(line string) string) {
	want := linesOf(wanted)
	place := make(map[string]int, len(want))
	for i, line := range want {
		place[key(line)] = i
	}
	seen, last, number := make([]bool, len(want)), -1, 0
	for line := range strings.Lines(live) {
		number++
		line = strings.TrimSuffix(line, "\n")
		i, ok := place[key(line)]
		switch {
		case isMark(line):
			continue
		case !ok || seen[i]:
			d.Add("%s line %d: %+.160q stands there and is not wanted", name, number, line)
			continue
		case want[i] != line:
			is, wanted := parts(line, want[i])
			d.Add("%s line %d: %+.160q: %+.160q stands there, wanted %+.160q", name, number, key(line), is, wanted)
		case i < last:
			d.Add("%s line %d: %+.160q stands after line %+.160q, wanted before it", name, number, line, want[last])
		}
		seen[i], last = true, max(last, i)
	}
	for i, line := range want {
		if !seen[i] {
			d.Add("%s: no line for %+.160q, wanted %+.160q", name, key(line), line)
		}
	}
}

// parts returns what of two lines differs, in whole words: the words that both begin with, and those that both end with,
// are left out.
func parts(a, b string) (onlyA, onlyB string) {
	x, y := strings.SplitAfter(a, " "), strings.SplitAfter(b, " ")
	for len(x) > 0 && len(y) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && len(y) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	return strings.TrimSuffix(strings.Join(x, ""), " "), strings.TrimSuffix(strings.Join(y, ""), " ")
}

func linesOf(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); !isMark(line) {
			all = append(all, line)
		}
	}
	return all
}

func isMark(line string) bool { return strings.HasPrefix(line, "# "+MarkPrefix) }
