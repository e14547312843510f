package dhcp4

import (
	"slices"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// judgeProxy is Judge in a proxy mode: of the two questions of a boot, where am I and what do I boot, another server
// answers the first. Only netboot clients ask the second: with a DISCOVER, or with a REQUEST at port 4011, which is sent
// to one boot server (PXE 2.1 section 2.2.5). There the address that it was sent to counts, for some firmware repeats the
// identifier of the server that gave it its address.
func judgeProxy(q *Request, r *reservation.Reservation, self *Self) (Verdict, boot.Reason) {
	a := &q.Arrival
	switch {
	case q.choseOther(self.Servers) && !(a.PXEPort && a.Unicast):
		return Silent, ReasonOtherServer
	case r == nil && a.Mode != ModeAutoProxy:
		return Silent, boot.ReasonNotReserved
	case self.Quiet != "":
		return Silent, self.Quiet
	case !self.ID.Is4():
		return Silent, ReasonNoServerIdentifier
	case q.Type != TypeDiscover && q.Type != TypeRequest:
		return Silent, ReasonAddressElsewhere
	case !q.Client().Netboot:
		return Silent, boot.ReasonNotNetbootClient
	case q.Type == TypeRequest && !a.PXEPort:
		return Silent, ReasonAddressElsewhere
	case a.PXEPort && !q.GIAddr.IsValid() && !q.pxeClient().Addr.IsValid():
		return Silent, ReasonNoClientAddress
	case q.Type == TypeDiscover:
		return Offer, ""
	}
	return Ack, ""
}

// decideProxy is what a proxy tells a client to boot. It is the proxy itself that iPXE must wait for.
func decideProxy(c boot.Client, r *reservation.Reservation, e boot.Endpoint) boot.Decision {
	if r == nil {
		return proxied(boot.DecideUnknown(c, e), c, false)
	}
	d := boot.Decide(c, r, e)
	if d.Action == boot.Boot && !r.Netboot.Allow {
		return boot.Decision{Reason: boot.ReasonNetbootNotAllowed} // even a boot file of its own: there is no address to go with it
	}
	return proxied(d, c, true)
}

// proxied is the decision as a proxy's answer carries it: with the client's own vendor class, by which clients know it, and
// for iPXE on a machine of ours with the priority, for what the server of addresses says must not be in the way.
func proxied(d boot.Decision, c boot.Client, ours bool) boot.Decision {
	d.ProxyPriority = d.NoProxyDHCP && ours
	d.NoProxyDHCP = false
	d.VendorClass = c.VendorClass
	return d
}

// proxy writes the options of a proxy's OFFER or ACK in the order in which they go out, after 53 and 54: what makes it a
// proxy's (60, 97, 43), what names the boot file where the header does not or the client asks (66, 67), and 175. Nothing in
// it is about an address.
func (w *writer) proxy(q *Request, o *Outcome) {
	s := settings{request: q, client: q.Client(), reservation: o.Reservation, decision: &o.Decision}
	for _, code := range [...]uint8{optVendorClass, optMachineIdentifier, optVendorSpecific} {
		w.setting(s, code)
	}
	if slices.Contains(q.ParameterList, optTFTPServerName) {
		w.setting(s, optTFTPServerName)
	}
	if slices.Contains(q.ParameterList, optBootFile) || !inFileField(o.Decision.BootFile) {
		w.setting(s, optBootFile)
	}
	w.setting(s, optIPXE)
}

// pxeClient is where a client that asked at port 4011 hears the answer: at the address it sent from, which is its own,
// else at ciaddr. It listens at the port it sent from when that is one of the two that firmware uses; to any other port
// nothing is sent, so that no forged one is hit.
func (q *Request) pxeClient() Dest {
	d := Dest{Delivery: ToClient, Addr: q.Arrival.From.Addr(), Port: ClientPort}
	if !d.Addr.Is4() || !unicast(d.Addr) {
		if d.Addr = q.CIAddr; q.Arrival.kind(d.Addr) == AddrBroadcast {
			return Dest{}
		}
	}
	if q.Arrival.From.Port() == PXEPort {
		d.Port = PXEPort
	}
	return d
}
