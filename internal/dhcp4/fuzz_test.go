package dhcp4

import (
	"bytes"
	"errors"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/internal/reservation"
)

func addSeeds(f *testing.F, add func(packet []byte)) {
	for _, file := range captureFiles(f) {
		for _, d := range requests(f, file) {
			add(d.payload)
		}
	}
	overloaded := from(optType(TypeDiscover), opt(52, 3), optText(60, "PXE"))
	overloaded.file, overloaded.sname = []byte{60, 6, 'C', 'l', 'i', 'e', 'n', 't', 255}, []byte{12, 1, 'h'}
	for _, m := range []message{
		overloaded,
		from(join(pxe(TypeRequest), optAddr(50, "192.168.2.185"), opt(57, 0xff, 0))...),
		from(optType(TypeInform), relayOption(subAddr(5, "192.168.2.9"), subOption(19))).relayed("192.168.2.1"),
		from(optType(TypeDiscover), tlv{61, make([]byte, 255)}, tlv{61, make([]byte, 255)}),
	} {
		add(m.bytes())
	}
}

// FuzzParse compares what is parsed with what the library reads in the same packet.
func FuzzParse(f *testing.F) {
	addSeeds(f, func(packet []byte) { f.Add(packet) })
	f.Fuzz(func(t *testing.T, packet []byte) {
		q, err := Parse(packet)
		var refusal *ParseError
		if err != nil && (!errors.As(err, &refusal) || refusal.Reason == "") {
			t.Fatalf("an error without a reason: %v", err)
		}
		p, libraryErr := dhcpv4.FromBytes(packet)
		if err != nil || libraryErr != nil || p.Options.Has(dhcpv4.OptionOptionOverload) {
			return
		}
		if q.MAC.String() != p.ClientHWAddr.String() || q.Type != MessageType(p.MessageType()) || q.Flags != p.Flags {
			t.Errorf("header: %+v, the library reads %v", q, p)
		}
		for code, got := range map[uint8][]byte{55: q.ParameterList, 60: q.VendorClass, 61: q.ClientIdentifier,
			77: []byte(q.UserClass), 82: q.RelayAgent, 97: q.MachineIdentifier} {
			if want := p.Options[code]; !bytes.Equal(want, got) {
				t.Errorf("option %d is % x, the library reads % x", code, got, want)
			}
		}
		for name, pair := range map[string][2]any{
			"ciaddr": {q.CIAddr.IsValid(), !p.ClientIPAddr.IsUnspecified()},
			"giaddr": {q.GIAddr.IsValid(), !p.GatewayIPAddr.IsUnspecified()},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s sent: %v, the library says %v", name, pair[0], pair[1])
			}
		}
		if q.RequestedAddress.IsValid() && q.RequestedAddress.String() != p.RequestedIPAddress().String() {
			t.Errorf("option 50 is %v, the library reads %v", q.RequestedAddress, p.RequestedIPAddress())
		}
	})
}

// FuzzAnswer sends two packets through one buffer and one Exchange, which must not show in the answers. Every MAC but that of even
// last byte is reserved.
func FuzzAnswer(f *testing.F) {
	var before []byte
	addSeeds(f, func(packet []byte) {
		f.Add(before, packet)
		before = packet
	})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		buffer := make([]byte, max(len(first), len(second)))
		lookup := func(m reservation.MAC) (*reservation.Reservation, bool) {
			r := testReservation()
			r.MAC = m
			return r, m[5]&1 == 1
		}
		x := &Exchange{}
		for _, packet := range [][]byte{first, second, first} {
			clear(buffer)
			n := copy(buffer, packet)
			q, err := Parse(packet)
			if again := x.Read(buffer[:n]); (err == nil) != (again == nil) {
				t.Fatalf("read alone: %v; read after another: %v", err, again)
			}
			if err != nil {
				continue
			}
			o, again := Answer(q, lookup, testSelf), x.Answer(lookup, testSelf)
			if o.Reason == "" {
				t.Fatal("no reason")
			}
			if again.Verdict != o.Verdict || again.Reason != o.Reason || !bytes.Equal(again.Reply.Packet, o.Reply.Packet) {
				t.Fatalf("%v, %s, % x alone; after another %v, %s, % x", o.Verdict, o.Reason, o.Reply.Packet,
					again.Verdict, again.Reason, again.Reply.Packet)
			}
			if o.Verdict == Silent {
				continue
			}
			if q.MAC[5]&1 == 0 {
				t.Fatalf("an unknown MAC was answered: %v", o.Verdict)
			}
			checkReply(t, q, o)
		}
	})
}
