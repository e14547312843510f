package dnsmasq

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/render"
)

// tag is one of our tags. No part of it before a dot has a dash, and no cluster's name has a dot: so no tag of one cluster
// is another's.
func tag(w render.Word, parts ...string) string { return w.Prefix() + strings.Join(parts, ".") }

func ruleTag(w render.Word, rule boot.Rule) string { return tag(w, "rule", rule.Name) }

func rangeTag(w render.Word, p netip.Prefix) string { return tag(w, "range", network(p)) }

func networkTag(w render.Word, p netip.Prefix) string { return tag(w, "net", network(p)) }

func network(p netip.Prefix) string { return fmt.Sprintf("%s.%d", p.Addr(), p.Bits()) }

// archsTag is the tag of clients that send one of the architectures.
func archsTag(w render.Word, archs []boot.Arch) string {
	parts := []string{"archs"}
	for _, a := range archs {
		parts = append(parts, fmt.Sprint(uint16(a)))
	}
	return tag(w, parts...)
}

// fixedLines are the ranges of our networks and the tags of every kind of client that boot.Table has. They depend on the
// networks, and on nothing that is advertised: dnsmasq reads them when it starts, and only then.
func fixedLines(w render.Wanted) []string {
	var all []string
	for _, n := range w.Networks {
		all = append(all, fmt.Sprintf("dhcp-range=set:%s,%s,static,%s,1d", rangeTag(w.Word, n.Prefix), n.Prefix.Addr(), netmask(n.Prefix)))
	}
	table := boot.Table(boot.Endpoint{})
	all = append(all, clientLines(w.Word, table)...)
	for _, n := range w.Networks {
		all = append(all, fmt.Sprintf("tag-if=set:%s,set:%s,tag:known,tag:%s,tag:!%s",
			networkTag(w.Word, n.Prefix), tag(w.Word, "ours"), rangeTag(w.Word, n.Prefix), Exempt))
	}
	for _, rule := range table {
		all = append(all, ruleLine(w.Word, rule))
	}
	return all
}

// clientLines set the tags of what a client says of itself: vendor class, user class, architecture, and that its iPXE can
// fetch by HTTP (option 175 with a byte 19, the number of that sub-option: dnsmasq cannot look into it any closer).
func clientLines(w render.Word, table []boot.Rule) []string {
	all := []string{
		fmt.Sprintf("dhcp-match=set:%s,60,%s", tag(w, "pxe"), anchored(boot.VendorPXEClient)),
		fmt.Sprintf("dhcp-match=set:%s,60,%s", tag(w, "http"), anchored(boot.VendorHTTPClient)),
		fmt.Sprintf("dhcp-match=set:%s,60,%s", tag(w, "netboot"), anchored(boot.VendorPXEClient)),
		fmt.Sprintf("dhcp-match=set:%s,60,%s", tag(w, "netboot"), anchored(boot.VendorHTTPClient)),
		fmt.Sprintf("dhcp-match=set:%s,175,19", tag(w, "ipxehttp")),
	}
	seen := map[string]bool{}
	for _, rule := range table {
		if class := rule.Client.UserClass; class != "" && !seen[class] {
			seen[class] = true
			all = append(all, fmt.Sprintf("dhcp-userclass=set:%s,%s", tag(w, "class", class), class))
		}
		archs := archsTag(w, rule.Archs)
		if seen[archs] {
			continue
		}
		seen[archs] = true
		for _, a := range rule.Archs {
			all = append(all, fmt.Sprintf("dhcp-match=set:%s,option:client-arch,%d", archs, a))
		}
	}
	return all
}

// anchored is the beginning of option 60 in hexadecimal, which dnsmasq compares with the option's beginning; it would look
// for text anywhere in it.
func anchored(class boot.VendorClass) string {
	return strings.ReplaceAll(fmt.Sprintf("% x", class.String()), " ", ":")
}

// ruleLine sets a rule's tag on a client of ours of the rule's kind that no rule before has taken.
func ruleLine(w render.Word, rule boot.Rule) string {
	done := tag(w, "done")
	conditions := []string{tag(w, "ours")}
	switch {
	case rule.Archs == nil:
		conditions = append(conditions, tag(w, "netboot"))
	case rule.Client.VendorClass == boot.VendorHTTPClient:
		conditions = append(conditions, tag(w, "http"))
	default:
		conditions = append(conditions, tag(w, "pxe"))
	}
	if class := rule.Client.UserClass; class != "" {
		conditions = append(conditions, tag(w, "class", class))
	}
	if rule.Client.IPXE.HTTP {
		conditions = append(conditions, tag(w, "ipxehttp"))
	}
	if rule.Archs != nil {
		conditions = append(conditions, archsTag(w, rule.Archs))
	}
	return fmt.Sprintf("tag-if=set:%s,set:%s,tag:%s,tag:!%s", ruleTag(w, rule), done, strings.Join(conditions, ",tag:"), done)
}

func netmask(p netip.Prefix) netip.Addr {
	ones := uint32(0xffffffff) << (32 - p.Bits())
	return netip.AddrFrom4([4]byte{byte(ones >> 24), byte(ones >> 16), byte(ones >> 8), byte(ones)})
}

// operatorText is the fixed file, for the folder that conf-dir names.
func operatorText(w render.Word, fixed []string) string {
	return "# Tugboot's part of dnsmasq's configuration, for the cluster " + w.Mark.Cluster + ". It is read when dnsmasq starts; it changes\n" +
		"# only with the subnets. The two files at its end are written by Tugboot and read again on SIGHUP.\n" +
		"# A dhcp-host line of your own in one of these networks: add set:" + Exempt + " to it, so that it gets nothing of Tugboot's.\n" +
		"# Only in the configuration itself: dnsmasq up to 2.90 crashes on SIGHUP when a line of a dhcp-hostsfile sets a tag.\n" +
		"# A dynamic range of your own that holds reserved addresses: give it the tag of the dhcp-range line below.\n" +
		"# A dhcp-boot line of your own beats the rules below: add tag:!" + tag(w, "ours") + " to it.\n" +
		lines(fixed) +
		"dhcp-hostsfile=" + Dir + "/" + HostsName(w) + "\n" +
		"dhcp-optsfile=" + Dir + "/" + OptionsName(w) + "\n"
}
