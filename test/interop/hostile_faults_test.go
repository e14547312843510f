package interop

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/test/lab"
)

// faulty is a site on which the server's host is disturbed.
type faulty struct {
	*site
	hall   *hall
	reader *lab.Host
	file   []byte
}

const readerMAC = "52:54:00:c8:00:04"

func newFaulty(t *testing.T, name string, flags ...string) *faulty {
	t.Helper()
	s := newSite(t, name, hallHardware(1)+hardware(machine{name: "reader", mac: readerMAC, address: "192.168.2.91"}), append(flags, "--log-level=info")...)
	file, err := os.ReadFile(filepath.Join(suite.ipxe, "undionly.kpxe"))
	if err != nil {
		t.Fatal(err)
	}
	f := &faulty{site: s, hall: s.newHall(), reader: s.addressed("reader", readerMAC, "192.168.2.91/24"), file: file}
	f.serves("at first")
	return f
}

// serves asserts that everything is served: a machine behind the relay agent, one on the LAN, a file by TFTP, syslog.
func (f *faulty) serves(when string) {
	f.t.Helper()
	if _, err := f.hall.boot(0); err != nil {
		f.t.Errorf("%s: behind the relay agent: %v", when, err)
	}
	if err := f.direct(); err != nil {
		f.t.Errorf("%s: on the LAN: %v", when, err)
	}
	conn := f.listenUDP(f.reader, "192.168.2.91:0")
	defer conn.Close()
	if got, err := readFile(conn, "undionly.kpxe"); err != nil || !bytes.Equal(got, f.file) {
		f.t.Errorf("%s: TFTP gives %d bytes: %v", when, len(got), err)
	}
	before := f.metric(`tugboot_syslog_messages_total{reason="Received",transport="udp"}`)
	if _, err := conn.WriteTo([]byte("<13>reader: here"), &net.UDPAddr{IP: net.ParseIP(serverAddr), Port: 514}); err != nil {
		f.t.Error(err)
	}
	f.within(time.Second, when+": a line of syslog arrives", func() bool {
		return f.metric(`tugboot_syslog_messages_total{reason="Received",transport="udp"}`) == before+1
	})
}

// direct sends a DISCOVER from the LAN to which the answer is broadcast.
func (f *faulty) direct() error {
	f.t.Helper()
	conn := f.listenUDP(f.reader, "0.0.0.0:68")
	defer conn.Close()
	mac, err := net.ParseMAC(readerMAC)
	if err != nil {
		return err
	}
	discover, err := dhcpv4.NewDiscovery(mac, firmware, dhcpv4.WithBroadcast(true))
	if err != nil {
		return err
	}
	if _, err := conn.WriteTo(discover.ToBytes(), &net.UDPAddr{IP: net.ParseIP(serverAddr), Port: 67}); err != nil {
		return err
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	b := make([]byte, 2048)
	for {
		n, err := conn.Read(b)
		if err != nil {
			return err
		}
		if answer, err := dhcpv4.FromBytes(b[:n]); err == nil && answer.TransactionID == discover.TransactionID {
			return nil
		}
	}
}

// ip runs ip(8) commands on the server's host.
func (f *faulty) ip(commands ...[]string) {
	f.t.Helper()
	for _, c := range commands {
		f.run(f.Server, append([]string{"ip"}, c...)...)
	}
}

// The sockets are those of the start, bound to the interface by name, whatever becomes of the interface.
func TestHostileInterfaceComesAndGoes(t *testing.T) {
	need(t, map[string]string{"ip": "iproute2"})
	f := newFaulty(t, "faults")
	route := []string{"route", "replace", hallNet, "dev", lab.ServerInterface}
	for range 3 {
		f.ip([]string{"link", "set", lab.ServerInterface, "down"}, []string{"link", "set", lab.ServerInterface, "up"}, route)
	}
	f.settled()
	f.serves("after a flap")

	f.ip([]string{"link", "set", lab.ServerInterface, "down"}, []string{"link", "set", lab.ServerInterface, "name", "renamed0"},
		[]string{"link", "set", "renamed0", "up"}, []string{"route", "replace", hallNet, "dev", "renamed0"})
	f.settled()
	f.serves("under another name")
	if lines := f.logged(map[string]string{"msg": "answered", "interface": "renamed0"}); len(lines) == 0 {
		t.Error("the log does not know the interface's new name")
	}
	f.ip([]string{"link", "set", "renamed0", "down"}, []string{"link", "set", "renamed0", "name", lab.ServerInterface},
		[]string{"link", "set", lab.ServerInterface, "up"}, route)

	f.ip([]string{"address", "add", "192.168.2.113/24", "dev", lab.ServerInterface}, []string{"address", "del", serverAddr + "/24", "dev", lab.ServerInterface},
		[]string{"address", "replace", serverAddr + "/24", "dev", lab.ServerInterface}, route)
	f.settled()
	f.serves("after its address went and came")
}

// settled waits until the interface carries packets again, which takes the kernel up to a second.
func (f *faulty) settled() {
	f.t.Helper()
	f.within(10*time.Second, "packets go to and fro again", func() bool {
		_, err := f.hall.boot(0)
		return err == nil
	})
}

// A firewall that refuses what is sent, and a full queue of the network card, cost the answers of that time and nothing else.
func TestHostileSendingIsRefused(t *testing.T) {
	need(t, map[string]string{"nft": "nftables", "tc": "iproute2"})
	f := newFaulty(t, "refused")
	v := f.watch()
	f.run(f.Server, "nft", "add table ip refuse; add chain ip refuse out { type filter hook output priority 0; }; add rule ip refuse out udp sport {67, 69} drop")
	failed := f.metric(`tugboot_dhcp_send_errors_total{delivery="relay"}`)
	wait := f.fire(f.hall.host, volley{from: fromRelay, to: dhcpPort, total: 150, rate: 1000, payload: func(int) []byte { return f.hall.discover(0).ToBytes() }})
	wait()
	f.within(2*time.Second, "150 answers could not be sent", func() bool {
		return f.metric(`tugboot_dhcp_send_errors_total{delivery="relay"}`) == failed+150
	})
	if lines := f.logged(map[string]string{"msg": "send a DHCP reply; the machine will ask again"}); len(lines) < 1 || len(lines) > 100 {
		t.Errorf("%d lines for 150 answers that were refused", len(lines))
	}
	conn := f.listenUDP(f.reader, "192.168.2.91:0")
	if _, err := conn.WriteToUDPAddrPort([]byte("\x00\x01undionly.kpxe\x00octet\x00"), tftpPort); err != nil {
		t.Fatal(err)
	}
	f.within(2*time.Second, "the transfer ended as SendFailed", func() bool { return f.metric(`tugboot_tftp_requests_total{reason="SendFailed"}`) > 0 })
	f.run(f.Server, "nft", "delete table ip refuse")
	f.serves("when the firewall was opened")

	// A queue that takes nothing: what is sent by link-layer unicast fails with ENOBUFS, the rest is lost without a word.
	f.run(f.Server, "tc", "qdisc", "add", "dev", lab.ServerInterface, "root", "tbf", "rate", "8bit", "burst", "10", "limit", "10")
	failed = f.metric(`tugboot_dhcp_send_errors_total{delivery="link-layer"}`)
	unicast, err := dhcpv4.NewDiscovery(net.HardwareAddr{0x52, 0x54, 0, 0xc8, 0, 4}, firmware)
	if err != nil {
		t.Fatal(err)
	}
	f.fire(f.reader, volley{from: fromAttacker(68), to: dhcpPort, total: 5, rate: 100, payload: func(int) []byte { return unicast.ToBytes() }})()
	f.within(2*time.Second, "5 frames could not be sent", func() bool {
		return f.metric(`tugboot_dhcp_send_errors_total{delivery="link-layer"}`) == failed+5
	})
	f.run(f.Server, "tc", "qdisc", "del", "dev", lab.ServerInterface, "root")
	f.serves("when the queue had room again")
	v.unharmed(1 << 20)
}
