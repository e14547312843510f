package cli

import (
	"fmt"
	"os"

	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/ipxe"
)

// unknownScript is what machines without Hardware are given to boot; empty where they are given nothing. It is read once.
func unknownScript(o *options.DHCP) (string, error) {
	switch {
	case !o.Auto():
		return "", nil
	case o.AutoScript == "":
		return ipxe.UnknownScript(), nil
	}
	text, err := os.ReadFile(o.AutoScript)
	if err != nil {
		return "", fmt.Errorf("--auto-script %q: %w: give a file with an iPXE script", o.AutoScript, err)
	}
	if len(text) == 0 {
		return "", fmt.Errorf("--auto-script %q: empty: give a file with an iPXE script, or leave the flag out for the one that is built in", o.AutoScript)
	}
	if len(text) > ipxe.MaxUnknown {
		return "", fmt.Errorf("--auto-script %q: %d bytes, more than the %d that a script may have: give a file with an iPXE script", o.AutoScript, len(text), ipxe.MaxUnknown)
	}
	return string(text), nil
}
