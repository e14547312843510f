package dhcpd

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/internal/reservation"
)

// lab is two network namespaces joined by a cable: the test's thread stays in the server's, with srv0 at
// 192.168.2.112/24; the client's has cli0, with the client's MAC and no address. Neither has a name: both are gone when
// the test ends.
type lab struct {
	t              *testing.T
	server, client netns.NsHandle
	raw            int // a packet socket on cli0
	cli0           netlink.Link
	inClient       *netlink.Handle
}

func newLab(t *testing.T) *lab {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("this test makes network namespaces and needs root: run it as root")
	}
	// Never unlocked: the thread ends with the test and takes the namespaces with it.
	runtime.LockOSThread()
	l := &lab{t: t}
	l.client = must(netns.New())(t)
	l.server = must(netns.New())(t)
	mac := net.HardwareAddr(clientMAC[:])
	cable := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "srv0"}, PeerName: "cli0", PeerHardwareAddr: mac, PeerNamespace: netlink.NsFd(l.client)}
	check(t, netlink.LinkAdd(cable))
	srv0 := must(netlink.LinkByName("srv0"))(t)
	check(t, netlink.AddrAdd(srv0, must(netlink.ParseAddr("192.168.2.112/24"))(t)))
	check(t, netlink.LinkSetUp(srv0))
	l.inClient = must(netlink.NewHandleAt(l.client))(t)
	l.cli0 = must(l.inClient.LinkByName("cli0"))(t)
	check(t, l.inClient.LinkSetUp(l.cli0))
	waitFor(t, func() bool { // until then the kernel throws away what leaves through the cable
		return must(netlink.LinkByName("srv0"))(t).Attrs().OperState == netlink.OperUp &&
			must(l.inClient.LinkByName("cli0"))(t).Attrs().OperState == netlink.OperUp
	})
	l.onClient(func() {
		l.raw = must(unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(ipv4InNetworkOrder())))(t)
	})
	check(t, unix.Bind(l.raw, &unix.SockaddrLinklayer{Protocol: ipv4InNetworkOrder(), Ifindex: l.cli0.Attrs().Index}))
	t.Cleanup(func() {
		check(t, unix.Close(l.raw))
		l.inClient.Close()
		check(t, l.client.Close())
		check(t, l.server.Close())
	})
	return l
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T { t.Helper(); check(t, err); return v }
}

// onClient runs f in the client's namespace.
func (l *lab) onClient(f func()) {
	l.t.Helper()
	check(l.t, netns.Set(l.client))
	f()
	check(l.t, netns.Set(l.server))
}

// listen opens a UDP socket in the client's namespace, where it gives cli0 the address.
func (l *lab) listen(address netip.AddrPort) *net.UDPConn {
	l.t.Helper()
	link := &netlink.Addr{IPNet: &net.IPNet{IP: address.Addr().AsSlice(), Mask: net.CIDRMask(24, 32)}}
	check(l.t, l.inClient.AddrReplace(l.cli0, link))
	var conn *net.UDPConn
	l.onClient(func() { conn = must(net.ListenUDP("udp4", net.UDPAddrFromAddrPort(address)))(l.t) })
	l.t.Cleanup(func() { check(l.t, conn.Close()) })
	return conn
}

// acquaint tells the server and relayAddr, which is on cli0, each other's MAC: of a burst, the kernel keeps no more than
// 166 packets waiting for an answer to ARP, and on a busy machine that comes late.
func (l *lab) acquaint() {
	l.t.Helper()
	srv0 := must(netlink.LinkByName("srv0"))(l.t).Attrs()
	known := func(on *netlink.LinkAttrs, a netip.Addr, mac net.HardwareAddr) *netlink.Neigh {
		return &netlink.Neigh{LinkIndex: on.Index, IP: a.AsSlice(), HardwareAddr: mac, State: netlink.NUD_PERMANENT}
	}
	check(l.t, netlink.NeighSet(known(srv0, relayAddr, clientMAC[:])))
	check(l.t, l.inClient.NeighSet(known(l.cli0.Attrs(), serverAddr, srv0.HardwareAddr)))
}

// ask sends a request to the server's address and returns the answer and who sent it.
func (l *lab) ask(conn *net.UDPConn, payload []byte) ([]byte, netip.AddrPort) {
	l.t.Helper()
	must(conn.WriteToUDPAddrPort(payload, netip.AddrPortFrom(serverAddr, 67)))(l.t)
	check(l.t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	b := make([]byte, 2048)
	n, from, err := conn.ReadFromUDPAddrPort(b)
	check(l.t, err)
	return b[:n], from
}

// start starts the server in the server's namespace and stops it when the test ends.
func (l *lab) start(c Config) *Server {
	l.t.Helper()
	s := must(New(c))(l.t)
	check(l.t, s.Listen())
	l.run(s)
	return s
}

func (l *lab) run(s *Server) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Start(ctx) }()
	l.t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				l.t.Errorf("Start returned %v", err)
			}
		case <-time.After(5 * time.Second):
			l.t.Error("Start did not return")
		}
	})
}

// shout sends a request as a machine without an address does.
func (l *lab) shout(mac reservation.MAC, payload []byte) {
	l.t.Helper()
	ip := inHeaders(payload, netip.MustParseAddrPort("0.0.0.0:68"), netip.MustParseAddrPort("255.255.255.255:67"))
	frame := append(bytes.Repeat([]byte{0xff}, 6), mac[:]...)
	frame = append(append(frame, 8, 0), ip...)
	check(l.t, unix.Sendto(l.raw, frame, 0, &unix.SockaddrLinklayer{Ifindex: l.cli0.Attrs().Index, Halen: 6}))
}

// frame is a UDP packet as it came over the cable.
type frame struct {
	mac      reservation.MAC
	ip, udp  []byte
	from, to netip.AddrPort
	payload  []byte
}

// hear returns the next frame with a UDP packet to the port, nil when none comes within the time.
func (l *lab) hear(port uint16, within time.Duration) *frame {
	l.t.Helper()
	deadline := time.Now().Add(within)
	for {
		left := unix.NsecToTimeval(max(time.Until(deadline), time.Microsecond).Nanoseconds())
		check(l.t, unix.SetsockoptTimeval(l.raw, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &left))
		b := make([]byte, 2048)
		n, _, err := unix.Recvfrom(l.raw, b, 0)
		if err == unix.EAGAIN || time.Now().After(deadline) {
			return nil
		}
		if err == unix.EINTR {
			continue
		}
		check(l.t, err)
		if f := parseFrame(b[:n]); f != nil && f.to.Port() == port {
			return f
		}
	}
}

func parseFrame(b []byte) *frame {
	if len(b) < 14+ipHeader+udpHeader || b[14] != 0x45 || b[14+9] != unix.IPPROTO_UDP {
		return nil
	}
	ip := b[14 : 14+int(binary.BigEndian.Uint16(b[16:]))]
	udp := ip[ipHeader:]
	end := func(address, port []byte) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(address)), binary.BigEndian.Uint16(port))
	}
	return &frame{mac: reservation.MAC(b[:6]), ip: ip, udp: udp, payload: udp[udpHeader:],
		from: end(ip[12:16], udp[0:2]), to: end(ip[16:20], udp[2:4])}
}

// checksums reports what is wrong with the checksums of a frame, by the receiver's rule: all words add up to -0.
func (f *frame) checksums() error {
	if got := fold(sum(0, f.ip[:ipHeader])); got != 0xffff {
		return fmt.Errorf("IP header adds up to %#04x", got)
	}
	pseudo := sum(uint32(len(f.udp))+unix.IPPROTO_UDP, f.ip[12:20])
	if got := fold(sum(pseudo, f.udp)); got != 0xffff || binary.BigEndian.Uint16(f.udp[6:]) == 0 {
		return fmt.Errorf("UDP adds up to %#04x", got)
	}
	return nil
}

// ipv4InNetworkOrder is the protocol number of IPv4 as packet sockets take it.
func ipv4InNetworkOrder() uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_IP))
}
