package lint

import (
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/dhcpconf"
	"github.com/tugboot/tugboot/internal/reservation"
)

// common looks at what all daemons have in common, once it is gathered.
func (c *checker) common() {
	if seven, tested := c.archs[int(boot.ArchX64)]; tested {
		if _, also := c.archs[int(boot.ArchEBC)]; !also {
			c.add("x64-arch-9-missing", seven, "architecture 7 is matched here, and architecture 9 nowhere")
		}
	}
	script := false
	for _, b := range c.boots {
		c.binaries(b)
		c.httpBoot(b)
		c.staleURL(b)
		script = script || b.when.stock && b.url()
	}
	if !script && !c.stock {
		c.loops()
	}
	c.nextServers()
	c.reservations()
}

// covered reports whether a rule of its own tells architecture a what to boot.
func (c *checker) covered(a boot.Arch) bool {
	return slices.ContainsFunc(c.boots, func(b bootRule) bool { return b.firmware() && slices.Contains(b.when.archs, int(a)) })
}

func (c *checker) binaries(b bootRule) {
	if !b.firmware() || b.http() {
		return
	}
	ext := strings.ToLower(path.Ext(b.file))
	everyone := len(b.when.archs) == 0
	bios := slices.Contains(b.when.archs, int(boot.ArchBIOS)) || everyone && !c.covered(boot.ArchBIOS)
	uefi := slices.ContainsFunc(b.when.archs, func(a int) bool { return a >= int(boot.ArchIA32) }) || everyone && !c.covered(boot.ArchX64)
	switch {
	case ext == ".efi" && bios:
		c.add("bios-gets-efi", b.pos, "BIOS machines are given %+.80q", b.file)
	case slices.Contains([]string{".kpxe", ".kkpxe", ".pxe"}, ext) && uefi:
		c.add("uefi-gets-bios", b.pos, "UEFI machines are given %+.80q", b.file)
	}
}

func (c *checker) httpBoot(b bootRule) {
	if !b.firmware() || b.when.pxe && !b.when.http {
		return
	}
	if b.http() {
		if !b.url() {
			c.add("http-gets-bare-name", b.pos, "machines that boot by HTTP are given %+.80q", b.file)
		}
		if !b.answers60 {
			c.add("http-no-option-60", b.pos, "%+.80q is given to machines that boot by HTTP, without option 60", b.file)
		}
		return
	}
	if len(b.when.archs) > 0 || slices.ContainsFunc(c.boots, func(o bootRule) bool { return o.http() }) {
		return
	}
	if !b.url() {
		c.add("http-gets-bare-name", b.pos, "every machine that is not told otherwise is given %+.80q, those that boot by HTTP too", b.file)
	}
	if !c.answers60 {
		c.add("http-no-option-60", b.pos, "machines that boot by HTTP are answered here, and option 60 is sent nowhere")
	}
}

// staleURL looks for the script's URL of old stacks. What Tugboot wrote names the endpoint as it was seen serving.
func (c *checker) staleURL(b bootRule) {
	_, rest, found := strings.Cut(b.file, "://")
	_, file, _ := strings.Cut(rest, "/")
	if !b.ours && found && file == "auto.ipxe" {
		c.add("stale-script-url", b.pos, "%+.80q is no URL that EKS Anywhere 0.20 or later serves", b.file)
	}
}

// loops looks for a two-step boot that hands an unknown iPXE its binary again.
func (c *checker) loops() {
	binary := slices.IndexFunc(c.boots, func(b bootRule) bool { return b.firmware() && !b.http() })
	if i := slices.IndexFunc(c.boots, func(b bootRule) bool { return b.when.tinkerbell }); i >= 0 && binary >= 0 {
		c.add("stock-ipxe-loops", c.boots[i].pos, "user class Tinkerbell is given %+.80q, and user class iPXE %+.80q", c.boots[i].file, c.boots[binary].file)
	}
}

// server is one address that a boot rule sends machines to.
type server struct {
	addr netip.Addr
	pos  dhcpconf.Position
}

func (c *checker) nextServers() {
	var servers []server
	for _, b := range c.boots {
		if host := b.host(); host.IsValid() && !b.ours {
			servers = append(servers, server{host, b.pos})
		}
		if b.next == "" {
			continue
		}
		addr, err := netip.ParseAddr(b.next)
		if err != nil {
			continue // a name, which dhcpd and dnsmasq look up
		}
		if what := c.unusable(addr); what != "" {
			c.add("next-server-unusable", b.nextPos, "next-server %s %s", addr, what)
			continue
		}
		if !b.ours {
			servers = append(servers, server{addr, b.nextPos})
		}
	}
	for i, s := range servers {
		if len(c.networks) > 0 && !dhcpconf.Within(c.networks, s.addr).Prefix.IsValid() && c.readable() {
			c.add("next-server-outside", s.pos, "%s is in none of the subnets that are served here", s.addr)
		}
		if i > 0 {
			c.differs(servers[0], s)
		}
	}
}

// readable reports whether every subnet's prefix is known.
func (c *checker) readable() bool {
	return !slices.ContainsFunc(c.networks, func(n dhcpconf.Network) bool { return !n.Prefix.IsValid() })
}

func (c *checker) unusable(addr netip.Addr) string {
	switch {
	case !addr.Is4():
		return "is not IPv4"
	case addr.IsUnspecified():
		return "stands for no address"
	case addr.IsLoopback():
		return "is each machine's own loopback"
	case addr.IsMulticast(), addr.As4()[0] >= 224, addr.As4()[0] == 0:
		return "is no address that a host can have"
	}
	if n := dhcpconf.Within(c.networks, addr); n.Prefix.IsValid() && reservation.RoleIn(n.Prefix, addr) != reservation.RoleHost {
		return "is the network or broadcast address of " + n.Prefix.String()
	}
	return ""
}

// differs compares an address with the first one.
func (c *checker) differs(first, s server) {
	if first.addr == s.addr {
		return
	}
	a, b := first.addr.As16(), s.addr.As16()
	network := 0
	for i := 12; i < 15; i++ {
		if a[i] != b[i] {
			network++
		}
	}
	if network == 1 && a[15] == b[15] {
		c.add("next-server-typo", s.pos, "%s here, and %s at %s", s.addr, first.addr, first.pos)
		return
	}
	c.add("next-server-differs", s.pos, "%s here, and %s at %s", s.addr, first.addr, first.pos)
}

func (c *checker) reservations() {
	byAddress := map[netip.Addr]dhcpconf.Host{}
	type seat struct {
		mac    reservation.MAC
		prefix netip.Prefix
	}
	byMAC := map[seat]dhcpconf.Host{}
	cluster := c.clusters()
	// Two reservations of the operator's are the operator's affair; one of Tugboot's must not become the second.
	twice := func(a, b dhcpconf.Host) func(string, dhcpconf.Position, string, ...any) {
		if cluster[a.Pos.File] != "" || cluster[b.Pos.File] != "" {
			return c.stop
		}
		return c.add
	}
	for _, h := range c.hosts {
		at := seat{h.MAC, h.Network.Prefix}
		if first, taken := byMAC[at]; taken {
			twice(first, h)("duplicate-mac", h.Pos, "%s has a reservation here, and one at %s", h.MAC, first.Pos)
		} else {
			byMAC[at] = h
		}
		if !h.Address.IsValid() {
			continue
		}
		if first, taken := byAddress[h.Address]; taken && !c.addressesShared && first.MAC != h.MAC {
			twice(first, h)("duplicate-address", h.Pos, "%s is reserved for %s here, and for %s at %s", h.Address, h.MAC, first.MAC, first.Pos)
		} else if !taken {
			byAddress[h.Address] = h
		}
		inside := h.Network.Prefix.IsValid() && h.Network.Prefix.Contains(h.Address)
		if !inside && len(c.networks) > 0 && c.readable() {
			c.add("address-outside", h.Pos, "%s of %s is not in a subnet that serves it", h.Address, h.MAC)
		}
	}
}
