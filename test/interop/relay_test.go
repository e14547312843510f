package interop

import (
	"slices"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/test/lab"
)

// behindRelay makes a host on 10.77.0.0/24, which a router with ISC dhcrelay joins to the LAN. Flags are dhcrelay's.
func (s *site) behindRelay(name, mac string, flags ...string) *lab.Host {
	s.t.Helper()
	router := s.addressed("router", "52:54:00:e5:00:99", "192.168.2.1/24")
	h, err := s.AddHost(s.ctx, name)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := router.Connect(s.ctx, "eth1", "52:54:00:e5:00:98", h, "eth0", mac); err != nil {
		s.t.Fatal(err)
	}
	s.run(router.Namespace, "ip", "address", "add", "10.77.0.1/24", "dev", "eth1")
	s.run(router.Namespace, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
	s.run(s.Server, "ip", "route", "add", "10.77.0.0/24", "via", "192.168.2.1")
	args := append([]string{"dhcrelay", "-4", "-d", "--no-pid"}, flags...)
	s.launch(router, "dhcrelay", append(args, "-id", "eth1", "-iu", "eth0", serverAddr)...)
	return h
}

var relayPackages = map[string]string{"dhcrelay": "isc-dhcp-relay", "dhclient": "isc-dhcp-client", "ip": "iproute2"}

func TestRelay(t *testing.T) {
	const mac = "52:54:00:e5:00:01"
	for _, test := range []struct {
		name     string
		flags    []string
		option82 bool
	}{
		{name: "plain"},
		{name: "option82", flags: []string{"-a"}, option82: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			need(t, relayPackages)
			s := newSite(t, "relay-"+test.name, hardware(machine{name: "far", mac: mac, address: "10.77.0.21", lease: 8}))
			wire := s.tap()
			h := s.behindRelay("far", mac, test.flags...)
			c := s.dhclient(h, "far", "")
			c.wait(15*time.Second, "BOUND").has(t, map[string]string{"new_ip_address": "10.77.0.21", "new_subnet_mask": "255.255.255.0",
				"new_routers": "10.77.0.1", "new_host_name": "far", "new_dhcp_lease_time": "8", "new_dhcp_server_identifier": serverAddr})
			s.holds(h, "10.77.0.21/24")

			asked, offer := wire.asked(mac, dhcpv4.MessageTypeDiscover)[0], wire.answers(mac, dhcpv4.MessageTypeOffer)[0]
			if offer.to.String() != "10.77.0.1" || offer.GatewayIPAddr.String() != "10.77.0.1" {
				t.Errorf("the OFFER went to %s with giaddr %s, want the relay agent 10.77.0.1 twice", offer.to, offer.GatewayIPAddr)
			}
			said, echoed := asked.Options.Get(dhcpv4.OptionRelayAgentInformation), offer.Options.Get(dhcpv4.OptionRelayAgentInformation)
			if (len(said) > 0) != test.option82 || string(said) != string(echoed) {
				t.Errorf("option 82 %x echoed as %x, want the same (and any at all: %t)", said, echoed, test.option82)
			}

			// Renewing goes past the relay agent, straight through the router.
			c.wait(15*time.Second, "RENEW").has(t, map[string]string{"new_ip_address": "10.77.0.21"})
			// dhcrelay also relays a copy of what it sees pass, which is answered too; the straight answer is what counts here.
			straight := func(e exchanged) bool { return e.to.String() == "10.77.0.21" && e.GatewayIPAddr.IsUnspecified() }
			if acks := wire.answers(mac, dhcpv4.MessageTypeAck); !slices.ContainsFunc(acks, straight) {
				t.Errorf("none of %d ACKs went straight to 10.77.0.21", len(acks))
			}
		})
	}
}

// A machine whose reserved address is not of the subnet it asks from could not use it.
func TestRelayedFromWrongSubnet(t *testing.T) {
	t.Parallel()
	need(t, relayPackages)
	const mac = "52:54:00:e5:00:02"
	s := newSite(t, "wrongsubnet", hardware(machine{name: "strayed", mac: mac, address: "192.168.2.61"}))
	wire := s.tap()
	c := s.dhclient(s.behindRelay("strayed", mac), "strayed", "")
	s.within(15*time.Second, "two DISCOVERs are counted as WrongSubnet", func() bool { return s.dhcpPackets("DISCOVER", "WrongSubnet") > 1 })
	if answers := wire.anyAnswer(mac); len(answers) != 0 {
		t.Errorf("the machine on the wrong subnet got %d answers, want none", len(answers))
	}
	for _, e := range c.all() {
		if e["event"] == "BOUND" {
			t.Errorf("dhclient got the address %s", e["new_ip_address"])
		}
	}
}
