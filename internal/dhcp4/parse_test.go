package dhcp4

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

func TestParseRefusals(t *testing.T) {
	change := func(edit func(*message)) []byte {
		m := from(optType(TypeDiscover))
		edit(&m)
		return m.bytes()
	}
	good := change(func(*message) {})
	for name, test := range map[string]struct {
		packet []byte
		want   boot.Reason
	}{
		"empty":            {nil, ReasonMalformed},
		"one byte short":   {good[:239], ReasonMalformed},
		"a reply":          {change(func(m *message) { m.op = 2 }), ReasonNotRequest},
		"another cookie":   {change(func(m *message) { m.cookie++ }), ReasonBadCookie},
		"hlen 16":          {change(func(m *message) { m.hlen = 16 }), ReasonBadHardwareAddress},
		"hlen 0":           {change(func(m *message) { m.hlen = 0 }), ReasonBadHardwareAddress},
		"InfiniBand":       {change(func(m *message) { m.htype = 32 }), ReasonBadHardwareAddress},
		"no MAC":           {change(func(m *message) { m.mac = reservation.MAC{} }), ReasonBadHardwareAddress},
		"a group's MAC":    {change(func(m *message) { m.mac[0] |= 1 }), ReasonBadHardwareAddress},
		"17 hops":          {change(func(m *message) { m.hops = 17 }), ReasonTooManyHops},
		"multicast ciaddr": {change(func(m *message) { m.ciaddr = "224.0.0.1" }), ReasonMalformed},
		"broadcast giaddr": {change(func(m *message) { m.giaddr = "255.255.255.255" }), ReasonRelayBroadcast},
		"loopback giaddr":  {change(func(m *message) { m.giaddr = "127.0.0.1" }), ReasonRelayLoopback},
		"multicast giaddr": {change(func(m *message) { m.giaddr = "239.255.0.1" }), ReasonRelayMulticast},
		"reserved giaddr":  {change(func(m *message) { m.giaddr = "240.0.0.1" }), ReasonMalformed},
		"giaddr 0.0.0.9":   {change(func(m *message) { m.giaddr = "0.0.0.9" }), ReasonMalformed},
		"BOOTP":            {change(func(m *message) { m.options = nil }), ReasonNoMessageType},
		"type of no byte":  {change(func(m *message) { m.options = []tlv{opt(53)} }), ReasonMalformed},
		"type twice":       {change(func(m *message) { m.options = []tlv{opt(53, 1), opt(53, 1)} }), ReasonMalformed},
		"an OFFER":         {change(func(m *message) { m.options = []tlv{opt(53, 2)} }), ReasonUnknownMessageType},
		"FORCERENEW":       {change(func(m *message) { m.options = []tlv{opt(53, 9)} }), ReasonUnknownMessageType},
		"type 200":         {change(func(m *message) { m.options = []tlv{opt(53, 200)} }), ReasonUnknownMessageType},
		"LEASEQUERY":       {change(func(m *message) { m.options = []tlv{opt(53, 10)} }), ReasonLeaseQuery},
		"option past end":  {append(good[:243:243], 12, 200, 'x'), ReasonMalformed},
		"short option 50":  {change(func(m *message) { m.options = []tlv{opt(53, 1), opt(50, 1, 2, 3)} }), ReasonMalformed},
		"long option 54":   {change(func(m *message) { m.options = []tlv{opt(53, 1), opt(54, 1, 2, 3, 4, 5)} }), ReasonMalformed},
		"overload 4":       {change(func(m *message) { m.options = []tlv{opt(53, 1), opt(52, 4)} }), ReasonMalformed},
		"overload 0":       {change(func(m *message) { m.options = []tlv{opt(53, 1), opt(52, 0)} }), ReasonMalformed},
		"empty overload":   {change(func(m *message) { m.options = []tlv{opt(53, 1), opt(52)} }), ReasonMalformed},
		"overload twice":   {change(func(m *message) { m.options = []tlv{opt(53, 1), opt(52, 1), opt(52, 1)} }), ReasonMalformed},
		"no option at all": {change(func(m *message) { m.options, m.noEnd = nil, true }), ReasonNoMessageType},
		"ciaddr 0.0.0.1":   {change(func(m *message) { m.ciaddr = "0.0.0.1" }), ReasonMalformed},
		"file field overrun": {change(func(m *message) {
			m.options = []tlv{opt(53, 1), opt(52, 1)}
			m.file = bytes.Repeat([]byte{12, 127}, 64)
		}), ReasonMalformed},
		"sname field overrun": {change(func(m *message) {
			m.options = []tlv{opt(53, 1), opt(52, 2)}
			m.sname = bytes.Repeat([]byte{12, 127}, 32)
		}), ReasonMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(test.packet)
			var refusal *ParseError
			if !errors.As(err, &refusal) {
				t.Fatalf("Parse returned %v, not a ParseError", err)
			}
			if refusal.Reason != test.want || refusal.Detail == "" {
				t.Errorf("reason %q (%s), want %q", refusal.Reason, refusal.Detail, test.want)
			}
		})
	}
}

func TestParseReadsEveryField(t *testing.T) {
	m := from(join(pxe(TypeRequest), optAddr(50, "192.168.2.185"), optAddr(54, "192.168.2.112"), opt(55, 3, 1, 6),
		opt(57, 5, 0xc0), opt(61, 1, 2, 3), optText(77, "\x04iPXE"), optAddr(118, "192.168.2.0"),
		tlv{175, append(subOption(19, 1), subOption(235, 1, 21, 1)...)},
		relayOption(subOption(1, 'p'), subAddr(5, "192.168.2.9"), subAddr(11, "192.168.2.254"), subOption(19)))...)
	m.flags, m.hops = 0x8000, 16
	got := m.at("192.168.2.185").relayed("192.168.2.1").parse(t)
	want := &Request{Type: TypeRequest, XID: testXID, Flags: 0x8000, CIAddr: addr("192.168.2.185"), GIAddr: addr("192.168.2.1"),
		MAC: testMAC, RequestedAddress: addr("192.168.2.185"), ServerIdentifier: addr("192.168.2.112"),
		ParameterList: []byte{3, 1, 6}, MaxMessageSize: 1472, VendorClass: []byte("PXEClient:Arch:00000:UNDI:002001"),
		ClientIdentifier: []byte{1, 2, 3}, UserClass: "\x04iPXE", Archs: []boot.Arch{0}, NetworkInterface: true,
		MachineIdentifier: make([]byte, 17), SubnetSelection: addr("192.168.2.0"),
		IPXE:       boot.IPXEInfo{HTTP: true, Version: [3]byte{1, 21, 1}},
		RelayAgent: []byte("\x01\x01p\x05\x04\xc0\xa8\x02\x09\x0b\x04\xc0\xa8\x02\xfe\x13\x00"),
		Relay:      Relay{LinkSelection: addr("192.168.2.9"), ServerIdentifier: addr("192.168.2.254"), SourcePort: true}}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(want.CIAddr), cmpopts.IgnoreUnexported(Request{}), cmpopts.IgnoreFields(Request{}, "Arrival")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParseJoinsPieces(t *testing.T) {
	m := from(optType(TypeDiscover), opt(52, 3), optText(60, "PXE"), optText(60, "Cli"))
	m.file = append([]byte{60, 2, 'e', 'n'}, 255)
	m.sname = []byte{0, 60, 1, 't', 12, 1, 'h'} // no End option: the field ends it
	if got := string(m.parse(t).VendorClass); got != "PXEClient" {
		t.Errorf("option 60 in four pieces is %q", got)
	}
	m.options[1] = opt(52, 1)
	if got := string(m.parse(t).VendorClass); got != "PXEClien" {
		t.Errorf("option 60 without the sname field is %q", got)
	}
	m.options[1] = opt(52, 2)
	if got := string(m.parse(t).VendorClass); got != "PXEClit" {
		t.Errorf("option 60 without the file field is %q", got)
	}
	m.options = m.options[:1]
	if got := string(m.parse(t).VendorClass); got != "" {
		t.Errorf("option 60 was read from fields that are not overloaded: %q", got)
	}
}

func TestParseForgives(t *testing.T) {
	m := from(optType(TypeDiscover), opt(57, 9), opt(93, 0, 7, 1), opt(175, 19, 200), relayOption([]byte{5, 4, 1}))
	m.noEnd = true
	q := m.relayed("192.168.2.1").parse(t)
	if q.MaxMessageSize != 0 || len(q.Archs) != 1 || q.Archs[0] != boot.ArchX64 || q.IPXE.HTTP || q.Relay != (Relay{}) {
		t.Errorf("garbled detail was believed: %+v", q)
	}
	if string(q.RelayAgent) != "\x05\x04\x01" {
		t.Errorf("option 82 is not whole: % x", q.RelayAgent)
	}
}

// TestOtherRelaySubOptionsMeanNothing: a circuit identifier may well be four bytes long and look like an address.
func TestOtherRelaySubOptionsMeanNothing(t *testing.T) {
	for name, subOptions := range map[string][]byte{
		"four bytes":          append(subAddr(1, "10.0.0.1"), subAddr(2, "10.0.0.2")...),
		"no bytes":            append(subOption(1), subOption(2)...),
		"link of five":        subOption(5, 10, 0, 0, 1, 9),
		"identifier of three": subOption(11, 10, 0, 0),
		"source port of one":  subOption(19, 1),
		"one byte":            {5},
	} {
		if q := from(optType(TypeDiscover), relayOption(subOptions)).relayed("192.168.2.1").parse(t); q.Relay != (Relay{}) {
			t.Errorf("%s: %+v", name, q.Relay)
		}
	}
}

func TestRelaySubOptionsNeedARelay(t *testing.T) {
	q := from(optType(TypeDiscover), relayOption(subAddr(5, "10.0.0.1"), subAddr(11, "10.0.0.2"), subOption(19))).parse(t)
	if q.Relay != (Relay{}) {
		t.Errorf("a client spoke as a relay agent: %+v", q.Relay)
	}
}

func TestClient(t *testing.T) {
	guid := func(first byte, n int) tlv { return tlv{97, append([]byte{first}, make([]byte, n)...)} }
	class := optText(60, "PXEClient:Arch:00007")
	for name, test := range map[string]struct {
		options []tlv
		netboot bool
		arch    boot.Arch
	}{
		"firmware":             {[]tlv{optType(TypeDiscover), class, opt(93, 0, 7), opt(94, 1, 3, 0), guid(0, 16)}, true, 7},
		"without 97":           {[]tlv{optType(TypeRequest), class, opt(93, 0, 7), opt(94)}, true, 7},
		"97 of another type":   {[]tlv{optType(TypeDiscover), class, opt(93, 0, 7), opt(94), guid(1, 16)}, false, 7},
		"97 of another length": {[]tlv{optType(TypeDiscover), class, opt(93, 0, 7), opt(94), guid(0, 15)}, false, 7},
		"without 94":           {[]tlv{optType(TypeDiscover), class, opt(93, 0, 7)}, false, 7},
		"without 93":           {[]tlv{optType(TypeDiscover), class, opt(94)}, false, 0},
		"another class":        {[]tlv{optType(TypeDiscover), optText(60, "xPXEClient"), opt(93, 0, 7), opt(94)}, false, 7},
		"INFORM":               {[]tlv{optType(TypeInform), class, opt(93, 0, 7), opt(94)}, false, 7},
		"first known counts":   {[]tlv{optType(TypeDiscover), class, opt(93, 1, 0, 0, 11, 0, 7), opt(94)}, true, 11},
		"none known":           {[]tlv{optType(TypeDiscover), class, opt(93, 1, 0, 2, 0), opt(94)}, true, 256},
	} {
		t.Run(name, func(t *testing.T) {
			c := from(test.options...).parse(t).Client()
			if c.Netboot != test.netboot || c.Arch != test.arch || c.MAC != testMAC {
				t.Errorf("netboot %v, architecture %d; want %v, %d", c.Netboot, c.Arch, test.netboot, test.arch)
			}
		})
	}
	if c := from(optType(TypeDiscover), optText(60, "HTTPClient:Arch:00016")).parse(t).Client(); c.VendorClass != boot.VendorHTTPClient {
		t.Errorf("HTTPClient is read as %q", c.VendorClass)
	}
}
