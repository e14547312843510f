package options

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Off is the value of a listen flag that turns its server off.
const Off = "off"

// parseListen reads addresses such as ":69", "192.168.2.112:69" or "off" and returns those to listen on. Every address
// that is wrong is named.
func parseListen(flag string, values []string) ([]netip.AddrPort, []error) {
	if len(values) == 1 && values[0] == Off {
		return nil, nil
	}
	if len(values) == 0 {
		return nil, []error{fmt.Errorf("--%s: no address: give one such as :69, or %q", flag, Off)}
	}
	var listen []netip.AddrPort
	var problems []error
	for _, value := range values {
		address, err := ParseAddrPort(value)
		if err != nil {
			problems = append(problems, fmt.Errorf("--%s %q: %w", flag, value, err))
			continue
		}
		listen = append(listen, address)
	}
	return listen, append(problems, twice(flag, listen)...)
}

// ParseAddrPort reads an address such as ":69", which means all addresses, or "192.168.2.112:69": IPv4 only, ports 1 to 65535.
func ParseAddrPort(value string) (netip.AddrPort, error) {
	host, portText, found := strings.Cut(value, ":")
	if !found {
		return netip.AddrPort{}, fmt.Errorf("not ADDRESS:PORT: write it like :69 or 192.168.2.112:69, or %q alone", Off)
	}
	address := netip.IPv4Unspecified()
	if host != "" {
		parsed, err := netip.ParseAddr(host)
		if err != nil || !parsed.Is4() {
			return netip.AddrPort{}, fmt.Errorf("%q is not an IPv4 address: leave it empty for all addresses", host)
		}
		address = parsed
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 {
		return netip.AddrPort{}, fmt.Errorf("%q is not a port: it must be a number from 1 to 65535", portText)
	}
	return netip.AddrPortFrom(address, uint16(port)), nil
}

func twice(flag string, listen []netip.AddrPort) []error {
	var problems []error
	seen := map[netip.AddrPort]bool{}
	for _, address := range listen {
		if seen[address] {
			problems = append(problems, fmt.Errorf("--%s %s: stands twice: leave one out", flag, address))
		}
		seen[address] = true
	}
	return problems
}

// portFor returns the port at which a client that is sent to address finds the server: that of the first listener on
// exactly this address or on all addresses. It is 0 when there is none.
func portFor(listen []netip.AddrPort, address netip.Addr) uint16 {
	for _, l := range listen {
		if l.Addr() == address || l.Addr().IsUnspecified() {
			return l.Port()
		}
	}
	return 0
}
