package interop

import (
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

var allClients = map[string]string{"dhclient": "isc-dhcp-client", "udhcpc": "udhcpc", "dhcpcd": "dhcpcd-base",
	"dnsmasq": "dnsmasq-base", "ip": "iproute2"}

// No client gets a single packet for a MAC that is not reserved.
func TestUnknownMachinesAreMetWithSilence(t *testing.T) {
	t.Parallel()
	need(t, allClients)
	s := newSite(t, "unknown", hardware(machine{name: "known", mac: "52:54:00:d4:00:01", address: "192.168.2.51"}))
	wire := s.tap()
	macs := []string{"52:54:00:d4:01:01", "52:54:00:d4:01:02", "52:54:00:d4:01:03", "52:54:00:d4:01:04"}
	s.write("u4.leases", remembered("192.168.2.51")) // asks for a known machine's address
	clients := []*dhcpClient{
		s.dhclient(s.host("u1", macs[0]), "u1", ""),
		s.udhcpc(s.host("u2", macs[1]), "u2"),
		s.dhcpcd(s.host("u3", macs[2]), "u3"),
		s.dhclient(s.host("u4", macs[3]), "u4", ""),
	}
	for _, mac := range macs {
		s.within(15*time.Second, mac+" asks at least twice", func() bool { return len(wire.asked(mac, dhcpv4.MessageTypeDiscover)) > 1 })
	}
	s.within(2*time.Second, "the packets are counted", func() bool { return s.dhcpPackets("DISCOVER", "NotReserved") >= 2*len(macs) })
	if s.dhcpPackets("REQUEST", "NotReserved") == 0 {
		t.Error("no REQUEST was counted as NotReserved, want the one for the remembered address")
	}
	for _, mac := range macs {
		if answers := wire.anyAnswer(mac); len(answers) != 0 {
			t.Errorf("%s got %d answers, the first %s; want silence", mac, len(answers), answers[0].MessageType())
		}
	}
	for _, c := range clients {
		for _, e := range c.all() {
			if strings.EqualFold(e["event"], "bound") {
				t.Errorf("%s has got %s%s", c.Name, e["ip"], e["new_ip_address"])
			}
		}
	}
}

// A second DHCP server on the LAN serves whom Tugboot does not know, and whoever chooses it, undisturbed.
func TestSecondServerIsLeftAlone(t *testing.T) {
	t.Parallel()
	need(t, allClients)
	const unknown, reserved, pooled, same = "52:54:00:d4:02:01", "52:54:00:d4:02:02", "52:54:00:d4:02:03", "52:54:00:d4:02:04"
	s := newSite(t, "second", hardware(
		machine{name: "ours", mac: reserved, address: "192.168.2.55"},
		machine{name: "pooled", mac: pooled, address: "192.168.2.56"},
		machine{name: "same", mac: same, address: "192.168.2.57"}))
	wire := s.tap()
	other := s.addressed("dnsmasq", "52:54:00:d4:02:99", "192.168.2.5/24")
	s.launch(other, "dnsmasq", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--bind-interfaces",
		"--user=root", "--log-facility=-", "--log-dhcp", "--no-ping", "--pid-file="+s.file("dnsmasq.pid"),
		"--dhcp-leasefile="+s.file("dnsmasq.leases"), "--dhcp-range=192.168.2.200,192.168.2.209,255.255.255.0,10m",
		"--dhcp-ignore=tag:ours", "--dhcp-host="+reserved+",set:ours", "--dhcp-host="+same+",192.168.2.57",
		"--dhcp-option=option:router,192.168.2.1")

	// dnsmasq ignores one reserved machine. Two turn Tugboot's offer down and take dnsmasq's: an address of its pool, and
	// the very address that Tugboot has offered.
	ours := s.dhclient(s.host("ours", reserved), "ours", "")
	stranger := s.dhclient(s.host("stranger", unknown), "stranger", "")
	choosesPool := s.dhclient(s.host("pooled", pooled), "pooled", "reject "+serverAddr+";\n")
	choosesSame := s.dhclient(s.host("same", same), "same", "reject "+serverAddr+";\n")

	ours.wait(15*time.Second, "BOUND").has(t, map[string]string{"new_ip_address": "192.168.2.55", "new_dhcp_server_identifier": serverAddr})
	for c, want := range map[*dhcpClient]string{stranger: "192.168.2.20", choosesPool: "192.168.2.20", choosesSame: "192.168.2.57"} {
		e := c.wait(15*time.Second, "BOUND")
		if !strings.HasPrefix(e["new_ip_address"], want) || e["new_dhcp_server_identifier"] != "192.168.2.5" {
			t.Errorf("%s has got %s from %s, want %s... from 192.168.2.5", c.Name, e["new_ip_address"], e["new_dhcp_server_identifier"], want)
		}
	}
	if answers := wire.anyAnswer(unknown); len(answers) != 0 {
		t.Errorf("the unknown machine got %d answers from Tugboot, want none", len(answers))
	}
	for _, mac := range []string{pooled, same} {
		if len(wire.answers(mac, dhcpv4.MessageTypeOffer)) == 0 {
			t.Errorf("%s had no OFFER of Tugboot's to turn down: nothing was tried", mac)
		}
		if n := len(wire.answers(mac, dhcpv4.MessageTypeNak)) + len(wire.answers(mac, dhcpv4.MessageTypeAck)); n != 0 {
			t.Errorf("%s chose the other server, and got %d ACKs and NAKs from Tugboot, want none", mac, n)
		}
	}
	s.within(2*time.Second, "each REQUEST to the other server is counted", func() bool { return s.dhcpPackets("REQUEST", "OtherServer") >= 3 })
}
