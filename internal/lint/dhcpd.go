package lint

import (
	"slices"
	"strings"

	"github.com/tugboot/tugboot/internal/dhcpconf"
	"github.com/tugboot/tugboot/internal/dhcpconf/isc"
)

// dhcpd gathers and checks a configuration of ISC dhcpd.
func (c *checker) dhcpd(name, text string, read dhcpconf.Reader) {
	statements, problems := isc.Parse(name, text, read)
	c.parsed(problems)
	c.hosts, _ = isc.Reservations(statements)
	c.networks = isc.Networks(statements)
	d := dhcpdCheck{checker: c, archNames: append(isc.OptionNames(statements, 93), "pxe-system-type")}
	d.block(statements, place{})
	if d.topRules {
		for _, s := range d.scoped {
			c.add("scope-boot-file", s.Pos, "%+.80q is given whatever the rules at the top of the file say", s.Word(1))
		}
	}
}

type dhcpdCheck struct {
	*checker
	archNames []string
	// topRules is true when a boot file is given by a condition at the top of the file.
	topRules bool
	// scoped are the boot files that a subnet, group or pool gives without a condition.
	scoped []*isc.Statement
}

// place is where a block stands.
type place struct {
	when condition
	// conditional is true within an if, scope within a subnet, group or pool, host within a host.
	conditional, scope, host bool
	// nextServer is true when a scope around the block has a next-server.
	nextServer bool
}

// block checks the statements of one block.
func (d *dhcpdCheck) block(block []*isc.Statement, at place) {
	b := bootRule{when: at.when}
	var option60 *isc.Statement
	at.nextServer = at.nextServer || slices.ContainsFunc(block, func(s *isc.Statement) bool { return s.Begins("next-server") })
	for _, s := range block {
		switch {
		case s.Block:
			d.inner(s, at)
		case s.Begins("filename"):
			b.file, b.pos = s.Word(1), s.Tokens[len(s.Tokens)-1].Pos
			d.given(s, at)
		case s.Begins("next-server"):
			d.server(s, at, &b)
		case s.Begins("server-name") && at.host && !at.conditional:
			d.add("host-boot-file", s.Pos, "server-name %+.80q stands in a host", s.Word(1))
		case s.Begins("option", "vendor-class-identifier"):
			option60 = s
			b.answers60 = s.Word(2) == "HTTPClient"
			d.answers60 = d.answers60 || b.answers60
		}
	}
	if option60 != nil && !b.http() && !at.when.unknown {
		d.add("option-60-everywhere", option60.Pos, "option 60 is %+.60q for machines that are not tested for HTTPClient", option60.Word(2))
	}
	if b.file == "" && b.next == "" {
		return
	}
	if b.next == "" && b.file != "" && !b.url() && !at.nextServer {
		d.add("next-server-missing", b.pos, "%+.80q is given without a next-server", b.file)
	}
	d.boots = append(d.boots, b)
}

// given checks a boot file where it stands.
func (d *dhcpdCheck) given(s *isc.Statement, at place) {
	switch {
	case at.host && !at.conditional:
		d.add("host-boot-file", s.Pos, "filename %+.80q stands in a host", s.Word(1))
	case at.scope && !at.conditional:
		d.scoped = append(d.scoped, s)
	case at.conditional && !at.scope && !at.host:
		d.topRules = true
	}
}

func (d *dhcpdCheck) server(s *isc.Statement, at place, b *bootRule) {
	if len(s.Tokens) < 2 {
		return // dhcpd's own checker says what is wrong
	}
	value := s.Tokens[1]
	if value.Quoted {
		d.add("next-server-quoted", value.Pos, "next-server %+.40q stands in quotes", value.Text)
	}
	if at.host && !at.conditional {
		d.add("host-boot-file", s.Pos, "next-server %+.40q stands in a host", value.Text)
	}
	b.next, b.nextPos = value.Text, value.Pos
	if b.pos.Line == 0 {
		b.pos = value.Pos
	}
}

// inner checks a statement with a block.
func (d *dhcpdCheck) inner(s *isc.Statement, at place) {
	switch {
	case s.Begins("if"), s.Begins("elsif"), s.Begins("else", "if"), s.Begins("match"):
		expression := quoted(s.Tokens[1:])
		if missesLength(expression) {
			d.add("user-class-exact", s.Pos, "this condition does not know a user class with its length in front")
		}
		if grouped(s.Tokens[1:]) {
			d.add("condition-parentheses", s.Pos, "this condition joins parentheses with or")
		}
		when := conditionOf(expression, d.archNames)
		d.tested(when, s.Pos)
		at.when, at.conditional = at.when.and(when), true
	case s.Begins("else"):
		at.conditional = true
	case s.Begins("class"):
		d.class(s, &at)
	case s.Begins("host"):
		at.host = true
	case s.Begins("subnet"), s.Begins("group"), s.Begins("pool"), s.Begins("shared-network"):
		at.scope = true
	default:
		return // on commit, zone, key, failover: nothing to boot in there
	}
	d.block(s.Inner, at)
}

// class takes in the condition by which machines are in a class.
func (d *dhcpdCheck) class(s *isc.Statement, at *place) {
	at.conditional = true
	at.when.unknown = true // its subclasses say who is in it
	for _, m := range s.Inner {
		if !m.Begins("match", "if") {
			continue
		}
		expression := quoted(m.Tokens[2:])
		if missesLength(expression) {
			d.add("user-class-exact", m.Pos, "this condition does not know a user class with its length in front")
		}
		at.when = conditionOf(expression, d.archNames)
		d.tested(at.when, m.Pos)
	}
}

// quoted writes an expression on one line, its strings in single quotes as Kea has them.
func quoted(tokens []isc.Token) string {
	parts := make([]string, 0, len(tokens))
	for _, t := range tokens {
		if t.Quoted {
			parts = append(parts, "'"+strings.ReplaceAll(t.Text, "'", "")+"'")
			continue
		}
		parts = append(parts, t.Text)
	}
	return strings.Join(parts, " ")
}

// grouped reports whether tokens are of the form (a) or (b).
func grouped(tokens []isc.Token) bool {
	text := make([]string, len(tokens))
	for i, t := range tokens {
		if !t.Quoted {
			text[i] = t.Text
		}
	}
	if len(text) == 0 || text[0] != "(" {
		return false
	}
	for i := range len(text) - 2 {
		if slices.Equal(text[i:i+3], []string{")", "or", "("}) {
			return true
		}
	}
	return false
}
