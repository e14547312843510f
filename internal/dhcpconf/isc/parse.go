package isc

import (
	"fmt"
	"strings"

	"github.com/tugboot/tugboot/internal/dhcpconf"
)

// Statement is one statement: the tokens up to its semicolon, or up to the brace of its block.
type Statement struct {
	Pos    dhcpconf.Position
	Tokens []Token
	// Block is true for a statement with braces; Inner are the statements between them.
	Block bool
	Inner []*Statement
}

// Word returns the text of token i, "" where there is none.
func (s *Statement) Word(i int) string {
	if i < 0 || i >= len(s.Tokens) {
		return ""
	}
	return s.Tokens[i].Text
}

// Begins reports whether the statement begins with the words.
func (s *Statement) Begins(words ...string) bool {
	for i, w := range words {
		if !strings.EqualFold(s.Word(i), w) {
			return false
		}
	}
	return true
}

// Rest returns the text of the tokens from i on, with spaces between them.
func (s *Statement) Rest(i int) string {
	var parts []string
	for ; i < len(s.Tokens); i++ {
		parts = append(parts, s.Tokens[i].Text)
	}
	return strings.Join(parts, " ")
}

// maxNesting is how deep blocks may stand in each other.
const maxNesting = 200

// Parse reads a configuration. Statements of included files, reached through read, stand where the include does. The first
// error of syntax in a file ends that file, and what was read up to there is returned. It does not panic.
func Parse(name, text string, read dhcpconf.Reader) ([]*Statement, []dhcpconf.Problem) {
	p := &parser{files: dhcpconf.NewFiles(name, len(text), read)}
	if len(text) > dhcpconf.MaxSize {
		return nil, []dhcpconf.Problem{{Pos: dhcpconf.Position{File: name}, Text: fmt.Sprintf("larger than %d MiB: divide the file", dhcpconf.MaxSize>>20)}}
	}
	return p.file(name, text), p.problems
}

type parser struct {
	files    *dhcpconf.Files
	problems []dhcpconf.Problem
}

func (p *parser) report(pos dhcpconf.Position, kind dhcpconf.Kind, text string) {
	p.problems = append(p.problems, dhcpconf.Problem{Pos: pos, Kind: kind, Text: text})
}

func (p *parser) file(name, text string) []*Statement {
	l := &lexer{name: name, text: strings.TrimPrefix(text, "\ufeff"), line: 1}
	statements, end := p.statements(l, 0)
	switch {
	case l.problem != nil:
		p.problems = append(p.problems, *l.problem)
	case end.is("}"):
		p.report(end.Pos, dhcpconf.Syntax, "this } closes nothing: remove it, or look for a missing { before it")
	}
	return statements
}

// statements reads up to a closing brace, which it returns, or up to the end of the file.
func (p *parser) statements(l *lexer, depth int) (list []*Statement, end Token) {
	s := &Statement{}
	record := 0 // braces that belong to an option's definition
	for {
		t, ok := l.next()
		if !ok {
			if len(s.Tokens) > 0 && l.problem == nil {
				p.report(s.Pos, dhcpconf.Syntax, fmt.Sprintf("the statement %+.40q has no end: write ; after it", s.Word(0)))
			}
			return list, Token{Pos: l.pos()}
		}
		if len(s.Tokens) == 0 {
			s.Pos = t.Pos
		}
		switch {
		case t.is("{") && (record > 0 || definition(s)):
			record++
			s.Tokens = append(s.Tokens, t)
		case t.is("}") && record > 0:
			record--
			s.Tokens = append(s.Tokens, t)
		case t.is("{"):
			if !p.block(l, s, t, depth) {
				return append(list, s), Token{Pos: l.pos()}
			}
			list, s = append(list, s), &Statement{}
		case t.is("}"):
			if len(s.Tokens) > 0 {
				p.report(s.Pos, dhcpconf.Syntax, fmt.Sprintf("the statement %+.40q has no end: write ; after it", s.Word(0)))
			}
			return list, t
		case t.is(";"):
			if len(s.Tokens) > 0 {
				list = append(list, p.include(s)...)
			}
			s = &Statement{}
		default:
			s.Tokens = append(s.Tokens, t)
		}
	}
}

// definition reports whether a brace after s opens a record, as in option x code 250 = { text, ip-address }.
func definition(s *Statement) bool {
	last := len(s.Tokens) - 1
	return last > 0 && (s.Tokens[last].is("=") || s.Tokens[last].is("of"))
}

func (p *parser) block(l *lexer, s *Statement, brace Token, depth int) bool {
	s.Block = true
	if depth >= maxNesting {
		l.problem = &dhcpconf.Problem{Pos: brace.Pos, Text: fmt.Sprintf("more than %d blocks in each other: look for missing braces", maxNesting)}
		return false
	}
	inner, end := p.statements(l, depth+1)
	s.Inner = inner
	if !end.is("}") && l.problem == nil {
		l.problem = &dhcpconf.Problem{Pos: brace.Pos, Text: "this { is never closed: write } where its block ends"}
	}
	return end.is("}")
}

// include returns the statements of the file that s includes, or s itself when it is another statement.
func (p *parser) include(s *Statement) []*Statement {
	if !s.Begins("include") {
		return []*Statement{s}
	}
	if len(s.Tokens) != 2 || !s.Tokens[1].Quoted {
		p.report(s.Pos, dhcpconf.Syntax, `include: takes one name in double quotes: write include "/etc/dhcp/file.conf";`)
		return nil
	}
	text, err := p.files.Enter(s.Word(1))
	if err != nil {
		p.report(s.Pos, dhcpconf.Include, "include: "+err.Error())
		return nil
	}
	defer p.files.Leave()
	return p.file(s.Word(1), text)
}
