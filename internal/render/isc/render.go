package isc

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/tugboot/tugboot/internal/render"
)

// Dir is the folder of the live file, as the operator's line names it: one that Debian's AppArmor profile lets dhcpd read.
const Dir = "/etc/dhcp/tugboot"

// Render says w in dhcpd's language. The error is that of a Word or a network that cannot be written.
func Render(w render.Wanted) (render.Output, error) {
	if err := check(w); err != nil {
		return render.Output{}, err
	}
	rules, err := ruleLines(w.Word)
	if err != nil {
		return render.Output{}, err
	}
	hosts, problems := hostLines(w)
	group := append([]string{groupOpen, namesOff}, rules...)
	group = append(append(group, hosts...), groupClose)

	header := w.Word.Header("#")
	whole := []string{"ddns-update-style none;"}
	for _, n := range w.Networks {
		whole = append(whole, fmt.Sprintf("subnet %s netmask %s { }", n.Prefix.Addr(), netmask(n.Prefix)))
	}
	return render.Output{
		Whole:    header + lines(append(whole, group...)),
		Operator: render.File{Name: stem(w.Word) + ".conf", Text: operatorText(w.Word)},
		Live:     []render.File{{Name: LiveName(w.Word), Text: header + lines(group)}},
		Problems: problems,
	}, nil
}

// The lines that enclose the live file's group. A host without a name must not be told the name of its declaration.
const (
	groupOpen  = "group {"
	namesOff   = "  use-host-decl-names off;"
	groupClose = "}"
)

// LiveName is the name of the live file.
func LiveName(w render.Word) string { return stem(w) + ".group" }

func stem(w render.Word) string { return strings.TrimSuffix(w.Prefix(), "-") }

func lines(all []string) string {
	var text strings.Builder
	for _, line := range all {
		text.WriteString(line + "\n")
	}
	return text.String()
}

func operatorText(w render.Word) string {
	return "# Tugboot's part of dhcpd's configuration, for the cluster " + w.Mark.Cluster + ": include this file after the subnets.\n" +
		"# The file that it names is written by Tugboot, and must be there before dhcpd starts.\n" +
		"include \"" + Dir + "/" + LiveName(w) + "\";\n"
}

// check refuses a Wanted that cannot be written: a Word that would not be read back, or a network that is none.
func check(w render.Wanted) error {
	read, found, err := render.WordIn(w.Word.Header("#"), "#")
	switch {
	case err != nil:
		return err
	case !found || read != w.Word:
		return errors.New("mark: it would not be read back as it is: give a cluster name of lower-case letters, digits and dashes")
	}
	for _, n := range w.Networks {
		if !n.Prefix.IsValid() || !n.Prefix.Addr().Is4() || n.Prefix != n.Prefix.Masked() {
			return fmt.Errorf("network %s: not an IPv4 subnet: write it without host bits, such as 192.168.2.0/24", n.Prefix)
		}
	}
	return nil
}

func netmask(p netip.Prefix) netip.Addr {
	ones := uint32(0xffffffff) << (32 - p.Bits())
	return netip.AddrFrom4([4]byte{byte(ones >> 24), byte(ones >> 16), byte(ones >> 8), byte(ones)})
}
