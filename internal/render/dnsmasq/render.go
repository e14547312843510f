package dnsmasq

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/render"
)

// Dir is the folder of the two live files, as the fixed file names it. dnsmasq reads them again as the user that it runs
// as: the folder and the files must be readable for it.
const Dir = "/var/lib/tugboot/dhcp"

// Exempt is the tag that an operator sets on dhcp-host lines of their own in a network of ours: such a host gets nothing
// of ours.
const Exempt = "tugboot-exempt"

// maxLine is the longest line, in bytes, that is written: dnsmasq cuts a longer one than 1024 in two.
const maxLine = 1000

// Render says w in dnsmasq's language. The error is that of a Word or a network that cannot be written.
func Render(w render.Wanted) (render.Output, error) {
	if err := check(w); err != nil {
		return render.Output{}, err
	}
	rules, err := w.Word.Rules()
	if err != nil {
		return render.Output{}, err
	}
	hosts, problems := hostLines(w)
	options, differing := optionLines(w)
	options = append(options, bootLines(w, rules)...)
	problems = append(problems, differing...)

	header, fixed := w.Word.Header("#"), fixedLines(w)
	whole := append([]string{"port=0", "dhcp-ignore=tag:!known"}, fixed...)
	for _, line := range hosts {
		whole = append(whole, "dhcp-host="+line)
	}
	for _, line := range options {
		whole = append(whole, "dhcp-option="+line)
	}
	return render.Output{
		Whole:    header + lines(whole),
		Operator: render.File{Name: operatorName(w.Word), Text: operatorText(w.Word, fixed)},
		Live: []render.File{
			{Name: HostsName(w.Word), Text: header + lines(hosts)},
			{Name: OptionsName(w.Word), Text: header + lines(options)},
		},
		Problems: problems,
	}, nil
}

// HostsName and OptionsName are the names of the live files.
func HostsName(w render.Word) string { return stem(w) + ".hosts" }

// OptionsName is described with HostsName.
func OptionsName(w render.Word) string { return stem(w) + ".options" }

func operatorName(w render.Word) string { return stem(w) + ".conf" }

func stem(w render.Word) string { return strings.TrimSuffix(w.Prefix(), "-") }

func lines(all []string) string {
	var text strings.Builder
	for _, line := range all {
		text.WriteString(line + "\n")
	}
	return text.String()
}

// check refuses a Wanted that cannot be written: a Word that would not be read back, or a network that is none.
func check(w render.Wanted) error {
	header := w.Word.Header("#")
	read, found, err := render.WordIn(header, "#")
	switch {
	case err != nil:
		return err
	case !found || read != w.Word:
		return errors.New("mark: it would not be read back as it is: give a cluster name of lower-case letters, digits and dashes")
	}
	for line := range strings.Lines(header) {
		if len(line) > maxLine {
			return fmt.Errorf("mark: %d bytes, of which dnsmasq reads %d in one line: shorten the names of the boot files", len(line), maxLine)
		}
	}
	for _, n := range w.Networks {
		if !n.Prefix.IsValid() || !n.Prefix.Addr().Is4() || n.Prefix != n.Prefix.Masked() {
			return fmt.Errorf("network %s: not an IPv4 subnet: write it without host bits, such as 192.168.2.0/24", n.Prefix)
		}
	}
	return nil
}

// bootLines are the boot rules: what a machine is told that carries a rule's tag.
func bootLines(w render.Wanted, rules []boot.Rule) []string {
	var all []string
	for _, rule := range rules {
		d, tag := rule.Decision, "tag:"+ruleTag(w.Word, rule)
		option := func(name, value string) { all = append(all, tag+",option:"+name+","+value) }
		if file, ok := quote(d.BootFile); ok {
			option("bootfile-name", file)
		}
		option("server-ip-address", d.NextServer.String())
		if server, ok := quote(d.ServerName); ok {
			option("tftp-server", server)
		}
		if class, ok := quote(d.VendorClass.String()); ok {
			option("vendor-class", class)
		}
		if d.NoProxyDHCP {
			all = append(all, tag+","+noProxyDHCP)
		}
	}
	return all
}

// noProxyDHCP spares iPXE the wait for offers of a proxyDHCP server.
const noProxyDHCP = "encap:175,176,1b"
