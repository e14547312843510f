package interop

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/tugboot/tugboot/test/lab"
)

var dhcpPort = netip.MustParseAddrPort(serverAddr + ":67")

// attacker is a host that does not behave.
func (s *site) attacker() *lab.Host {
	return s.addressed("attacker", "52:54:00:bb:00:01", "192.168.2.66/24")
}

func fromAttacker(port uint16) func(int) netip.AddrPort {
	return func(int) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr("192.168.2.66"), port) }
}

func fromRelay(int) netip.AddrPort { return netip.MustParseAddrPort(hallRelay + ":67") }

// 5,000 machines behind one relay agent that are switched on in the same moment all get their address.
func TestHostileSwitchedOnAtOnce(t *testing.T) {
	const machines = 5000
	s := newSite(t, "hall", hallHardware(machines), "--log-level=info")
	h := s.newHall()
	v := s.watch()
	discovers := make([][]byte, machines)
	for n := range discovers {
		discovers[n] = h.discover(n).ToBytes()
	}
	before := h.answered()
	start := time.Now()
	burst := s.fire(h.host, volley{to: dhcpPort, total: machines, payload: func(n int) []byte { return discovers[n] },
		from: fromRelay})()
	s.within(patience, "an answer to each DISCOVER", func() bool { return h.answered() == before+machines })
	t.Logf("%d DISCOVERs within %v, the last OFFER after %v at most", burst.sent, burst.took.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))

	start = time.Now()
	took := h.power(0, machines-1, 0)
	t.Logf("%d machines had their addresses %v after the first was switched on", len(took), time.Since(start).Round(time.Millisecond))
	if len(took) != machines {
		t.Errorf("%d of %d machines", len(took), machines)
	}
	for _, metric := range []string{"tugboot_dhcp_kernel_dropped_total", "tugboot_dhcp_queue_dropped_total"} {
		if n := s.metric(metric); n != 0 {
			t.Errorf("%s is %d", metric, n)
		}
	}
	v.unharmed(8 << 20)
}

// A machine gone mad asks 20,000 times a second while 1,000 others boot.
func TestHostileFloodOfOneMachine(t *testing.T) {
	const machines, rate, seconds = 1000, 20_000, 8
	s := newSite(t, "mad", hallHardware(machines+1), "--log-level=info")
	h, mad := s.newHall(), s.attacker()
	before, answered := s.sum("tugboot_dhcp_packets_total"), h.answered()
	request := h.discover(machines).ToBytes()
	v := s.watch()
	wait := s.fire(mad, volley{from: fromAttacker(67), to: dhcpPort, total: rate * seconds, rate: rate, payload: func(int) []byte { return request }})
	took := h.power(0, machines-1, seconds*time.Second/machines*9/10)
	flood := wait()
	t.Logf("the flood: %v", flood)
	quickEnough(t, "DISCOVER to ACK", took, maxSlowness)
	s.within(2*time.Second, "all packets are counted", func() bool {
		return s.sum("tugboot_dhcp_packets_total")+s.metric("tugboot_dhcp_kernel_dropped_total") == before+flood.sent+2*machines
	})
	// 100 a second and 200 at once are looked at, and only those answered.
	turned, most := s.dhcpPackets("NONE", "MachineRate"), 200+100*int(flood.took.Seconds()+1)
	if turned < flood.sent-most {
		t.Errorf("of %d packets %d were turned away, want all but %d", flood.sent, turned, most)
	}
	if n := h.answered() - answered - 2*machines; n < 200 || n > most {
		t.Errorf("the mad machine was answered %d times, want 200 to %d", n, most)
	}
	v.unharmed(4 << 20)
}

// Packets of nonsense: half are random bytes, half a DHCP header with random options. With the limits of every day machines
// boot meanwhile; without limits, a million come as fast as this computer can send.
func TestHostileMillionRandomPackets(t *testing.T) {
	for _, test := range []struct {
		name          string
		packets, rate int
		machines      int
		flags         []string
	}{
		{name: "limited", packets: 60_000, rate: 10_000, machines: 500},
		{name: "unlimited", packets: 1_000_000, flags: []string{"--dhcp-machine-rate=10000000", "--dhcp-total-rate=10000000"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, "random-"+test.name, hallHardware(1000), append([]string{"--log-level=info"}, test.flags...)...)
			h, stranger := s.newHall(), s.attacker()
			before := s.sum("tugboot_dhcp_packets_total")
			v := s.watch()
			wait := s.fire(stranger, volley{from: fromAttacker(68), to: dhcpPort, total: test.packets, rate: test.rate, payload: nonsense()})
			booted := test.machines
			if booted > 0 {
				quickEnough(t, "DISCOVER to ACK", h.power(0, booted-1, 8*time.Millisecond), maxSlowness)
			}
			flood := wait()
			t.Logf("the flood: %v", flood)
			time.Sleep(200 * time.Millisecond) // until the queue is empty
			if _, err := h.boot(999); err != nil {
				t.Error(err)
			}
			dropped := s.metric("tugboot_dhcp_kernel_dropped_total")
			counted := s.sum("tugboot_dhcp_packets_total") + dropped - before - 2*(booted+1)
			if counted > flood.sent || counted < flood.sent/2 { // the cable between may lose some
				t.Errorf("%d packets were sent and %d counted", flood.sent, counted)
			}
			t.Logf("%d were counted, %d of them dropped by the kernel:\n%s", counted, dropped, s.reasons("tugboot_dhcp_packets_total"))
			v.unharmed(24 << 20)
		})
	}
}

// nonsense returns a source of packets, the same every time. One in sixteen names a machine of the hall.
func nonsense() func(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	buffer := make([]byte, 600)
	return func(n int) []byte {
		b := buffer[:random.IntN(len(buffer))]
		for rest := b; len(rest) >= 8; rest = rest[8:] {
			binary.NativeEndian.PutUint64(rest, random.Uint64())
		}
		if n%2 == 0 && len(b) > 244 {
			clear(b[:28])
			clear(b[34:240])
			b[0], b[1], b[2] = 1, 1, 6
			b[28] &^= 1
			if n%16 == 0 {
				copy(b[28:], hallMAC(n/16%1000))
			}
			copy(b[236:], []byte{0x63, 0x82, 0x53, 0x63, 53, 1, 1 + b[243]%8})
			for options := b[243:]; len(options) > 2; options = options[2+int(options[1]):] {
				options[1] = byte(min(int(options[1]%16), len(options)-2))
			}
		}
		return b
	}
}
