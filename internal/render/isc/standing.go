package isc

import (
	"fmt"
	"strings"

	"github.com/tugboot/tugboot/internal/render"
)

// Standing says what the live file, by its name, contains against what w asks for: its word, how many reservations, and
// how it differs: up to 16 sentences, and their number. A file that is not there is one difference; a word that differs
// from w's alone is none. The error is that of a w that cannot be rendered, or of a file whose mark cannot be read or is
// another cluster's: remove that file, and it is written again.
func Standing(files map[string]string, w render.Wanted) (word render.Word, reservations int, sentences []string, drifts int, err error) {
	out, err := Render(w)
	if err != nil {
		return render.Word{}, 0, nil, 0, err
	}
	var d render.Drift
	for _, wanted := range out.Live {
		text, ok := files[wanted.Name]
		if !ok {
			d.Add("%s: the file is not there, wanted %d lines", wanted.Name, strings.Count(wanted.Text, "\n"))
			continue
		}
		if word, err = wordOf(wanted.Name, text); err != nil {
			return render.Word{}, 0, nil, 0, err
		}
		if word.Mark.Cluster != w.Word.Mark.Cluster {
			return render.Word{}, 0, nil, 0, fmt.Errorf("%s: it is the cluster %s's, and %s was expected: remove the file", wanted.Name, word.Mark.Cluster, w.Word.Mark.Cluster)
		}
		reservations = countHosts(word, text)
		d.Compare(wanted.Name, text, wanted.Text, key)
	}
	return word, reservations, d.Sentences, d.Count, nil
}

// wordOf returns the word in a live file.
func wordOf(name, text string) (render.Word, error) {
	word, found, err := render.WordIn(text, "#")
	switch {
	case err != nil:
		return render.Word{}, fmt.Errorf("%s: %w: remove the file, and it is written again", name, err)
	case !found:
		return render.Word{}, fmt.Errorf("%s: no line begins with # %s: remove the file, and it is written again", name, render.MarkPrefix)
	}
	return word, nil
}

// key is what a line is about: the host or the condition, which stand before the brace.
func key(line string) string {
	if strings.HasPrefix(line, "#") {
		return line
	}
	before, _, _ := strings.Cut(line, " {")
	return strings.Replace(before, "    elsif ", "    if ", 1)
}

func countHosts(word render.Word, text string) int {
	n := 0
	for line := range strings.Lines(text) {
		if _, _, err := parseHost(word, strings.TrimSuffix(line, "\n")); err == nil {
			n++
		}
	}
	return n
}
