package hardwarecsv

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// trim takes away the spaces and tabs that people put around a value. It leaves every other kind of blank, so that one is
// reported rather than guessed at.
func trim(s string) string { return strings.Trim(s, " \t") }

// quote shows an untrusted value on one line, at most 60 characters of it.
func quote(s string) string {
	if runes := []rune(s); len(runes) > 60 {
		s = string(runes[:60]) + "..."
	}
	return fmt.Sprintf("%q", s)
}

// printable reports whether every character of s can be printed, so that none is a control character.
func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// asText returns the file's text without a byte order mark, or says why it is none.
func asText(file []byte) ([]byte, *Problem) {
	text := bytes.TrimPrefix(file, []byte("\xef\xbb\xbf"))
	line := func(at int) int { return 1 + bytes.Count(text[:at], []byte("\n")) }
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return nil, &Problem{1, wholeFile, "is empty: write a header line with the columns " + strings.Join(required(), ", ")}
	case bytes.HasPrefix(file, []byte("\xff\xfe")), bytes.HasPrefix(file, []byte("\xfe\xff")):
		return nil, &Problem{1, wholeFile, "is encoded as UTF-16: save it as UTF-8"}
	}
	if at := bytes.IndexByte(text, 0); at >= 0 {
		return nil, &Problem{line(at), wholeFile, "holds a zero byte, so it is not plain text: save it as CSV in UTF-8"}
	}
	if at := invalidUTF8(text); at >= 0 {
		return nil, &Problem{line(at), wholeFile, fmt.Sprintf("holds the byte 0x%02x, which is not UTF-8: save it as UTF-8", text[at])}
	}
	return text, nil
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(text []byte) int {
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}
