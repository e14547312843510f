package isc

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Check looks at a live file, line by line, as strictly as it was written: dhcpd -t takes a file whose hosts share an
// address or a MAC, and whatever else its language knows. The error names the file, the line and the remedy.
func Check(name, text string) error {
	word, err := wordOf(name, text)
	if err != nil {
		return err
	}
	if name != LiveName(word) {
		return fmt.Errorf("%s: it holds the mark of the cluster %s, whose file is %s: put it in its place", name, word.Mark.Cluster, LiveName(word))
	}
	header := word.Header("#")
	body, ok := strings.CutPrefix(text, header+groupOpen+"\n"+namesOff+"\n")
	if ok {
		body, ok = strings.CutSuffix(body, groupClose+"\n")
	}
	if !ok {
		return fmt.Errorf("%s: its first lines or its last are not as they were written: remove the file, and it is written again", name)
	}
	seen := map[string]int{}
	number := strings.Count(header, "\n") + 2
	rules := outside
	for line := range strings.Lines(body) {
		number++
		line = strings.TrimSuffix(line, "\n")
		if rules, ok = rules.next(line); ok {
			continue
		}
		mac, address, err := parseHost(word, line)
		if err != nil || rules == inside {
			return fmt.Errorf("%s line %d: %+.80q: not a line that is written here: remove the file, and it is written again", name, number, line)
		}
		for _, value := range []string{mac.String(), address.String()} {
			if first, ok := seen[value]; ok {
				return fmt.Errorf("%s line %d: %s stands in line %d too: leave one out", name, number, value, first)
			}
			seen[value] = number
		}
	}
	if rules == inside {
		return fmt.Errorf("%s: the rules do not end: remove the file, and it is written again", name)
	}
	return nil
}

// place is where a line stands: before the rules, inside of them, or behind.
type place uint8

const (
	outside place = iota
	inside
	behind
)

// The lines of the rules.
var (
	rulesForm = regexp.MustCompile(`^  if [^{};]+ \{$`)
	ruleForm  = regexp.MustCompile(`^    (?:els)?if [^{};"]*(?:` + quoted + `[^{};"]*)+ \{(?: (?:next-server [0-9.]+|(?:server-name|filename|option vendor-class-identifier) ` +
		quoted + `|option dhcp-parameter-request-list = concat\(option dhcp-parameter-request-list, 3c\));)* \}$`)
)

// next returns where the next line stands, and whether this line is one of the rules'.
func (p place) next(line string) (place, bool) {
	switch {
	case p == outside && rulesForm.MatchString(line):
		return inside, true
	case p == inside && line == rulesClose:
		return behind, true
	case p == inside && ruleForm.MatchString(line):
		return inside, true
	}
	return p, false
}

// hostForm is a host: its name, its MAC, its address, and the other statements.
var hostForm = regexp.MustCompile(`^  host ([a-z0-9-]+) \{ hardware ethernet ([0-9a-f:]{17}); fixed-address ([0-9.]{7,15});` +
	`(?: (?:(?:default|min|max)-lease-time [0-9]{1,10}|option (?:host-name|domain-name|domain-search) ` + quoted +
	`|option (?:routers|domain-name-servers|ntp-servers) [0-9., ]+|option unknown-121 = [0-9a-f:]+);)* \}$`)

func parseHost(word render.Word, line string) (mac reservation.MAC, address netip.Addr, err error) {
	parts := hostForm.FindStringSubmatch(line)
	if parts == nil {
		return mac, address, fmt.Errorf("%+.80q: not a host", line)
	}
	if mac, err = reservation.ParseMAC(parts[2]); err != nil {
		return mac, address, err
	}
	if parts[1] != hostName(word, mac) {
		return mac, address, fmt.Errorf("host %+.80q: not the name of the host %s, which is %s", parts[1], mac, hostName(word, mac))
	}
	address, err = netip.ParseAddr(parts[3])
	return mac, address, err
}
