package dhcp4

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// arrivedProxied is how a request comes to port 67, atPXE how one comes to port 4011, from a client that has an address.
func arrivedProxied(m Mode) Arrival {
	return Arrival{Mode: m, From: netip.MustParseAddrPort("0.0.0.0:68")}
}
func atPXE(m Mode, from string) Arrival {
	return Arrival{Mode: m, PXEPort: true, Unicast: true, From: netip.MustParseAddrPort(from)}
}

// arrived answers a message that came in that way.
func arrived(t testing.TB, m message, a Arrival, list ...*reservation.Reservation) Outcome {
	t.Helper()
	q := m.parse(t)
	q.Arrival = a
	return Answer(q, only(list...), testSelf)
}

func TestJudgeProxy(t *testing.T) {
	const client = "192.168.2.201:68"
	ours, theirs := optAddr(54, "192.168.2.112"), optAddr(54, "192.168.2.5")
	pxeAsks := func(kind MessageType, more ...tlv) message { return from(join(pxe(kind), more...)...) }
	forbidden, override, withheld := testReservation(), testReservation(), testReservation()
	forbidden.Netboot.Allow = false
	override.Netboot = reservation.Netboot{TFTPServerName: "192.168.2.9", BootFileName: "own.efi"}
	withheld.Netboot = reservation.Netboot{Withheld: true}
	known := testReservation()
	broadcastTo4011 := atPXE(ModeProxy, client)
	broadcastTo4011.Unicast = false
	addressless := atPXE(ModeProxy, "0.0.0.0:68")
	addressless.Kind = func(a netip.Addr) AddrKind {
		return map[bool]AddrKind{true: AddrBroadcast}[a == addr("192.168.2.255")]
	}
	for name, test := range map[string]struct {
		message message
		arrival Arrival
		r       *reservation.Reservation
		verdict Verdict
		reason  boot.Reason
	}{
		"discover":                                {pxeAsks(TypeDiscover), arrivedProxied(ModeProxy), known, Offer, boot.ReasonFirmwareBinary},
		"discover via relay":                      {pxeAsks(TypeDiscover).relayed("10.77.0.1"), arrivedProxied(ModeProxy), known, Offer, boot.ReasonFirmwareBinary},
		"discover by Tinkerbell's iPXE":           {pxeAsks(TypeDiscover, optText(77, "Tinkerbell")), arrivedProxied(ModeProxy), known, Offer, boot.ReasonScript},
		"discover by a plain client":              {from(optType(TypeDiscover)), arrivedProxied(ModeProxy), known, Silent, boot.ReasonNotNetbootClient},
		"discover by an unknown machine":          {pxeAsks(TypeDiscover), arrivedProxied(ModeProxy), nil, Silent, boot.ReasonNotReserved},
		"discover by an unknown machine, auto":    {pxeAsks(TypeDiscover), arrivedProxied(ModeAutoProxy), nil, Offer, boot.ReasonAutoBinary},
		"its iPXE, auto":                          {pxeAsks(TypeDiscover, optText(77, "Tinkerbell")), arrivedProxied(ModeAutoProxy), nil, Offer, boot.ReasonAutoScript},
		"an unknown plain client, auto":           {from(optType(TypeDiscover)), arrivedProxied(ModeAutoProxy), nil, Silent, boot.ReasonNotNetbootClient},
		"a known machine, auto":                   {pxeAsks(TypeDiscover), arrivedProxied(ModeAutoProxy), known, Offer, boot.ReasonFirmwareBinary},
		"not allowed":                             {pxeAsks(TypeDiscover), arrivedProxied(ModeProxy), forbidden, Silent, boot.ReasonNetbootNotAllowed},
		"not allowed, auto":                       {pxeAsks(TypeDiscover), arrivedProxied(ModeAutoProxy), forbidden, Silent, boot.ReasonNetbootNotAllowed},
		"not allowed, a boot file of its own":     {pxeAsks(TypeDiscover), arrivedProxied(ModeProxy), override, Silent, boot.ReasonNetbootNotAllowed},
		"withheld":                                {pxeAsks(TypeDiscover), arrivedProxied(ModeProxy), withheld, Silent, boot.ReasonNetbootWithheld},
		"an architecture without a binary":        {from(optType(TypeDiscover), optText(60, "PXEClient"), opt(93, 0, 6), opt(94, 1, 3, 0)), arrivedProxied(ModeProxy), known, Silent, boot.ReasonArchUnsupported},
		"request to the server of addresses":      {pxeAsks(TypeRequest, theirs, optAddr(50, "192.168.2.201")), arrivedProxied(ModeProxy), known, Silent, ReasonOtherServer},
		"request to us at port 67":                {pxeAsks(TypeRequest, ours), arrivedProxied(ModeProxy), known, Silent, ReasonAddressElsewhere},
		"init-reboot":                             {pxeAsks(TypeRequest, optAddr(50, "192.168.2.185")), arrivedProxied(ModeProxy), known, Silent, ReasonAddressElsewhere},
		"renewing":                                {from(optType(TypeRequest)).at("192.168.2.185"), arrivedProxied(ModeProxy), known, Silent, boot.ReasonNotNetbootClient},
		"inform":                                  {from(optType(TypeInform)).at("192.168.2.185"), arrivedProxied(ModeProxy), known, Silent, ReasonAddressElsewhere},
		"release":                                 {from(optType(TypeRelease), ours).at("192.168.2.185"), arrivedProxied(ModeProxy), known, Silent, ReasonAddressElsewhere},
		"decline":                                 {from(optType(TypeDecline), ours, optAddr(50, "192.168.2.185")), arrivedProxied(ModeProxy), known, Silent, ReasonAddressElsewhere},
		"4011":                                    {pxeAsks(TypeRequest).at("192.168.2.201"), atPXE(ModeProxy, client), known, Ack, boot.ReasonFirmwareBinary},
		"4011, names us":                          {pxeAsks(TypeRequest, ours), atPXE(ModeProxy, client), known, Ack, boot.ReasonFirmwareBinary},
		"4011, repeats the other server":          {pxeAsks(TypeRequest, theirs), atPXE(ModeProxy, client), known, Ack, boot.ReasonFirmwareBinary},
		"4011, to everybody, names another":       {pxeAsks(TypeRequest, theirs), broadcastTo4011, known, Silent, ReasonOtherServer},
		"4011, discover":                          {pxeAsks(TypeDiscover), atPXE(ModeProxy, client), known, Offer, boot.ReasonFirmwareBinary},
		"4011, plain client":                      {from(optType(TypeRequest)), atPXE(ModeProxy, client), known, Silent, boot.ReasonNotNetbootClient},
		"4011, not allowed":                       {pxeAsks(TypeRequest), atPXE(ModeProxy, client), forbidden, Silent, boot.ReasonNetbootNotAllowed},
		"4011, unknown":                           {pxeAsks(TypeRequest), atPXE(ModeProxy, client), nil, Silent, boot.ReasonNotReserved},
		"4011, unknown, auto":                     {pxeAsks(TypeRequest), atPXE(ModeAutoProxy, client), nil, Ack, boot.ReasonAutoBinary},
		"4011, from nowhere":                      {pxeAsks(TypeRequest), atPXE(ModeProxy, "0.0.0.0:68"), known, Silent, ReasonNoClientAddress},
		"4011, from nowhere, ciaddr":              {pxeAsks(TypeRequest).at("192.168.2.201"), addressless, known, Ack, boot.ReasonFirmwareBinary},
		"4011, from nowhere, ciaddr is everybody": {pxeAsks(TypeRequest).at("192.168.2.255"), addressless, known, Silent, ReasonNoClientAddress},
		"4011 without a proxy mode":               {pxeAsks(TypeRequest), atPXE(ModeReservation, client), known, Silent, ReasonPXEPortNotServed},
		"off":                                     {pxeAsks(TypeDiscover), arrivedProxied(ModeOff), known, Silent, ReasonDHCPOff},
		"off, unknown":                            {from(optType(TypeDiscover)), arrivedProxied(ModeOff), nil, Silent, ReasonDHCPOff},
	} {
		t.Run(name, func(t *testing.T) {
			list := []*reservation.Reservation{}
			if test.r != nil {
				list = append(list, test.r)
			}
			o := arrived(t, test.message, test.arrival, list...)
			if o.Verdict != test.verdict || o.Reason != test.reason || (o.Verdict == Silent) != (o.Reply.Packet == nil) {
				t.Fatalf("%v %q with %d bytes, want %v %q", o.Verdict, o.Reason, len(o.Reply.Packet), test.verdict, test.reason)
			}
			if o.Verdict != Silent {
				checkProxyReply(t, test.message.parse(t), test.arrival, o)
			}
		})
	}
}

// checkProxyReply checks what is true of every answer in a proxy mode.
func checkProxyReply(t failing, q *Request, a Arrival, o Outcome) {
	p, err := dhcpv4.FromBytes(o.Reply.Packet)
	if err != nil {
		t.Fatalf("the reply cannot be parsed: %v", err)
	}
	if !p.YourIPAddr.IsUnspecified() || o.Reply.YIAddr.IsValid() {
		t.Fatalf("yiaddr %v from a proxy", p.YourIPAddr)
	}
	allowed := []uint8{53, 54, 60, 97, 43, 66, 67, 175, 61, 118, 82}
	for _, code := range codes(wireOptions(t, o.Reply.Packet)) {
		if !slices.Contains(allowed, code) {
			t.Fatalf("option %d from a proxy", code)
		}
	}
	class := q.Client().VendorClass
	if got := p.ClassIdentifier(); got != class.String() {
		t.Fatalf("option 60 is %q, want %q", got, class)
	}
	if class == boot.VendorPXEClient && !bytes.HasPrefix(p.Options.Get(dhcpv4.OptionVendorSpecificInformation), []byte{6, 1, 8}) {
		t.Fatalf("option 43 does not begin with discovery control 8: % x", p.Options)
	}
	if got := p.Options.Get(dhcpv4.OptionClientMachineIdentifier); !bytes.Equal(got, q.MachineIdentifier) {
		t.Fatalf("option 97 is % x, came as % x", got, q.MachineIdentifier)
	}
	if p.BootFileName == "" && p.BootFileNameOption() == "" {
		t.Fatalf("no boot file")
	}
	dest := o.Reply.Dest
	switch {
	case q.GIAddr.IsValid():
		if !p.IsBroadcast() {
			t.Fatalf("relayed without the broadcast flag: the relay agent would send it to yiaddr, which is none")
		}
		if dest.Delivery != ToRelay || dest.Addr != q.GIAddr {
			t.Fatalf("relayed, sent to %+v", dest)
		}
	case a.PXEPort:
		if dest.Delivery != ToClient || dest.Addr != a.From.Addr() && dest.Addr != q.CIAddr || dest.Port != 68 && dest.Port != 4011 || dest.RequestPort {
			t.Fatalf("asked at 4011 from %v, sent to %+v", a.From, dest)
		}
	case dest != broadcast():
		t.Fatalf("sent to %+v, want everybody: the client has no address yet", dest)
	}
}

// TestProxyPackets: the answers to what real firmware and iPXE sent, byte by byte; the library reads them too.
func TestProxyPackets(t *testing.T) {
	for _, name := range []string{"bios-romipxe-direct-tcg", "uefi-x64-pxe-tcg", "deb13-uefi-x64-pxe-autoexec", "deb13-uefi-x64-http-autoexec",
		"deb13-uefi-arm64-pxe-autoexec", "relay-isc", "client-dhclient"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(captures, name+".pcap")
			lookup := reservationsOf(t, file)
			var text strings.Builder
			for _, d := range requests(t, file) {
				for _, a := range []Arrival{arrivedProxied(ModeProxy), atPXE(ModeProxy, "192.168.2.201:4011")} {
					q, err := Parse(d.payload)
					if err != nil {
						t.Fatalf("frame %d: %v", d.frame, err)
					}
					q.Arrival = a
					o := Answer(q, lookup, testSelf)
					fmt.Fprintf(&text, "frame %d %v at 4011: %v\n", d.frame, q.Type, a.PXEPort)
					writeOutcome(t, &text, o)
					if o.Verdict != Silent {
						checkProxyReply(t, q, a, o)
						text.WriteString(hex.Dump(bytes.TrimRight(o.Reply.Packet, "\x00")))
					}
				}
			}
			golden := filepath.Join("testdata", "proxy-"+name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(text.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), text.String()); diff != "" {
				t.Errorf("run the test with -update if this is what should be said now: -want +got:\n%s", diff)
			}
		})
	}
}

func TestProxyOptions(t *testing.T) {
	vlan := testReservation()
	vlan.VLAN = 50
	board := testReservation()
	board.MAC = boardMAC
	boardAsks := from(pxe(TypeDiscover)...)
	boardAsks.mac = boardMAC
	http := from(optType(TypeDiscover), optText(60, "HTTPClient:Arch:00016"), opt(93, 0, 16), opt(94, 1, 3, 0), opt(55, 67))
	agent := relayOption(subOption(1, 'x'), subAddr(11, "10.77.0.1"))
	for name, test := range map[string]struct {
		message message
		r       *reservation.Reservation
		want    []tlv
	}{
		"firmware": {from(pxe(TypeDiscover)...), testReservation(), []tlv{opt(53, 2), optAddr(54, "192.168.2.112"),
			optText(60, "PXEClient"), {97, make([]byte, 17)}, opt(43, 6, 1, 8, 255)}},
		"firmware in a VLAN that asks for names": {from(join(pxe(TypeDiscover), opt(55, 1, 3, 66, 67, 6))...), vlan, []tlv{opt(53, 2), optAddr(54, "192.168.2.112"),
			optText(60, "PXEClient"), {97, make([]byte, 17)}, opt(43, 6, 1, 8, 116, 2, '5', '0', 255), optText(66, "192.168.2.112"), optText(67, "undionly.kpxe")}},
		"Raspberry Pi": {boardAsks, board, []tlv{opt(53, 2), optAddr(54, "192.168.2.112"), optText(60, "PXEClient"), {97, make([]byte, 17)},
			optText(43, "\x06\x01\x08\x09\x14\x00\x00\x11Raspberry Pi Boot\x0a\x04\x00PXE\xff")}},
		"HTTP boot": {http, testReservation(), []tlv{opt(53, 2), optAddr(54, "192.168.2.112"), optText(60, "HTTPClient"),
			optText(67, "http://192.168.2.112:7171/ipxe/binary/52:54:00:00:00:01/ipxe.efi")}},
		"iPXE": {from(join(pxe(TypeDiscover), optText(77, "Tinkerbell"))...), testReservation(), []tlv{opt(53, 2), optAddr(54, "192.168.2.112"),
			optText(60, "PXEClient"), {97, make([]byte, 17)}, opt(43, 6, 1, 8, 255), opt(175, 1, 1, 1)}},
		"relayed, with an identifier of the relay's": {from(join(pxe(TypeDiscover), opt(61, 1, 2), agent)...).relayed("10.77.0.1"), testReservation(),
			[]tlv{opt(53, 2), optAddr(54, "192.168.2.112"), optText(60, "PXEClient"), {97, make([]byte, 17)}, opt(43, 6, 1, 8, 255), opt(61, 1, 2), agent}},
	} {
		t.Run(name, func(t *testing.T) {
			o := arrived(t, test.message, arrivedProxied(ModeProxy), test.r)
			if o.Verdict != Offer {
				t.Fatalf("%v %s", o.Verdict, o.Reason)
			}
			if diff := cmp.Diff(test.want, wireOptions(t, o.Reply.Packet), cmp.AllowUnexported(tlv{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestPXEClientPort: only the two ports that firmware uses are ever sent to.
func TestPXEClientPort(t *testing.T) {
	for from4011, want := range map[string]uint16{"192.168.2.201:68": 68, "192.168.2.201:4011": 4011, "192.168.2.201:7": 68, "192.168.2.201:67": 68} {
		o := arrived(t, from(pxe(TypeRequest)...).at("192.168.2.202"), atPXE(ModeProxy, from4011), testReservation())
		if d := o.Reply.Dest; d.Port != want || d.Addr != addr("192.168.2.201") || d.Delivery != ToClient {
			t.Errorf("from %s: %+v", from4011, d)
		}
	}
}

// TestUnknownIPXEIsNotPulledAway: on a machine that is not ours, iPXE takes another boot server's offer if it likes.
func TestUnknownIPXEIsNotPulledAway(t *testing.T) {
	o := arrived(t, from(join(pxe(TypeDiscover), optText(77, "iPXE"))...), arrivedProxied(ModeAutoProxy))
	if o.Verdict != Offer || find(wireOptions(t, o.Reply.Packet), 175) != nil {
		t.Errorf("%v %s with option 175 % x", o.Verdict, o.Reason, find(wireOptions(t, o.Reply.Packet), 175))
	}
}

func TestProxyIsQuietToo(t *testing.T) {
	quiet := *testSelf
	quiet.Quiet = "TakeoverPending"
	q := from(pxe(TypeDiscover)...).parse(t)
	q.Arrival = arrivedProxied(ModeAutoProxy)
	if o := Answer(q, only(), &quiet); o.Verdict != Silent || o.Reason != "TakeoverPending" {
		t.Errorf("%v %s", o.Verdict, o.Reason)
	}
	nameless := *testSelf
	nameless.ID = netip.Addr{}
	if o := Answer(q, only(), &nameless); o.Verdict != Silent || o.Reason != ReasonNoServerIdentifier {
		t.Errorf("%v %s", o.Verdict, o.Reason)
	}
}

func TestModes(t *testing.T) {
	for _, m := range Modes() {
		if back, known := ParseMode(m.String()); back != m || !known {
			t.Errorf("%v is read as %v, %t", m, back, known)
		}
	}
	if m, known := ParseMode("pool"); known || m != ModeOff {
		t.Errorf("pool is %v, %t", m, known)
	}
}
