package dhcp4

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tugboot/tugboot/internal/reservation"
)

// drawAddr draws from few addresses, so that they meet.
func drawAddr(t *rapid.T, name string) string {
	return rapid.SampledFrom([]string{"", "192.168.2.185", "192.168.2.186", "192.168.2.1", "10.77.0.1", "192.168.2.112", "192.0.2.1"}).Draw(t, name)
}

func drawMessage(t *rapid.T) message {
	types := []MessageType{TypeDiscover, TypeRequest, TypeRequest, TypeRequest, TypeDecline, TypeRelease, TypeInform}
	m := from(optType(rapid.SampledFrom(types).Draw(t, "type")))
	m.mac = drawMAC(t)
	m.flags = rapid.SampledFrom([]uint16{0, 0x8000}).Draw(t, "flags")
	m.ciaddr, m.giaddr = drawAddr(t, "ciaddr"), drawAddr(t, "giaddr")
	for _, code := range []uint8{50, 54, 118} {
		if a := drawAddr(t, "option"); a != "" {
			m.options = append(m.options, optAddr(code, a))
		}
	}
	value := rapid.SliceOfN(rapid.Byte(), 1, 255)
	if rapid.Bool().Draw(t, "netboot") {
		m.options = append(m.options, pxe(0)[1:]...)
	}
	for _, code := range []uint8{55, 61, 77, 82} {
		if rapid.Bool().Draw(t, "sent") {
			m.options = append(m.options, tlv{code, value.Draw(t, "value")})
		}
	}
	if rapid.Bool().Draw(t, "relay option") {
		m.options = append(m.options, relayOption(subAddr(5, "192.168.2.9"), subAddr(11, "192.168.2.1")))
	}
	if rapid.Bool().Draw(t, "size") {
		size := rapid.Uint16().Draw(t, "bytes")
		m.options = append(m.options, opt(57, byte(size>>8), byte(size)))
	}
	return m
}

// drawMAC draws from two that are reserved, one of them a Raspberry Pi's, and one that is not.
func drawMAC(t *rapid.T) reservation.MAC {
	return rapid.SampledFrom([]reservation.MAC{testMAC, boardMAC, strangerMAC}).Draw(t, "mac")
}

var (
	boardMAC    = reservation.MAC{0xdc, 0xa6, 0x32, 0, 0, 2}
	strangerMAC = reservation.MAC{0x52, 0x54, 0, 0, 0, 3}
)

func drawReservation(t *rapid.T) *reservation.Reservation {
	r := testReservation()
	r.Netboot.Allow = rapid.Bool().Draw(t, "allow")
	r.NameServers = slices.Repeat(r.NameServers, rapid.IntRange(0, 60).Draw(t, "name servers"))
	r.Lease = rapid.Uint32Min(1).Draw(t, "lease")
	if rapid.Bool().Draw(t, "override") {
		r.Netboot.TFTPServerName = "server"
		r.Netboot.BootFileName = rapid.StringMatching(`[a-z]{1,300}`).Draw(t, "boot file")
	}
	return r
}

func TestEveryAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first, second := drawReservation(t), drawReservation(t)
		second.MAC, second.Address = boardMAC, reservation.MustParsePrefix("192.168.2.186/24")
		m := drawMessage(t)
		q, err := Parse(m.bytes())
		if err != nil {
			t.Fatal(err)
		}
		q.Arrival = drawArrival(t)
		o := Answer(q, only(first, second), testSelf)
		if again := Answer(q, only(first, second), testSelf); !bytes.Equal(o.Reply.Packet, again.Reply.Packet) || o.Reply.Dest != again.Reply.Dest {
			t.Fatal("the same request had two different answers")
		}
		if o.Reason == "" {
			t.Fatal("no reason")
		}
		if o.Verdict == Silent {
			if o.Reply.Packet != nil {
				t.Fatal("silence with a reply")
			}
			return
		}
		if m.mac == strangerMAC && q.Arrival.Mode != ModeAutoProxy {
			t.Fatalf("an unknown MAC was answered: %v", o.Verdict)
		}
		if q.Arrival.Mode == ModeOff || q.Arrival.PXEPort && !q.Arrival.Mode.Proxies() {
			t.Fatalf("answered where nothing is: %+v", q.Arrival)
		}
		if q.Arrival.Mode.Proxies() {
			checkProxyReply(t, q, q.Arrival, o)
			return
		}
		checkReply(t, q, o)
	})
}

// drawArrival draws one way in, half the time the usual one.
func drawArrival(t *rapid.T) Arrival {
	if rapid.Bool().Draw(t, "as usual") {
		return Arrival{}
	}
	return Arrival{
		Mode: rapid.SampledFrom(Modes()).Draw(t, "mode"), PXEPort: rapid.Bool().Draw(t, "port 4011"), Unicast: rapid.Bool().Draw(t, "unicast"),
		From: netip.MustParseAddrPort(rapid.SampledFrom([]string{"0.0.0.0:68", "192.168.2.201:68", "192.168.2.201:4011", "10.77.0.1:67"}).Draw(t, "from")),
	}
}

// checkReply checks what is true of every reply.
func checkReply(t failing, q *Request, o Outcome) {
	if n, limit := len(o.Reply.Packet), max(int(q.MaxMessageSize), 576)-28; n > limit || n > 1472 || n < 300 {
		t.Fatalf("a reply of %d bytes to a client that accepts %d", n, limit)
	}
	own := o.Reservation.Address.Addr()
	if o.Reservation.MAC != q.MAC {
		t.Fatal("answered from the reservation of another MAC")
	}
	if given := netip.AddrFrom4([4]byte(o.Reply.Packet[16:20])); given != own && !given.IsUnspecified() {
		t.Fatalf("yiaddr %s is not the reserved %s", given, own)
	}
	if d := o.Reply.Dest; d.Delivery == ToClient && d.Addr != own && q.Type != TypeInform || d.Delivery == ToHardware && (d.MAC != q.MAC || d.Addr != own) {
		t.Fatalf("sent to %+v", d)
	}
	options := wireOptions(t, o.Reply.Packet)
	seen := map[uint8]bool{}
	for n, option := range options {
		if seen[option.code] {
			t.Fatalf("option %d stands there twice: %v", option.code, codes(options))
		}
		seen[option.code] = true
		if option.code == 82 && n != len(options)-1 {
			t.Fatalf("option 82 is not the last: %v", codes(options))
		}
		if option.code == 3 && !seen[1] {
			t.Fatalf("option 3 before 1: %v", codes(options))
		}
	}
	if string(find(options, 60)) == "PXEClient" && find(options, 43) == nil {
		t.Fatal("option 60 is PXEClient without option 43: EDK2 asks port 4011 and stalls")
	}
	for code, sent := range map[uint8][]byte{82: q.RelayAgent, 61: q.ClientIdentifier} {
		if !bytes.Equal(find(options, code), sent) {
			t.Fatalf("option %d was % x, came back % x", code, sent, find(options, code))
		}
	}
	if q.GIAddr.IsValid() != (o.Reply.Dest.Delivery == ToRelay) {
		t.Fatalf("giaddr %v, delivery %v", q.GIAddr, o.Reply.Dest.Delivery)
	}
}
