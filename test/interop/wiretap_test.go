package interop

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/test/lab"
)

// exchanged is one DHCP packet as it was on the wire.
type exchanged struct {
	ethernetTo, ethernetFrom string
	from, to                 netip.Addr
	*dhcpv4.DHCPv4
}

// broadcast reports whether it was sent to everybody, on both layers.
func (e exchanged) broadcast() bool {
	return e.ethernetTo == "ff:ff:ff:ff:ff:ff" && e.to == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// wiretap remembers the DHCP packets that pass the server's interface, in both directions.
type wiretap struct {
	mu      sync.Mutex
	packets []exchanged
}

// tap begins to listen at the server's interface, until the test ends.
func (s *site) tap() *wiretap {
	s.t.Helper()
	socket := -1
	err := s.Server.Do(func() (err error) {
		// ETH_P_ALL in network byte order: any narrower protocol shows what comes in only.
		all := uint16(unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8)
		if socket, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(all)); err != nil {
			return err
		}
		device, err := net.InterfaceByName(lab.ServerInterface)
		if err != nil {
			return err
		}
		wait := unix.Timeval{Usec: 50_000}
		return errors.Join(unix.SetsockoptTimeval(socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait),
			unix.Bind(socket, &unix.SockaddrLinklayer{Protocol: all, Ifindex: device.Index}))
	})
	if err != nil {
		s.t.Fatalf("tap the server's interface: %v", err)
	}
	w := &wiretap{}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		w.listen(socket, stop)
	}()
	s.t.Cleanup(func() {
		close(stop)
		<-stopped
		unix.Close(socket)
	})
	return w
}

func (w *wiretap) listen(socket int, stop <-chan struct{}) {
	frame := make([]byte, 2048)
	for {
		select {
		case <-stop:
			return
		default:
		}
		n, _, err := unix.Recvfrom(socket, frame, 0)
		if err != nil {
			continue // nothing came in the last 50 ms
		}
		if packet, ok := decode(frame[:n]); ok {
			w.mu.Lock()
			w.packets = append(w.packets, packet)
			w.mu.Unlock()
		}
	}
}

// decode reads an Ethernet frame, and reports whether it is DHCP over IPv4.
func decode(frame []byte) (exchanged, bool) {
	if len(frame) < 14+20+8 || binary.BigEndian.Uint16(frame[12:]) != unix.ETH_P_IP || frame[14+9] != unix.IPPROTO_UDP {
		return exchanged{}, false
	}
	ip := frame[14:]
	header := int(ip[0]&0x0f) * 4
	if len(ip) < header+8 || binary.BigEndian.Uint16(ip[header:]) != 67 && binary.BigEndian.Uint16(ip[header+2:]) != 67 {
		return exchanged{}, false
	}
	message, err := dhcpv4.FromBytes(ip[header+8:])
	if err != nil {
		return exchanged{}, false
	}
	from, _ := netip.AddrFromSlice(ip[12:16])
	to, _ := netip.AddrFromSlice(ip[16:20])
	return exchanged{ethernetTo: net.HardwareAddr(frame[0:6]).String(), ethernetFrom: net.HardwareAddr(frame[6:12]).String(),
		from: from, to: to, DHCPv4: message}, true
}

// find returns the packets that matter to the caller.
func (w *wiretap) find(matters func(exchanged) bool) []exchanged {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []exchanged
	for _, packet := range w.packets {
		if matters(packet) {
			found = append(found, packet)
		}
	}
	return found
}

// answers returns the server's answers of a type to the machine mac.
func (w *wiretap) answers(mac string, kind dhcpv4.MessageType) []exchanged {
	return w.find(func(e exchanged) bool {
		return e.OpCode == dhcpv4.OpcodeBootReply && e.from.String() == serverAddr &&
			e.ClientHWAddr.String() == mac && e.MessageType() == kind
	})
}

// asked returns the requests of a type that the machine mac sent.
func (w *wiretap) asked(mac string, kind dhcpv4.MessageType) []exchanged {
	return w.find(func(e exchanged) bool {
		return e.OpCode == dhcpv4.OpcodeBootRequest && e.ClientHWAddr.String() == mac && e.MessageType() == kind
	})
}

// anyAnswer returns whatever the server sent to the machine mac.
func (w *wiretap) anyAnswer(mac string) []exchanged {
	return w.find(func(e exchanged) bool {
		return e.OpCode == dhcpv4.OpcodeBootReply && e.from.String() == serverAddr && e.ClientHWAddr.String() == mac
	})
}
