package microsoft

import (
	"fmt"
	"strconv"
	"strings"
)

// quote writes s as one PowerShell string that holds s and nothing else. Inside single quotes only a single quote has a
// meaning, and two of them stand for one (about_Quoting_Rules). PowerShell takes U+2018 to U+201B for single quotes too,
// and Windows PowerShell reads a script in the code page of the host: so no character but printable ASCII is let in.
func quote(s string) (string, error) {
	if at := strings.IndexFunc(s, notPrintable); at >= 0 {
		return "", fmt.Errorf("%+.80q: character %d cannot stand in a PowerShell script: use printable ASCII only", s, at+1)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'", nil
}

func notPrintable(r rune) bool { return r < ' ' || r > '~' }

// writer gathers the text of a script and the first error.
type writer struct {
	text strings.Builder
	err  error
}

// value is quote, with the error kept for the end.
func (w *writer) value(s string) string {
	quoted, err := quote(s)
	if err != nil && w.err == nil {
		w.err = err
	}
	return quoted
}

// list writes an array of strings.
func (w *writer) list(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = w.value(v)
	}
	return "@(" + strings.Join(quoted, ", ") + ")"
}

// line writes one line, indented by so many levels. Its parts are text of this package, numbers, and what value, list or
// options returned.
func (w *writer) line(level int, parts ...string) {
	w.text.WriteString(strings.Repeat("    ", level))
	for _, part := range parts {
		w.text.WriteString(part)
	}
	w.text.WriteByte('\n')
}

// options writes an array of options.
func (w *writer) options(options []option) string {
	items := make([]string, len(options))
	for i, o := range options {
		items[i] = "@{ Id = " + strconv.Itoa(o.id) + "; Value = " + w.list(o.values) + " }"
	}
	return "@(" + strings.Join(items, ", ") + ")"
}
