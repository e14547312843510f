package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/test/lab"
)

// impatient keeps dhclient from waiting for minutes; statements are added to it.
const impatient = `timeout 20; retry 1; reboot 2; select-timeout 0; initial-interval 1; backoff-cutoff 2;
send host-name "what-it-calls-itself";
request subnet-mask, routers, domain-name-servers, host-name, domain-name, dhcp-lease-time, dhcp-renewal-time, dhcp-rebinding-time;
`

// dhclient starts ISC dhclient on a host. Its leases file is NAME.leases in the site's folder.
func (s *site) dhclient(h *lab.Host, name, statements string) *dhcpClient {
	s.t.Helper()
	script, events := s.script(name)
	s.write(name+".conf", impatient+statements)
	if _, err := os.Stat(s.file(name + ".leases")); err != nil {
		s.write(name+".leases", "")
	}
	return &dhcpClient{site: s, host: h, events: events, Process: s.launch(h, name, s.dhclientArgs(name, script, "-d")...)}
}

func (s *site) dhclientArgs(name, script, mode string) []string {
	return []string{"dhclient", "-4", mode, "-v", "-cf", s.file(name + ".conf"), "-lf", s.file(name + ".leases"),
		"-pf", s.file(name + ".pid"), "-sf", script, "eth0"}
}

// release makes the running dhclient give its address up and end.
func (c *dhcpClient) release(name string) {
	c.site.t.Helper()
	script, _ := c.site.script(name)
	c.site.run(c.host.Namespace, c.site.dhclientArgs(name, script, "-r")...)
	<-c.Done()
}

func (s *site) file(name string) string { return filepath.Join(s.Dir, name) }

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.file(name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

var dhclientPackages = map[string]string{"dhclient": "isc-dhcp-client", "ip": "iproute2"}

func TestDhclientObtainsRenewsAndReleases(t *testing.T) {
	t.Parallel()
	need(t, dhclientPackages)
	const mac = "52:54:00:a1:00:01"
	s := newSite(t, "dhclient", hardware(machine{name: "isc1", mac: mac, address: "192.168.2.21", lease: 8}))
	wire := s.tap()
	h := s.host("isc1", mac)
	c := s.dhclient(h, "isc1", "")

	c.wait(10*time.Second, "BOUND").has(t, map[string]string{
		"new_ip_address": "192.168.2.21", "new_subnet_mask": "255.255.255.0", "new_routers": "192.168.2.1",
		"new_domain_name_servers": "192.168.2.53 192.168.2.54", "new_host_name": "isc1", "new_domain_name": "lab.example",
		"new_dhcp_lease_time": "8", "new_dhcp_renewal_time": "4", "new_dhcp_rebinding_time": "7",
		"new_dhcp_server_identifier": serverAddr,
	})
	s.holds(h, "192.168.2.21/24")
	if got := s.run(h.Namespace, "ip", "route", "show", "default"); !strings.Contains(got, "via 192.168.2.1 ") {
		t.Errorf("default route %q, want one via 192.168.2.1", got)
	}

	c.wait(10*time.Second, "RENEW").has(t, map[string]string{"new_ip_address": "192.168.2.21", "new_dhcp_lease_time": "8"})
	renewals := wire.answers(mac, dhcpv4.MessageTypeAck)
	renewal := renewals[len(renewals)-1]
	if renewal.to.String() != "192.168.2.21" || renewal.ethernetTo != mac || renewal.ClientIPAddr.String() != "192.168.2.21" {
		t.Errorf("the ACK of the renewal went to %s (%s) with ciaddr %s, want unicast to 192.168.2.21 (%s)",
			renewal.to, renewal.ethernetTo, renewal.ClientIPAddr, mac)
	}

	c.release("isc1")
	s.within(3*time.Second, "the timeline shows the release", func() bool {
		return s.happened(mac, journal.StageDHCP, "Released", "RELEASE 192.168.2.21")
	})
	s.holds(h)
	again := s.dhclient(h, "isc1", "")
	again.read = len(again.all())
	again.wait(10*time.Second, "BOUND").has(t, map[string]string{"new_ip_address": "192.168.2.21"})
	if n := len(wire.asked(mac, dhcpv4.MessageTypeDiscover)); n < 2 {
		t.Errorf("%d DISCOVERs on the wire, want one before and one after the release", n)
	}
}

// The server is away when T1 comes and is back after T2: the client keeps its address and its lease is extended.
func TestDhclientRebindsAfterServerWasAway(t *testing.T) {
	t.Parallel()
	need(t, dhclientPackages)
	const mac = "52:54:00:a1:00:02"
	s := newSite(t, "rebind", hardware(machine{name: "isc2", mac: mac, address: "192.168.2.22", lease: 24}))
	wire := s.tap()
	h := s.host("isc2", mac)
	// The client's own T1 and T2, which leave more of the lease for rebinding than the server's would.
	c := s.dhclient(h, "isc2", "supersede dhcp-renewal-time 3; supersede dhcp-rebinding-time 5;\n")
	c.wait(10*time.Second, "BOUND").has(t, map[string]string{"new_ip_address": "192.168.2.22", "new_dhcp_lease_time": "24"})

	s.tugboot.Stop(10 * time.Second)
	rebinding := func(e exchanged) bool {
		return e.ClientHWAddr.String() == mac && e.broadcast() && e.MessageType() == dhcpv4.MessageTypeRequest &&
			e.ClientIPAddr.String() == "192.168.2.22"
	}
	s.within(20*time.Second, "dhclient asks everybody to extend its lease", func() bool { return len(wire.find(rebinding)) > 0 })
	before := len(wire.answers(mac, dhcpv4.MessageTypeAck))
	s.start()
	// dhclient calls it RENEW, whichever way it asked.
	c.wait(15*time.Second, "RENEW", "REBIND").has(t, map[string]string{"new_ip_address": "192.168.2.22", "new_dhcp_lease_time": "24"})
	ack := wire.answers(mac, dhcpv4.MessageTypeAck)[before]
	if ack.TransactionID != wire.find(rebinding)[0].TransactionID || ack.to.String() != "192.168.2.22" {
		t.Errorf("ACK %s to %s, want one of the transaction of the broadcast REQUEST, to 192.168.2.22", ack.TransactionID, ack.to)
	}
	for _, e := range c.all() {
		if e["event"] == "EXPIRE" || e["event"] == "FAIL" {
			t.Errorf("dhclient reports %s: it lost its address on the way", e["event"])
		}
	}
	s.holds(h, "192.168.2.22/24")
	if n := len(wire.answers(mac, dhcpv4.MessageTypeNak)); n != 0 {
		t.Errorf("%d NAKs on the wire, want none", n)
	}
}

// remembered is a leases file of a client that believes it holds address.
func remembered(address string) string {
	at := func(d time.Duration) string { return time.Now().UTC().Add(d).Format("1 2006/01/02 15:04:05") }
	return fmt.Sprintf(`lease {
  interface "eth0";
  fixed-address %s;
  option subnet-mask 255.255.255.0;
  option dhcp-lease-time 7200;
  option dhcp-message-type 5;
  option dhcp-server-identifier %s;
  renew %s;
  rebind %s;
  expire %s;
}
`, address, serverAddr, at(time.Hour), at(90*time.Minute), at(2*time.Hour))
}

func TestDhclientRebootsWithRememberedAddress(t *testing.T) {
	t.Parallel()
	need(t, dhclientPackages)
	const wrongMAC, rightMAC = "52:54:00:a1:00:03", "52:54:00:a1:00:04"
	s := newSite(t, "initreboot", hardware(
		machine{name: "isc3", mac: wrongMAC, address: "192.168.2.23"},
		machine{name: "isc4", mac: rightMAC, address: "192.168.2.24"}))
	wire := s.tap()
	s.write("isc3.leases", remembered("192.168.2.250"))
	s.write("isc4.leases", remembered("192.168.2.24"))
	wrong, right := s.host("isc3", wrongMAC), s.host("isc4", rightMAC)
	moved, kept := s.dhclient(wrong, "isc3", ""), s.dhclient(right, "isc4", "")

	kept.wait(10*time.Second, "REBOOT").has(t, map[string]string{"new_ip_address": "192.168.2.24"})
	if n := len(wire.asked(rightMAC, dhcpv4.MessageTypeDiscover)); n != 0 {
		t.Errorf("the machine with the right address sent %d DISCOVERs, want none", n)
	}
	moved.wait(15*time.Second, "BOUND").has(t, map[string]string{"new_ip_address": "192.168.2.23"})
	s.holds(wrong, "192.168.2.23/24")
	naks := wire.answers(wrongMAC, dhcpv4.MessageTypeNak)
	if len(naks) != 1 {
		t.Fatalf("%d NAKs for the wrong address on the wire, want 1", len(naks))
	}
	nak := naks[0]
	if !nak.broadcast() || nak.ServerIdentifier().String() != serverAddr || !nak.YourIPAddr.IsUnspecified() {
		t.Errorf("the NAK went to %s (%s) with server identifier %s and yiaddr %s, want a broadcast from %s that gives no address",
			nak.to, nak.ethernetTo, nak.ServerIdentifier(), nak.YourIPAddr, serverAddr)
	}
	if !s.happened(wrongMAC, journal.StageDHCP, "WrongAddress", "REQUEST 192.168.2.250 -> NAK") {
		t.Error("the timeline does not tell of the NAK for 192.168.2.250")
	}
}
