package offers

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/test/need"
)

// lab is two network namespaces joined by a cable: the test's thread is in the client's, with cli0; the other has srv0 at
// 192.168.2.10/24. Neither has a name: both are gone when the test ends.
type lab struct {
	t              *testing.T
	server, client netns.NsHandle
	cli0           netlink.Link
}

func newLab(t *testing.T) *lab {
	t.Helper()
	need.Root(t)
	// Never unlocked: the thread ends with the test and takes the namespaces with it.
	runtime.LockOSThread()
	l := &lab{t: t}
	l.server = must(netns.New())(t)
	l.client = must(netns.New())(t)
	check(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "cli0"}, PeerName: "srv0", PeerNamespace: netlink.NsFd(l.server)}))
	l.cli0 = must(netlink.LinkByName("cli0"))(t)
	check(t, netlink.LinkSetUp(l.cli0))
	l.onServer(func() {
		srv0 := must(netlink.LinkByName("srv0"))(t)
		check(t, netlink.AddrAdd(srv0, must(netlink.ParseAddr("192.168.2.10/24"))(t)))
		check(t, netlink.LinkSetUp(srv0))
	})
	for range 500 { // until then the kernel throws away what leaves through the cable
		if must(netlink.LinkByName("cli0"))(t).Attrs().OperState == netlink.OperUp {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Cleanup(func() { check(t, errors.Join(l.client.Close(), l.server.Close())) })
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

// onServer runs f in the server's namespace.
func (l *lab) onServer(f func()) {
	l.t.Helper()
	check(l.t, netns.Set(l.server))
	f()
	check(l.t, netns.Set(l.client))
}

// address gives cli0 an address.
func (l *lab) address(cidr string) {
	l.t.Helper()
	check(l.t, netlink.AddrAdd(l.cli0, must(netlink.ParseAddr(cidr))(l.t)))
}

// broadcastRoute lets the kernel send broadcasts by that link, where nothing is bound to it.
func broadcastRoute(t *testing.T, link string) {
	t.Helper()
	_, all, err := net.ParseCIDR("0.0.0.0/0")
	check(t, err)
	check(t, netlink.RouteAdd(&netlink.Route{LinkIndex: must(netlink.LinkByName(link))(t).Attrs().Index, Scope: netlink.SCOPE_LINK, Dst: all}))
}

// serve answers on port 67 of the present namespace until the test ends, and notes where the first questions came from.
func (l *lab) serve(answer func(*dhcpv4.DHCPv4) reply) <-chan netip.AddrPort {
	l.t.Helper()
	conn := must(net.ListenUDP("udp4", &net.UDPAddr{Port: serverPort}))(l.t)
	came := make(chan netip.AddrPort, 10)
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			d, err := dhcpv4.FromBytes(b[:n])
			if err != nil || d.OpCode != dhcpv4.OpcodeBootRequest {
				continue
			}
			select {
			case came <- from:
			default:
			}
			to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), clientPort)
			if giaddr := field(d.GatewayIPAddr); giaddr.IsValid() {
				to = netip.AddrPortFrom(giaddr, serverPort)
			}
			if _, err := conn.WriteToUDPAddrPort(answer(d).payload, to); err != nil {
				l.t.Errorf("answer to %v: %v", to, err)
			}
		}
	}()
	l.t.Cleanup(func() {
		check(l.t, conn.Close())
		<-done
	})
	return came
}

func anOffer(d *dhcpv4.DHCPv4) reply { return offerFrom(server, dhcpv4.MessageTypeOffer, d) }

// asksAndHears asks once and wants one offer of the server.
func (l *lab) asksAndHears(o Options) {
	l.t.Helper()
	o.Window = 500 * time.Millisecond
	got, err := Ask(l.t.Context(), o, machine, kindNamed(l.t, "firmware-uefi-x86-64/7"))
	if err != nil || len(got) != 1 || got[0].From != server || got[0].Address != address || got[0].RTT <= 0 {
		l.t.Errorf("%+v: got %+v, %v", o, got, err)
	}
}

// A machine has no address when it asks, and neither needs this host; a DHCP client of its own may hold port 68.
func TestAsksOnAnInterface(t *testing.T) {
	l := newLab(t)
	var came <-chan netip.AddrPort
	l.onServer(func() {
		broadcastRoute(t, "srv0")
		came = l.serve(anOffer)
	})
	l.asksAndHears(Options{Interface: "cli0"})
	if from := <-came; from != netip.MustParseAddrPort("0.0.0.0:68") {
		t.Errorf("without an address it asked from %v", from)
	}
	l.address("192.168.2.9/24")
	held := must(net.ListenUDP("udp4", &net.UDPAddr{Port: clientPort}))(t)
	defer held.Close()
	l.asksAndHears(Options{Interface: "cli0"})
	if from := <-came; from != netip.MustParseAddrPort("192.168.2.9:68") {
		t.Errorf("with an address it asked from %v", from)
	}
}

// A daemon of this host hears the question on its UDP socket, and its answer is heard although it only leaves.
func TestHearsADaemonOfThisHost(t *testing.T) {
	l := newLab(t)
	l.address("192.168.2.10/24")
	broadcastRoute(t, "cli0")
	l.serve(anOffer)
	l.asksAndHears(Options{Interface: "cli0"})
}

// As a relay agent, with port 67 free and with a server of this host on it.
func TestAsksAsARelayAgent(t *testing.T) {
	l := newLab(t)
	l.address("192.168.2.9/24")
	var came <-chan netip.AddrPort
	l.onServer(func() { came = l.serve(anOffer) })
	relayed := Options{Relay: netip.MustParseAddr("192.168.2.9"), Server: server}
	l.asksAndHears(relayed)
	held := must(net.ListenUDP("udp4", &net.UDPAddr{Port: serverPort}))(t)
	defer held.Close()
	l.asksAndHears(relayed)
	for range 2 {
		if from := <-came; from != netip.MustParseAddrPort("192.168.2.9:67") {
			t.Errorf("it asked from %v", from)
		}
	}
	relayed.Relay = netip.MustParseAddr("192.168.2.77")
	if _, err := Ask(t.Context(), relayed, reservation.MAC{2}, kindNamed(t, "ipxe/7")); err == nil || !strings.Contains(err.Error(), "none of this host") {
		t.Errorf("a foreign relay address: %v", err)
	}
}

func TestInterfaceThatIsDown(t *testing.T) {
	l := newLab(t)
	check(t, netlink.LinkSetDown(l.cli0))
	if _, err := Ask(t.Context(), Options{Interface: "cli0"}, machine, kindNamed(t, "ipxe/7")); err == nil || !strings.Contains(err.Error(), "cli0\" is down") {
		t.Errorf("got %v", err)
	}
}
