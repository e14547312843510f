package microsoft

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/tugboot/tugboot/internal/render"
)

// apply is the part of a script that is the same in all of them.
//
//go:embed apply.ps1
var apply string

// comment begins a comment of PowerShell.
const comment = "#"

// Render writes the script. It fails when the word cannot be told, when the cluster's name is too long for a policy's, or
// when a value is not printable ASCII; the error names the value. What Windows cannot express is in Problems.
func Render(w render.Wanted) (render.Output, error) {
	rules, classes, err := policies(w.Word)
	if err != nil {
		return render.Output{}, fmt.Errorf("render for Microsoft: %w", err)
	}
	var out render.Output
	s := &writer{}
	s.head(w.Word)
	s.definitions()
	s.classes(classes)
	s.line(0, "$scopes = @(")
	for i, network := range w.Networks {
		s.scope(w.Word, network, rules, i == len(w.Networks)-1)
		for _, r := range network.Reservations {
			out.Problems = append(out.Problems, render.BootNotCarried(r, len(rules) > 0)...)
		}
	}
	s.line(0, ")\n")
	s.text.WriteString(apply)
	if s.err != nil {
		return render.Output{}, fmt.Errorf("render for Microsoft: %w", s.err)
	}
	out.Whole = s.text.String()
	out.Operator = render.File{Name: w.Word.Prefix() + "dhcp.txt", Text: w.Word.Header(comment) + operator}
	out.Live = []render.File{{Name: w.Word.Prefix() + "dhcp.ps1", Text: out.Whole}}
	return out, nil
}

// operator is what a person does; a Windows server takes no configuration file.
const operator = `#
# Nothing is installed on the DHCP server: run the script that is rendered with this file, as an administrator of DHCP,
# on the server or with -ComputerName, each time it changes:
#
#   powershell -File SCRIPT.ps1 -WhatIf     shows every change and changes nothing
#   powershell -File SCRIPT.ps1             makes the changes
#
# The scopes must be there already, with the subnet masks of the rendered subnets. The script writes policies, classes and
# reservations of its own, and leaves all others as they are. It was never run on Windows: it is checked by a parser of
# Tugboot's own only. Read what -WhatIf shows before the first run, and keep a Backup-DhcpServer.
`

// head writes everything up to the lists.
func (w *writer) head(word render.Word) {
	mark := word.Mark
	w.text.WriteString(word.Header(comment))
	w.line(0, "#Requires -Version 5.1")
	w.line(0, "#Requires -Modules DhcpServer")
	w.line(0, "# Run it with -WhatIf first: that shows every change and changes nothing.\n")
	w.line(0, "[CmdletBinding(SupportsShouldProcess)]")
	w.line(0, "param(")
	w.line(1, "# The DHCP server; the one that this runs on by default.")
	w.line(1, "[string] $ComputerName = 'localhost'")
	w.line(0, ")\n")
	w.line(0, "Set-StrictMode -Version 3.0")
	w.line(0, "$ErrorActionPreference = 'Stop'\n")
	owner := "tugboot " + mark.Cluster + " "
	text := owner + fmt.Sprintf("born=%d epoch=%d ", mark.Fence.Born, mark.Fence.Epoch) + "next-server=" + nextServer(word)
	w.line(0, "$prefix = ", w.value(word.Prefix()))
	w.line(0, "# What is ours begins with this in its description.")
	w.line(0, "$owner = ", w.value(owner))
	w.line(0, "$born = ", strconv.FormatInt(mark.Fence.Born, 10))
	w.line(0, "$epoch = ", strconv.FormatInt(mark.Fence.Epoch, 10))
	w.line(0, "$markName = ", w.value(word.Prefix()+"mark"))
	w.line(0, "$markText = ", w.value(text), "\n")
}

// nextServer is what the mark says for people.
func nextServer(word render.Word) string {
	if !word.Says.Addr.IsValid() {
		return "none"
	}
	return word.Says.Addr.String()
}

// definitions writes the options that a Windows server may not know yet. To define one sends nothing.
func (w *writer) definitions() {
	w.line(0, "$definitions = @(")
	w.line(1, "@{ Id = 60; Name = 'Vendor class identifier'; Type = 'String' },")
	w.line(1, "@{ Id = 121; Name = 'Classless static routes'; Type = 'BinaryData' }")
	w.line(0, ")\n")
}

func (w *writer) classes(classes []class) {
	w.line(0, "$classes = @(")
	for i, c := range classes {
		data, says, optional := w.value(c.data), w.value(c.data), "$false"
		if c.listed {
			data = "('{0}{1}' -f [char] " + strconv.Itoa(len(c.data)) + ", " + data + ")"
			says, optional = w.value(c.data+", with its length before it"), "$true"
		}
		w.line(1, "@{ Key = ", w.value(c.key), "; Type = ", w.value(c.kind), "; Data = ", data, "; Says = ", says, "; Optional = ", optional, " }", comma(i == len(classes)-1))
	}
	w.line(0, ")\n")
}

// scope writes one subnet. Without machines it has no rules: they are for the cluster's own machines only.
func (w *writer) scope(word render.Word, network render.Network, rules []policy, last bool) {
	w.line(1, "@{")
	w.line(2, "Id = ", w.value(network.Prefix.Addr().String()))
	w.line(2, "Mask = ", w.value(netmask(network.Prefix)))
	w.line(2, "Policies = @(")
	if len(network.Reservations) == 0 {
		rules = nil
	}
	for i, p := range rules {
		w.line(3, "@{ Name = ", w.value(p.name), "; Says = ", w.value("tugboot "+word.Mark.Cluster+" boot rule"), "; User = ", w.list(p.user),
			"; Vendor = ", w.list(p.vendor), "; Options = ", w.options(p.options), " }", comma(i == len(rules)-1))
	}
	w.line(2, ")")
	w.line(2, "Reservations = @(")
	for i, r := range network.Reservations {
		w.line(3, "@{ Address = ", w.value(r.Address.Addr().String()), "; Client = ", w.value(clientID(r.MAC)), "; Name = ", w.value(nameOf(r)),
			"; Source = ", w.value(sourceOf(r)), "; Options = ", w.options(addressing(r)), " }", comma(i == len(network.Reservations)-1))
	}
	w.line(2, ")")
	w.line(1, "}", comma(last))
}

// comma is what follows an element of an array.
func comma(last bool) string {
	if last {
		return ""
	}
	return ","
}

func netmask(p netip.Prefix) string {
	var mask [4]byte
	binary.BigEndian.PutUint32(mask[:], ^uint32(0)<<(32-p.Bits()))
	return netip.AddrFrom4(mask).String()
}
