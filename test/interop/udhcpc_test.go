package interop

import (
	"syscall"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/test/lab"
)

// udhcpc starts busybox's client on a host.
func (s *site) udhcpc(h *lab.Host, name string, flags ...string) *dhcpClient {
	s.t.Helper()
	script, events := s.script(name)
	args := append([]string{"udhcpc", "-f", "-i", "eth0", "-s", script, "-t", "5", "-T", "1",
		"-O", "domain", "-O", "hostname", "-O", "dns", "-O", "router", "-O", "subnet"}, flags...)
	return &dhcpClient{site: s, host: h, events: events, Process: s.launch(h, name, args...)}
}

var udhcpcPackages = map[string]string{"udhcpc": "udhcpc", "ip": "iproute2"}

func TestUdhcpcObtainsRenewsAndReleases(t *testing.T) {
	t.Parallel()
	need(t, udhcpcPackages)
	const mac = "52:54:00:b2:00:01"
	s := newSite(t, "udhcpc", hardware(machine{name: "bb1", mac: mac, address: "192.168.2.31", lease: 600}))
	wire := s.tap()
	h := s.host("bb1", mac)
	c := s.udhcpc(h, "bb1")

	c.wait(10*time.Second, "bound").has(t, map[string]string{
		"ip": "192.168.2.31", "subnet": "255.255.255.0", "router": "192.168.2.1", "hostname": "bb1",
		"dns": "192.168.2.53 192.168.2.54", "domain": "lab.example", "lease": "600", "serverid": serverAddr,
	})
	s.holds(h, "192.168.2.31/24")

	c.signal(syscall.SIGUSR1)
	c.wait(5*time.Second, "renew").has(t, map[string]string{"ip": "192.168.2.31", "lease": "600"})
	// udhcpc misses an answer that comes before it has closed the socket that it asked from, and asks again.
	acks := wire.answers(mac, dhcpv4.MessageTypeAck)
	if last := acks[len(acks)-1]; len(acks) < 2 || last.to.String() != "192.168.2.31" || last.ethernetTo != mac {
		t.Errorf("%d ACKs, the last to %s (%s), want at least 2, the last unicast to 192.168.2.31 (%s)", len(acks), last.to, last.ethernetTo, mac)
	}

	c.signal(syscall.SIGUSR2)
	c.wait(5*time.Second, "deconfig")
	s.within(3*time.Second, "the timeline shows the release", func() bool {
		return s.happened(mac, journal.StageDHCP, "Released", "RELEASE 192.168.2.31")
	})
	s.holds(h)
	c.signal(syscall.SIGUSR1) // which makes it begin again
	c.wait(5*time.Second, "bound").has(t, map[string]string{"ip": "192.168.2.31"})
}

// RFC 2131 section 4.1: a client that cannot take unicasts before it has an address says so by the broadcast flag.
func TestUdhcpcBroadcastFlagDecidesDelivery(t *testing.T) {
	t.Parallel()
	need(t, udhcpcPackages)
	const flagged, plain = "52:54:00:b2:00:02", "52:54:00:b2:00:03"
	s := newSite(t, "flag", hardware(
		machine{name: "bb2", mac: flagged, address: "192.168.2.32"}, machine{name: "bb3", mac: plain, address: "192.168.2.33"}))
	wire := s.tap()
	withFlag, without := s.udhcpc(s.host("bb2", flagged), "bb2", "-B"), s.udhcpc(s.host("bb3", plain), "bb3")
	withFlag.wait(10*time.Second, "bound").has(t, map[string]string{"ip": "192.168.2.32"})
	without.wait(10*time.Second, "bound").has(t, map[string]string{"ip": "192.168.2.33"})

	for _, kind := range []dhcpv4.MessageType{dhcpv4.MessageTypeOffer, dhcpv4.MessageTypeAck} {
		for _, e := range wire.answers(flagged, kind) {
			if !e.broadcast() {
				t.Errorf("with the flag the %s went to %s (%s), want a broadcast", kind, e.to, e.ethernetTo)
			}
		}
		answers := wire.answers(plain, kind)
		for _, e := range answers {
			if e.to.String() != "192.168.2.33" || e.ethernetTo != plain {
				t.Errorf("without the flag the %s went to %s (%s), want 192.168.2.33 (%s)", kind, e.to, e.ethernetTo, plain)
			}
		}
		if len(answers) == 0 || len(wire.answers(flagged, kind)) == 0 {
			t.Errorf("no %s on the wire", kind)
		}
	}
}
