package dhcp4

import (
	"bytes"
	"testing"

	"github.com/tugboot/tugboot/internal/reservation"
)

// FuzzProxy answers any packet in every mode and at both ports. Every MAC but that of even last byte is reserved, and of
// these every second one may not netboot.
func FuzzProxy(f *testing.F) {
	addSeeds(f, func(packet []byte) { f.Add(packet) })
	f.Fuzz(func(t *testing.T, packet []byte) {
		lookup := func(m reservation.MAC) (*reservation.Reservation, bool) {
			r := testReservation()
			r.MAC, r.Netboot.Allow = m, m[5]&2 == 0
			return r, m[5]&1 == 1
		}
		for _, mode := range Modes() {
			for _, a := range []Arrival{arrivedProxied(mode), atPXE(mode, "192.168.2.201:4011"), atPXE(mode, "0.0.0.0:68")} {
				q, err := Parse(packet)
				if err != nil {
					OwnReply(packet, testSelf.Servers)
					return
				}
				q.Arrival = a
				o := Answer(q, lookup, testSelf)
				if o.Reason == "" || (o.Verdict == Silent) != (o.Reply.Packet == nil) {
					t.Fatalf("%v %q with %d bytes", o.Verdict, o.Reason, len(o.Reply.Packet))
				}
				if again := Answer(q, lookup, testSelf); !bytes.Equal(again.Reply.Packet, o.Reply.Packet) {
					t.Fatal("the same request had two different answers")
				}
				if o.Verdict == Silent {
					continue
				}
				if !mode.Proxies() {
					if mode == ModeOff || a.PXEPort {
						t.Fatalf("answered in mode %v at 4011 %v", mode, a.PXEPort)
					}
					continue
				}
				r, known := lookup(q.MAC)
				if !known && mode != ModeAutoProxy || known && !r.Netboot.Allow {
					t.Fatalf("a machine that may not netboot was answered: %v", o.Verdict)
				}
				checkProxyReply(t, q, a, o)
			}
		}
	})
}
