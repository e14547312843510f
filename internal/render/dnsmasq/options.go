package dnsmasq

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// option is one addressing option that the machines of a network share.
type option struct {
	name, field string
	// value is the option's value for one machine as it stands in a line, empty for none, false for one that cannot stand.
	value func(*reservation.Reservation) (string, bool)
	// silent is true for an option that is written without a value to keep dnsmasq from sending one of its own making.
	silent bool
}

// sharedOptions are the options, in the order in which they are written.
func sharedOptions() []option {
	domain := func(r *reservation.Reservation) (string, bool) {
		if r.DomainName == "" || !isDomain(r.DomainName) {
			return "", r.DomainName == ""
		}
		return quote(r.DomainName)
	}
	return []option{
		{name: "router", field: "dhcp.ip.gateway", silent: true, value: func(r *reservation.Reservation) (string, bool) {
			if !r.Gateway.IsValid() {
				return "", true
			}
			return addresses([]netip.Addr{r.Gateway})
		}},
		{name: "dns-server", field: "dhcp.name_servers", value: func(r *reservation.Reservation) (string, bool) { return addresses(r.NameServers) }},
		{name: "ntp-server", field: "dhcp.time_servers", value: func(r *reservation.Reservation) (string, bool) { return addresses(r.TimeServers) }},
		{name: "domain-name", field: "dhcp.domain_name", value: domain},
		{name: "domain-search", field: "dhcp.domain_name", value: domain},
		{name: "classless-static-route", field: "dhcp.classless_static_routes", value: routes},
	}
}

// maxOption is the most bytes that one option holds.
const maxOption = 255

func addresses(all []netip.Addr) (string, bool) {
	texts := make([]string, 0, len(all))
	for _, a := range all {
		if !a.Is4() {
			return "", false
		}
		texts = append(texts, a.String())
	}
	return strings.Join(texts, ","), len(all)*4 <= maxOption
}

// routes is option 121 with the default route, which clients that know the option take from it alone (RFC 3442).
func routes(r *reservation.Reservation) (string, bool) {
	if len(r.Routes) == 0 {
		return "", true
	}
	all := r.Routes
	if r.Gateway.IsValid() {
		all = append(all[:len(all):len(all)], reservation.Route{Destination: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Router: r.Gateway})
	}
	texts, size := make([]string, 0, len(all)), 0
	for _, route := range all {
		if !route.Destination.IsValid() || !route.Destination.Addr().Is4() || !route.Router.Is4() {
			return "", false
		}
		size += 1 + (route.Destination.Bits()+7)/8 + 4
		texts = append(texts, route.Destination.Masked().String()+","+route.Router.String())
	}
	text := strings.Join(texts, ",")
	return text, size <= maxOption && len(text) <= maxLine-200
}

// optionLines are the options of each network: what most of its machines ask for. The problems name the machines that ask
// for something else.
func optionLines(w render.Wanted) ([]string, []reservation.Problem) {
	var all []string
	var problems []reservation.Problem
	for _, n := range w.Networks {
		if len(n.Reservations) == 0 {
			continue
		}
		for _, o := range sharedOptions() {
			most := o.majority(n)
			line := "tag:" + networkTag(w.Word, n.Prefix) + ",option:" + o.name
			switch {
			case most != "":
				all = append(all, line+","+most)
			case o.silent:
				all = append(all, line)
			}
			if o.name != "domain-search" { // the same setting as domain-name
				problems = append(problems, o.differing(n, most)...)
			}
		}
	}
	return all, problems
}

// majority is the value that most machines of the network ask for; of two as frequent, the one that sorts first.
func (o option) majority(n render.Network) string {
	counts := map[string]int{}
	most, found := "", false
	for _, r := range n.Reservations {
		if value, ok := o.value(r); ok {
			counts[value]++
			found = true
		}
	}
	if !found {
		return ""
	}
	best := 0
	for value, count := range counts {
		if count > best || count == best && value < most {
			most, best = value, count
		}
	}
	return most
}

func (o option) differing(n render.Network, most string) []reservation.Problem {
	var problems []reservation.Problem
	told := "none"
	if most != "" {
		told = most
	}
	for _, r := range n.Reservations {
		value, ok := o.value(r)
		switch {
		case !ok:
			problems = append(problems, render.NotCarried(r, o.field, value, "cannot be written for dnsmasq, and the machine is told "+told))
		case value != most:
			problems = append(problems, render.NotCarried(r, o.field, value,
				fmt.Sprintf("dnsmasq has one %s for all machines of %s, and the machine is told %s", o.name, n.Prefix, told)))
		}
	}
	return problems
}
