package dnsmasq

import (
	"fmt"
	"strings"

	"github.com/tugboot/tugboot/internal/render"
)

// Standing says what the live files, by their names, contain against what w asks for: the highest word in them, how many
// reservations, and how they differ: up to 16 sentences, and their number. A file that is not there is one difference; a
// word that differs from w's alone is none, but two files with two words are. The error is that of a w that cannot be
// rendered, or of a file whose mark cannot be read or is another cluster's: remove that file, and it is written again.
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
		said, err := wordOf(wanted.Name, text)
		if err != nil {
			return render.Word{}, 0, nil, 0, err
		}
		if said.Mark.Cluster != w.Word.Mark.Cluster {
			return render.Word{}, 0, nil, 0, fmt.Errorf("%s: it is the cluster %s's, and %s was expected: remove the file", wanted.Name, said.Mark.Cluster, w.Word.Mark.Cluster)
		}
		switch {
		case word == render.Word{}:
			word = said
		case word != said:
			d.Add("%s: epoch %d for %s stands there, and epoch %d for %s in the file before it",
				wanted.Name, said.Mark.Fence.Epoch, said.Says.Addr, word.Mark.Fence.Epoch, word.Says.Addr)
			if word.Mark.Fence.Less(said.Mark.Fence) {
				word = said
			}
		}
		key := optionKey
		if wanted.Name == HostsName(w.Word) {
			key = hostKey
			reservations = countHosts(text)
		}
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

// hostKey is the MAC of a host line, the whole of any other.
func hostKey(line string) string {
	if strings.HasPrefix(line, "#") {
		return line
	}
	mac, _, _ := strings.Cut(line, ",")
	return mac
}

// optionKey is the tag and the option of an option line, the whole of any other.
func optionKey(line string) string {
	if strings.HasPrefix(line, "#") {
		return line
	}
	fields := strings.SplitN(line, ",", 3)
	return strings.Join(fields[:min(len(fields), 2)], ",")
}

func countHosts(text string) int {
	n := 0
	for line := range strings.Lines(text) {
		if _, _, err := parseHost(strings.TrimSuffix(line, "\n")); err == nil {
			n++
		}
	}
	return n
}
