package dnsmasq

import "strings"

// quote makes one argument of s that dnsmasq reads as it stands: between quotes, where neither a comma nor a comment sign
// means anything. It is false for what no line can hold: an empty text, control characters, and all that is not ASCII.
func quote(s string) (string, bool) {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", false
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`, true
}

// isQuoted reports whether s is what quote makes.
func isQuoted(s string) bool {
	if len(s) < 3 || s[0] != '"' || s[len(s)-1] != '"' {
		return false
	}
	again, ok := quote(strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(s[1 : len(s)-1]))
	return ok && again == s
}

// isDomain reports whether s is a domain name: labels of 1 to 63 letters, digits and inner dashes, 253 in all.
func isDomain(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if !isLabel(label) {
			return false
		}
	}
	return true
}

func isLabel(s string) bool {
	return s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-' && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-')
	})
}

// isHostname reports whether s is a label that dnsmasq, in a dhcp-host line, takes for a name: not for a lease time, and
// not for one of its words.
func isHostname(s string) bool {
	if !isLabel(s) || strings.EqualFold(s, "infinite") || strings.EqualFold(s, "ignore") {
		return false
	}
	digits := strings.TrimRight(s, "smhdwSMHDW")
	return len(s)-len(digits) > 1 || strings.Trim(digits, "0123456789") != ""
}
