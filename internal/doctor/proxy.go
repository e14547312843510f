package doctor

import (
	"fmt"
	"net/netip"
	"slices"
)

// besideProxy judges a server that answers on an interface where Tugboot is a proxy: there must be one that gives
// addresses, and it has no word on what to boot. Its next-server alone does no harm: dnsmasq always names one.
func (a Asked) besideProxy(f *Facts, who netip.Addr, sender string, answers []Answer) Finding {
	gave := offered(answers)
	switch {
	case who == f.Flags.Advertise:
		return Finding{Level: OK, What: fmt.Sprintf("a Tugboot at %s answers on %s%s: %s", who, a.Interface, sender, gave)}
	case slices.ContainsFunc(answers, func(o Answer) bool { return o.BootFile != "" }):
		return Finding{Level: Warning, What: fmt.Sprintf("the DHCP server %s%s names a boot file on %s too, and firmware takes one or the other: %s", who, sender, a.Interface, gave),
			Remedy: "take the boot file out of that server, or leave booting to it: --dhcp=off"}
	}
	return Finding{Level: OK, What: fmt.Sprintf("the DHCP server %s%s gives the addresses on %s: %s", who, sender, a.Interface, gave)}
}

// giver is a finding where nobody but Tugboot answers on an interface where it is a proxy.
func (a Asked) giver(f *Facts, answered []netip.Addr) []Finding {
	if slices.ContainsFunc(answered, func(who netip.Addr) bool { return who != f.Flags.Advertise }) {
		return nil
	}
	return one(Warning, "no DHCP server answers on "+a.Interface+", where a proxy gives no addresses",
		"start the DHCP server that gives them, have it know these machines, or give them from Hardware: --dhcp=reservation")
}
