package dhcpd

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/tugboot/tugboot/internal/dhcp4"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/server/limit"
)

// hall is n machines with reservations.
func hall(n int) []*reservation.Reservation {
	list := make([]*reservation.Reservation, n)
	for i := range list {
		list[i] = &reservation.Reservation{
			MAC: numbered(1, i), Address: reservation.PrefixOf(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 8, byte(i >> 8), byte(i)}), 16)),
			Settings: &reservation.Settings{Lease: 60},
		}
	}
	return list
}

func numbered(group byte, n int) reservation.MAC {
	return reservation.MAC{0x52, 0x54, group, byte(n >> 16), byte(n >> 8), byte(n)}
}

// arrive has a packet from the one relay agent that there is taken into account.
func arrive(s *Server, mac reservation.MAC, now time.Time) bool {
	p := &packet{from: netip.AddrPortFrom(relayAddr, 67), at: now}
	p.size = copy(p.buffer[:], withGIAddr(request(mac, dhcp4.TypeDiscover), relayAddr))
	return s.admit(p)
}

func hallServer(t testing.TB, machines int) *Server {
	c := testConfig(logr.Discard())
	c.Snapshot = storeOf(hall(machines)).Load
	return offline(t, c)
}

func TestHallBehindOneRelayLosesNothing(t *testing.T) {
	const machines, asks = 5000, 8 // DISCOVER and REQUEST by firmware and by iPXE, each once more for want of patience
	s, now := hallServer(t, machines), time.Now()
	for range asks {
		for n := range machines {
			if !arrive(s, numbered(1, n), now) {
				t.Fatalf("a packet of machine %d was turned away", n)
			}
		}
	}
}

func TestFloodOfOneMachineIsItsOwnMatter(t *testing.T) {
	s, now := hallServer(t, 1000), time.Now()
	admitted := 0
	for range 20_000 {
		if arrive(s, numbered(1, 0), now) {
			admitted++
		}
	}
	if turned := count(s, "NONE", "MachineRate"); admitted != 200 || turned != 19_800 {
		t.Errorf("%d of its packets were looked at, %v counted as MachineRate", admitted, turned)
	}
	for n := range 999 {
		if !arrive(s, numbered(1, n+1), now) {
			t.Fatalf("machine %d was turned away for it", n+1)
		}
	}
	if !arrive(s, numbered(1, 0), now.Add(time.Second)) {
		t.Error("a second later it is still turned away")
	}
}

func TestFloodOfInventedMachinesTakesNothingFromReservedOnes(t *testing.T) {
	s, now := hallServer(t, 1000), time.Now()
	admitted := 0
	for n := range 100_000 {
		if arrive(s, numbered(9, n), now) {
			admitted++
		}
	}
	if turned := count(s, "NONE", "StrangerRate"); admitted != 10_000 || turned != 90_000 {
		t.Errorf("%d strangers' packets were looked at, %v counted as StrangerRate", admitted, turned)
	}
	for n := range 1000 {
		if !arrive(s, numbered(1, n), now) {
			t.Fatalf("machine %d was turned away for it", n)
		}
	}
	short, later := &packet{size: 33, at: now}, &packet{size: 33, at: now.Add(time.Second)}
	if s.admit(short) || !s.admit(later) {
		t.Error("a packet that names no sender is not taken for a stranger's")
	}
}

func TestReservedMachinesHaveALimitTogether(t *testing.T) {
	c := testConfig(logr.Discard())
	c.Snapshot = storeOf(hall(100)).Load
	c.Limits.Reserved = limit.Rate{PerSecond: 10, Burst: 60}
	s, now := offline(t, c), time.Now()
	admitted := 0
	for n := range 100 {
		if arrive(s, numbered(1, n), now) {
			admitted++
		}
	}
	if turned := count(s, "NONE", "TotalRate"); admitted != 60 || turned != 40 {
		t.Errorf("%d packets were looked at, %v counted as TotalRate", admitted, turned)
	}
}

// A line for each packet is what a flood would fill a disk with.
func TestLogLinesOfAFloodAreBounded(t *testing.T) {
	discover := withBroadcast(request(clientMAC, dhcp4.TypeDiscover))
	for name, test := range map[string]struct {
		err     error // of sending
		panics  bool
		payload []byte
		verbose int
		packets int
		lines   limit.Rate
	}{
		"refused by the kernel": {err: syscall.EPERM, payload: discover, packets: 1000, lines: troubleLines},
		"declined":              {payload: request(clientMAC, dhcp4.TypeDecline, addrOption(50, clientAddr)...), packets: 1000, lines: troubleLines},
		"panic":                 {panics: true, payload: discover, packets: 1000, lines: troubleLines},
		"answered":              {payload: discover, packets: 30_000, lines: answerLines},
		"stranger":              {payload: request(unknownMAC, dhcp4.TypeDiscover), verbose: 1, packets: 30_000, lines: silenceLines},
		"garbage":               {payload: []byte("garbage"), verbose: 1, packets: 30_000, lines: silenceLines},
	} {
		t.Run(name, func(t *testing.T) {
			var log lines
			c := testConfig(log.logger(test.verbose))
			if test.panics {
				c.Self = func() *dhcp4.Self { panic("a mistake") }
			}
			s, w, start := offline(t, c), &wire{err: test.err}, time.Now()
			for range test.packets {
				deliver(s, w, &packet{}, test.payload)
				w.sent = w.sent[:0]
			}
			most := test.lines.Burst + test.lines.PerSecond*(1+int(time.Since(start)/time.Second))
			if n := len(log.all()); n < test.lines.Burst || n > most {
				t.Errorf("%d lines for %d packets, want %d to %d", n, test.packets, test.lines.Burst, most)
			}
			time.Sleep(time.Second/time.Duration(test.lines.PerSecond) + 20*time.Millisecond)
			deliver(s, w, &packet{}, test.payload)
			if all := log.all(); !strings.Contains(all[len(all)-1], `"suppressedLines"=`) && !strings.Contains(strings.Join(all[test.lines.Burst:], ""), `"suppressedLines"=`) {
				t.Errorf("no line says that lines are missing: %s", all[len(all)-1])
			}
		})
	}
}

func TestFloodOverTheWireIsDroppedBeforeTheQueue(t *testing.T) {
	l := newLab(t)
	c := testConfig(logr.Discard())
	c.Limits.Machine = limit.Rate{PerSecond: 1, Burst: 5}
	s := l.start(c)
	relay := l.listen(netip.AddrPortFrom(relayAddr, 67))
	l.acquaint()
	for range 100 {
		must(relay.WriteToUDPAddrPort(withGIAddr(request(unknownMAC, dhcp4.TypeDiscover), relayAddr), netip.AddrPortFrom(serverAddr, 67)))(t)
	}
	answer, _ := l.ask(relay, withGIAddr(request(clientMAC, dhcp4.TypeDiscover), relayAddr))
	if messageType(t, answer) != dhcp4.TypeOffer {
		t.Errorf("% x", answer)
	}
	waitFor(t, func() bool { return count(s, "DISCOVER", "NotReserved")+count(s, "NONE", "MachineRate") == 100 })
	if turned := count(s, "NONE", "MachineRate"); turned < 90 {
		t.Errorf("only %v of 100 packets were turned away", turned)
	}
}
