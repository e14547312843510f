package tink

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// isASCII reports whether s is printable ASCII, spaces included.
func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

// isWord reports whether s is printable ASCII that a script or a command line takes for one word.
func isWord(s string) bool {
	return isASCII(s) && !strings.ContainsAny(s, " \"'\\`") && !strings.Contains(s, "${")
}

// isPrintable reports whether s is UTF-8 without control characters, line separators and characters that reorder text.
func isPrintable(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// isText reports whether s is UTF-8 whose only control characters are those that lines of text have.
func isText(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
	}) < 0
}

// maxFileName is the length of the header field file without its final zero byte (RFC 2131 section 2).
const maxFileName = 127

// isFileName reports whether s names a file in a folder: no path, not hidden, nothing that needs quoting anywhere.
func isFileName(s string) bool {
	return s != "" && len(s) <= maxFileName && s[0] != '.' && s[0] != '-' && strings.IndexFunc(s, func(r rune) bool {
		return r >= utf8.RuneSelf || !isAlphanumeric(byte(r)) && !strings.ContainsRune("._+-", r)
	}) < 0
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
