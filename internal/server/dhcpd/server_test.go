package dhcpd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/internal/dhcp4"
	"github.com/tugboot/tugboot/internal/reservation"
)

const soon = 5 * time.Second

var everybody = reservation.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

func TestLinkLayerUnicast(t *testing.T) {
	l := newLab(t)
	s := l.start(testConfig(logr.Discard()))
	for _, options := range [][]byte{nil, []byte("\x3d\x03abc")} { // an even and an odd number of bytes
		l.shout(clientMAC, request(clientMAC, dhcp4.TypeDiscover, options...))
		f := l.hear(68, soon)
		if f == nil {
			t.Fatal("no answer")
		}
		if f.mac != clientMAC || f.from.String() != "192.168.2.112:67" || f.to.String() != "192.168.2.185:68" || messageType(t, f.payload) != dhcp4.TypeOffer {
			t.Errorf("%v to %v from %v in a frame to %v", messageType(t, f.payload), f.to, f.from, f.mac)
		}
		if err := f.checksums(); err != nil {
			t.Error(err)
		}
	}
	waitFor(t, func() bool { return testutil.ToFloat64(s.metrics.replies.WithLabelValues("OFFER", "link-layer")) == 2 })
}

func TestBroadcast(t *testing.T) {
	l := newLab(t)
	l.start(testConfig(logr.Discard()))
	l.shout(clientMAC, withBroadcast(request(clientMAC, dhcp4.TypeDiscover)))
	f := l.hear(68, soon)
	if f == nil {
		t.Fatal("no answer")
	}
	if f.mac != everybody || f.from.String() != "192.168.2.112:67" || f.to.String() != "255.255.255.255:68" {
		t.Errorf("to %v from %v in a frame to %v", f.to, f.from, f.mac)
	}
	if again := l.hear(68, 200*time.Millisecond); again != nil {
		t.Errorf("a second answer: % x", again.payload)
	}
}

func TestSilentForStrangers(t *testing.T) {
	l := newLab(t)
	s := l.start(testConfig(logr.Discard()))
	l.shout(unknownMAC, request(unknownMAC, dhcp4.TypeDiscover))
	l.shout(clientMAC, request(clientMAC, dhcp4.TypeRequest, append(addrOption(54, relayAddr), addrOption(50, clientAddr)...)...))
	waitFor(t, func() bool {
		return count(s, "DISCOVER", "NotReserved") == 1 && count(s, "REQUEST", "OtherServer") == 1
	})
	if f := l.hear(68, 200*time.Millisecond); f != nil {
		t.Errorf("answered: % x", f.payload)
	}
}

func TestWithoutPacketSocketItBroadcasts(t *testing.T) {
	l := newLab(t)
	s := must(New(testConfig(logr.Discard())))(t)
	check(t, s.Listen())
	check(t, s.packets.close())
	s.packets = nil // as Listen leaves it without NET_RAW
	l.run(s)
	l.shout(clientMAC, request(clientMAC, dhcp4.TypeDiscover))
	if f := l.hear(68, soon); f == nil || f.mac != everybody || f.to.String() != "255.255.255.255:68" {
		t.Errorf("got %+v", f)
	}
}

func TestRelay(t *testing.T) {
	l := newLab(t)
	l.start(testConfig(logr.Discard()))
	discover := withGIAddr(request(clientMAC, dhcp4.TypeDiscover, []byte("\x52\x03\x01\x01x")...), relayAddr)
	answer, from := l.ask(l.listen(netip.AddrPortFrom(relayAddr, 67)), discover)
	if from.String() != "192.168.2.112:67" || messageType(t, answer) != dhcp4.TypeOffer || !strings.Contains(string(answer), "\x52\x03\x01\x01x\xff") {
		t.Errorf("from %v: % x", from, answer)
	}
	// From another port the answer still goes to 67, unless the relay agent says otherwise (RFC 8357).
	other := l.listen(netip.AddrPortFrom(relayAddr, 1067))
	answer, _ = l.ask(other, withGIAddr(request(clientMAC, dhcp4.TypeDiscover, []byte("\x52\x02\x13\x00")...), relayAddr))
	if messageType(t, answer) != dhcp4.TypeOffer {
		t.Errorf("% x", answer)
	}
	must(other.WriteToUDPAddrPort(discover, netip.AddrPortFrom(serverAddr, 67)))(t)
	check(t, other.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
	if n, _, err := other.ReadFromUDPAddrPort(make([]byte, 2048)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes were sent to the source port: %v", n, err)
	}
}

func TestRenewing(t *testing.T) {
	l := newLab(t)
	l.start(testConfig(logr.Discard()))
	client := l.listen(netip.AddrPortFrom(clientAddr, 68))
	answer, from := l.ask(client, withCIAddr(request(clientMAC, dhcp4.TypeRequest), clientAddr))
	if from.String() != "192.168.2.112:67" || messageType(t, answer) != dhcp4.TypeAck {
		t.Errorf("from %v: % x", from, answer)
	}
}

func TestNamedInterface(t *testing.T) {
	l := newLab(t)
	check(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "other0"}, PeerName: "other1"}))
	c := testConfig(logr.Discard())
	c.Interfaces = []string{"srv0", "other0", "srv0"}
	s := l.start(c)
	if got := len(s.Addrs()); got != 2 {
		t.Errorf("%d sockets for two interfaces", got)
	}
	l.shout(clientMAC, request(clientMAC, dhcp4.TypeDiscover))
	if f := l.hear(68, soon); f == nil || f.from.Addr() != serverAddr {
		t.Errorf("got %+v", f)
	}
}

// TestInterfaceIsMadeAnew: a driver is loaded again, a bridge is set up again, and its name is served on.
func TestInterfaceIsMadeAnew(t *testing.T) {
	l := newLab(t)
	relay := netip.MustParseAddr("192.168.3.1")
	plug := func() *net.UDPConn {
		check(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "other0"}, PeerName: "other1", PeerNamespace: netlink.NsFd(l.client)}))
		other0, other1 := must(netlink.LinkByName("other0"))(t), must(l.inClient.LinkByName("other1"))(t)
		check(t, netlink.AddrAdd(other0, must(netlink.ParseAddr("192.168.3.112/24"))(t)))
		check(t, l.inClient.AddrAdd(other1, must(netlink.ParseAddr("192.168.3.1/24"))(t)))
		check(t, netlink.LinkSetUp(other0))
		check(t, l.inClient.LinkSetUp(other1))
		var conn *net.UDPConn
		l.onClient(func() { conn = must(net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(relay, 67))))(t) })
		return conn
	}
	answered := func(conn *net.UDPConn) bool {
		must(conn.WriteToUDPAddrPort(withGIAddr(request(clientMAC, dhcp4.TypeDiscover), relay), netip.MustParseAddrPort("192.168.3.112:67")))(t)
		check(t, conn.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
		_, _, err := conn.ReadFromUDPAddrPort(make([]byte, 2048))
		return err == nil
	}
	conn := plug()
	c := testConfig(logr.Discard())
	c.Interfaces = []string{"other0"}
	c.Snapshot = storeOf([]*reservation.Reservation{{MAC: clientMAC, Address: reservation.MustParsePrefix("192.168.3.9/24"), Settings: &reservation.Settings{Lease: 60}}}).Load
	l.start(c)
	waitFor(t, func() bool { return answered(conn) })
	before := must(netlink.LinkByName("other0"))(t).Attrs().Index
	check(t, netlink.LinkDel(must(netlink.LinkByName("other0"))(t)))
	check(t, conn.Close())
	conn = plug()
	waitFor(t, func() bool { return answered(conn) })
	check(t, conn.Close())
	if now := must(netlink.LinkByName("other0"))(t).Attrs().Index; now == before {
		t.Error("the new interface has the index of the old, so nothing was tested")
	}
}

func TestUnknownInterface(t *testing.T) {
	newLab(t)
	c := testConfig(logr.Discard())
	c.Interfaces = []string{"srv0", "eno1"}
	s := must(New(c))(t)
	err := s.Listen()
	if want := `DHCP: interface "eno1" does not exist: choose from lo, srv0`; err == nil || err.Error() != want {
		t.Errorf("Listen returned %v, want %s", err, want)
	}
	again := must(New(testConfig(logr.Discard())))(t)
	check(t, again.Listen()) // the socket on srv0 was closed
	check(t, again.Close())
}

func TestSecondServerIsAConflict(t *testing.T) {
	l := newLab(t)
	l.start(testConfig(logr.Discard()))
	for _, names := range [][]string{nil, {"srv0"}} {
		c := testConfig(logr.Discard())
		c.Interfaces = names
		err := must(New(c))(t).Listen()
		if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "DHCP: port 67/udp at 0.0.0.0") {
			t.Errorf("a second server with interfaces %v: %v", names, err)
		}
	}
}

func TestPanicLeavesTheServerRunning(t *testing.T) {
	l := newLab(t)
	c := testConfig(logr.Discard())
	self, calls := c.Self, 0
	c.Workers = 1
	c.Self = func() *dhcp4.Self {
		if calls++; calls == 1 {
			panic("a mistake")
		}
		return self()
	}
	s := l.start(c)
	l.shout(clientMAC, request(clientMAC, dhcp4.TypeDiscover))
	l.shout(clientMAC, request(clientMAC, dhcp4.TypeDiscover))
	if f := l.hear(68, soon); f == nil || messageType(t, f.payload) != dhcp4.TypeOffer {
		t.Errorf("the packet after the panic was not answered: %+v", f)
	}
	if got := testutil.ToFloat64(s.metrics.panics); got != 1 {
		t.Errorf("panics_total is %v", got)
	}
}

func TestNewAddressIsUsedAtOnce(t *testing.T) {
	l := newLab(t)
	c := testConfig(logr.Discard())
	virtual := netip.MustParseAddr("192.168.2.113")
	c.Self = selfAt(virtual, c.Self().Endpoint)
	s := l.start(c)
	hear := func() netip.Addr {
		l.shout(clientMAC, request(clientMAC, dhcp4.TypeDiscover))
		f := l.hear(68, soon)
		if f == nil {
			t.Fatal("no answer")
		}
		return f.from.Addr()
	}
	if got := hear(); got != serverAddr {
		t.Errorf("sent from %v while %v is not the host's", got, virtual)
	}
	check(t, netlink.AddrAdd(must(netlink.LinkByName("srv0"))(t), must(netlink.ParseAddr("192.168.2.113/24"))(t)))
	waitFor(t, func() bool { return s.interfaces.current.Load().local[virtual] })
	if got := hear(); got != virtual {
		t.Errorf("sent from %v when %v had come", got, virtual)
	}
}

// A server of its own network may have no address there: it is known by its identifier alone.
func TestInterfaceWithoutAddress(t *testing.T) {
	l := newLab(t)
	srv0 := must(netlink.LinkByName("srv0"))(t)
	check(t, netlink.AddrDel(srv0, must(netlink.ParseAddr("192.168.2.112/24"))(t)))
	l.start(testConfig(logr.Discard()))
	l.shout(clientMAC, request(clientMAC, dhcp4.TypeDiscover))
	f := l.hear(68, soon)
	if f == nil || f.mac != clientMAC || f.from.String() != "192.168.2.112:67" || f.to.String() != "192.168.2.185:68" {
		t.Fatalf("got %+v", f)
	}
	if err := f.checksums(); err != nil {
		t.Error(err)
	}
}

func TestUnknownInterfaceIsLookedForOnceASecond(t *testing.T) {
	newLab(t)
	i := must(openInterfaces(logr.Discard()))(t) // nobody watches the kernel's messages
	defer i.close()
	check(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "late0"}, PeerName: "late1"}))
	index := must(netlink.LinkByName("late0"))(t).Attrs().Index
	i.looked = time.Now()
	if got := i.byIndex(index); got.name != fmt.Sprintf("interface %d", index) || got.index != index {
		t.Errorf("a moment after the last look: %+v", got)
	}
	i.looked = time.Now().Add(-2 * refreshPause)
	if got := i.byIndex(index); got.name != "late0" || !got.ethernet {
		t.Errorf("later: %+v", got)
	}
}

func TestStartListensWhereNobodyDid(t *testing.T) {
	l := newLab(t)
	s := must(New(testConfig(logr.Discard())))(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	check(t, s.Start(ctx))
	l.start(testConfig(logr.Discard())) // the port was given back
}

func TestBurst(t *testing.T) {
	l := newLab(t)
	const machines = 1000
	var list []*reservation.Reservation
	payloads := make([][]byte, machines)
	for n := range machines {
		mac := reservation.MAC{0x52, 0x54, 1, 0, byte(n >> 8), byte(n)}
		list = append(list, &reservation.Reservation{
			MAC: mac, Address: reservation.PrefixOf(netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 168, byte(8 + n>>8), byte(n)}), 16)),
			Settings: &reservation.Settings{Lease: 60},
		})
		payloads[n] = withGIAddr(request(mac, dhcp4.TypeDiscover), relayAddr)
	}
	c := testConfig(logr.Discard())
	c.Snapshot = storeOf(list).Load
	s := must(New(c))(t)
	check(t, s.Listen())
	relay := l.listen(netip.AddrPortFrom(relayAddr, 67))
	l.acquaint()
	raw := must(relay.SyscallConn())(t)
	check(t, raw.Control(func(fd uintptr) { // whatever the host's net.core.rmem_max
		check(t, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20))
	}))
	// All of them wait in the kernel before the first is read.
	for _, payload := range payloads {
		must(relay.WriteToUDPAddrPort(payload, netip.AddrPortFrom(serverAddr, 67)))(t)
	}
	l.run(s)
	answered := map[string]bool{}
	b := make([]byte, 2048)
	for len(answered) < machines {
		check(t, relay.SetReadDeadline(time.Now().Add(soon)))
		if _, _, err := relay.ReadFromUDPAddrPort(b); err != nil {
			t.Fatalf("%d of %d were answered: %v", len(answered), machines, err)
		}
		answered[net.HardwareAddr(b[28:34]).String()] = true
	}
	if drops := testutil.ToFloat64(s.metrics.kernelDrops) + testutil.ToFloat64(s.metrics.queueDrops); drops != 0 {
		t.Errorf("%v packets were dropped", drops)
	}
}

func TestKernelDropsAreCounted(t *testing.T) {
	l := newLab(t)
	s := must(New(testConfig(logr.Discard())))(t)
	check(t, s.Listen())
	check(t, s.sockets[0].conn.SetReadBuffer(2048))
	relay := l.listen(netip.AddrPortFrom(relayAddr, 67))
	send := func() {
		must(relay.WriteToUDPAddrPort(withGIAddr(request(clientMAC, dhcp4.TypeDiscover), relayAddr), netip.AddrPortFrom(serverAddr, 67)))(t)
	}
	const sent = 50
	for range sent {
		send()
	}
	l.run(s)
	handled := func() float64 { return count(s, "DISCOVER", "NotNetbootClient") }
	waitFor(t, func() bool { return handled() > 0 })
	send() // the kernel tells with the next packet
	waitFor(t, func() bool { return handled()+testutil.ToFloat64(s.metrics.kernelDrops) == sent+1 })
	if testutil.ToFloat64(s.metrics.kernelDrops) == 0 {
		t.Error("nothing was dropped, so nothing was tested")
	}
	send() // the kernel repeats its count with every packet from now on
	waitFor(t, func() bool { return handled()+testutil.ToFloat64(s.metrics.kernelDrops) == sent+2 })
}

func waitFor(t *testing.T, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(soon); !happened(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not come true within %v", soon)
		}
	}
}
