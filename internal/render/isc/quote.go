package isc

import (
	"fmt"
	"strings"
)

// maxText is the longest text that one option holds, in bytes.
const maxText = 255

// quote makes one string of s that dhcpd reads as it stands: a quote, a backslash and all that is not printable ASCII are
// written in octal. It is false for what no option can hold: an empty text, a zero byte, more than 255 bytes.
func quote(s string) (string, bool) {
	if s == "" || len(s) > maxText || strings.ContainsRune(s, 0) {
		return "", false
	}
	var text strings.Builder
	text.WriteByte('"')
	for i := range len(s) {
		if b := s[i]; b < ' ' || b > '~' || b == '"' || b == '\\' {
			fmt.Fprintf(&text, `\%03o`, b)
		} else {
			text.WriteByte(b)
		}
	}
	text.WriteByte('"')
	return text.String(), true
}

// quoted is the form of what quote makes.
const quoted = `"(?:[ !#-\[\]-~]|\\[0-3][0-7]{2})+"`

// isDomain reports whether s is a domain name: labels of 1 to 63 letters, digits and inner dashes, 253 in all.
func isDomain(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, notInLabel) {
			return false
		}
	}
	return true
}

func notInLabel(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-')
}
