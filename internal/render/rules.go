package render

import (
	"fmt"
	"strings"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/takeover"
)

// Endpoint returns the endpoint that is told, in the words of boot. The zero Endpoint stands for nothing to boot.
func (w Word) Endpoint() (boot.Endpoint, error) {
	if w.Says.IsZero() {
		return boot.Endpoint{}, nil
	}
	return Endpoint(w.Says)
}

// Endpoint turns an endpoint that a takeover tells into the words of boot. It refuses what cannot be put on the wire or
// into a file; the error names the field, the value and the remedy.
func Endpoint(e takeover.Endpoint) (boot.Endpoint, error) {
	if !e.Addr.Is4() {
		return boot.Endpoint{}, fmt.Errorf("advertised endpoint: address %s: not IPv4", e.Addr)
	}
	if e.HTTPPort != 0 && !isPath(e.ScriptPath) {
		return boot.Endpoint{}, fmt.Errorf("advertised endpoint %s: script path %+.80q: not a path such as %s", e.Addr, e.ScriptPath, boot.DefaultScriptPath)
	}
	binaries, err := boot.ParseBinaries(e.BootFiles)
	if err != nil {
		return boot.Endpoint{}, fmt.Errorf("advertised endpoint %s: boot files: %w", e.Addr, err)
	}
	return boot.Endpoint{
		Addr: e.Addr, TFTPPort: e.TFTPPort, HTTPPort: e.HTTPPort, ScriptPath: e.ScriptPath, Binaries: binaries, BySource: bySource(e),
	}, nil
}

// bySource reports whether a stack may be too old to know URLs with a MAC in them: EKS Anywhere up to 0.19 is the only
// one that has its script there.
func bySource(e takeover.Endpoint) bool { return e.HTTPPort == 80 && e.ScriptPath == "/auto.ipxe" }

// isPath reports whether s is a path that a URL, iPXE and a configuration file take as it stands.
func isPath(s string) bool {
	return strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") && len(s) <= 200 && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune("\"#$%&'<>?[\\]^`{|}", r)
	})
}

// Rules returns the boot rules of an existing service, in the order in which they are tried: those of boot.Table by which
// a machine is given something to boot. A client that matches none gets its address only.
//
// Raspberry Pi boards are left out: their firmware says that it is a BIOS, is told apart by its MAC, and wants a menu
// that no existing service can give to it alone.
func (w Word) Rules() ([]boot.Rule, error) {
	e, err := w.Endpoint()
	if err != nil || !e.Addr.IsValid() {
		return nil, err
	}
	var rules []boot.Rule
	for _, rule := range boot.Table(e) {
		if rule.Decision.Action == boot.Boot && !rule.Decision.RaspberryPiMenu {
			rules = append(rules, rule)
		}
	}
	return rules, nil
}
