package kea

import (
	"encoding/json"
	"strings"

	"github.com/tugboot/tugboot/internal/dhcpconf"
)

// tokenKind is one of the constants, or the punctuation character itself.
type tokenKind byte

const (
	tokenEnd tokenKind = iota
	tokenString
	tokenNumber
	tokenWord
)

type token struct {
	kind tokenKind
	text string
	pos  dhcpconf.Position
}

// cursor is where reading stands in one file.
type cursor struct {
	name, text   string
	at           int
	line, column int
}

func (c *cursor) rest() string { return c.text[c.at:] }

func (c *cursor) pos() dhcpconf.Position {
	return dhcpconf.Position{File: c.name, Line: c.line, Column: c.column}
}

// skip goes n bytes on.
func (c *cursor) skip(n int) {
	passed := c.text[c.at : c.at+n]
	c.at += n
	if lines := strings.Count(passed, "\n"); lines > 0 {
		c.line += lines
		c.column = n - strings.LastIndexByte(passed, '\n')
		return
	}
	c.column += n
}

// lexer divides the configuration into tokens, across the files it includes.
type lexer struct {
	files    *dhcpconf.Files
	stack    []*cursor
	problems []dhcpconf.Problem
	failed   bool
}

func (l *lexer) push(name, text string) {
	l.stack = append(l.stack, &cursor{name: name, text: text, line: 1, column: 1})
}

func (l *lexer) fail(pos dhcpconf.Position, text string) {
	if !l.failed {
		l.problems = append(l.problems, dhcpconf.Problem{Pos: pos, Text: text})
	}
	l.failed = true
}

// next returns the next token; after an error, and for good, the end.
func (l *lexer) next() token {
	for {
		c := l.stack[len(l.stack)-1]
		rest := c.rest()
		switch {
		case l.failed:
			return token{kind: tokenEnd, pos: c.pos()}
		case rest == "" && len(l.stack) > 1:
			l.stack = l.stack[:len(l.stack)-1]
			l.files.Leave()
		case rest == "":
			return token{kind: tokenEnd, pos: c.pos()}
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			c.skip(1)
		case c.at == 0 && strings.HasPrefix(rest, "\ufeff"):
			c.skip(len("\ufeff"))
		case rest[0] == '#' || strings.HasPrefix(rest, "//"):
			c.skip(upTo(rest, "\n"))
		case strings.HasPrefix(rest, "/*"):
			l.comment(c)
		case strings.HasPrefix(rest, "<?"):
			l.include(c)
		case rest[0] == '"':
			return l.str(c)
		default:
			return l.plain(c)
		}
	}
}

// upTo returns how many bytes stand before end, all of s without one.
func upTo(s, end string) int {
	if i := strings.Index(s, end); i >= 0 {
		return i
	}
	return len(s)
}

func (l *lexer) comment(c *cursor) {
	end := strings.Index(c.rest()[2:], "*/")
	if end < 0 {
		l.fail(c.pos(), "this comment has no end: write */ after it")
		return
	}
	c.skip(2 + end + 2)
}

func (l *lexer) include(c *cursor) {
	pos := c.pos()
	const form = `this is no include: write <?include "/etc/kea/file.json"?>`
	inner, _, closed := strings.Cut(c.rest()[len("<?"):], "?>")
	if !closed {
		l.fail(pos, form)
		return
	}
	end := len("<?") + len(inner)
	inner = strings.TrimSpace(inner)
	name, found := strings.CutPrefix(inner, "include")
	name = strings.TrimSpace(name)
	if !found || len(name) < 3 || name[0] != '"' || name[len(name)-1] != '"' {
		l.fail(pos, form)
		return
	}
	c.skip(end + len("?>"))
	name = name[1 : len(name)-1]
	text, err := l.files.Enter(name)
	if err != nil {
		l.problems = append(l.problems, dhcpconf.Problem{Pos: pos, Kind: dhcpconf.Include, Text: "include: " + err.Error()})
		l.failed = true // what comes now would be read without what belongs here
		return
	}
	l.push(name, text)
}

func (l *lexer) str(c *cursor) token {
	pos, rest := c.pos(), c.rest()
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			c.skip(i + 1)
			var text string
			if err := json.Unmarshal([]byte(rest[:i+1]), &text); err != nil {
				l.fail(pos, "this is no JSON string (RFC 8259 section 7): look for a backslash or a tab in it")
			}
			return token{tokenString, text, pos}
		case '\n':
			l.fail(pos, "this string has no end on its line: write the closing double quote")
			return token{kind: tokenEnd, pos: pos}
		}
	}
	l.fail(pos, "this string has no end: write the closing double quote")
	return token{kind: tokenEnd, pos: pos}
}

func (l *lexer) plain(c *cursor) token {
	pos, rest := c.pos(), c.rest()
	if strings.IndexByte("{}[]:,", rest[0]) >= 0 {
		c.skip(1)
		return token{tokenKind(rest[0]), rest[:1], pos}
	}
	n := strings.IndexFunc(rest, func(r rune) bool { return r > '~' || strings.ContainsRune(" \t\r\n{}[]:,\"#/<", r) })
	switch {
	case n < 0:
		n = len(rest)
	case n == 0:
		l.fail(pos, "this character has no meaning here: remove it")
		return token{kind: tokenEnd, pos: pos}
	}
	c.skip(n)
	word := rest[:n]
	if json.Valid([]byte(word)) && strings.IndexByte("-0123456789", word[0]) >= 0 {
		return token{tokenNumber, word, pos}
	}
	return token{tokenWord, word, pos}
}
