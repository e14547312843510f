package render

import (
	"strconv"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// BootNotCarried are the boot settings of r that no rule of a whole cluster can hold; boots says whether there is anything to boot.
func BootNotCarried(r *reservation.Reservation, boots bool) []reservation.Problem {
	var problems []reservation.Problem
	add := func(field, value, remedy string) {
		if value != "" {
			problems = append(problems, NotCarried(r, field, value, remedy))
		}
	}
	const rules = "the DHCP service has one rule for every machine of a kind, and tells the machine what that says"
	if r.VLAN != 0 {
		add("dhcp.vlan_id", strconv.Itoa(int(r.VLAN)), "the DHCP service does not tell firmware a VLAN: set it in the firmware or on the switch")
	}
	for _, o := range r.Options {
		problems = append(problems, reservation.Problem{Source: r.Source, Reason: ReasonNotCarried,
			Field: "metadata.annotations[tugboot.dev/dhcp-options]", Value: strconv.Itoa(int(o.Code)),
			Remedy: "Tugboot does not write further options into the DHCP service: set it there by hand"})
	}
	n := r.Netboot
	add("dhcp.tftp_server_name", n.TFTPServerName, rules)
	add("dhcp.boot_file_name", n.BootFileName, rules)
	add("netboot.ipxe.binary", n.IPXEBinary, rules)
	add("netboot.ipxe.url", n.IPXEURL, rules)
	add("netboot.ipxe.contents", n.IPXEContents, rules)
	if boots && n.Allow && boot.RaspberryPi(r.MAC) {
		add("dhcp.mac", r.MAC.String(), "a Raspberry Pi wants a boot menu that the DHCP service cannot give to it alone: boot it from Tugboot's own DHCP server")
	}
	return problems
}
