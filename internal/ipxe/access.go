package ipxe

import (
	"fmt"
	"net/netip"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
)

// mayFetch reports whether the client at an address is the machine of r: it asks from an address that is reserved for
// that Hardware, of any of its interfaces, because iPXE may ask through another than it was told on. A process on this
// very host may too. Nothing else proves a machine: a DHCP packet with any giaddr in it is easily sent.
func mayFetch(r *reservation.Reservation, client netip.Addr, in *inventory.Snapshot) bool {
	client = client.Unmap()
	if client == r.Address.Addr() || client.IsLoopback() {
		return true
	}
	asks, known := in.ByAddress(client)
	return known && asks.Source.Object() == r.Source.Object() && asks.Source.UID == r.Source.UID && asks.Source.Name != ""
}

// notTheMachine refuses a script to whoever asks from another address.
func (c *Catalog) notTheMachine(r *reservation.Reservation, client netip.Addr, e boot.Endpoint) *Refusal {
	return &Refusal{
		Reason: ReasonNotTheMachine, Machine: r.MAC, Forbidden: true, ForProbes: c.forProbes(r, e),
		// Nothing that a stranger does not know: neither the object nor the address.
		Message: fmt.Sprintf("the script of %s is given to that machine only, and %s is no address that is reserved for it: "+
			"ask from the machine, or start Tugboot with --script-access=anyone", r.MAC, client.Unmap()),
	}
}

// forProbes is what a probe of another Tugboot may see in the place of the script, to know which stack it has before it:
// the Tink server, which every machine of the site is told, and nothing of the machine. It is nil where the machine
// would be given no script either.
func (c *Catalog) forProbes(r *reservation.Reservation, e boot.Endpoint) []byte {
	content, err := c.script(r, e, scriptName)
	if err != nil {
		return nil
	}
	text := "#!ipxe\n# For probes: the script itself is given to its machine only.\nexit 1\n"
	if content.Reason == boot.ReasonScript {
		text += "kernel none grpc_authority=" + c.options.tinkServer(e) + "\n"
	}
	return []byte(text)
}
