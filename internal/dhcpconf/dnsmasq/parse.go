package dnsmasq

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/tugboot/tugboot/internal/dhcpconf"
)

// Option is one option of the configuration.
type Option struct {
	Pos dhcpconf.Position
	// Name is without dashes in front, which are reported. A line of a dhcp-hostsfile has dhcp-host, one of a dhcp-optsfile dhcp-option.
	Name string
	// Fields are the value's parts between commas, without the spaces and quotes around them.
	Fields []string
	// Live is true for a line of a file that dnsmasq reads again on SIGHUP.
	Live bool
}

// Field returns the field i, "" where there is none.
func (o Option) Field(i int) string {
	if i < 0 || i >= len(o.Fields) {
		return ""
	}
	return o.Fields[i]
}

// Tagged divides the fields into the names of set:X and of tag:X in front of and between the others, and the others.
func (o Option) Tagged() (set, tag, rest []string) {
	for _, f := range o.Fields {
		if name, ok := strings.CutPrefix(f, "set:"); ok {
			set = append(set, name)
		} else if name, ok := strings.CutPrefix(f, "tag:"); ok {
			tag = append(tag, name)
		} else {
			rest = append(rest, f)
		}
	}
	return set, tag, rest
}

// Parse reads a configuration and every file that it names, reached through read. A line that cannot be read is reported
// and passed over. It does not panic.
func Parse(name, text string, read dhcpconf.Reader) ([]Option, []dhcpconf.Problem) {
	p := &parser{files: dhcpconf.NewFiles(name, len(text), read)}
	if len(text) > dhcpconf.MaxSize {
		return nil, []dhcpconf.Problem{{Pos: dhcpconf.Position{File: name}, Text: fmt.Sprintf("larger than %d MiB: divide the file", dhcpconf.MaxSize>>20)}}
	}
	p.file(name, text, "")
	return p.options, p.problems
}

type parser struct {
	files    *dhcpconf.Files
	options  []Option
	problems []dhcpconf.Problem
}

func (p *parser) report(pos dhcpconf.Position, kind dhcpconf.Kind, text string) {
	p.problems = append(p.problems, dhcpconf.Problem{Pos: pos, Kind: kind, Text: text})
}

// file reads the lines of a file; as is the option that each line of a hosts or options file stands for, else "".
func (p *parser) file(name, text, as string) {
	number := 0
	for raw := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		number++
		line := strings.TrimRight(raw, "\r\n")
		column := 1 + len(line) - len(strings.TrimLeft(line, " \t"))
		pos := dhcpconf.Position{File: name, Line: number, Column: column}
		content, closed := uncomment(line)
		content = strings.TrimSpace(content)
		switch {
		case !closed:
			p.report(pos, dhcpconf.Syntax, "a double quote without its pair: write the other one")
		case content == "":
		case as != "":
			p.options = append(p.options, Option{Pos: pos, Name: as, Fields: fields(content), Live: true})
		default:
			p.line(pos, content)
		}
	}
}

func (p *parser) line(pos dhcpconf.Position, content string) {
	key, value, _ := strings.Cut(content, "=")
	o := Option{Pos: pos, Name: strings.TrimLeft(strings.TrimSpace(key), "-")}
	if o.Name == "" || strings.ContainsAny(o.Name, " \t\",") {
		p.report(pos, dhcpconf.Syntax, fmt.Sprintf("%+.60q is no option: write name=value, or name alone", key))
		return
	}
	if strings.HasPrefix(content, "-") {
		p.report(pos, dhcpconf.Syntax, fmt.Sprintf("%+.60q: dnsmasq refuses dashes in front of an option in a file: write %s", key, o.Name))
	}
	if value = strings.TrimSpace(value); value != "" {
		o.Fields = fields(value)
	}
	p.options = append(p.options, o)
	switch o.Name {
	case "conf-file":
		p.include(pos, o.Field(0), "", nil)
	case "conf-dir":
		p.include(pos, o.Field(0), "", o.Fields[min(1, len(o.Fields)):])
	case "dhcp-hostsfile", "dhcp-hostsdir":
		p.include(pos, o.Field(0), "dhcp-host", nil)
	case "dhcp-optsfile", "dhcp-optsdir":
		p.include(pos, o.Field(0), "dhcp-option", nil)
	}
}

func (p *parser) include(pos dhcpconf.Position, name, as string, patterns []string) {
	if name == "" {
		p.report(pos, dhcpconf.Syntax, "names no file: write its path after =")
		return
	}
	text, err := p.files.Enter(name)
	switch {
	case errors.Is(err, dhcpconf.ErrFolder):
		for inner := range strings.Lines(text) {
			if inner = strings.TrimSpace(inner); wanted(inner, patterns) {
				p.include(pos, path.Join(name, inner), as, nil)
			}
		}
	case err != nil:
		p.report(pos, dhcpconf.Include, err.Error())
	default:
		p.file(name, text, as)
		p.files.Leave()
	}
}

// wanted is the rule of conf-dir: no names with a tilde at the end, a dot in front or number signs around; *.ext takes only
// such names, and .ext leaves such names out.
func wanted(name string, patterns []string) bool {
	if name == "" || strings.HasSuffix(name, "~") || name[0] == '.' || name[0] == '#' && strings.HasSuffix(name, "#") {
		return false
	}
	only, matched := false, false
	for _, pattern := range patterns {
		if suffix, ok := strings.CutPrefix(pattern, "*"); ok {
			only, matched = true, matched || strings.HasSuffix(name, suffix)
		} else if pattern != "" && strings.HasSuffix(name, pattern) {
			return false
		}
	}
	return !only || matched
}

// uncomment cuts a comment off: a number sign at the beginning, or after a blank, outside of quotes.
func uncomment(line string) (content string, closed bool) {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '#' && !quoted && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return line[:i], true
		}
	}
	return line, !quoted
}

// fields divides a value at its commas outside of quotes.
func fields(value string) []string {
	var list []string
	var field strings.Builder
	quoted, wasQuoted := false, false
	end := func() {
		text := field.String()
		if !wasQuoted {
			text = strings.TrimSpace(text)
		}
		list = append(list, text)
		field.Reset()
		wasQuoted = false
	}
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\\' && quoted && i+1 < len(value):
			i++
			field.WriteByte(value[i])
		case c == '"':
			quoted = !quoted
			wasQuoted = true
		case c == ',' && !quoted:
			end()
		default:
			if c == ' ' && wasQuoted && !quoted || c == ' ' && field.Len() == 0 && !quoted {
				continue
			}
			field.WriteByte(c)
		}
	}
	end()
	return list
}
