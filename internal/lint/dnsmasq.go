package lint

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/internal/dhcpconf"
	"github.com/tugboot/tugboot/internal/dhcpconf/dnsmasq"
)

// dnsmasq gathers and checks a configuration of dnsmasq.
func (c *checker) dnsmasq(name, text string, read dhcpconf.Reader) {
	options, problems := dnsmasq.Parse(name, text, read)
	c.parsed(problems)
	c.hosts, _ = dnsmasq.Reservations(options)
	for _, r := range dnsmasq.Ranges(options) {
		c.networks = append(c.networks, r.Network)
	}
	d := dnsmasqCheck{checker: c, tags: map[string]condition{}}
	for _, o := range options {
		d.match(o)
		if o.Name == "dhcp-host" && o.Live {
			d.host(o)
		}
	}
	opts := d.opts(options)
	for _, o := range options {
		if o.Name == "dhcp-boot" {
			d.boot(o, opts)
		}
	}
}

type dnsmasqCheck struct {
	*checker
	tags map[string]condition
}

// match takes in what a tag means.
func (d *dnsmasqCheck) match(o dnsmasq.Option) {
	set, tag, rest := o.Tagged()
	if len(set) == 0 && len(rest) > 0 && (o.Name == "dhcp-match" || o.Name == "dhcp-userclass" || o.Name == "dhcp-vendorclass") {
		set, rest = rest[:1], rest[1:] // the form without set:
	}
	var when condition
	switch o.Name {
	case "dhcp-match":
		when = matched(rest)
	case "dhcp-userclass":
		when = conditionOf("'"+strings.Join(rest, ",")+"'", nil)
	case "dhcp-vendorclass":
		when = conditionOf("'"+strings.Join(rest, ",")+"'", nil)
	case "tag-if":
		when = d.all(tag)
	default:
		return
	}
	d.tested(when, o.Pos)
	for _, name := range set {
		if before, known := d.tags[name]; known {
			when = before.or(when)
		}
		d.tags[name] = when
	}
}

// matched reads the option and value of dhcp-match.
func matched(rest []string) condition {
	if len(rest) == 0 {
		return condition{unknown: true}
	}
	value := strings.Join(rest[1:], ",")
	if strings.HasPrefix(rest[0], "encap:175") {
		return condition{stock: true}
	}
	switch dnsmasq.Code(rest[0]) {
	case 93:
		n, err := strconv.ParseUint(value, 10, 16)
		if err != nil {
			return condition{unknown: true}
		}
		return condition{archs: []int{int(n)}}
	case 60, 77:
		return conditionOf("'"+value+"'", nil)
	case 175:
		return condition{stock: true}
	}
	return condition{}
}

// all is the condition of a line with the tags.
func (d *dnsmasqCheck) all(tags []string) condition {
	var when condition
	for _, name := range tags {
		if !strings.HasPrefix(name, "!") {
			when = when.and(d.tags[name])
		} else if not := d.tags[name[1:]]; len(not.archs) > 0 && !(bootRule{when: not}).http() {
			when.unknown = true
		}
	}
	return when
}

// host checks a line of a hosts file.
func (d *dnsmasqCheck) host(o dnsmasq.Option) {
	set, _, _ := o.Tagged()
	if len(set) == 0 {
		return
	}
	switch v := d.options.DnsmasqVersion; {
	case v == "":
		d.add("hosts-set", o.Pos, "set:%.40s in a hosts file, and dnsmasq's version is not known", set[0])
	case before(v, 2, 91):
		d.stop("hosts-set", o.Pos, "set:%.40s in a hosts file, with dnsmasq %.20s", set[0], v)
	}
}

// dnsmasqSays begins what dnsmasq --version prints.
const dnsmasqSays = "Dnsmasq version "

// DnsmasqVersion returns the version in what dnsmasq --version prints, such as 2.90; empty when that says none.
func DnsmasqVersion(said string) string {
	rest, says := strings.CutPrefix(said, dnsmasqSays)
	if !says {
		return ""
	}
	rest = strings.TrimPrefix(rest, "v")
	end := strings.IndexFunc(rest, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if end < 0 {
		end = len(rest)
	}
	return strings.TrimRight(rest[:end], ".")
}

// before reports whether version is lower than major.minor.
func before(version string, major, minor uint64) bool {
	first, rest, _ := strings.Cut(version, ".")
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	a, err := strconv.ParseUint(first, 10, 16)
	b, err2 := strconv.ParseUint(rest[:end], 10, 16)
	return err != nil || err2 != nil || a < major || a == major && b < minor
}

// opts takes in the boot files of dhcp-option lines and returns one of them; nil without any.
func (d *dnsmasqCheck) opts(options []dnsmasq.Option) *dnsmasq.Option {
	var file *dnsmasq.Option
	rules := map[string]*bootRule{}
	var order []string
	for i, o := range options {
		if o.Name != "dhcp-option" && o.Name != "dhcp-option-force" && o.Name != "dhcp-option-pxe" {
			continue
		}
		_, tags, rest := o.Tagged()
		if len(rest) < 2 {
			continue
		}
		key := strings.Join(tags, ",")
		b := rules[key]
		if b == nil {
			b = &bootRule{pos: o.Pos, when: d.all(tags), ours: slices.ContainsFunc(tags, oursName)}
			rules[key], order = b, append(order, key)
		}
		switch {
		case rest[0] == "option:server-ip-address":
			b.next, b.nextPos = rest[1], o.Pos
		case dnsmasq.Code(rest[0]) == 67:
			b.file, b.pos, file = rest[1], o.Pos, &options[i]
		case dnsmasq.Code(rest[0]) == 60:
			b.answers60 = rest[1] == "HTTPClient"
			d.answers60 = d.answers60 || b.answers60
			if when := b.when; !when.http && !(bootRule{when: when}).http() && !when.unknown {
				d.add("option-60-everywhere", o.Pos, "option 60 is %+.60q for machines that are not tested for HTTPClient", rest[1])
			}
		}
	}
	for _, key := range order {
		if b := *rules[key]; b.file != "" || b.next != "" {
			d.boots = append(d.boots, b)
		}
	}
	return file
}

// boot checks a dhcp-boot line. opts is a boot file of a dhcp-option line.
func (d *dnsmasqCheck) boot(o dnsmasq.Option, opts *dnsmasq.Option) {
	_, tags, rest := o.Tagged()
	if len(rest) == 0 {
		return
	}
	field := func(i int) string { return dnsmasq.Option{Fields: rest}.Field(i) }
	b := bootRule{pos: o.Pos, nextPos: o.Pos, when: d.all(tags), file: field(0), next: field(2)}
	d.boots = append(d.boots, b)
	if slices.Contains([]string{"none", "null", "nil", "undefined", "-", "0"}, strings.ToLower(field(1))) {
		d.add("server-name-literal", o.Pos, "option 66 is sent as %+.40q", field(1))
	}
	if b.next == "" {
		d.add("next-server-own", o.Pos, "%+.80q is given with dnsmasq's own address", b.file)
	}
	if opts != nil {
		d.add("boot-overrides-opts", o.Pos, "%+.80q goes before the boot file at %s", b.file, opts.Pos)
	}
}
