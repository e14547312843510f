package interop

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"
)

// A machine that logs 100,000 lines a second silences nobody else, and slows no boot.
func TestHostileSyslogFlood(t *testing.T) {
	const rate, seconds = 100_000, 5
	const mac = "52:54:00:c8:00:03"
	s := newSite(t, "lines", hallHardware(1)+hardware(machine{name: "calm", mac: mac, address: "192.168.2.91"}), "--log-level=info")
	h, attacker, calm := s.newHall(), s.attacker(), s.addressed("calm", mac, "192.168.2.91/24")
	port := netip.MustParseAddrPort(serverAddr + ":514")
	line := []byte("<13>Nov 27 06:00:00 mad kernel: " + string(make([]byte, 60)) + "\x1b[31mover and over")
	conn := s.listenUDP(calm, "192.168.2.91:0")
	v := s.watch()
	wait := s.fire(attacker, volley{from: fromAttacker(514), to: port, total: rate * seconds, rate: rate, payload: func(int) []byte { return line }})
	var booted []time.Duration
	said := 0
	for end := time.Now().Add(seconds * time.Second); time.Now().Before(end); said++ {
		booted = append(booted, h.power(0, 0, 20*time.Millisecond)...)
		if _, err := conn.WriteTo(fmt.Appendf(nil, "<13>calm[1]: line %d", said), net.UDPAddrFromAddrPort(port)); err != nil {
			t.Fatal(err)
		}
	}
	flood := wait()
	t.Logf("the flood: %v", flood)
	quickEnough(t, "DISCOVER to ACK", booted, maxSlowness)
	time.Sleep(200 * time.Millisecond)
	heard := len(s.logged(map[string]string{"logger": "syslog", "machine": mac}))
	t.Logf("%d of the other machine's %d lines were heard:\n%s", heard, said, s.reasons("tugboot_syslog_messages_total"))
	if heard < said/2 { // syslog over UDP may lose some, and what the kernel has no room for it drops
		t.Errorf("only %d of the other machine's %d lines were heard", heard, said)
	}
	if received := s.metric(`tugboot_syslog_messages_total{reason="Received",transport="udp"}`); received > 2000+200*(seconds+3)+said {
		t.Errorf("%d lines were written", received)
	}
	v.unharmed(8 << 20)
}
