package dhcpd

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/vishvananda/netlink"

	"github.com/tugboot/tugboot/internal/dhcp4"
)

func proxyConfig(mode dhcp4.Mode) Config {
	c := testConfig(logr.Discard())
	c.Modes = Modes{Default: mode}
	return c
}

func TestProxyOfferIsBroadcast(t *testing.T) {
	l := newLab(t)
	s := l.start(proxyConfig(dhcp4.ModeProxy))
	if got := s.Addrs(); len(got) != 2 || got[0].Port() != 67 || got[1].Port() != 4011 {
		t.Errorf("listens at %v", got)
	}
	l.shout(clientMAC, request(clientMAC, dhcp4.TypeDiscover, pxeOptions()...))
	f := l.hear(68, soon)
	if f == nil || messageType(t, f.payload) != dhcp4.TypeOffer || f.mac != everybody || f.from.String() != "192.168.2.112:67" {
		t.Fatalf("got %+v", f)
	}
	if yiaddr := netip.AddrFrom4([4]byte(f.payload[16:20])); !yiaddr.IsUnspecified() {
		t.Errorf("a proxy offers the address %s", yiaddr)
	}
	l.shout(clientMAC, request(clientMAC, dhcp4.TypeDiscover))
	waitFor(t, func() bool { return count(s, "DISCOVER", "NotNetbootClient") == 1 })
	if f := l.hear(68, 200*time.Millisecond); f != nil {
		t.Errorf("a plain client was answered: % x", f.payload)
	}
}

// TestPXEPort: a client with an address is answered from port 4011, at the port that it asked from.
func TestPXEPort(t *testing.T) {
	l := newLab(t)
	s := l.start(proxyConfig(dhcp4.ModeProxy))
	other := addrOption(54, relayAddr) // the server of addresses, as some firmware repeats it
	for _, port := range []uint16{68, 4011} {
		conn := l.listen(netip.AddrPortFrom(clientAddr, port))
		must(conn.WriteToUDPAddrPort(withCIAddr(request(clientMAC, dhcp4.TypeRequest, append(pxeOptions(), other...)...), clientAddr),
			netip.AddrPortFrom(serverAddr, 4011)))(t)
		b, from := receive(t, conn, soon)
		if b == nil || messageType(t, b) != dhcp4.TypeAck || from.String() != "192.168.2.112:4011" || !strings.Contains(string(b), "undionly.kpxe") {
			t.Errorf("from port %d: % x from %v", port, b, from)
		}
	}
	// To everybody, naming another server: that one's.
	conn := l.listen(netip.AddrPortFrom(clientAddr, 6868))
	check(t, allowBroadcast(conn))
	must(conn.WriteToUDPAddrPort(request(clientMAC, dhcp4.TypeRequest, append(pxeOptions(), other...)...), netip.MustParseAddrPort("192.168.2.255:4011")))(t)
	waitFor(t, func() bool { return count(s, "REQUEST", "OtherServer") == 1 })
}

func receive(t *testing.T, conn *net.UDPConn, within time.Duration) ([]byte, netip.AddrPort) {
	t.Helper()
	check(t, conn.SetReadDeadline(time.Now().Add(within)))
	b := make([]byte, 2048)
	n, from, err := conn.ReadFromUDPAddrPort(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, from
	}
	check(t, err)
	return b[:n], from
}

func allowBroadcast(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	return errors.Join(raw.Control(func(fd uintptr) { set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_BROADCAST, 1) }), set)
}

// TestModesOfInterfaces: one interface is off, one a proxy's, the rest have reservations; port 4011 is the proxy's alone.
func TestModesOfInterfaces(t *testing.T) {
	l := newLab(t)
	check(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "other0"}, PeerName: "other1"}))
	c := testConfig(logr.Discard())
	c.Modes = Modes{Interfaces: map[string]dhcp4.Mode{"srv0": dhcp4.ModeOff, "other0": dhcp4.ModeProxy}}
	s := l.start(c)
	if got := s.Addrs(); len(got) != 2 || got[1].Port() != 4011 {
		t.Errorf("listens at %v", got)
	}
	l.shout(clientMAC, request(clientMAC, dhcp4.TypeDiscover, pxeOptions()...))
	waitFor(t, func() bool { return count(s, "DISCOVER", "DHCPOff") == 1 })
	if f := l.hear(68, 200*time.Millisecond); f != nil {
		t.Errorf("answered on an interface that is off: % x", f.payload)
	}
	for name, mode := range map[string]string{"all": "reservation", "srv0": "off", "other0": "proxy"} {
		if got := testutil.ToFloat64(s.metrics.modes.WithLabelValues(name, mode)); got != 1 {
			t.Errorf("mode{%s,%s} is %v", name, mode, got)
		}
	}
	if got := c.Journal.Timeline(clientMAC); len(got) != 1 || got[0].Reason != "DHCPOff" {
		t.Errorf("the timeline is %+v", got)
	}
}

func TestPXEPortOfInterfaces(t *testing.T) {
	own := map[string]dhcp4.Mode{"b": dhcp4.ModeAutoProxy, "a": dhcp4.ModeProxy, "c": dhcp4.ModeOff}
	for _, test := range []struct {
		modes  Modes
		served []string
		want   []string
	}{
		{Modes{}, []string{""}, nil},
		{Modes{Default: dhcp4.ModeProxy}, []string{""}, []string{""}},
		{Modes{Interfaces: own}, []string{""}, []string{"a", "b"}},
		{Modes{Default: dhcp4.ModeAutoProxy, Interfaces: own}, []string{""}, []string{""}},
		{Modes{Interfaces: own}, []string{"b", "c", "d"}, []string{"b"}},
		{Modes{Default: dhcp4.ModeProxy, Interfaces: own}, []string{"c", "d"}, []string{"d"}},
	} {
		if diff := cmp.Diff(test.want, test.modes.PXE(test.served)); diff != "" {
			t.Errorf("%s, served %q: -want +got:\n%s", test.modes, test.served, diff)
		}
	}
}

func TestModeOfUnknownInterface(t *testing.T) {
	newLab(t)
	c := testConfig(logr.Discard())
	c.Modes.Interfaces = map[string]dhcp4.Mode{"eno1": dhcp4.ModeProxy}
	if err := must(New(c))(t).Listen(); err == nil || !strings.Contains(err.Error(), `interface "eno1" does not exist: choose from lo, srv0`) {
		t.Errorf("Listen returned %v", err)
	}
}

// TestPXEPortTaken: both ports that are taken are named.
func TestPXEPortTaken(t *testing.T) {
	l := newLab(t)
	l.start(proxyConfig(dhcp4.ModeProxy))
	err := must(New(proxyConfig(dhcp4.ModeAutoProxy)))(t).Listen()
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("a second proxy: %v", err)
	}
	for _, want := range []string{"DHCP: port 67/udp at 0.0.0.0 is taken by", "DHCP: port 4011/udp at 0.0.0.0 is taken by", "proxy and auto-proxy"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	reservations := testConfig(logr.Discard())
	reservations.Port = 6767
	s := must(New(reservations))(t)
	check(t, s.Listen()) // which needs no port 4011
	check(t, s.Close())
}

func TestServing(t *testing.T) {
	l := newLab(t)
	s := must(New(proxyConfig(dhcp4.ModeProxy)))(t)
	check(t, s.Listen())
	if err := s.Serving(); err == nil || !strings.Contains(err.Error(), "DHCP (proxy)") {
		t.Errorf("before it is started: %v", err)
	}
	l.run(s)
	waitFor(t, func() bool { return s.Serving() == nil })
}

// TestLoops: what a relay agent or a loop in the network makes of a request or of an answer ends here.
func TestLoops(t *testing.T) {
	var log lines
	c := testConfig(log.logger(1))
	c.RelayFrom = []netip.Prefix{netip.PrefixFrom(relayAddr, 32)}
	s, w := offline(t, c), &wire{}
	s.interfaces.current.Load().broadcast = map[netip.Addr]bool{netip.MustParseAddr("192.168.2.255"): true}
	relayed := func(giaddr string) []byte {
		return withGIAddr(request(clientMAC, dhcp4.TypeDiscover), netip.MustParseAddr(giaddr))
	}
	deliver(s, w, &packet{}, relayed(relayAddr.String()))
	if len(w.sent) != 1 {
		t.Fatalf("%d answers through the relay agent that is listened to", len(w.sent))
	}
	deliver(s, w, &packet{}, w.sent[0].payload)
	for _, test := range []struct{ giaddr, kind, reason string }{
		{"192.168.2.112", "DISCOVER", "RelayOwnAddress"}, {"192.168.2.255", "DISCOVER", "RelayBroadcast"},
		{"10.77.0.1", "DISCOVER", "RelayNotAllowed"},
		{"127.0.0.1", "NONE", "RelayLoopback"}, {"224.0.0.1", "NONE", "RelayMulticast"}, {"255.255.255.255", "NONE", "RelayBroadcast"},
	} {
		deliver(s, w, &packet{}, relayed(test.giaddr))
		if got := count(s, test.kind, test.reason); got != 1 {
			t.Errorf("giaddr %s: packets_total{%s,%s} is %v", test.giaddr, test.kind, test.reason, got)
		}
	}
	hops := relayed(relayAddr.String())
	hops[3] = 17
	deliver(s, w, &packet{}, hops)
	foreign := slices.Clone(w.sent[0].payload)
	copy(foreign[strings.Index(string(foreign), "\x36\x04")+2:], "\x0a\x00\x00\x01")
	deliver(s, w, &packet{}, foreign)
	for _, reason := range []string{"OwnReply", "TooManyHops", "NotRequest"} {
		if got := count(s, "NONE", reason); got != 1 {
			t.Errorf("packets_total{NONE,%s} is %v", reason, got)
		}
	}
	if len(w.sent) != 1 {
		t.Errorf("%d answers, want the one", len(w.sent))
	}
}

func TestJournalInProxyModes(t *testing.T) {
	c := proxyConfig(dhcp4.ModeAutoProxy)
	s, w := offline(t, c), &wire{}
	deliver(s, w, &packet{}, request(clientMAC, dhcp4.TypeDiscover, pxeOptions()...))
	deliver(s, w, &packet{pxe: true}, request(clientMAC, dhcp4.TypeRequest, pxeOptions()...))
	deliver(s, w, &packet{}, request(unknownMAC, dhcp4.TypeDiscover, pxeOptions()...))
	deliver(s, w, &packet{}, request(unknownMAC, dhcp4.TypeDiscover))
	var got []string
	for _, mac := range c.Journal.Machines() {
		for _, e := range c.Journal.Timeline(mac) {
			got = append(got, mac.String()+" "+e.What+" "+e.Reason)
		}
	}
	want := []string{"52:54:00:00:00:02 DISCOVER -> OFFER undionly.kpxe (auto-proxy, no Hardware) AutoBinary",
		"52:54:00:00:00:01 DISCOVER -> OFFER undionly.kpxe (auto-proxy) FirmwareBinary",
		"52:54:00:00:00:01 REQUEST -> ACK undionly.kpxe (auto-proxy, port 4011) FirmwareBinary"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestBroadcastOf(t *testing.T) {
	for prefix, want := range map[string]string{"192.168.2.112/24": "192.168.2.255", "10.9.8.7/8": "10.255.255.255", "192.168.2.185/30": "192.168.2.187",
		"0.0.0.0/0": "255.255.255.255", "192.168.2.4/29": "192.168.2.7"} {
		if got := broadcastOf(netip.MustParsePrefix(prefix)); got.String() != want {
			t.Errorf("%s: %v, want %s", prefix, got, want)
		}
	}
	for _, prefix := range []string{"192.168.2.1/31", "192.168.2.1/32"} {
		if got := broadcastOf(netip.MustParsePrefix(prefix)); got.IsValid() {
			t.Errorf("%s: %v, want none", prefix, got)
		}
	}
}
