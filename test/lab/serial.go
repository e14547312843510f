package lab

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// lineWriter copies what a console prints and hands on its lines in readable form.
type lineWriter struct {
	copy io.Writer
	line func(string)

	mu   sync.Mutex
	rest []byte
}

// maxLine is where a line without an end is cut, in bytes: firmware draws whole screens without one.
const maxLine = 4096

// Write implements io.Writer. A failure to keep the copy must not stop the machine, whose console this is; the lines are
// handed on all the same.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.copy.Write(p)
	w.rest = append(w.rest, p...)
	for {
		end := bytes.IndexAny(w.rest, "\r\n")
		next := end + 1
		if end < 0 {
			if len(w.rest) < maxLine {
				break
			}
			end, next = maxLine, maxLine
		}
		w.emit(w.rest[:end])
		w.rest = w.rest[next:]
	}
	if err != nil {
		w.copy = io.Discard
	}
	return len(p), nil
}

// flush hands on a last line that has no end.
func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.emit(w.rest)
	w.rest = nil
}

func (w *lineWriter) emit(raw []byte) {
	if line := cleanLine(string(raw)); line != "" {
		w.line(line)
	}
}

// escapes are ANSI control sequences (ECMA-48 CSI) and the two-byte escapes that firmware uses.
var escapes = regexp.MustCompile(`\x1b\[[0-9;?=]*[ -/]*[@-~]|\x1b[@-Z\\^_c78=>]`)

// cleanLine removes escape sequences and control characters from a console's line, and blanks around it.
func cleanLine(raw string) string {
	text := escapes.ReplaceAllString(strings.ToValidUTF8(raw, ""), " ")
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
	return strings.TrimSpace(text)
}

// cleanTail returns the last lines of a console's file in readable form.
func cleanTail(path string, lines int) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	var clean []string
	for line := range strings.FieldsFuncSeq(string(raw), func(r rune) bool { return r == '\r' || r == '\n' }) {
		if line = cleanLine(line); line != "" {
			clean = append(clean, line)
		}
	}
	return strings.Join(clean[max(0, len(clean)-lines):], "\n")
}
