package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// ports judges each port on its own.
func ports(f *Facts) []Finding {
	if len(f.Ports) == 0 {
		return passed("nothing listens")
	}
	var all []Finding
	for _, p := range f.Ports {
		all = append(all, p.judge())
	}
	return all
}

// own is the name of this program as the kernel has it (comm).
const own = "tugboot"

func (p Port) judge() Finding {
	name := fmt.Sprintf("%s: %d/%s at %s", p.Server, p.At.Port(), p.Network, p.At.Addr())
	if p.Device != "" {
		name += " on " + p.Device
	}
	instead := "stop it, or " + p.instead()
	foreign := func(h Holder) bool { return h.Name != own || h.Self }
	switch p.Fault {
	case Free:
		return Finding{Level: OK, What: name + " is free"}
	case Taken:
		switch {
		case len(p.Holders) == 0 && p.MaySee:
			return Finding{Level: Error, What: name + " is taken by a process in another PID namespace, which is not visible from here" + p.often(),
				Remedy: fmt.Sprintf("on the host, as root, `ss -lpn 'sport = :%d'` names it (a pod with hostPID sees it too); %s", p.At.Port(), instead)}
		case len(p.Holders) == 0:
			return Finding{Level: Error, What: name + " is taken by a process that this user may not look at: that takes the capability SYS_PTRACE, which root has" + p.often(),
				Remedy: fmt.Sprintf("as root on the host, `ss -lpn 'sport = :%d'` names it; %s", p.At.Port(), instead)}
		case slices.ContainsFunc(p.Holders, func(h Holder) bool { return h.Self }):
			return Finding{Level: Error, What: name + " is taken by another of these flags", Remedy: "give each server a port of its own"}
		case !slices.ContainsFunc(p.Holders, foreign):
			return Finding{Level: Warning, What: name + " is taken by " + holders(p.Holders) + ": a Tugboot runs here already",
				Remedy: "nothing, if that is the one you ask about; else stop it"}
		}
		return Finding{Level: Error, What: name + " is taken by " + holders(p.Holders), Remedy: instead}
	case NoRight:
		return Finding{Level: Error, What: name + " may not be taken: " + p.Cause, Remedy: "run as root or grant the capability NET_BIND_SERVICE"}
	case NotLocal:
		return Finding{Level: Error, What: name + " cannot be taken: the address is none of this host's", Remedy: "choose one that `ip addr` shows, or none for all"}
	case NoDevice:
		return Finding{Level: Error, What: name + " cannot be taken: there is no such interface", Remedy: "name one that `ip link` shows with --interfaces"}
	case Refused:
	}
	return Finding{Level: Error, What: name + " cannot be taken: " + p.Cause, Remedy: "look at what the kernel says; without this server, switch it off by its flag"}
}

func (p Port) often() string {
	if p.Usual == "" {
		return ""
	}
	return " (often " + p.Usual + ")"
}

// instead is what to do about a server of ours whose port is not to be had.
func (p Port) instead() string {
	switch p.Server {
	case "DHCP":
		return "leave DHCP to it with --dhcp=off"
	case "TFTP":
		return "do without with --tftp=off"
	case "HTTP":
		return "name another port with --http"
	case "HTTPS":
		return "name another port with --https"
	case "syslog":
		return "name another port with --syslog"
	case "metrics":
		return "name another port with --metrics-bind-address"
	}
	return "name another port with --health-probe-bind-address"
}

func holders(all []Holder) string {
	var names []string
	for _, h := range all {
		names = append(names, fmt.Sprintf("%q (pid %d)", h.Name, h.PID))
	}
	return strings.Join(names, " and ")
}

// capabilities judges what is missing by whether it is needed.
func capabilities(f *Facts) []Finding {
	if f.Capabilities.Failed != "" {
		return one(Error, f.Capabilities.Failed, "run as root, or see what the host's security module denies")
	}
	missing := func(name string) (Capability, bool) {
		i := slices.IndexFunc(f.Capabilities.Missing, func(c Capability) bool { return c.Name == name })
		if i < 0 {
			return Capability{}, false
		}
		return f.Capabilities.Missing[i], true
	}
	var low []string
	for _, p := range f.Ports {
		name := fmt.Sprintf("%d/%s", p.At.Port(), p.Network)
		if p.At.Port() < f.Capabilities.Unprivileged && !slices.Contains(low, name) {
			low = append(low, name)
		}
	}
	var all []Finding
	c, lacks := missing("NET_BIND_SERVICE")
	switch needs := strings.Join(low, ", "); {
	case len(low) == 0:
		all = one(OK, fmt.Sprintf("NET_BIND_SERVICE is not needed: no port is below %d", f.Capabilities.Unprivileged), "")
	case lacks:
		all = one(Error, "NET_BIND_SERVICE is missing, which "+needs+" take: "+c.Cause, c.Remedy)
	default:
		all = one(OK, "NET_BIND_SERVICE is there, for "+needs, "")
	}
	c, lacks = missing("NET_RAW")
	switch {
	case !f.Flags.DHCP && !f.Flags.Services:
		return append(all, one(OK, "NET_RAW is not needed: no DHCP is answered", "")...)
	case lacks && f.Flags.DHCP:
		return append(all, one(Warning, "NET_RAW is missing: answers to machines without an address are broadcast, which some firmware ignores: "+c.Cause, c.Remedy)...)
	case lacks:
		return append(all, one(Warning, "NET_RAW is missing: what existing DHCP services answer cannot be verified from here: "+c.Cause, c.Remedy)...)
	case f.Flags.DHCP:
		return append(all, one(OK, "NET_RAW is there, for answers by link-layer unicast", "")...)
	}
	return append(all, one(OK, "NET_RAW is there, to verify existing DHCP services", "")...)
}

// interfaces says on which interfaces DHCP is answered.
func interfaces(f *Facts) []Finding {
	if !f.Flags.DHCP {
		return passed("no DHCP is answered (--dhcp=off)")
	}
	var all []Finding
	for _, name := range f.Flags.Interfaces {
		i := slices.IndexFunc(f.Interfaces, func(i Interface) bool { return i.Name == name })
		if i < 0 {
			all = append(all, Finding{Level: Error, What: fmt.Sprintf("%q is not there", name), Remedy: "choose from " + names(f.Interfaces)})
			continue
		}
		all = append(all, f.Interfaces[i].judge(true))
	}
	inner := 0
	for _, i := range f.Interfaces {
		switch {
		case len(f.Flags.Interfaces) > 0 || i.Loopback:
		case i.Inner:
			inner++
		default:
			all = append(all, i.judge(false))
		}
	}
	if inner > 0 {
		all = append(all, Finding{Level: OK, What: fmt.Sprintf("%d more lead to containers or virtual machines of this host, and are answered on too; name those to answer on with --interfaces", inner)})
	}
	if len(all) == 0 {
		return one(Error, "this host has no network interface but the loopback", "give it one: in a pod, set hostNetwork")
	}
	return all
}

// judge says what becomes of DHCP on the interface; named is true where the flags name it.
func (i Interface) judge(named bool) Finding {
	var unfit, remedy string
	switch {
	case !i.Up:
		unfit, remedy = i.Name+" is down: nobody is answered on it until it is up", "`ip link set "+i.Name+" up`"
	case !i.Carrier:
		unfit, remedy = i.Name+" has no carrier: nobody is heard on it", "plug the cable in, or look at the switch"
	case len(i.Prefixes) == 0:
		unfit, remedy = i.Name+" has no IPv4 address: answers on it come from an address that machines there may not reach", "give it an address of the machines' network"
	default:
		var prefixes []string
		for _, p := range i.Prefixes {
			prefixes = append(prefixes, p.String())
		}
		return Finding{Level: OK, What: i.Name + " " + strings.Join(prefixes, ", ") + ": DHCP is answered on it"}
	}
	switch {
	case !named: // a host has interfaces that nobody uses
		return Finding{Level: OK, What: unfit}
	case !i.Up:
		return Finding{Level: Error, What: unfit, Remedy: remedy}
	}
	return Finding{Level: Warning, What: unfit, Remedy: remedy}
}

func names(all []Interface) string {
	var list []string
	for _, i := range all {
		list = append(list, i.Name)
	}
	return strings.Join(list, ", ")
}

// address says which address is advertised, and whether it is this host's.
func address(f *Facts) []Finding {
	to := f.Flags.Advertise
	if f.Undetected.What != "" {
		return one(Error, f.Undetected.What, f.Undetected.Remedy)
	}
	holds := func(i Interface) bool {
		return slices.ContainsFunc(i.Prefixes, func(p netip.Prefix) bool { return p.Addr() == to })
	}
	at := slices.IndexFunc(f.Interfaces, holds)
	how := "--advertise"
	if !f.Flags.Given {
		how = "detected"
	}
	switch {
	case at < 0 && f.Flags.Management:
		return one(OK, fmt.Sprintf("%s is advertised (%s); no interface of this host has it now: a virtual address may be held by another node", to, how), "")
	case at < 0:
		return one(Warning, fmt.Sprintf("%s is advertised (%s), and no interface of this host has it: machines are sent to whoever has", to, how),
			"give --advertise the address of this host that machines reach; a virtual address or one that is forwarded to here may stay")
	case len(f.Flags.Interfaces) > 0 && !slices.Contains(f.Flags.Interfaces, f.Interfaces[at].Name):
		return one(Warning, fmt.Sprintf("%s is advertised (%s); it is on %s, which is none of --interfaces", to, how, f.Interfaces[at].Name),
			"give the address of an interface that DHCP is answered on, unless a router leads there")
	}
	return one(OK, fmt.Sprintf("%s on %s is advertised (%s)", to, f.Interfaces[at].Name, how), "")
}

// buffer judges the receive buffer.
func buffer(f *Facts) []Finding {
	b := f.Buffer
	switch {
	case b.Failed != "":
		return one(Warning, "the receive buffer is not known: "+b.Failed, "see `sysctl net.core.rmem_max`")
	case b.Wanted == 0:
		return passed("no server wants a larger one")
	case b.Granted < b.Wanted:
		return one(Warning, fmt.Sprintf("the kernel grants %d of the %d bytes that are wanted to receive in: many machines that are switched on at once may lose requests", b.Granted, b.Wanted),
			fmt.Sprintf("`sysctl -w net.core.rmem_max=%d` on the host, or grant the capability NET_ADMIN", b.Wanted))
	}
	return one(OK, fmt.Sprintf("the kernel grants the %d bytes that are wanted to receive in", b.Wanted), "")
}
