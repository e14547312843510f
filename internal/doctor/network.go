package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// maxServers is how many answering servers are named for each interface.
const maxServers = 4

// foreign judges who else answers DHCP.
func foreign(f *Facts) []Finding {
	if len(f.Asked) == 0 {
		return passed("there is no interface with a network to ask on")
	}
	var all []Finding
	for _, a := range f.Asked {
		if a.Failed.What != "" {
			all = append(all, Finding{Level: Warning, What: "another DHCP server was not looked for on " + a.Interface + ": " + a.Failed.What, Remedy: a.Failed.Remedy})
			continue
		}
		all = append(all, a.judge(f)...)
	}
	return all
}

// judge has one finding for each server that answered on the interface.
func (a Asked) judge(f *Facts) []Finding {
	var all []Finding
	var order []netip.Addr
	by := map[netip.Addr][]Answer{}
	for _, o := range a.Answers {
		who := o.Server
		if !who.IsValid() {
			who = o.From
		}
		if by[who] == nil {
			order = append(order, who)
		}
		by[who] = append(by[who], o)
	}
	for i, who := range order {
		if i == maxServers {
			all = append(all, Finding{Level: Warning, What: fmt.Sprintf("%d more DHCP servers answer on %s", len(order)-i, a.Interface), Remedy: "see `tugboot probe -i " + a.Interface + "`"})
			break
		}
		all = append(all, a.server(f, who, by[who]))
	}
	if a.Proxy {
		return append(all, a.giver(f, order)...)
	}
	if len(all) == 0 {
		return one(OK, "no other DHCP server answers on "+a.Interface, "")
	}
	return all
}

// server judges one server by what it offered.
func (a Asked) server(f *Facts, who netip.Addr, answers []Answer) Finding {
	sender := ""
	if from := answers[0].From; from != who {
		sender = " (sent by " + from.String() + ")"
	}
	gave := offered(answers)
	if a.Proxy {
		return a.besideProxy(f, who, sender, answers)
	}
	switch {
	case who == f.Flags.Advertise && onlyKnown(answers):
		return Finding{Level: OK, What: fmt.Sprintf("a Tugboot at %s answers on %s%s: %s", who, a.Interface, sender, gave)}
	case !f.Flags.DHCP:
		return Finding{Level: OK, What: fmt.Sprintf("the DHCP server %s%s answers on %s: %s", who, sender, a.Interface, gave)}
	}
	return Finding{Level: Warning, What: fmt.Sprintf("another DHCP server, %s%s, answers on %s: %s", who, sender, a.Interface, gave),
		Remedy: "switch it off on this network or have it ignore these machines, or leave DHCP to it: --dhcp=off"}
}

// onlyKnown reports whether the answers are for reserved machines alone, which is what a Tugboot answers.
func onlyKnown(answers []Answer) bool {
	return !slices.ContainsFunc(answers, func(o Answer) bool { return !o.Known })
}

// offered says what was offered, each different offer once.
func offered(answers []Answer) string {
	var texts []string
	for _, o := range answers {
		text := "address " + orNone(o.Address)
		if o.Known {
			text += " for " + o.Machine.String()
		} else {
			text += " for a machine it does not know"
		}
		text += ", next-server " + orNone(o.NextServer)
		if o.BootFile != "" {
			text += fmt.Sprintf(", boot file %+.80q", o.BootFile)
		} else {
			text += ", no boot file"
		}
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "; ")
}

func orNone(a netip.Addr) string {
	if !a.IsValid() {
		return "none"
	}
	return a.String()
}

// files judges the first-stage binaries.
func files(f *Facts) []Finding {
	b := f.Files
	const remedy = "`apt-get install ipxe` (Debian's package ipxe), or name the folder that has them with --ipxe-dir"
	switch {
	case b.Off:
		return passed("neither TFTP nor HTTP is served")
	case b.Failed != "":
		return one(Error, b.Failed, remedy)
	}
	all := one(OK, fmt.Sprintf("%d boot files are advertised, and all are in %s: %s", len(b.Served), b.Dir, strings.Join(b.Served, ", ")), "")
	if len(b.Absent) > 0 {
		all = one(Error, fmt.Sprintf("boot files that are advertised are not in %s: %s", b.Dir, strings.Join(b.Absent, ", ")), remedy)
	}
	for _, m := range b.Missing {
		if m.Usual {
			all = append(all, Finding{Level: Warning, What: fmt.Sprintf("%s machines get an address and nothing to boot: none of %s is in %s", m.Machines, m.Sought, b.Dir), Remedy: remedy})
		}
	}
	for _, why := range b.Skipped {
		all = append(all, Finding{Level: Warning, What: b.Dir + ": " + why, Remedy: remedy})
	}
	return all
}

// hook judges whether the kernel can be had.
func hook(f *Facts) []Finding {
	h := f.Hook
	switch {
	case h.Off:
		return passed("no scripts are served (--http=off)")
	case h.Dir != "" && h.Failed != "":
		return one(Error, h.Failed, "correct --hook-dir: serve does not start with it")
	case h.Dir != "":
		return one(OK, h.Dir+" has "+strings.Join(h.Kernels, ", "), "")
	case h.Base == "":
		return one(Warning, "only machines whose Hardware names osie.baseURL get a script: there is no --hook-url and no --hook-dir",
			"give --hook-url the URL of the folder with vmlinuz-ARCH and initramfs-ARCH, or --hook-dir the folder itself")
	case h.Failed != "":
		return one(Warning, "HEAD "+h.URL+": "+h.Failed, "start that server, or correct --hook-url; machines must reach it, this host need not")
	case h.Status != 200:
		return one(Warning, fmt.Sprintf("HEAD %s is answered with %d", h.URL, h.Status), "put vmlinuz-ARCH and initramfs-ARCH there, or correct --hook-url")
	}
	return one(OK, h.URL+" is there", "")
}

// state judges the folder that outlives a restart.
func state(f *Facts) []Finding {
	s := f.State
	switch {
	case s.Dir == "":
		return passed("nothing outlives a restart (no --state-dir)")
	case s.Failed != "":
		return one(Error, fmt.Sprintf("%q: %s", s.Dir, s.Failed), "let this process make it and write there, or name another with --state-dir")
	case !s.Made:
		return one(OK, fmt.Sprintf("%q is not there yet and can be made", s.Dir), "")
	}
	return one(OK, fmt.Sprintf("%q can be written to", s.Dir), "")
}
