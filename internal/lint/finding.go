package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/internal/dhcpconf"
)

// Daemon is a DHCP daemon whose configuration can be read. Its text begins the names of its rules.
type Daemon string

// The daemons.
const (
	Kea     Daemon = "kea"
	Dnsmasq Daemon = "dnsmasq"
	DHCPD   Daemon = "dhcpd"
)

// Severity is how bad a finding is.
type Severity string

// The severities: machines do not boot, or the daemon does not start; some machines, or some day; worth a look. They are
// SARIF's levels too (SARIF 2.1.0 section 3.27.10).
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Finding is one thing found.
type Finding struct {
	// Rule is the ID of a Rule.
	Rule     string
	Pos      dhcpconf.Position
	Severity Severity
	// Why says what stands there and what comes of it, values quoted; Remedy is the rule's.
	Why, Remedy string
	// Stops is true for what makes a write of Tugboot's do harm: nothing is to be written while it stands there.
	Stops bool
}

// String is the finding on one line, file:line:column: severity: why: remedy [rule]. What stands in the file's name is not
// cleaned.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s: %s [%s]", f.Pos, f.Severity, f.Why, f.Remedy, f.Rule)
}

// Unreadable is the finding of a configuration that could not be read at all.
func Unreadable(d Daemon, name string, err error) Finding {
	c := &checker{daemon: d}
	c.add("include-unreadable", dhcpconf.Position{File: name}, "%v", err)
	return c.findings[0]
}

// Options are what the configuration does not say.
type Options struct {
	// Disable are IDs of rules that are not looked at.
	Disable []string
	// DnsmasqVersion is the version of the daemon, such as 2.90; empty when it is not known.
	DnsmasqVersion string
}

// OffSwitch stands in a comment on the line of a finding, or alone on the line above, before the IDs of the rules, with
// commas between, that are not to be reported there.
const OffSwitch = "tugboot-lint: disable="

// Check reads the configuration name and all it includes, and returns what it finds, sorted by place. The same text gives
// the same findings.
func Check(d Daemon, name, text string, read dhcpconf.Reader, o Options) []Finding {
	files := newSources(name, text, read)
	c := &checker{daemon: d, options: o, files: files}
	switch d {
	case Kea:
		c.kea(name, text, files.read)
	case Dnsmasq:
		c.dnsmasq(name, text, files.read)
	case DHCPD:
		c.dhcpd(name, text, files.read)
	}
	c.ours()
	c.common()
	c.marks()
	if d == Dnsmasq {
		c.twoClusters()
	}
	kept := slices.DeleteFunc(c.findings, func(f Finding) bool {
		return c.partial && absence(f.Rule) || slices.Contains(o.Disable, f.Rule) || files.disabled(f)
	})
	slices.SortStableFunc(kept, func(a, b Finding) int {
		if n := a.Pos.Compare(b.Pos); n != 0 {
			return n
		}
		return strings.Compare(a.Rule, b.Rule)
	})
	return slices.Compact(kept)
}

// absence reports whether a rule is about something that is nowhere, which cannot be said of a configuration read in part.
func absence(id string) bool {
	_, id, _ = strings.Cut(id, "-")
	return slices.Contains([]string{
		"x64-arch-9-missing", "bios-gets-efi", "uefi-gets-bios", "http-gets-bare-name", "http-no-option-60", "stock-ipxe-loops",
		"next-server-missing", "next-server-outside", "address-outside",
	}, id)
}

// Detect says which daemon's configuration text is; false when it looks like none.
func Detect(text string) (Daemon, bool) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		first, _, _ := strings.Cut(line, " ")
		switch {
		case line == "" || line[0] == '#' || strings.HasPrefix(line, "//"):
		case line[0] == '{' || strings.HasPrefix(line, "/*") || strings.HasPrefix(line, "<?"):
			return Kea, true
		case strings.HasSuffix(line, ";") || strings.HasSuffix(line, "{") ||
			slices.Contains([]string{"if", "subnet", "host", "group", "option", "shared-network", "class"}, first):
			return DHCPD, true
		default:
			return Dnsmasq, true
		}
	}
	return "", false
}
