package kea

import (
	"fmt"

	"github.com/tugboot/tugboot/internal/dhcpconf"
)

// maxNesting is how deep values may stand in each other. Kea's own configuration needs ten.
const maxNesting = 200

// Parse reads a configuration and returns its outermost value; nil when the text holds none. The first error of syntax ends
// it, and what was read up to there is returned. Files that are included are reached through read. It does not panic.
func Parse(name, text string, read dhcpconf.Reader) (*Value, []dhcpconf.Problem) {
	p := &parser{lexer: lexer{files: dhcpconf.NewFiles(name, len(text), read)}}
	if len(text) > dhcpconf.MaxSize {
		return nil, []dhcpconf.Problem{{Pos: dhcpconf.Position{File: name}, Text: fmt.Sprintf("larger than %d MiB: divide the file", dhcpconf.MaxSize>>20)}}
	}
	p.push(name, text)
	p.advance()
	v := p.value(0)
	if p.tok.kind != tokenEnd {
		p.unexpected("the end of the file")
	}
	return v, p.problems
}

type parser struct {
	lexer
	tok token
}

func (p *parser) advance() { p.tok = p.next() }

// accept takes the token kind if it is there.
func (p *parser) accept(kind tokenKind) bool {
	if p.tok.kind != kind {
		return false
	}
	p.advance()
	return true
}

func (p *parser) unexpected(wanted string) {
	what := "the end of the file"
	if p.tok.kind != tokenEnd {
		what = fmt.Sprintf("%+.60q", p.tok.text)
	}
	p.fail(p.tok.pos, fmt.Sprintf("%s where %s should be: look for a missing or an additional comma, quote or bracket just before", what, wanted))
	p.tok = token{kind: tokenEnd, pos: p.tok.pos}
}

func (p *parser) value(depth int) *Value {
	v := &Value{Pos: p.tok.pos, Text: p.tok.text}
	switch {
	case depth > maxNesting:
		p.unexpected("no deeper nesting")
		return nil
	case p.tok.kind == tokenString:
		v.Kind = String
	case p.tok.kind == tokenNumber:
		v.Kind = Number
	case p.tok.kind == tokenWord && (v.Text == "true" || v.Text == "false"):
		v.Kind = Bool
	case p.tok.kind == tokenWord && v.Text == "null":
		v.Kind = Null
	case p.accept('{'):
		v.Kind, v.Text = Map, ""
		p.members(v, depth)
		return v
	case p.accept('['):
		v.Kind, v.Text = List, ""
		p.elements(v, depth)
		return v
	default:
		p.unexpected("a value")
		return nil
	}
	p.advance()
	return v
}

// members reads up to the closing brace. A comma may stand before it, as Kea takes that too.
func (p *parser) members(v *Value, depth int) {
	for !p.accept('}') {
		m := Member{Name: p.tok.text, Pos: p.tok.pos}
		if p.tok.kind != tokenString {
			p.unexpected("a name in double quotes or }")
			return
		}
		p.advance()
		if !p.accept(':') {
			p.unexpected(":")
			return
		}
		if m.Value = p.value(depth + 1); m.Value == nil {
			return
		}
		v.Members = append(v.Members, m)
		if !p.accept(',') && p.tok.kind != '}' {
			p.unexpected(", or }")
			return
		}
	}
}

func (p *parser) elements(v *Value, depth int) {
	for !p.accept(']') {
		element := p.value(depth + 1)
		if element == nil {
			return
		}
		v.List = append(v.List, element)
		if !p.accept(',') && p.tok.kind != ']' {
			p.unexpected(", or ]")
			return
		}
	}
}
