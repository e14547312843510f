package kea

import (
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// maxOption is the most bytes that one option holds.
const maxOption = 255

// leaseClass is the class of a lease time in seconds: a reservation has none of its own.
func leaseClass(w render.Word, seconds uint32) string {
	return w.Prefix() + "lease-" + strconv.FormatUint(uint64(seconds), 10)
}

// host is a machine's reservation, and what of its addressing cannot be carried.
func host(w render.Word, r *reservation.Reservation) (Reservation, []reservation.Problem) {
	h := Reservation{
		MAC: r.MAC.String(), Address: r.Address.Addr().String(), Classes: []string{Marker(w.Mark.Cluster), leaseClass(w, r.Lease)},
	}
	var problems []reservation.Problem
	carried := func(field, asked string, ok bool) bool {
		if asked != "" && !ok {
			problems = append(problems, render.NotCarried(r, field, asked, "cannot be written for Kea, and the machine is told what its subnet says"))
		}
		return asked != "" && ok
	}
	option := func(name string, code uint8, field, text string, ok bool) {
		if carried(field, text, ok) {
			h.Options = append(h.Options, Option{Name: name, Code: code, Space: "dhcp4", CSV: true, Data: text})
		}
	}
	if carried("dhcp.hostname", r.Hostname, isDomain(r.Hostname)) {
		h.Hostname = r.Hostname
	}
	if r.Gateway.IsValid() {
		option("routers", 3, "dhcp.ip.gateway", r.Gateway.String(), r.Gateway.Is4())
	}
	text, ok := addresses(r.NameServers)
	option("domain-name-servers", 6, "dhcp.name_servers", text, ok)
	domain := isDomain(r.DomainName)
	option("domain-name", 15, "dhcp.domain_name", r.DomainName, domain)
	text, ok = addresses(r.TimeServers)
	option("ntp-servers", 42, "dhcp.time_servers", text, ok)
	if domain {
		option("domain-search", 119, "dhcp.domain_name", r.DomainName, true)
	}
	asked, raw, ok := routes(r)
	if carried("dhcp.classless_static_routes", asked, ok) {
		h.Options = append(h.Options, Option{Code: 121, Space: "dhcp4", Data: raw})
	}
	return h, problems
}

func addresses(all []netip.Addr) (text string, ok bool) {
	texts, ok := make([]string, 0, len(all)), len(all)*4 <= maxOption
	for _, a := range all {
		texts = append(texts, a.String())
		ok = ok && a.Is4()
	}
	return strings.Join(texts, ", "), ok
}

// routes is option 121 in hexadecimal, with the default route, which clients that know the option take from it alone (RFC
// 3442). Kea 2.2 has no name for the option.
func routes(r *reservation.Reservation) (asked, raw string, ok bool) {
	if len(r.Routes) == 0 {
		return "", "", false
	}
	all := r.Routes
	if r.Gateway.IsValid() {
		all = append(all[:len(all):len(all)], reservation.Route{Destination: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Router: r.Gateway})
	}
	texts := make([]string, 0, len(all))
	var bytes []byte
	ok = true
	for _, route := range all {
		texts = append(texts, route.Destination.String()+" "+route.Router.String())
		if !route.Destination.IsValid() || !route.Destination.Addr().Is4() || !route.Router.Is4() {
			ok = false
			continue
		}
		bits, to, via := route.Destination.Bits(), route.Destination.Masked().Addr().As4(), route.Router.As4()
		bytes = append(append(append(bytes, byte(bits)), to[:(bits+7)/8]...), via[:]...)
	}
	return strings.Join(texts, ", "), strings.ToUpper(hex.EncodeToString(bytes)), ok && len(bytes) <= maxOption
}
