package kea

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// quote writes v as JSON that Kea reads as it stands: printable ASCII, indented. It is the one way by which a value comes
// into a file. Kea refuses escapes above U+00FF, and reads those below as bytes; a text that is not ASCII is an error.
func quote(v any) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return "", fmt.Errorf("write JSON: %w", err)
	}
	s := strings.TrimSuffix(text.String(), "\n")
	if i := strings.IndexFunc(s, func(r rune) bool { return r > '~' || r < ' ' && r != '\n' }); i >= 0 {
		return "", fmt.Errorf("%+.80q: not ASCII: write it with letters, digits and dashes", s[i:])
	}
	for _, e := range escapes.FindAllString(s, -1) {
		if len(e) > 2 && e[:4] != `\u00` {
			return "", fmt.Errorf("%s: not ASCII: write it with letters, digits and dashes", e)
		}
	}
	return s, nil
}

// escapes are all escapes in JSON, found one after the other.
var escapes = regexp.MustCompile(`\\(?:u[0-9a-f]{4}|.)`)

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
