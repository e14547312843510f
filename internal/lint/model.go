package lint

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/dhcpconf"
)

// bootRule is one boot rule of any daemon: whom it is for and what it tells.
type bootRule struct {
	pos  dhcpconf.Position
	when condition
	file string
	// next is the next-server as written, nextPos its place; empty when the rule says none.
	next    string
	nextPos dhcpconf.Position
	// answers60 is true for a rule that sends option 60 HTTPClient.
	answers60 bool
	// ours is true for what Tugboot wrote.
	ours bool
}

// url reports whether the file is one that is fetched by its own address.
func (b bootRule) url() bool { return strings.Contains(b.file, "://") }

// host is the address in the file's URL; the zero Addr without one.
func (b bootRule) host() netip.Addr {
	_, rest, found := strings.Cut(b.file, "://")
	if !found {
		return netip.Addr{}
	}
	authority, _, _ := strings.Cut(rest, "/")
	name, _, _ := strings.Cut(authority, ":")
	addr, err := netip.ParseAddr(name)
	if err != nil {
		return netip.Addr{}
	}
	return addr
}

// firmware reports whether the rule is for firmware, and understood.
func (b bootRule) firmware() bool {
	return !b.when.unknown && !b.when.tinkerbell && !b.when.stock && b.file != ""
}

// http reports whether the rule is for clients that boot by HTTP only.
func (b bootRule) http() bool {
	if b.when.http {
		return true
	}
	for _, a := range b.when.archs {
		if !isHTTP(a) {
			return false
		}
	}
	return len(b.when.archs) > 0
}

func isHTTP(a int) bool {
	for _, f := range boot.Families() {
		for _, h := range f.HTTPArchs() {
			if int(h) == a {
				return true
			}
		}
	}
	return false
}

// checker gathers one configuration as far as all daemons have it in common, and what is found in it.
type checker struct {
	daemon   Daemon
	options  Options
	files    *sources
	findings []Finding

	networks []dhcpconf.Network
	hosts    []dhcpconf.Host
	boots    []bootRule
	// archs are the client architectures that are tested, with a place of each.
	archs map[int]dhcpconf.Position
	// stock is true when user class iPXE is tested somewhere.
	stock bool
	// answers60 is true when option 60 HTTPClient is sent somewhere.
	answers60 bool
	// addressesShared is true when the configuration says that reservations may share an address.
	addressesShared bool
	// partial is true when a part of the configuration could not be read.
	partial bool
}

// add reports a finding; id is without the daemon's name.
func (c *checker) add(id string, pos dhcpconf.Position, format string, args ...any) {
	rule, known := RuleOf(string(c.daemon) + "-" + id)
	if !known {
		panic("lint: no rule " + id) // each call is reached in a test
	}
	c.findings = append(c.findings, Finding{Rule: rule.ID, Pos: pos, Severity: rule.Severity, Why: fmt.Sprintf(format, args...), Remedy: rule.Remedy})
}

// stop reports a finding with which nothing is to be written.
func (c *checker) stop(id string, pos dhcpconf.Position, format string, args ...any) {
	c.add(id, pos, format, args...)
	c.findings[len(c.findings)-1].Stops = true
}

// parsed takes in what a parser found.
func (c *checker) parsed(problems []dhcpconf.Problem) {
	c.partial = len(problems) > 0
	for _, p := range problems {
		switch p.Kind {
		case dhcpconf.Syntax:
			c.add("syntax", p.Pos, "%s", p.Text)
		case dhcpconf.Include:
			c.add("include-unreadable", p.Pos, "%s", p.Text)
		case dhcpconf.NotCarried, dhcpconf.LeftOut:
		}
	}
}

// tested takes in a condition at its place.
func (c *checker) tested(when condition, pos dhcpconf.Position) {
	if c.archs == nil {
		c.archs = map[int]dhcpconf.Position{}
	}
	for _, a := range when.archs {
		if _, known := c.archs[a]; !known {
			c.archs[a] = pos
		}
	}
	c.stock = c.stock || when.stock
}

// oursName reports whether a class, tag or group is one of Tugboot's.
func oursName(name string) bool { return strings.HasPrefix(name, "tugboot-") }
