package dhcpd

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/tugboot/tugboot/internal/dhcp4"
)

// Modes are what the requests of each interface are answered with. The zero value is reservations on all of them.
type Modes struct {
	// Default is that of every interface without one of its own.
	Default dhcp4.Mode
	// Interfaces are the modes of single interfaces, by name.
	Interfaces map[string]dhcp4.Mode
}

// Of returns the mode of the interface of that name.
func (m Modes) Of(name string) dhcp4.Mode {
	if own, set := m.Interfaces[name]; set {
		return own
	}
	return m.Default
}

// String is the modes as the log has them, such as "reservation, eth1=proxy".
func (m Modes) String() string {
	text := m.Default.String()
	for _, name := range slices.Sorted(maps.Keys(m.Interfaces)) {
		text += ", " + name + "=" + m.Interfaces[name].String()
	}
	return text
}

// PXE returns those of the interfaces that are served on which port 4011 is served too; "" stands for all interfaces.
func (m Modes) PXE(served []string) []string {
	var names []string
	for _, name := range served {
		switch {
		case name != "" && m.Of(name).Proxies(), name == "" && m.Default.Proxies():
			names = append(names, name)
		case name == "":
			for _, own := range slices.Sorted(maps.Keys(m.Interfaces)) {
				if m.Interfaces[own].Proxies() {
					names = append(names, own)
				}
			}
		}
	}
	return names
}

// listenOn binds the port on each of the interfaces.
func (s *Server) listenOn(names []string, port uint16, pxe bool) error {
	for _, name := range names {
		socket, err := openSocket(name, port)
		if err != nil {
			if pxe {
				err = fmt.Errorf("%w; it is needed in the modes %s and %s", err, dhcp4.ModeProxy, dhcp4.ModeAutoProxy)
			}
			return err
		}
		socket.pxe, socket.index = pxe, s.interfaces.named(name)
		s.sockets = append(s.sockets, socket)
	}
	return nil
}

// showModes puts the mode of each interface that is served into the metrics.
func (s *Server) showModes(served []string) {
	for _, name := range served {
		if name != "" {
			s.metrics.modes.WithLabelValues(name, s.config.Modes.Of(name).String()).Set(1)
			continue
		}
		s.metrics.modes.WithLabelValues("all", s.config.Modes.Default.String()).Set(1)
		for own, mode := range s.config.Modes.Interfaces {
			s.metrics.modes.WithLabelValues(own, mode.String()).Set(1)
		}
	}
}

// arrival is how a packet came here.
func (s *Server) arrival(p *packet, in iface) dhcp4.Arrival {
	current := s.interfaces.current.Load()
	return dhcp4.Arrival{
		Mode: s.config.Modes.Of(in.name), PXEPort: p.pxe, From: p.from, Unicast: current.local[p.to],
		Kind: current.kinds, RelayFrom: s.config.RelayFrom,
	}
}

// kind says what an address is to this host.
func (t *table) kind(a netip.Addr) dhcp4.AddrKind {
	switch {
	case t.local[a]:
		return dhcp4.AddrOwn
	case t.broadcast[a]:
		return dhcp4.AddrBroadcast
	}
	return dhcp4.AddrForeign
}

// broadcastOf is the broadcast address of a subnet, the zero Addr where there is none: with fewer than four addresses
// (RFC 3021).
func broadcastOf(p netip.Prefix) netip.Addr {
	if p.Bits() > 30 {
		return netip.Addr{}
	}
	b := p.Masked().Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b)
}

// Serving returns nil once requests are answered, and says before that which are not yet.
func (s *Server) Serving() error {
	if !s.serving.Load() {
		return fmt.Errorf("DHCP (%s) is not answered yet", s.config.Modes)
	}
	return nil
}

// suffix is what the journal adds to an exchange in a proxy mode.
func suffix(request *dhcp4.Request, outcome *dhcp4.Outcome) string {
	a := request.Arrival
	if !a.Mode.Proxies() {
		return ""
	}
	text := " (" + a.Mode.String()
	if a.PXEPort {
		text += fmt.Sprintf(", port %d", dhcp4.PXEPort)
	}
	if outcome.Reservation == nil {
		text += ", no Hardware"
	}
	return text + ")"
}
