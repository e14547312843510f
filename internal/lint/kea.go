package lint

import (
	"strings"

	"github.com/tugboot/tugboot/internal/dhcpconf"
	"github.com/tugboot/tugboot/internal/dhcpconf/kea"
)

// kea gathers and checks a configuration of Kea.
func (c *checker) kea(name, text string, read dhcpconf.Reader) {
	config, problems := kea.Parse(name, text, read)
	c.parsed(problems)
	c.hosts, _ = kea.Reservations(config)
	dhcp4 := config.Get("Dhcp4")
	if unique := dhcp4.Get("ip-reservations-unique"); unique != nil && unique.Text == "false" {
		c.addressesShared = true
	}
	k := keaCheck{checker: c, classes: map[string]condition{}}
	k.scope(dhcp4)
	for _, shared := range dhcp4.Items("shared-networks") {
		k.scope(shared)
	}
	for _, s := range kea.Subnets(config) {
		c.networks = append(c.networks, s.Network)
		if s.Value.Get("subnet") == nil {
			c.add("subnet-missing", s.Value.Pos, "this element of subnet4 has no subnet")
		}
		k.scope(s.Value)
		for _, pool := range s.Value.Items("pools") {
			k.options(pool)
		}
	}
	for _, class := range dhcp4.Items("client-classes") {
		k.class(class)
	}
	k.marks(dhcp4.Items("client-classes"))
}

type keaCheck struct {
	*checker
	classes map[string]condition
	// next is the first next-server of a scope: that of classes which say none.
	next *kea.Value
}

// scope checks Dhcp4, a shared network or a subnet.
func (k *keaCheck) scope(v *kea.Value) {
	k.options(v)
	if n := said(v, "next-server"); n != nil {
		if k.next == nil {
			k.next = n
		}
		k.boots = append(k.boots, bootRule{pos: n.Pos, next: n.Text, nextPos: n.Pos})
	}
	if f := said(v, "boot-file-name"); f != nil {
		k.boots = append(k.boots, bootRule{pos: f.Pos, file: f.Text})
	}
	for _, host := range v.Items("reservations") {
		k.options(host)
		for _, field := range []string{"boot-file-name", "next-server", "server-hostname"} {
			if f := said(host, field); f != nil {
				k.add("host-boot-file", host.Member(field).Pos, "the reservation of %+.40q has %s %+.80q", host.Str("hw-address"), field, f.Text)
			}
		}
	}
}

// said returns a fixed field that says something: config-get writes those that say nothing too.
func said(v *kea.Value, name string) *kea.Value {
	f := v.Get(name)
	if f == nil || f.Kind != kea.String || f.Text == "" || name == "next-server" && f.Text == "0.0.0.0" {
		return nil
	}
	return f
}

// options checks the option-data of what is no class.
func (k *keaCheck) options(v *kea.Value) {
	for _, o := range v.Items("option-data") {
		switch code := kea.OptionCode(o); code {
		case 66, 67:
			k.add("scope-option-66-67", o.Pos, "option %d is %+.80q here", code, o.Str("data"))
		case 60:
			k.add("option-60-everywhere", o.Pos, "option 60 is %+.80q here", o.Str("data"))
			k.answers60 = k.answers60 || o.Str("data") == "HTTPClient"
		}
	}
}

func (k *keaCheck) class(v *kea.Value) {
	name, test := v.Str("name"), v.Get("test")
	when := k.condition(name, v)
	k.classes[name] = when
	if test != nil {
		k.tested(when, test.Pos)
		if missesLength(test.Text) {
			k.add("user-class-exact", test.Pos, "the test of class %+.60q does not know a user class with its length in front", name)
		}
	}
	b := bootRule{pos: v.Pos, when: when, ours: oursName(name)}
	for _, o := range v.Items("option-data") {
		if kea.OptionCode(o) != 60 {
			continue
		}
		b.answers60 = b.answers60 || o.Str("data") == "HTTPClient"
		if !when.http && !(bootRule{when: when}).http() && !when.unknown {
			k.add("option-60-everywhere", o.Pos, "class %+.60q sends option 60 and does not test for HTTPClient", name)
		}
	}
	k.answers60 = k.answers60 || b.answers60
	if next := v.Get("next-server"); next != nil && next.Text != "" {
		b.next, b.nextPos = next.Text, next.Pos
	}
	file := said(v, "boot-file-name")
	if file != nil {
		b.file, b.pos = file.Text, file.Pos
	}
	if b.next == "0.0.0.0" {
		b.next = "" // what config-get writes for none
	}
	if file != nil && b.next == "" && !b.url() && k.next == nil {
		k.add("next-server-missing", file.Pos, "class %+.60q gives %+.80q without a next-server", name, file.Text)
	}
	if file != nil || b.next != "" {
		k.boots = append(k.boots, b)
	}
}

// condition is whom a class is for. A class without a test is given out by reservations, and so is not known here.
func (k *keaCheck) condition(name string, v *kea.Value) condition {
	test := v.Get("test")
	if test == nil && !strings.HasPrefix(name, "VENDOR_CLASS_") {
		return condition{unknown: true}
	}
	expression := name
	if test != nil {
		expression = test.Text
	}
	when := conditionOf(expression, nil)
	positive, negated := withoutNot(expression)
	for _, m := range memberTest.FindAllStringSubmatch(positive, -1) {
		if other, known := k.classes[m[1]]; known && !(oursName(m[1]) && other.unknown) {
			when = when.and(other)
		}
		if strings.HasPrefix(m[1], "VENDOR_CLASS_") {
			when = when.and(conditionOf(m[1], nil))
		}
	}
	// Whoever is no member of a class of architectures has one of the others.
	for _, m := range memberTest.FindAllStringSubmatch(negated, -1) {
		if len(k.classes[m[1]].archs) > 0 && when.archs == nil && !k.classes[m[1]].http && !(bootRule{when: k.classes[m[1]]}).http() {
			when.unknown = true
		}
	}
	return when
}

// marks compares what the classes of a cluster say with the mark that stands in the user-context of one of them.
func (k *keaCheck) marks(classes []*kea.Value) {
	for _, marked := range classes {
		cluster, says := mark(marked.Get("user-context"))
		if cluster == "" || !oursName(marked.Str("name")) {
			continue
		}
		for _, class := range classes {
			name, next := class.Str("name"), said(class, "next-server")
			if next != nil && strings.HasPrefix(name, "tugboot-"+cluster+"-") && next.Text != says {
				k.add("mark-edited", next.Pos, "class %+.60q says %+.40q, and the mark of its cluster %+.40q", name, next.Text, says)
			}
		}
	}
}

// mark returns the cluster and next-server of a mark: the user-context, or a member of it.
func mark(context *kea.Value) (cluster, nextServer string) {
	if context == nil {
		return "", ""
	}
	if cluster, next := context.Str("cluster"), context.Str("next-server"); cluster != "" && next != "" {
		return cluster, next
	}
	for _, m := range context.Members {
		if cluster, next := m.Value.Str("cluster"), m.Value.Str("next-server"); cluster != "" && next != "" {
			return cluster, next
		}
	}
	return "", ""
}
