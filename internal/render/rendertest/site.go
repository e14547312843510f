package rendertest

import (
	"net/netip"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

const bootFiles = "bios=undionly.kpxe uefi-arm64=snp-arm64.efi uefi-x86-64=ipxe.efi"

// Word is the word of a cluster that has taken over, or is about to, with the stack at address.
func Word(cluster, address string) render.Word {
	return render.Word{
		Mark: takeover.Mark{Cluster: cluster, Fence: takeover.Fence{Born: 1700000000, Epoch: 3}, Identity: "8a4cf8c5"},
		Says: takeover.Endpoint{Addr: netip.MustParseAddr(address), TFTPPort: 69, HTTPPort: 7171, ScriptPath: "/ipxe/script/auto.ipxe", BootFiles: bootFiles},
	}
}

func machine(mac byte, address, gateway string) *reservation.Reservation {
	r := &reservation.Reservation{
		Source: reservation.Source{Namespace: "eksa-system", Name: "node" + string('0'+rune(mac))}, MAC: reservation.MAC{0x02, 0, 0, 0, 0x0a, mac},
		Address: reservation.MustParsePrefix(address), Hostname: "node" + string('0'+rune(mac)),
		Settings: &reservation.Settings{
			Lease:       reservation.DefaultLease,
			NameServers: []netip.Addr{netip.MustParseAddr("192.168.2.53"), netip.MustParseAddr("1.1.1.1")},
			Netboot:     reservation.Netboot{Allow: true},
		},
	}
	if gateway != "" {
		r.Gateway = netip.MustParseAddr(gateway)
	}
	return r
}

// Site is a cluster with three machines in two subnets: one with an infinite lease and routes, one without a gateway.
// third counts the clusters of one site, from 0: no two have a machine or an address in common.
func Site(w render.Word, third byte) render.Wanted {
	first, second, lone := machine(third*3+1, "192.168.2.101/24", "192.168.2.254"), machine(third*3+2, "192.168.2.102/24", "192.168.2.254"), machine(third*3+3, "10.7.0.10/24", "")
	if third > 0 {
		first.Address, second.Address, lone.Address = reservation.MustParsePrefix("192.168.2.111/24"), reservation.MustParsePrefix("192.168.2.112/24"), reservation.MustParsePrefix("10.7.0.11/24")
	}
	first.DomainName, second.DomainName = "lab.example", "lab.example"
	second.Lease, second.TimeServers = reservation.Infinite, []netip.Addr{netip.MustParseAddr("192.168.2.9")}
	second.Routes = []reservation.Route{{Destination: netip.MustParsePrefix("10.0.0.0/8"), Router: netip.MustParseAddr("192.168.2.1")}}
	lone.VLAN, lone.Netboot.IPXEURL = 7, "http://192.168.2.1/own.ipxe"
	return render.Wanted{Word: w, Networks: []render.Network{
		{Prefix: netip.MustParsePrefix("10.7.0.0/24"), Reservations: []*reservation.Reservation{lone}},
		{Prefix: netip.MustParsePrefix("192.168.2.0/24"), Reservations: []*reservation.Reservation{first, second}},
	}}
}
