package microsoft

import (
	"fmt"
	"strings"
)

// kind is what a token is.
type kind uint8

const (
	symbol kind = iota
	word
	variable  // $name or @name
	parameter // -name: a parameter or an operator
	text
	opening
	closing
)

// token is one piece of a script. Spaced tells whether a blank or a line's end stands before it.
type token struct {
	kind   kind
	text   string
	line   int
	spaced bool
}

func (t token) wrong(why string) error {
	return fmt.Errorf("script line %d: %+.80q %s", t.line, t.text, why)
}

// scan divides a script into tokens. Comments and blanks are left out.
func scan(script string) ([]token, error) {
	var tokens []token
	number := 0
	for line := range strings.Lines(script) {
		number++
		rest, spaced := strings.TrimSuffix(line, "\n"), true
		for rest != "" {
			if rest[0] == ' ' {
				rest, spaced = rest[1:], true
				continue
			}
			if rest[0] == '#' && spaced {
				if at := strings.IndexFunc(rest, notPrintable); at >= 0 {
					return nil, token{line: number, text: rest[at:]}.wrong("is not printable ASCII")
				}
				break
			}
			t, err := first(rest, number)
			if err != nil {
				return nil, err
			}
			t.spaced = spaced
			tokens = append(tokens, t)
			rest, spaced = rest[len(t.text):], false
		}
	}
	return tokens, nil
}

// first returns the token with which s begins; s is the rest of one line.
func first(s string, line int) (token, error) {
	t := token{line: line, text: s[:1]}
	switch c := s[0]; {
	case c == '\'':
		n := stringLength(s)
		if n == 0 {
			return t, token{line: line, text: s}.wrong("is a string that does not end on its line")
		}
		t.kind, t.text = text, s[:n]
		if at := strings.IndexFunc(t.text, notPrintable); at >= 0 {
			return t, t.wrong("is not printable ASCII")
		}
	case c == '@' && len(s) > 1 && (s[1] == '(' || s[1] == '{'):
		t.kind, t.text = opening, s[:2]
	case (c == '$' || c == '@') && nameLength(s[1:], false) > 0:
		t.kind, t.text = variable, s[:1+nameLength(s[1:], false)]
	case c == '-' && nameLength(s[1:], false) > 0:
		t.kind, t.text = parameter, s[:1+nameLength(s[1:], false)]
	case nameLength(s, true) > 0:
		t.kind, t.text = word, s[:nameLength(s, true)]
	case strings.IndexByte("({[", c) >= 0:
		t.kind = opening
	case strings.IndexByte(")}]", c) >= 0:
		t.kind = closing
	case strings.IndexByte("0123456789.,;:=+|&", c) < 0:
		return t, t.wrong("has no place in a script of Tugboot")
	}
	return t, nil
}

// stringLength is the length of the string in single quotes with which s begins, 0 when it does not end.
func stringLength(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '\'':
		case i+1 < len(s) && s[i+1] == '\'':
			i++
		default:
			return i + 1
		}
	}
	return 0
}

// nameLength is the length of the name with which s begins, 0 for none. Names of commands have dashes in them.
func nameLength(s string, dashes bool) int {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if !letter && (i == 0 || !('0' <= c && c <= '9' || dashes && c == '-')) {
			return i
		}
	}
	return len(s)
}
