package lab

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConsoleLinesAreReadable(t *testing.T) {
	for _, c := range []struct{ name, raw, want string }{
		{"plain", "SeaBIOS (version 1.16)", "SeaBIOS (version 1.16)"},
		{"colours and cursor", "\x1b[2J\x1b[01;01H\x1b[0mBdsDxe: loading\x1b[K", "BdsDxe: loading"},
		{"terminal reset", "\x1bc\x1b[?7l\x1b[2JiPXE", "iPXE"},
		{"controls and broken UTF-8", "a\x07\x00b\xffc\u202ed", "abcd"},
		{"nothing but escapes", "\x1b[1m \x1b[0m", ""},
	} {
		if got := cleanLine(c.raw); got != c.want {
			t.Errorf("%s: %q became %q, want %q", c.name, c.raw, got, c.want)
		}
	}
}

func TestConsoleIsCutIntoLines(t *testing.T) {
	var raw strings.Builder
	var got []string
	w := &lineWriter{copy: &raw, line: func(line string) { got = append(got, line) }}
	long := strings.Repeat("x", maxLine+10)
	for _, piece := range []string{"one\r", "\ntw", "o\n\n\x1b[0m\n", long, "\nla", "st"} {
		if n, err := w.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatalf("Write(%q) = %d, %v", piece, n, err)
		}
	}
	w.flush()
	want := []string{"one", "two", long[:maxLine], long[maxLine:], "last"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if raw.String() != "one\r\ntwo\n\n\x1b[0m\n"+long+"\nlast" {
		t.Error("the copy is not what came")
	}
}
