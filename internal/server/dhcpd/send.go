package dhcpd

import (
	"net/netip"

	"github.com/tugboot/tugboot/internal/dhcp4"
)

// send sends the reply to the packet p, which came in on in, and returns how it travelled in the end.
//
// What is broadcast or addressed to a MAC leaves on the interface the request came in on, as does what is for a
// neighbour there. What goes through a router leaves where the routes lead: that may be another interface, and forced
// out of this one it would be lost looking for a neighbour that does not exist.
func (s *Server) send(p *packet, in iface, reply dhcp4.Reply, self dhcp4.Servers) (dhcp4.Delivery, error) {
	source := s.interfaces.source(in, reply.ServerIdentifier, self.ID)
	dest := reply.Dest
	if dest.Delivery == dhcp4.ToHardware {
		if s.packets != nil && in.ethernet {
			err := s.sendFrame(in, source, reply)
			if err == nil {
				return dhcp4.ToHardware, nil
			}
			s.metrics.sendErrors.WithLabelValues(dest.Delivery.String()).Inc()
			if fields, allowed := s.limits.troubles.With("interface", in.name, "mac", dest.MAC.String()); allowed {
				s.log.Error(err, "send by link-layer unicast; broadcasting instead", fields...)
			}
		}
		dest = dhcp4.Dest{Delivery: dhcp4.ToBroadcast, Addr: netip.AddrFrom4([4]byte{255, 255, 255, 255}), Port: dest.Port}
	}
	port := dest.Port
	if dest.RequestPort {
		port = p.from.Port()
	}
	ifindex := 0
	if dest.Delivery == dhcp4.ToBroadcast || in.onLink(dest.Addr) {
		ifindex = in.index
	}
	err := p.socket.send(reply.Packet, netip.AddrPortFrom(dest.Addr, port), ifindex, source)
	return dest.Delivery, err
}

// sendFrame sends a reply to a machine that has no address yet. The frame may name a source address that is not the
// host's: the server identifier, where the interface has no address at all.
func (s *Server) sendFrame(in iface, source netip.Addr, reply dhcp4.Reply) error {
	if !source.IsValid() {
		source = reply.ServerIdentifier
	}
	ip := udpPacket(reply.Packet, netip.AddrPortFrom(source, dhcp4.ServerPort), netip.AddrPortFrom(reply.Dest.Addr, reply.Dest.Port))
	return s.packets.send(ip, in.index, reply.Dest.MAC)
}
