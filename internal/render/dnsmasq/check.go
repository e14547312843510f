package dnsmasq

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Check looks at a live file, line by line, as strictly as it was written: dnsmasq --test does not read it, and dnsmasq
// itself logs a bad line and goes on without it. The error names the file, the line and the remedy.
func Check(name, text string) error {
	word, err := wordOf(name, text)
	if err != nil {
		return err
	}
	if name != HostsName(word) && name != OptionsName(word) {
		return fmt.Errorf("%s: it holds the mark of the cluster %s, whose files are %s and %s: put each in its place", name, word.Mark.Cluster, HostsName(word), OptionsName(word))
	}
	header := word.Header("#")
	body, ok := strings.CutPrefix(text, header)
	if !ok || body != "" && !strings.HasSuffix(body, "\n") {
		return fmt.Errorf("%s: its first two lines or its last are not as they were written: remove the file, and it is written again", name)
	}
	seen := map[string]int{}
	number := strings.Count(header, "\n")
	for line := range strings.Lines(body) {
		number++
		keys, err := checkLine(name == HostsName(word), word, strings.TrimSuffix(line, "\n"))
		if err != nil {
			return fmt.Errorf("%s line %d: %w", name, number, err)
		}
		for _, key := range keys {
			if first, ok := seen[key]; ok {
				return fmt.Errorf("%s line %d: %+.80q stands in line %d too: leave one out", name, number, key, first)
			}
			seen[key] = number
		}
	}
	return nil
}

// checkLine returns what must stand in one line only.
func checkLine(hosts bool, word render.Word, line string) (keys []string, err error) {
	switch {
	case len(line) >= maxLine:
		return nil, fmt.Errorf("%d bytes, of which dnsmasq reads %d: shorten it", len(line), maxLine)
	case hosts:
		mac, address, err := parseHost(line)
		return []string{mac.String(), address.String()}, err
	default:
		return []string{optionKey(line)}, checkOption(word, line)
	}
}

// parseHost reads MAC,ADDRESS[,NAME],LEASE.
func parseHost(line string) (mac reservation.MAC, address netip.Addr, err error) {
	bad := fmt.Errorf("%+.80q: not MAC,ADDRESS[,NAME],LEASE as in 52:54:00:00:00:01,192.168.2.10,node1,86400", line)
	fields := strings.Split(line, ",")
	if len(fields) != 3 && len(fields) != 4 {
		return mac, address, bad
	}
	mac, macErr := reservation.ParseMAC(fields[0])
	address, addressErr := netip.ParseAddr(fields[1])
	lease, leaseErr := strconv.ParseUint(fields[len(fields)-1], 10, 31)
	switch {
	case macErr != nil || mac.String() != fields[0], addressErr != nil || !address.Is4():
		return mac, address, bad
	case len(fields) == 4 && !isHostname(fields[2]):
		return mac, address, bad
	case fields[len(fields)-1] != "infinite" && (leaseErr != nil || lease < minLease):
		return mac, address, bad
	}
	return mac, address, nil
}

// checkOption looks at tag:TAG,option:NAME[,VALUE].
func checkOption(word render.Word, line string) error {
	tagged, rest, _ := strings.Cut(line, ",")
	if !strings.HasPrefix(tagged, "tag:"+word.Prefix()) {
		return fmt.Errorf("%+.80q: it does not begin with tag:%s: leave out what is not this cluster's", line, word.Prefix())
	}
	if rest == noProxyDHCP {
		return nil
	}
	name, value, valued := strings.Cut(strings.TrimPrefix(rest, "option:"), ",")
	ok := strings.HasPrefix(rest, "option:")
	switch name {
	case "bootfile-name", "tftp-server", "vendor-class", "domain-name", "domain-search":
		ok = ok && isQuoted(value)
	case "server-ip-address":
		ok = ok && isAddresses(value) && !strings.Contains(value, ",")
	case "router":
		ok = ok && (!valued || isAddresses(value))
	case "dns-server", "ntp-server":
		ok = ok && isAddresses(value)
	case "classless-static-route":
		ok = ok && isRoutes(value)
	default:
		ok = false
	}
	if !ok {
		return fmt.Errorf("%+.80q: not an option that is written here, or not a value of it: remove the file, and it is written again", line)
	}
	return nil
}

func isAddresses(s string) bool {
	return !slices.ContainsFunc(strings.Split(s, ","), func(s string) bool {
		a, err := netip.ParseAddr(s)
		return err != nil || !a.Is4()
	})
}

func isRoutes(s string) bool {
	fields := strings.Split(s, ",")
	for i, field := range fields {
		if i%2 == 1 {
			if !isAddresses(field) {
				return false
			}
			continue
		}
		if p, err := netip.ParsePrefix(field); err != nil || !p.Addr().Is4() || p != p.Masked() {
			return false
		}
	}
	return len(fields)%2 == 0
}
