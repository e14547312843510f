package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Heard is a DHCP message as it came in. Message is nil, and Fault set, when it cannot be read.
type Heard struct {
	Envelope
	At      time.Time
	Payload []byte
	Message *Message
	Fault   error
}

// Link is an interface on which any number of machines are played. It hears what is sent to any of them, and answers ARP for
// the addresses that they hold.
type Link struct {
	// MAC is the interface's own, Prefix its first IPv4 address.
	MAC    MAC
	Prefix netip.Prefix

	fd     int
	index  int
	holds  map[netip.Addr]MAC
	hold   *net.UDPConn
	buffer [1 << 16]byte
}

// Open opens the interface of that name, which needs an IPv4 address and the capability NET_RAW.
func Open(name string) (*Link, error) {
	device, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("interface %q: %w: give the name of one that `ip link` shows", name, err)
	}
	l := &Link{index: device.Index, holds: map[netip.Addr]MAC{}}
	copy(l.MAC[:], device.HardwareAddr)
	addresses, err := device.Addrs()
	if err != nil {
		return nil, fmt.Errorf("interface %q: %w", name, err)
	}
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			l.Prefix = p
			break
		}
	}
	if !l.Prefix.IsValid() || len(device.HardwareAddr) != len(MAC{}) {
		return nil, fmt.Errorf("interface %q: must be Ethernet and have an IPv4 address: give it one on the server's network", name)
	}
	if l.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("interface %q: %w: run as root, or grant the capability NET_RAW", name, err)
	}
	// Promiscuous: what is sent to a machine that is played has its MAC, not the interface's.
	every := &unix.PacketMreq{Ifindex: int32(l.index), Type: unix.PACKET_MR_PROMISC}
	if err := errors.Join(unix.SetsockoptPacketMreq(l.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, every),
		unix.SetsockoptInt(l.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20),
		unix.Bind(l.fd, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: l.index})); err != nil {
		return nil, errors.Join(fmt.Errorf("interface %q: %w", name, err), unix.Close(l.fd))
	}
	// So that the kernel does not refuse what is sent to the relay agent that is played. Whoever holds the port does as well.
	l.hold, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(l.Prefix.Addr(), 67)))
	if err != nil && !errors.Is(err, unix.EADDRINUSE) {
		return nil, errors.Join(fmt.Errorf("interface %q: %w", name, err), unix.Close(l.fd))
	}
	return l, nil
}

// Close ends it.
func (l *Link) Close() error {
	err := unix.Close(l.fd)
	if l.hold != nil {
		err = errors.Join(err, l.hold.Close())
	}
	return err
}

// Hold answers ARP for an address with the machine's MAC from now on.
func (l *Link) Hold(a netip.Addr, mac MAC) { l.holds[a] = mac }

// Send sends a payload.
func (l *Link) Send(e Envelope, payload []byte) error { return l.sendFrame(e.frame(payload)) }

func (l *Link) sendFrame(frame []byte) error {
	to := &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_IP), Ifindex: l.index, Halen: 6}
	copy(to.Addr[:], frame[:6])
	if err := unix.Sendto(l.fd, frame, 0, to); err != nil {
		return fmt.Errorf("send a frame: %w", err)
	}
	return nil
}

// Resolve asks for the MAC of an address, for two seconds.
func (l *Link) Resolve(a netip.Addr) (MAC, error) {
	for range 4 {
		if err := l.sendFrame(arp(arpRequest, l.MAC, l.Prefix.Addr(), MAC{}, a)); err != nil {
			return MAC{}, err
		}
		for deadline := time.Now().Add(500 * time.Millisecond); ; {
			frame, ok, err := l.next(deadline)
			if err != nil {
				return MAC{}, err
			}
			if !ok {
				break
			}
			if said, ok := openARP(frame); ok && said.operation == arpReply && said.from == a {
				return said.fromMAC, nil
			}
		}
	}
	return MAC{}, fmt.Errorf("nobody has the address %s on this network: give the address of the server's interface here", a)
}

// Receive returns the next message from port 67 or 4011, or false when none came until the deadline.
func (l *Link) Receive(deadline time.Time) (Heard, bool, error) {
	for {
		frame, ok, err := l.next(deadline)
		if err != nil || !ok {
			return Heard{}, false, err
		}
		envelope, payload, ok := open(frame)
		if !ok || envelope.From.Port() != 67 && envelope.From.Port() != 4011 {
			continue
		}
		h := Heard{Envelope: envelope, At: time.Now(), Payload: append([]byte{}, payload...)}
		h.Message, h.Fault = Parse(h.Payload)
		return h, true, nil
	}
}

// next returns the next frame that was sent by others, and answers ARP on the way. The frame is valid until the next call.
func (l *Link) next(deadline time.Time) (frame []byte, ok bool, err error) {
	for {
		left := unix.NsecToTimespec(max(time.Until(deadline), 0).Nanoseconds())
		ready, err := unix.Ppoll([]unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN}}, &left, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, false, fmt.Errorf("listen: %w", err)
		case ready == 0:
			return nil, false, nil
		}
		n, sender, err := unix.Recvfrom(l.fd, l.buffer[:], unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, false, fmt.Errorf("listen: %w", err)
		}
		if from, ok := sender.(*unix.SockaddrLinklayer); ok && from.Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		frame := l.buffer[:n]
		if asked, ok := openARP(frame); ok && asked.operation == arpRequest {
			if mac, held := l.holds[asked.to]; held {
				if err := l.sendFrame(arp(arpReply, mac, asked.to, asked.fromMAC, asked.from)); err != nil {
					return nil, false, err
				}
			}
		}
		return frame, true, nil
	}
}

// networkOrder swaps the bytes of n on machines that store the low one first.
func networkOrder(n uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], n)
	return binary.NativeEndian.Uint16(b[:])
}
