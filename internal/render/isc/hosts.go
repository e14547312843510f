package isc

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// maxLease is the longest lease time, in seconds, that dhcpd can count.
const maxLease = 1<<31 - 1

// maxOption is the most bytes that one option holds.
const maxOption = 255

// hostLines are the reservations, one on each line, and what of them cannot be carried.
func hostLines(w render.Wanted) ([]string, []reservation.Problem) {
	var all []string
	var problems []reservation.Problem
	for _, n := range w.Networks {
		for _, r := range n.Reservations {
			line, left := host(w.Word, r)
			all = append(all, line)
			problems = append(append(problems, left...), render.BootNotCarried(r, !w.Word.Says.IsZero())...)
		}
	}
	return all, problems
}

// hostName is the name of the declaration: no two clusters and no two machines share one.
func hostName(w render.Word, m reservation.MAC) string { return w.Prefix() + hex.EncodeToString(m[:]) }

func host(w render.Word, r *reservation.Reservation) (string, []reservation.Problem) {
	var text strings.Builder
	var problems []reservation.Problem
	fmt.Fprintf(&text, "  host %s { hardware ethernet %s; fixed-address %s; default-lease-time %d; min-lease-time %d; max-lease-time %d;",
		hostName(w, r.MAC), r.MAC, r.Address.Addr(), r.Lease, r.Lease, r.Lease)
	if r.Lease > maxLease {
		problems = append(problems, render.NotCarried(r, "dhcp.lease_time", strconv.FormatUint(uint64(r.Lease), 10),
			"dhcpd counts time to January 2038, and the machine is told a lease until then"))
	}
	option := func(name, field, asked, value string, ok bool) {
		switch {
		case asked == "":
		case !ok:
			problems = append(problems, render.NotCarried(r, field, asked, "cannot be written for dhcpd, and the machine is told what its subnet says"))
		default:
			text.WriteString(" option " + name + " " + value + ";")
		}
	}
	domain := func(name, field, asked string) {
		value, ok := quote(asked)
		option(name, field, asked, value, ok && isDomain(asked))
	}
	servers := func(name, field string, all []netip.Addr) {
		value, ok := addresses(all)
		option(name, field, value, value, ok)
	}
	domain("host-name", "dhcp.hostname", r.Hostname)
	if r.Gateway.IsValid() {
		servers("routers", "dhcp.ip.gateway", []netip.Addr{r.Gateway})
	}
	servers("domain-name-servers", "dhcp.name_servers", r.NameServers)
	servers("ntp-servers", "dhcp.time_servers", r.TimeServers)
	domain("domain-name", "dhcp.domain_name", r.DomainName)
	if isDomain(r.DomainName) {
		domain("domain-search", "dhcp.domain_name", r.DomainName)
	}
	asked, value, ok := routes(r)
	option("unknown-121", "dhcp.classless_static_routes", asked, "= "+value, ok)
	return text.String() + " }", problems
}

func addresses(all []netip.Addr) (string, bool) {
	texts, ok := make([]string, 0, len(all)), len(all)*4 <= maxOption
	for _, a := range all {
		texts = append(texts, a.String())
		ok = ok && a.Is4()
	}
	return strings.Join(texts, ", "), ok
}

// routes is option 121 as bytes, with the default route, which clients that know the option take from it alone (RFC
// 3442). dhcpd has no name for the option: unknown-121 with an expression is the option whether the operator has given
// it a name or not.
func routes(r *reservation.Reservation) (asked, value string, ok bool) {
	if len(r.Routes) == 0 {
		return "", "", false
	}
	all := r.Routes
	if r.Gateway.IsValid() {
		all = append(all[:len(all):len(all)], reservation.Route{Destination: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Router: r.Gateway})
	}
	texts := make([]string, 0, len(all))
	var raw []byte
	ok = true
	for _, route := range all {
		texts = append(texts, route.Destination.String()+" "+route.Router.String())
		if !route.Destination.IsValid() || !route.Destination.Addr().Is4() || !route.Router.Is4() {
			ok = false
			continue
		}
		bits, to, via := route.Destination.Bits(), route.Destination.Masked().Addr().As4(), route.Router.As4()
		raw = append(append(append(raw, byte(bits)), to[:(bits+7)/8]...), via[:]...)
	}
	return strings.Join(texts, ", "), strings.ReplaceAll(fmt.Sprintf("% x", raw), " ", ":"), ok && len(raw) <= maxOption
}
