package interop

import (
	"syscall"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/test/lab"
)

// ownWorld gives dhcpcd empty folders where it keeps leases, sockets and process IDs, and takes its user away: without one
// it does not divide into several processes, and ends when the test does, however that ends.
const ownWorld = `mount -t tmpfs private /run && mount -t tmpfs private /var/lib && mkdir /run/dhcpcd /var/lib/dhcpcd &&
grep -v ^dhcpcd: /etc/passwd >/run/passwd && mount --bind /run/passwd /etc/passwd && exec "$@"`

// dhcpcd starts dhcpcd on a host.
func (s *site) dhcpcd(h *lab.Host, name string) *dhcpClient {
	s.t.Helper()
	script, events := s.script(name)
	s.write(name+".conf", `ipv4only
noipv4ll
duid
option subnet_mask, routers, domain_name_servers, domain_name, host_name
require dhcp_server_identifier
`)
	return &dhcpClient{site: s, host: h, events: events, Process: s.launch(h, name, "unshare", "--mount", "sh", "-c", ownWorld, "sh",
		"dhcpcd", "-B", "-4", "-d", "-f", s.file(name+".conf"), "--script", script, "eth0")}
}

var dhcpcdPackages = map[string]string{"dhcpcd": "dhcpcd-base", "ip": "iproute2", "unshare": "util-linux"}

func TestDhcpcdObtainsAndReleases(t *testing.T) {
	t.Parallel()
	need(t, dhcpcdPackages)
	const mac = "52:54:00:c3:00:01"
	s := newSite(t, "dhcpcd", hardware(machine{name: "cd1", mac: mac, address: "192.168.2.41", lease: 600}))
	wire := s.tap()
	h := s.host("cd1", mac)
	c := s.dhcpcd(h, "cd1")

	c.wait(20*time.Second, "BOUND").has(t, map[string]string{
		"new_ip_address": "192.168.2.41", "new_subnet_mask": "255.255.255.0", "new_routers": "192.168.2.1",
		"new_domain_name_servers": "192.168.2.53 192.168.2.54", "new_host_name": "cd1", "new_domain_name": "lab.example",
		"new_dhcp_lease_time": "600", "new_dhcp_server_identifier": serverAddr,
	})
	s.holds(h, "192.168.2.41/24")
	ack := wire.answers(mac, dhcpv4.MessageTypeAck)[0]
	if t1, t2 := ack.IPAddressRenewalTime(0), ack.IPAddressRebindingTime(0); t1 != 300*time.Second || t2 != 525*time.Second {
		t.Errorf("T1 %v and T2 %v on the wire, want 5m0s and 8m45s of a lease of 10m0s", t1, t2)
	}
	asked := wire.asked(mac, dhcpv4.MessageTypeRequest)[0]
	if got, want := ack.Options.Get(dhcpv4.OptionClientIdentifier), asked.Options.Get(dhcpv4.OptionClientIdentifier); len(want) == 0 || string(got) != string(want) {
		t.Errorf("client identifier %x echoed as %x", want, got)
	}

	c.signal(syscall.SIGALRM) // its word for "release and end"
	s.within(5*time.Second, "the timeline shows the release", func() bool {
		return s.happened(mac, journal.StageDHCP, "Released", "RELEASE 192.168.2.41")
	})
	<-c.Done()
	s.holds(h)
}

// Another host holds the reserved address: the client declines it, which Tugboot reports, and takes it once it is free.
func TestDhcpcdDeclinesAddressInUse(t *testing.T) {
	t.Parallel()
	need(t, dhcpcdPackages)
	const mac = "52:54:00:c3:00:02"
	s := newSite(t, "decline", hardware(machine{name: "cd2", mac: mac, address: "192.168.2.42"}))
	wire := s.tap()
	squatter := s.addressed("squatter", "52:54:00:c3:00:99", "192.168.2.42/24")
	h := s.host("cd2", mac)
	c := s.dhcpcd(h, "cd2")

	s.within(25*time.Second, "dhcpcd declines the address", func() bool { return s.dhcpPackets("DECLINE", "Declined") > 0 })
	s.holds(h)
	lines := s.logged(map[string]string{"level": "error", "reason": "Declined", "mac": mac})
	if len(lines) == 0 {
		t.Error("the log has no error with reason Declined and the machine's MAC")
	}
	if !s.happened(mac, journal.StageDHCP, "Declined", "DECLINE 192.168.2.42") {
		t.Error("the timeline does not tell of the DECLINE")
	}
	decline := wire.asked(mac, dhcpv4.MessageTypeDecline)[0]
	for _, e := range wire.anyAnswer(mac) {
		if e.TransactionID == decline.TransactionID && e.MessageType() == dhcpv4.MessageTypeNak {
			t.Error("the DECLINE was answered; RFC 2131 has no answer to it")
		}
	}

	s.run(squatter.Namespace, "ip", "address", "flush", "dev", "eth0")
	c.wait(40*time.Second, "BOUND").has(t, map[string]string{"new_ip_address": "192.168.2.42"})
	s.holds(h, "192.168.2.42/24")
}
