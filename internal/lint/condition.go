package lint

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// condition is whom a rule is for, as far as it is understood. Each part that is set must hold.
type condition struct {
	// archs are the architectures that it tests for; nil means any.
	archs []int
	// pxe and http: vendor class PXEClient or HTTPClient. tinkerbell and stock: that user class.
	pxe, http, tinkerbell, stock bool
	// unknown is true when something was tested that is not understood.
	unknown bool
}

// and returns the condition that both hold.
func (a condition) and(b condition) condition {
	archs := a.archs
	switch {
	case archs == nil:
		archs = b.archs
	case b.archs != nil:
		archs = slices.DeleteFunc(slices.Clone(archs), func(n int) bool { return !slices.Contains(b.archs, n) })
	}
	return condition{archs, a.pxe || b.pxe, a.http || b.http, a.tinkerbell || b.tinkerbell, a.stock || b.stock, a.unknown || b.unknown}
}

// or returns the condition of a tag that is set by either.
func (a condition) or(b condition) condition {
	c := a.and(b)
	c.archs = nil
	if a.archs != nil && b.archs != nil {
		c.archs = append(slices.Clone(a.archs), b.archs...)
	}
	return c
}

var (
	keaArch     = regexp.MustCompile(`(?i)option\[(?:93|client-system)\]\.hex(?:\s*,\s*0\s*,\s*2\s*\))?\s*==\s*0x([0-9a-f]{2,4})\b`)
	keaArchUse  = regexp.MustCompile(`option\[(?:93|client-system)\]`)
	dhcpdArch   = regexp.MustCompile(`option (\S+)(?: , 0 , 2 \))? = ([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})(?:$|[\s)])`)
	vendorArch  = regexp.MustCompile(`Client:Arch:(\d{5})`)
	stockTest   = regexp.MustCompile(`(?s)'.?iPXE|0x(?:04)?69505845|option\[175\]|exists (?:ipxe|gpxe)|option (?:ipxe|gpxe)\.`)
	classTest   = regexp.MustCompile(`(?s)'.?Tinkerbell|(?i)0x(?:0a)?54696e6b657262656c6c`)
	memberTest  = regexp.MustCompile(`member\(\s*'([^']*)'\s*\)`)
	secondStart = regexp.MustCompile(`substring ?\( ?option(?:\[(?:77|user-class)\]\.(?:hex|text)| user-class) ?, ?1 ?,|suffix ?\( ?option|(?i)0x0a54696e6b|'(?s:.)Tinkerbell`)
	userClass   = regexp.MustCompile(`option\[(?:77|user-class)\]|option user-class`)
)

// conditionOf reads an expression of Kea, or one of dhcpd with its strings in single quotes. archNames are dhcpd's names of
// option 93.
func conditionOf(expression string, archNames []string) condition {
	positive, negated := withoutNot(expression)
	c := condition{
		pxe:        strings.Contains(positive, "'PXEClient"),
		http:       strings.Contains(positive, "'HTTPClient") || strings.Contains(positive, "VENDOR_CLASS_HTTPClient"),
		tinkerbell: classTest.MatchString(positive),
		stock:      stockTest.MatchString(positive),
	}
	if c.pxe && c.http {
		c.pxe, c.http = false, false // either
	}
	uses := keaArchUse.MatchString(expression)
	for _, m := range keaArch.FindAllStringSubmatch(positive, -1) {
		c.archs = appendNumber(c.archs, m[1], 16)
	}
	for _, m := range dhcpdArch.FindAllStringSubmatch(positive, -1) {
		if slices.Contains(archNames, m[1]) {
			c.archs = appendNumber(c.archs, m[2]+strings.Repeat("0", 2-len(m[3]))+m[3], 16)
		}
	}
	for _, name := range archNames {
		uses = uses || strings.Contains(expression, "option "+name+" ")
	}
	for _, m := range vendorArch.FindAllStringSubmatch(positive, -1) {
		c.archs = appendNumber(c.archs, m[1], 10)
	}
	c.unknown = uses && c.archs == nil || vendorArch.MatchString(negated) && c.archs == nil || strings.Contains(expression, "!=")
	return c
}

func appendNumber(list []int, digits string, base int) []int {
	n, err := strconv.ParseUint(digits, base, 16)
	if err != nil {
		return list
	}
	return append(list, int(n))
}

// withoutNot divides an expression into what must hold and what a not stands before.
func withoutNot(s string) (positive, negated string) {
	var keep, drop strings.Builder
	for {
		i := indexNot(s)
		if i < 0 {
			keep.WriteString(s)
			return keep.String(), drop.String()
		}
		keep.WriteString(s[:i])
		end := i + len("not") + operand(s[i+len("not"):])
		drop.WriteString(s[i:end])
		s = s[end:]
	}
}

// indexNot returns where the word not stands outside of strings, -1 for nowhere.
func indexNot(s string) int {
	quoted := false
	for i := range len(s) {
		if s[i] == '\'' {
			quoted = !quoted
		}
		if !quoted && strings.HasPrefix(s[i:], "not") && (i == 0 || !isLetter(s[i-1])) && (i+3 == len(s) || !isLetter(s[i+3])) {
			return i
		}
	}
	return -1
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '_' }

// operand returns the length of what a not is about: up to the and, the or, or the parenthesis that ends it.
func operand(s string) int {
	depth, quoted := 0, false
	for i := range len(s) {
		switch {
		case s[i] == '\'':
			quoted = !quoted
		case quoted:
		case s[i] == '(':
			depth++
		case s[i] == ')' && depth == 0:
			return i
		case s[i] == ')':
			depth--
		case depth == 0 && (strings.HasPrefix(s[i:], " and ") || strings.HasPrefix(s[i:], " or ")):
			return i
		}
	}
	return len(s)
}

// missesLength reports whether an expression compares the user class with Tinkerbell at its first byte only.
func missesLength(expression string) bool {
	return userClass.MatchString(expression) && classTest.MatchString(expression) && !secondStart.MatchString(expression)
}
