package offers

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// How packets go out and come in. They are heard by a packet socket, before any port is looked at: also when a DHCP
// client of this host holds port 68, and also what a daemon on this host sends. From an interface that has an IPv4
// address they are sent by a raw IP socket, for only then does the kernel loop a broadcast back to the daemons of this
// host; from one that has none by the packet socket, from 0.0.0.0 as a machine does.

// sockets is a wire of sockets.
type sockets struct {
	packet  int // AF_PACKET, begins at the IP header
	raw     int // IPPROTO_RAW; -1 without one
	opened  []io.Closer
	ifindex int
	from    netip.AddrPort
	to      netip.AddrPort
	only    netip.Addr // the address that is listened at, the zero Addr for all
	what    string
	buffer  [1 << 16]byte
}

// dial opens a wire as o says.
func dial(o Options) (wire, error) {
	switch {
	case o.Interface != "" && !o.Relay.IsValid() && !o.Server.IsValid():
		return broadcast(o.Interface)
	case o.Interface == "" && o.Relay.Is4() && o.Server.Is4():
		return relay(o.Relay, o.Server)
	}
	return nil, fmt.Errorf("ask for offers: interface %+.20q, relay %v, server %v: give an interface, or the IPv4 addresses of a relay agent and of a server",
		o.Interface, o.Relay, o.Server)
}

// broadcast asks on an interface.
func broadcast(name string) (*sockets, error) {
	link, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("ask for offers: interface %+.20q: %w: give the name of one that `ip link` shows", name, err)
	}
	if link.Flags&net.FlagUp == 0 {
		return nil, fmt.Errorf("ask for offers: interface %+.20q is down: bring it up with `ip link set`", name)
	}
	addr, err := firstAddress(link)
	if err != nil {
		return nil, err
	}
	s := &sockets{
		raw: -1, ifindex: link.Index, what: "interface " + name, from: netip.AddrPortFrom(netip.IPv4Unspecified(), clientPort),
		to: netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), serverPort),
	}
	if err := s.listen(clientPort); err != nil {
		return nil, err
	}
	if !addr.IsValid() {
		return s, nil
	}
	s.from = netip.AddrPortFrom(addr, clientPort)
	if err := s.openRaw(); err != nil {
		s.close()
		return nil, err
	}
	if err := errors.Join(unix.SetsockoptInt(s.raw, unix.SOL_SOCKET, unix.SO_BROADCAST, 1), unix.BindToDevice(s.raw, name)); err != nil {
		s.close()
		return nil, s.wrong("send", err)
	}
	return s, nil
}

// firstAddress is an IPv4 address of the interface, the zero Addr when it has none.
func firstAddress(link *net.Interface) (netip.Addr, error) {
	prefixes, err := prefixesOf(link)
	if err != nil || len(prefixes) == 0 {
		return netip.Addr{}, err
	}
	return prefixes[0].Addr(), nil
}

// prefixesOf returns the IPv4 addresses of the interface with their prefix lengths.
func prefixesOf(link *net.Interface) ([]netip.Prefix, error) {
	all, err := link.Addrs()
	if err != nil {
		return nil, fmt.Errorf("ask for offers: addresses of interface %+.20q: %w", link.Name, err)
	}
	var prefixes []netip.Prefix
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			prefixes = append(prefixes, p)
		}
	}
	return prefixes, nil
}

// relay asks a server as a relay agent at that address of this host would. Where a server of this host holds port 67
// there, the answers reach both.
func relay(agent, server netip.Addr) (*sockets, error) {
	s := &sockets{
		raw: -1, only: agent, what: "relay address " + agent.String(), from: netip.AddrPortFrom(agent, serverPort), to: netip.AddrPortFrom(server, serverPort),
	}
	hold, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(s.from))
	switch {
	case err == nil:
		s.opened = append(s.opened, hold) // so that the kernel does not refuse the answers
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return nil, fmt.Errorf("ask for offers: relay address %s is none of this host: give one that `ip addr` shows", agent)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return nil, fmt.Errorf("ask for offers: no right to listen on port %d of %s: run as root or grant the capability NET_BIND_SERVICE: %w", serverPort, agent, err)
	case !errors.Is(err, unix.EADDRINUSE):
		return nil, s.wrong("listen", err)
	}
	if err := s.listen(serverPort); err != nil {
		return nil, err
	}
	if err := s.openRaw(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// receiveBuffer is asked of the kernel for what comes in while packets are sent, in bytes.
const receiveBuffer = 4 << 20

// listen opens the packet socket for UDP to that port; on all interfaces when there is no index. It closes s when it fails.
func (s *sockets) listen(port uint16) error {
	var err error
	// Protocol 0 hears nothing until the filter is in place and bind says what to hear.
	s.packet, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		s.close()
		return s.wrong("listen", err)
	}
	s.opened = append(s.opened, os.NewFile(uintptr(s.packet), "packet socket"))
	code, err := filter(port)
	if err == nil {
		err = unix.SetsockoptSockFprog(s.packet, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})
	}
	if err == nil && unix.SetsockoptInt(s.packet, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		err = unix.SetsockoptInt(s.packet, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer) // without NET_ADMIN, what the kernel grants
	}
	if err == nil {
		err = unix.Bind(s.packet, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: s.ifindex})
	}
	if err != nil {
		s.close()
		return s.wrong("listen", err)
	}
	return nil
}

func (s *sockets) openRaw() (err error) {
	if s.raw, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW); err != nil {
		return s.wrong("send", err)
	}
	s.opened = append(s.opened, os.NewFile(uintptr(s.raw), "raw socket"))
	return nil
}

// wrong words why the network cannot be used.
func (s *sockets) wrong(doing string, err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return fmt.Errorf("ask for offers: no right to %s on %s: run as root or grant the capability NET_RAW: %w", doing, s.what, err)
	}
	return fmt.Errorf("ask for offers: %s on %s: %w", doing, s.what, err)
}

func (s *sockets) send(payload []byte) error {
	packet := datagram(payload, s.from, s.to)
	var err error
	if s.raw >= 0 {
		err = unix.Sendto(s.raw, packet, 0, &unix.SockaddrInet4{Addr: s.to.Addr().As4()})
	} else {
		all := &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_IP), Ifindex: s.ifindex, Halen: 6}
		copy(all.Addr[:], "\xff\xff\xff\xff\xff\xff")
		err = unix.Sendto(s.packet, packet, 0, all)
	}
	if err != nil {
		return s.wrong("send", err)
	}
	return nil
}

func (s *sockets) receive(deadline time.Time) ([]byte, netip.Addr, bool, error) {
	for {
		left := unix.NsecToTimespec(max(time.Until(deadline), 0).Nanoseconds())
		ready, err := unix.Ppoll([]unix.PollFd{{Fd: int32(s.packet), Events: unix.POLLIN}}, &left, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, netip.Addr{}, false, s.wrong("listen", err)
		case ready == 0:
			return nil, netip.Addr{}, false, nil
		}
		n, sender, err := unix.Recvfrom(s.packet, s.buffer[:], unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, netip.Addr{}, false, s.wrong("listen", err)
		}
		if link, ok := sender.(*unix.SockaddrLinklayer); !ok || link.Protocol != networkOrder(unix.ETH_P_IP) {
			return nil, netip.Addr{}, false, nil
		}
		payload, from, to, ok := open(s.buffer[:n])
		return payload, from.Addr(), ok && (!s.only.IsValid() || to.Addr() == s.only), nil
	}
}

func (s *sockets) close() {
	for _, c := range s.opened {
		c.Close()
	}
}

// networkOrder swaps the bytes of n on machines that store the low one first.
func networkOrder(n uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], n)
	return binary.NativeEndian.Uint16(b[:])
}
