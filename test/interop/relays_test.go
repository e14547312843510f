package interop

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/test/lab"
)

// relayProgram starts a relay agent on the router, between the interfaces down and the servers.
type relayProgram func(s *site, router *lab.Host, down []string, servers ...string)

func relayPrograms() map[string]relayProgram {
	return map[string]relayProgram{
		"dhcrelay": func(s *site, router *lab.Host, down []string, servers ...string) {
			args := []string{"dhcrelay", "-4", "-d", "--no-pid", "-a", "-iu", "eth0"}
			for _, name := range down {
				args = append(args, "-id", name)
			}
			s.launch(router, "relay", append(args, servers...)...)
		},
		"dnsmasq": func(s *site, router *lab.Host, down []string, servers ...string) {
			args := []string{"dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--user=root", "--log-facility=-",
				"--pid-file=" + s.file("relay.pid")}
			for i := range down {
				for _, server := range servers {
					args = append(args, fmt.Sprintf("--dhcp-relay=10.%d.0.1,%s", 77+i, server))
				}
			}
			s.launch(router, "relay", args...)
		},
	}
}

// routed joins hosts to the LAN through a router: the first is on 10.77.0.0/24, the second on 10.78.0.0/24, and so on,
// each with a MAC of its own.
func (s *site) routed(macs ...string) (router *lab.Host, down []string, hosts []*lab.Host) {
	s.t.Helper()
	router = s.addressed("router", "52:54:00:f1:00:99", "192.168.2.1/24")
	s.run(router.Namespace, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
	for i, mac := range macs {
		h, err := s.AddHost(s.ctx, fmt.Sprintf("far%d", i))
		if err != nil {
			s.t.Fatal(err)
		}
		name := fmt.Sprintf("eth%d", i+1)
		if err := router.Connect(s.ctx, name, fmt.Sprintf("52:54:00:f1:00:%02x", 0x80+i), h, "eth0", mac); err != nil {
			s.t.Fatal(err)
		}
		s.run(router.Namespace, "ip", "address", "add", fmt.Sprintf("10.%d.0.1/24", 77+i), "dev", name)
		s.run(s.Server, "ip", "route", "add", fmt.Sprintf("10.%d.0.0/24", 77+i), "via", "192.168.2.1")
		down, hosts = append(down, name), append(hosts, h)
	}
	return router, down, hosts
}

// Machines of several subnets behind one relay agent each have their own address; one whose address is of the other subnet
// has none. Option 82 comes back as it went, and last.
func TestSeveralSubnetsBehindRelays(t *testing.T) {
	need(t, relayPackages)
	need(t, allClients)
	for name, start := range relayPrograms() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const first, second, strayed = "52:54:00:f1:00:01", "52:54:00:f1:00:02", "52:54:00:f1:00:03"
			s := newSite(t, "subnets-"+name, hardware(machine{name: "first", mac: first, address: "10.77.0.21"},
				machine{name: "second", mac: second, address: "10.78.0.21"}, machine{name: "strayed", mac: strayed, address: "10.77.0.22"}))
			wire := s.tap()
			router, down, hosts := s.routed(first, second, strayed)
			start(s, router, down, serverAddr)
			for i, want := range []string{"10.77.0.21", "10.78.0.21"} {
				c := s.dhclient(hosts[i], hosts[i].Name, "")
				c.wait(20*time.Second, "BOUND").has(t, map[string]string{"new_ip_address": want, "new_dhcp_server_identifier": serverAddr,
					"new_routers": fmt.Sprintf("10.%d.0.1", 77+i)})
			}
			s.dhclient(hosts[2], "strayed", "")
			s.within(20*time.Second, "the strayed machine's DISCOVER is counted", func() bool { return s.dhcpPackets("DISCOVER", "WrongSubnet") > 0 })
			if n := len(wire.anyAnswer(strayed)); n != 0 {
				t.Errorf("the strayed machine got %d answers", n)
			}
			for mac, giaddr := range map[string]string{first: "10.77.0.1", second: "10.78.0.1"} {
				asked, offer := wire.asked(mac, dhcpv4.MessageTypeDiscover)[0], wire.answers(mac, dhcpv4.MessageTypeOffer)[0]
				if offer.to.String() != giaddr || offer.GatewayIPAddr.String() != giaddr {
					t.Errorf("%s: the OFFER went to %s with giaddr %s, want %s", mac, offer.to, offer.GatewayIPAddr, giaddr)
				}
				said, echoed := asked.Options.Get(dhcpv4.OptionRelayAgentInformation), offer.Options.Get(dhcpv4.OptionRelayAgentInformation)
				if string(said) != string(echoed) || name == "dhcrelay" && len(said) == 0 {
					t.Errorf("%s: option 82 %x came back as %x", mac, said, echoed)
				}
			}
		})
	}
}

// Behind a relay agent, too, one server gives the address and Tugboot says what to boot.
func TestProxyThroughRelays(t *testing.T) {
	need(t, relayPackages)
	for name, start := range relayPrograms() {
		for _, broadcast := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/broadcast=%t", name, broadcast), func(t *testing.T) {
				t.Parallel()
				const mac = "52:54:00:f1:00:11"
				s := newSite(t, fmt.Sprintf("proxyrelay-%s-%t", name, broadcast), hardware(machine{name: "far", mac: mac, address: "10.77.0.61"}), "--dhcp=proxy")
				wire := s.tap()
				s.gives(daemons(t, lab.Kea)[0], func(f *lab.Foreign) string {
					return f.KeaOperator(`"subnet4": [{"id": 1, "subnet": "10.77.0.0/24", "pools": [{"pool": "10.77.0.200-10.77.0.207"}]}]`)
				})
				router, down, hosts := s.routed(mac)
				start(s, router, down, serverAddr, giver)
				c := s.pxeAt(hosts[0], mac)
				c.with = append(c.with, func(p *dhcpv4.DHCPv4) {
					if !broadcast {
						p.SetUnicast()
					}
				})
				// Whom the packet comes from is the relay agent: which server made it stands in it.
				var proxy, offer *dhcpv4.DHCPv4
				conn, discover := c.listen("0.0.0.0:68"), c.packet(dhcpv4.MessageTypeDiscover)
				s.within(20*time.Second, "an answer of Tugboot's", func() bool {
					for _, answer := range c.hears(conn, "255.255.255.255:67", discover, time.Second) {
						switch answer.ServerIdentifier().String() {
						case serverAddr:
							proxy = answer.DHCPv4
						case giver:
							offer = answer.DHCPv4
						}
					}
					return proxy != nil && (offer != nil || !broadcast)
				})
				if !proxy.YourIPAddr.IsUnspecified() || proxy.BootFileName != "ipxe.efi" || proxy.ClassIdentifier() != "PXEClient" || !proxy.IsBroadcast() {
					t.Errorf("the proxy says %s", proxy.Summary())
				}
				if offer != nil && !netip.MustParsePrefix("10.77.0.200/29").Contains(netip.MustParseAddr(offer.YourIPAddr.String())) {
					t.Errorf("the server of addresses says %s", offer.Summary())
				}
				for _, answer := range wire.anyAnswer(mac) {
					if answer.to.String() != "10.77.0.1" {
						t.Errorf("an answer went to %s, want the relay agent", answer.to)
					}
				}
				// The boot server is asked past the relay agent.
				conn.Close()
				s.run(hosts[0].Namespace, "ip", "address", "add", "10.77.0.200/24", "dev", "eth0")
				s.run(hosts[0].Namespace, "ip", "route", "add", "default", "via", "10.77.0.1")
				c.bootServer(netip.MustParseAddr("10.77.0.200"))
			})
		}
	}
}

// Only the relay agents that are named are listened to.
func TestRelayFrom(t *testing.T) {
	t.Parallel()
	need(t, relayPackages)
	const first, second = "52:54:00:f1:00:21", "52:54:00:f1:00:22"
	s := newSite(t, "relayfrom", hardware(machine{name: "first", mac: first, address: "10.77.0.21"}, machine{name: "second", mac: second, address: "10.78.0.21"}),
		"--relay-from=10.77.0.0/24,192.168.2.1")
	wire := s.tap()
	router, down, hosts := s.routed(first, second)
	relayPrograms()["dhcrelay"](s, router, down, serverAddr)
	s.dhclient(hosts[1], "second", "")
	s.dhclient(hosts[0], "first", "").wait(20*time.Second, "BOUND").has(t, map[string]string{"new_ip_address": "10.77.0.21"})
	s.within(20*time.Second, "the other relay agent is counted", func() bool { return s.dhcpPackets("DISCOVER", "RelayNotAllowed") > 0 })
	if n := len(wire.anyAnswer(second)); n != 0 {
		t.Errorf("the machine behind the other relay agent got %d answers", n)
	}
	// A machine on the LAN needs no relay agent.
	if n := s.dhcpPackets("DISCOVER", "RelayOwnAddress"); n != 0 {
		t.Errorf("%d requests are counted as from this host", n)
	}
}

// What a relay agent says in option 82 (RFC 3527, 5107, 8357) is heeded: it is asked for by no free relay agent, so the test
// is one. And what a broken one sends ends in silence, each kind under a name of its own.
func TestRelayOptionsAndLoops(t *testing.T) {
	t.Parallel()
	need(t, map[string]string{"ip": "iproute2"})
	const mac = "52:54:00:f1:00:31"
	s := newSite(t, "relayoptions", hardware(machine{name: "far", mac: mac, address: "10.78.0.21"}))
	router, _, _ := s.routed("52:54:00:f1:00:32", "52:54:00:f1:00:33")
	c := s.pxeAt(router, mac)
	conn := c.listen("10.77.0.1:6767")
	option82 := []byte("\x01\x02ab" + "\x05\x04\x0a\x4e\x00\x00" + "\x0b\x04\x0a\x4d\x00\x01" + "\x13\x00")
	relayed := func(giaddr string, more ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
		return c.packet(dhcpv4.MessageTypeDiscover, append(more, dhcpv4.WithRelay(net.ParseIP(giaddr)))...)
	}
	heard := c.hears(conn, serverAddr+":67", relayed("10.77.0.1", dhcpv4.WithGeneric(dhcpv4.OptionRelayAgentInformation, option82)), time.Second)
	if len(heard) != 1 {
		t.Fatalf("%d answers at the port that the relay agent sent from, want 1 (RFC 8357)", len(heard))
	}
	offer := heard[0]
	if offer.YourIPAddr.String() != "10.78.0.21" {
		t.Errorf("offers %s, want the address of the subnet that sub-option 5 names", offer.YourIPAddr)
	}
	if offer.ServerIdentifier().String() != "10.77.0.1" {
		t.Errorf("server identifier %s, want what sub-option 11 asks for", offer.ServerIdentifier())
	}
	if raw := string(offer.raw); !strings.HasSuffix(strings.TrimRight(raw, "\x00"), "\x52"+string(rune(len(option82)))+string(option82)+"\xff") {
		t.Errorf("option 82 is not the last, or not as it was: % x", offer.raw[240:])
	}
	// Without sub-option 19 the answer goes to port 67, where nobody listens here.
	plain := relayed("10.77.0.1", dhcpv4.WithGeneric(dhcpv4.OptionRelayAgentInformation, option82[:len(option82)-2]))
	if heard := c.hears(conn, serverAddr+":67", plain, 300*time.Millisecond); len(heard) != 0 {
		t.Errorf("%d answers at the port that the relay agent sent from, want none", len(heard))
	}
	s.loops(c, conn, offer, relayed)
}

func (s *site) loops(c *pxeClient, conn net.PacketConn, offer answered, relayed func(string, ...dhcpv4.Modifier) *dhcpv4.DHCPv4) {
	s.t.Helper()
	before := s.metric(`tugboot_dhcp_replies_total{delivery="relay",type="OFFER"}`)
	hops := relayed("10.77.0.1")
	hops.HopCount = 17
	own := slices.Clone(offer.raw)
	at := strings.Index(string(own), "\x36\x04")
	copy(own[at+2:], net.ParseIP(serverAddr).To4())
	for _, test := range []struct {
		kind, reason string
		packet       []byte
	}{
		{"DISCOVER", "RelayOwnAddress", relayed(serverAddr).ToBytes()},
		{"DISCOVER", "RelayBroadcast", relayed("192.168.2.255").ToBytes()},
		{"NONE", "RelayBroadcast", relayed("255.255.255.255").ToBytes()},
		{"NONE", "RelayLoopback", relayed("127.0.0.1").ToBytes()},
		{"NONE", "RelayMulticast", relayed("224.0.0.12").ToBytes()},
		{"NONE", "TooManyHops", hops.ToBytes()},
		{"NONE", "OwnReply", own},
		{"NONE", "NotRequest", offer.raw}, // which names the relay agent as the server
	} {
		if _, err := conn.WriteTo(test.packet, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(serverAddr+":67"))); err != nil {
			s.t.Fatal(err)
		}
		s.within(2*time.Second, "counted as "+test.reason, func() bool { return s.dhcpPackets(test.kind, test.reason) == 1 })
	}
	if after := s.metric(`tugboot_dhcp_replies_total{delivery="relay",type="OFFER"}`); after != before {
		s.t.Error(errors.New("something of it was answered"), after-before)
	}
}
