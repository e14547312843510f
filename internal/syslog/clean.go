package syslog

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Clean makes a text from the network fit for a log, a terminal or a page: printable characters stay, everything else
// (control characters, ANSI escapes, directional marks, invisible characters, bytes that are not UTF-8) is written as
// an escape such as \x1b or \u202e, and a backslash as two, so that no text can pose as an escape.
func Clean(text string) string {
	if isPlain(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + 16)
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case r == utf8.RuneError && size == 1:
			const digits = "0123456789abcdef"
			b.WriteString(`\x`)
			b.WriteByte(digits[text[i]>>4])
			b.WriteByte(digits[text[i]&15])
		case strconv.IsPrint(r):
			b.WriteString(text[i : i+size])
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += size
	}
	return b.String()
}

// isPlain reports whether Clean would change nothing, which is so for nearly every message.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < 0x20 || c > 0x7e || c == '\\' {
			return false
		}
	}
	return true
}

// Shorten cuts a cleaned text to at most limit bytes, without cutting a character in two, and marks the cut with "...".
// A limit below 3 counts as 3.
func Shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	n := max(limit-3, 0)
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "..."
}
