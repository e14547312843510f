package interop

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/test/lab"
)

// giver is the address of the DHCP server that gives addresses where Tugboot is a proxy.
const giver = "192.168.2.5"

// gives starts a daemon that gives addresses on the LAN and knows nothing of booting.
func (s *site) gives(d lab.Daemon, config func(*lab.Foreign) string) *lab.Foreign {
	s.t.Helper()
	host := s.addressed("gives", "52:54:00:f0:00:05", giver+"/24")
	f, err := lab.NewForeign(s.ctx, host, d, "gives", "eth0", filepath.Join(s.Dir, "dhcp"))
	if err == nil {
		err = errors.Join(f.Configure(config(f)), f.Start(s.ctx))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return f
}

// givers are the daemons that give addresses, by kind.
func givers(t *testing.T) map[string]func(*site) {
	t.Helper()
	dnsmasq, kea := daemons(t, lab.Dnsmasq)[0], daemons(t, lab.Kea)[0]
	return map[string]func(*site){
		"dnsmasq": func(s *site) {
			s.gives(dnsmasq, func(*lab.Foreign) string {
				return "dhcp-range=192.168.2.200,192.168.2.207,255.255.255.0,10m\ndhcp-option=option:router,192.168.2.1\ndhcp-authoritative\nno-ping\n"
			})
		},
		"kea": func(s *site) {
			s.gives(kea, func(f *lab.Foreign) string {
				return f.KeaOperator(`"subnet4": [{"id": 1, "subnet": "192.168.2.0/24", "pools": [{"pool": "192.168.2.200-192.168.2.207"}],
"option-data": [{"name": "routers", "data": "192.168.2.1"}]}]`)
			})
		},
	}
}

// pxeClient asks as PXE firmware does, by PXE 2.1 section 2.2: with a DISCOVER, of the server that gives addresses, and of
// the boot server at port 4011.
type pxeClient struct {
	site *site
	host *lab.Host
	mac  net.HardwareAddr
	with []dhcpv4.Modifier
}

// pxe plugs in such a client.
func (s *site) pxe(name, mac string, with ...dhcpv4.Modifier) *pxeClient {
	s.t.Helper()
	c := s.pxeAt(s.host(name, mac), mac)
	c.with = append(c.with, with...)
	return c
}

// pxeAt is such a client on a host that is plugged in already.
func (s *site) pxeAt(h *lab.Host, mac string) *pxeClient {
	s.t.Helper()
	hardware, err := net.ParseMAC(mac)
	if err != nil {
		s.t.Fatal(err)
	}
	return &pxeClient{site: s, host: h, mac: hardware, with: []dhcpv4.Modifier{
		dhcpv4.WithOption(dhcpv4.OptClassIdentifier("PXEClient:Arch:00007:UNDI:003000")),
		dhcpv4.WithGeneric(dhcpv4.OptionClientSystemArchitectureType, []byte{0, 7}),
		dhcpv4.WithGeneric(dhcpv4.OptionClientNetworkInterfaceIdentifier, []byte{1, 3, 0}),
		dhcpv4.WithGeneric(dhcpv4.OptionClientMachineIdentifier, append([]byte{0}, make([]byte, 16)...)),
		dhcpv4.WithBroadcast(true),
	}}
}

// listen opens a socket of the client's on eth0.
func (c *pxeClient) listen(at string) net.PacketConn {
	c.site.t.Helper()
	var conn net.PacketConn
	err := c.host.Do(func() (err error) {
		config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) (err error) {
			if control := raw.Control(func(fd uintptr) {
				err = errors.Join(unix.BindToDevice(int(fd), "eth0"), unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BROADCAST, 1))
			}); control != nil {
				return control
			}
			return err
		}}
		// A process that another test is just starting holds what this one has closed, until it is started.
		for range 100 {
			if conn, err = config.ListenPacket(context.Background(), "udp4", at); !errors.Is(err, syscall.EADDRINUSE) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		return err
	})
	if err != nil {
		c.site.t.Fatal(err)
	}
	c.site.t.Cleanup(func() { conn.Close() })
	return conn
}

// answered is one answer, and where it came from.
type answered struct {
	*dhcpv4.DHCPv4
	raw  []byte
	from netip.AddrPort
}

// ask sends a packet and returns what comes back within a time, by who sent it.
func (c *pxeClient) ask(conn net.PacketConn, to string, packet *dhcpv4.DHCPv4, within time.Duration) map[string]answered {
	c.site.t.Helper()
	all := map[string]answered{}
	for _, answer := range c.hears(conn, to, packet, within) {
		all[answer.from.Addr().String()] = answer
	}
	return all
}

// hears sends a packet and returns what comes back within a time.
func (c *pxeClient) hears(conn net.PacketConn, to string, packet *dhcpv4.DHCPv4, within time.Duration) []answered {
	c.site.t.Helper()
	if _, err := conn.WriteTo(packet.ToBytes(), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to))); err != nil {
		c.site.t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		c.site.t.Fatal(err)
	}
	buffer := make([]byte, 2048)
	var all []answered
	for {
		n, from, err := conn.ReadFrom(buffer)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return all
		}
		if err != nil {
			c.site.t.Fatal(err)
		}
		raw := slices.Clone(buffer[:n])
		answer, err := dhcpv4.FromBytes(raw)
		if err != nil || answer.TransactionID != packet.TransactionID {
			continue
		}
		at := from.(*net.UDPAddr).AddrPort()
		all = append(all, answered{answer, raw, netip.AddrPortFrom(at.Addr().Unmap(), at.Port())})
	}
}

func (c *pxeClient) packet(kind dhcpv4.MessageType, more ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	c.site.t.Helper()
	p, err := dhcpv4.New(append(append([]dhcpv4.Modifier{dhcpv4.WithHwAddr(c.mac), dhcpv4.WithMessageType(kind)}, c.with...), more...)...)
	if err != nil {
		c.site.t.Fatal(err)
	}
	return p
}

// TestProxyBesideAServer: firmware's two questions are answered by two servers, each its own; a plain client hears one.
func TestProxyBesideAServer(t *testing.T) {
	need(t, allClients)
	for name, starts := range givers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const mac, forbidden, plain = "52:54:00:f0:00:01", "52:54:00:f0:00:02", "52:54:00:f0:00:03"
			s := newSite(t, "proxy-"+name, hardware(machine{name: "known", mac: mac, address: "192.168.2.61"},
				machine{name: "forbidden", mac: forbidden, address: "192.168.2.62", notAllowed: true},
				machine{name: "plain", mac: plain, address: "192.168.2.63"}), "--dhcp=proxy")
			wire := s.tap()
			starts(s)
			c := s.pxe("known", mac)
			leased := c.twoAnswers()
			c.bootServer(leased)
			// A person who asks sees both, each judged by what is its own to say.
			out := s.run(c.host.Namespace, suite.program, "probe", "-i", "eth0", "--mac", mac, "--next-server", serverAddr)
			if !strings.Contains(out, "OFFER (proxy)") || !strings.Contains(out, "192.168.2.20") || strings.Contains(out, "no: ") {
				t.Errorf("tugboot probe says\n%s", out)
			}

			if heard := s.pxe("forbidden", forbidden).discover(); len(heard) != 1 || len(wire.anyAnswer(forbidden)) != 0 {
				t.Errorf("a machine that may not boot heard %d servers, Tugboot %d times", len(heard), len(wire.anyAnswer(forbidden)))
			}
			if heard := s.pxe("stranger", "52:54:00:f0:00:04").discover(); len(heard) != 1 {
				t.Errorf("an unknown machine heard %d servers, want the one that gives addresses", len(heard))
			}
			// Where the server's own answer is late, the client may be bound to nothing but that server.
			bound := s.dhclient(s.host("plain", plain), "plain", "").wait(15*time.Second, "BOUND")
			if bound["new_dhcp_server_identifier"] != giver || !strings.HasPrefix(bound["new_ip_address"], "192.168.2.20") {
				t.Errorf("the plain client was bound to %s by %s", bound["new_ip_address"], bound["new_dhcp_server_identifier"])
			}
			if n := len(wire.anyAnswer(plain)); n != 0 {
				t.Errorf("a plain DHCP client heard Tugboot %d times, want silence", n)
			}
			for _, want := range []struct{ kind, reason string }{{"DISCOVER", "FirmwareBinary"}, {"REQUEST", "OtherServer"}, {"REQUEST", "FirmwareBinary"},
				{"DISCOVER", "NetbootNotAllowed"}, {"DISCOVER", "NotReserved"}, {"DISCOVER", "NotNetbootClient"}} {
				if s.dhcpPackets(want.kind, want.reason) == 0 {
					t.Errorf("no %s was counted as %s", want.kind, want.reason)
				}
			}
			if !s.happened(mac, journal.StageDHCP, "FirmwareBinary", "DISCOVER -> OFFER ipxe.efi (proxy)") ||
				!s.happened(mac, journal.StageDHCP, "FirmwareBinary", "REQUEST -> ACK ipxe.efi (proxy, port 4011)") {
				t.Error("the timeline does not say what the proxy answered")
			}
			if got := s.metric(`tugboot_dhcp_mode{interface="` + lab.ServerInterface + `",mode="proxy"}`); got != 1 {
				t.Errorf("the mode is not among the metrics: %d", got)
			}
			if got := s.get("http://" + serverAddr + ":8081/readyz?verbose"); !strings.Contains(got, "[+]dhcp-proxy ok") {
				t.Errorf("/readyz does not tell the mode: %s", got)
			}
		})
	}
}

// discover returns who answers a DISCOVER.
func (c *pxeClient) discover() map[string]answered {
	c.site.t.Helper()
	return c.ask(c.listen("0.0.0.0:68"), "255.255.255.255:67", c.packet(dhcpv4.MessageTypeDiscover), 1500*time.Millisecond)
}

// twoAnswers has the client ask for an address and take what it is offered, and returns the address.
func (c *pxeClient) twoAnswers() netip.Addr {
	t := c.site.t
	t.Helper()
	conn := c.listen("0.0.0.0:68")
	discover := c.packet(dhcpv4.MessageTypeDiscover)
	heard := c.ask(conn, "255.255.255.255:67", discover, 1500*time.Millisecond)
	offer, proxy := heard[giver], heard[serverAddr]
	if offer.DHCPv4 == nil || proxy.DHCPv4 == nil || len(heard) != 2 {
		t.Fatalf("%d servers answered, want %s and %s: %v", len(heard), giver, serverAddr, heard)
	}
	if got, _ := netip.AddrFromSlice(offer.YourIPAddr.To4()); !netip.MustParsePrefix("192.168.2.200/29").Contains(got) {
		t.Errorf("%s offers %s", giver, got)
	}
	if !proxy.YourIPAddr.IsUnspecified() || proxy.ClassIdentifier() != "PXEClient" || proxy.BootFileName != "ipxe.efi" || proxy.ServerIPAddr.String() != serverAddr ||
		string(proxy.Options.Get(dhcpv4.OptionVendorSpecificInformation)) != "\x06\x01\x08\xff" || proxy.IPAddressLeaseTime(0) != 0 {
		t.Errorf("the proxy offers %s", proxy.Summary())
	}
	request, err := dhcpv4.NewRequestFromOffer(offer.DHCPv4, c.with...)
	if err != nil {
		t.Fatal(err)
	}
	heard = c.ask(conn, "255.255.255.255:67", request, time.Second)
	if len(heard) != 1 || heard[giver].DHCPv4 == nil || heard[giver].MessageType() != dhcpv4.MessageTypeAck {
		t.Fatalf("the REQUEST to %s was answered by %v", giver, heard)
	}
	conn.Close()
	leased, _ := netip.AddrFromSlice(heard[giver].YourIPAddr.To4())
	c.site.run(c.host.Namespace, "ip", "address", "add", leased.String()+"/24", "dev", "eth0")
	return leased
}

// bootServer has the client ask the boot server, from its address and from either port that firmware asks from.
func (c *pxeClient) bootServer(leased netip.Addr) {
	t := c.site.t
	t.Helper()
	for _, port := range []uint16{68, 4011} {
		conn := c.listen(netip.AddrPortFrom(leased, port).String())
		request := c.packet(dhcpv4.MessageTypeRequest, dhcpv4.WithClientIP(leased.AsSlice()),
			dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.ParseIP(giver)))) // as some firmware repeats it
		heard := c.ask(conn, serverAddr+":4011", request, time.Second)
		ack := heard[serverAddr]
		if len(heard) != 1 || ack.DHCPv4 == nil || ack.MessageType() != dhcpv4.MessageTypeAck {
			t.Errorf("from port %d the boot server answered %v, want one ACK", port, heard)
			continue
		}
		if ack.BootFileName != "ipxe.efi" || !ack.YourIPAddr.IsUnspecified() || ack.ClientIPAddr.String() != leased.String() || ack.from.Port() != 4011 {
			t.Errorf("from port %d: %s from %s", port, ack.Summary(), ack.from)
		}
		conn.Close()
	}
}
