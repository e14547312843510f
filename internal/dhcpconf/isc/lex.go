package isc

import (
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/internal/dhcpconf"
)

// Token is one word, string or punctuation character and its place.
type Token struct {
	Pos  dhcpconf.Position
	Text string
	// Quoted is true for a string, whose Text is without quotes and escapes.
	Quoted bool
}

// is reports whether the token is the bare word or character text.
func (t Token) is(text string) bool { return !t.Quoted && t.Text == text }

// lexer divides one file into tokens.
type lexer struct {
	name, text string
	at         int
	line, bol  int // bol is where the line begins
	problem    *dhcpconf.Problem
}

func (l *lexer) pos() dhcpconf.Position {
	return dhcpconf.Position{File: l.name, Line: l.line, Column: l.at - l.bol + 1}
}

// next returns the next token; false at the end of the file.
func (l *lexer) next() (Token, bool) {
	for l.at < len(l.text) {
		c := l.text[l.at]
		switch {
		case c == '\n':
			l.at++
			l.line++
			l.bol = l.at
		case c == ' ' || c == '\t' || c == '\r':
			l.at++
		case c == '#':
			if n := strings.IndexByte(l.text[l.at:], '\n'); n >= 0 {
				l.at += n
			} else {
				l.at = len(l.text)
			}
		case c == '"':
			return l.str()
		case isWord(c):
			t := Token{Pos: l.pos()}
			from := l.at
			for l.at < len(l.text) && isWord(l.text[l.at]) {
				l.at++
			}
			t.Text = l.text[from:l.at]
			return t, true
		default:
			t := Token{Pos: l.pos(), Text: l.text[l.at : l.at+1]}
			l.at++
			return t, true
		}
	}
	return Token{}, false
}

// isWord takes what names, numbers, addresses, MACs and hexadecimal bytes are made of.
func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c >= 0x80 || strings.IndexByte("_-.:/@", c) >= 0
}

func (l *lexer) str() (Token, bool) {
	t := Token{Pos: l.pos(), Quoted: true}
	var text strings.Builder
	for l.at++; l.at < len(l.text); l.at++ {
		switch c := l.text[l.at]; {
		case c == '"':
			l.at++
			t.Text = text.String()
			return t, true
		case c == '\n':
			l.line++
			l.bol = l.at + 1
			text.WriteByte(c)
		case c == '\\' && l.at+1 < len(l.text) && l.text[l.at+1] != '\n':
			l.at += escape(l.text[l.at+1:], &text)
		default:
			text.WriteByte(c)
		}
	}
	l.problem = &dhcpconf.Problem{Pos: t.Pos, Text: "this string has no end: write the closing double quote"}
	return Token{}, false
}

// escape writes what stands after a backslash and returns how many bytes of it belong together: a letter, x and two
// hexadecimal digits, or three octal ones.
func escape(s string, into *strings.Builder) int {
	if s[0] == 'x' && len(s) >= 3 {
		if n, err := strconv.ParseUint(s[1:3], 16, 8); err == nil {
			into.WriteByte(byte(n))
			return 3
		}
	}
	if len(s) >= 3 {
		if n, err := strconv.ParseUint(s[:3], 8, 8); err == nil {
			into.WriteByte(byte(n))
			return 3
		}
	}
	switch s[0] {
	case 'n':
		into.WriteByte('\n')
	case 't':
		into.WriteByte('\t')
	case 'r':
		into.WriteByte('\r')
	default:
		into.WriteByte(s[0])
	}
	return 1
}
