package microsoft

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/internal/reservation"
)

// The options that reservations set.
const (
	optRouter     = 3
	optNameServer = 6
	optHostName   = 12
	optDomainName = 15
	optTimeServer = 42
	optLease      = 51
	optRoutes     = 121
)

// maxSource bounds the bytes of a reservation's source in its description; Microsoft's manuals name no limit for it.
const maxSource = 150

// sourceOf is the object's name as a description has it.
func sourceOf(r *reservation.Reservation) string {
	s := strings.Map(func(c rune) rune {
		if notPrintable(c) {
			return '?'
		}
		return c
	}, r.Source.Object())
	return s[:min(len(s), maxSource)]
}

// clientID is the client identifier of a reservation: the MAC with dashes.
func clientID(m reservation.MAC) string { return strings.ReplaceAll(m.String(), ":", "-") }

// nameOf is a reservation's name: the hostname, or the object it is from.
func nameOf(r *reservation.Reservation) string {
	if r.Hostname != "" {
		return r.Hostname
	}
	return sourceOf(r)
}

// addressing returns the options of a reservation, sorted by number.
func addressing(r *reservation.Reservation) []option {
	var options []option
	add := func(id int, values ...string) {
		if len(values) > 0 && values[0] != "" {
			options = append(options, option{id, values})
		}
	}
	if r.Gateway.IsValid() {
		add(optRouter, r.Gateway.String())
	}
	add(optNameServer, texts(r.NameServers)...)
	add(optHostName, r.Hostname)
	add(optDomainName, r.DomainName)
	add(optTimeServer, texts(r.TimeServers)...)
	add(optLease, strconv.FormatUint(uint64(r.Lease), 10))
	add(optRoutes, routes(r)...)
	return options
}

func texts(addresses []netip.Addr) []string {
	list := make([]string, len(addresses))
	for i, a := range addresses {
		list[i] = a.String()
	}
	return list
}

// routes is option 121, a byte a string. Clients that understand it ignore option 3, hence the default route in it
// (RFC 3442).
func routes(r *reservation.Reservation) []string {
	if len(r.Routes) == 0 {
		return nil
	}
	all := r.Routes
	if r.Gateway.IsValid() {
		all = append([]reservation.Route{{Destination: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Router: r.Gateway}}, all...)
	}
	var list []string
	add := func(bytes ...byte) {
		for _, b := range bytes {
			list = append(list, fmt.Sprintf("0x%02X", b))
		}
	}
	for _, route := range all {
		destination, router := route.Destination.Addr().As4(), route.Router.As4()
		add(byte(route.Destination.Bits()))
		add(destination[:(route.Destination.Bits()+7)/8]...)
		add(router[:]...)
	}
	return list
}
