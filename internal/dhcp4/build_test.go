package dhcp4

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// answer answers m from r and fails the test when there is none.
func answer(t testing.TB, m message, r *reservation.Reservation) (Outcome, []tlv) {
	t.Helper()
	o := Answer(m.parse(t), only(r), testSelf)
	if o.Verdict == Silent {
		t.Fatalf("no answer: %s", o.Reason)
	}
	return o, wireOptions(t, o.Reply.Packet)
}

// oracle reads a reply with the library.
func oracle(t testing.TB, o Outcome) *dhcpv4.DHCPv4 {
	t.Helper()
	p, err := dhcpv4.FromBytes(o.Reply.Packet)
	if err != nil {
		t.Fatalf("the reply cannot be parsed: %v", err)
	}
	return p
}

func TestHeader(t *testing.T) {
	request := from(join(pxe(TypeRequest), optAddr(50, "192.168.2.185"))...)
	request.flags = 0x8000
	o, _ := answer(t, request, testReservation())
	want := make([]byte, 240)
	copy(want, "\x02\x01\x06\x00\x5b\xff\x0f\x46\x00\x00\x80\x00\x00\x00\x00\x00\xc0\xa8\x02\xb9\xc0\xa8\x02\x70\x00\x00\x00\x00")
	copy(want[28:], testMAC[:])
	copy(want[44:], "192.168.2.112")
	copy(want[108:], "undionly.kpxe")
	copy(want[236:], "\x63\x82\x53\x63")
	if diff := cmp.Diff(want, o.Reply.Packet[:240]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestHeaderAddresses(t *testing.T) {
	const none, own, gateway = "0.0.0.0", "192.168.2.185", "192.168.2.1"
	for name, test := range map[string]struct {
		message                message
		ciaddr, yiaddr, giaddr string
		flags                  uint16
	}{
		"offer ignores ciaddr": {from(optType(TypeDiscover)).at("192.168.2.7"), none, own, none, 0},
		"renewing":             {from(optType(TypeRequest)).at(own), own, own, none, 0},
		"inform":               {from(optType(TypeInform)).at("192.168.2.7"), "192.168.2.7", none, none, 0},
		"relayed":              {from(optType(TypeDiscover)).relayed(gateway), none, own, gateway, 0},
		"NAK":                  {from(optType(TypeRequest)).at("192.168.2.7"), none, none, none, 0},
		"NAK relayed":          {from(optType(TypeRequest)).at("192.168.2.7").relayed(gateway), none, none, gateway, 0x8000},
	} {
		t.Run(name, func(t *testing.T) {
			o, _ := answer(t, test.message, testReservation())
			p := oracle(t, o)
			got := []string{p.ClientIPAddr.String(), p.YourIPAddr.String(), p.GatewayIPAddr.String(), p.ServerIPAddr.String()}
			if diff := cmp.Diff([]string{test.ciaddr, test.yiaddr, test.giaddr, none}, got); diff != "" {
				t.Errorf("ciaddr, yiaddr, giaddr, siaddr: -want +got:\n%s", diff)
			}
			if p.Flags != test.flags {
				t.Errorf("flags %#04x, want %#04x", p.Flags, test.flags)
			}
		})
	}
}

func TestOptionsAndTheirOrder(t *testing.T) {
	full := testReservation()
	full.Routes = []reservation.Route{{Destination: netip.MustParsePrefix("10.0.0.0/8"), Router: addr("192.168.2.2")}}
	full.VLAN = 50
	id, agent := opt(61, 1, 2, 3), relayOption(subOption(1, 'x'))
	for name, test := range map[string]struct {
		message message
		want    []uint8
	}{
		"no option 55": {from(optType(TypeDiscover)),
			[]uint8{53, 54, 51, 58, 59, 1, 121, 3, 6, 12, 15, 28, 42, 119}},
		"order of option 55, mask first": {from(optType(TypeDiscover), opt(55, 15, 3, 1, 6, 15, 99)),
			[]uint8{53, 54, 51, 58, 59, 1, 15, 3, 6}},
		"router unasked": {from(optType(TypeDiscover), opt(55, 6)),
			[]uint8{53, 54, 51, 58, 59, 1, 6, 3}},
		"echoes last": {from(optType(TypeDiscover), opt(55, 12), id, agent, optAddr(118, "192.168.2.0")).relayed("192.168.2.1"),
			[]uint8{53, 54, 51, 58, 59, 1, 12, 3, 61, 118, 82}},
		"firmware, names unasked": {from(join(pxe(TypeDiscover), opt(55, 1))...),
			[]uint8{53, 54, 51, 58, 59, 1, 3, 43, 97}},
		"firmware, names asked": {from(join(pxe(TypeDiscover), opt(55, 67, 66, 43))...),
			[]uint8{53, 54, 51, 58, 59, 1, 67, 66, 43, 3, 97}},
		"inform": {from(optType(TypeInform), opt(55, 6, 51)).at("192.168.2.7"),
			[]uint8{53, 54, 1, 6, 3}},
		"NAK": {from(optType(TypeRequest), id, agent, optAddr(50, "192.168.2.9"), opt(55, 1, 3)),
			[]uint8{53, 54, 56, 61, 82}},
	} {
		t.Run(name, func(t *testing.T) {
			_, options := answer(t, test.message, full)
			if diff := cmp.Diff(test.want, codes(options)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestOptionValues(t *testing.T) {
	r := testReservation()
	r.Routes = []reservation.Route{
		{Destination: netip.MustParsePrefix("10.1.2.3/8"), Router: addr("192.168.2.2")},
		{Destination: netip.MustParsePrefix("172.16.16.0/20"), Router: addr("192.168.2.3")},
		{Destination: netip.MustParsePrefix("192.0.2.7/32"), Router: addr("192.168.2.4")},
	}
	o, options := answer(t, from(optType(TypeDiscover)), r)
	for code, want := range map[uint8]string{
		1: "\xff\xff\xff\x00", 3: "\xc0\xa8\x02\x01", 6: "\x08\x08\x08\x08\x08\x08\x04\x04", 12: "wk01", 15: "lab.example",
		28: "\xc0\xa8\x02\xff", 42: "\xc0\xa8\x02\x03", 51: "\x00\x01\x51\x80", 53: "\x02", 54: "\xc0\xa8\x02\x70",
		58: "\x00\x00\xa8\xc0", 59: "\x00\x01\x27\x50", 119: "\x03lab\x07example\x00",
		121: "\x00\xc0\xa8\x02\x01" + "\x08\x0a\xc0\xa8\x02\x02" + "\x14\xac\x10\x10\xc0\xa8\x02\x03" + "\x20\xc0\x00\x02\x07\xc0\xa8\x02\x04",
	} {
		if got := string(find(options, code)); got != want {
			t.Errorf("option %d is %q, want %q", code, got, want)
		}
	}
	p := oracle(t, o)
	if got := p.DomainSearch().Labels; !slices.Equal(got, []string{"lab.example"}) {
		t.Errorf("the library reads option 119 as %q", got)
	}
	if got := p.ClasslessStaticRoute(); len(got) != 4 || got[0].String() != "route to 0.0.0.0/0 via 192.168.2.1" {
		t.Errorf("the library reads option 121 as %v", got)
	}
}

func TestWhatIsNotThereIsNotSent(t *testing.T) {
	r := &reservation.Reservation{MAC: testMAC, Address: reservation.MustParsePrefix("192.168.2.185/31"), Settings: &reservation.Settings{Lease: 60, DomainName: strings.Repeat("x", 64)}}
	_, options := answer(t, from(optType(TypeDiscover), opt(55, 3, 6, 12, 28, 42, 43, 60, 66, 67, 97, 119, 121)), r)
	if diff := cmp.Diff([]uint8{53, 54, 51, 58, 59, 1}, codes(options)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRouteHasTheBytesOfItsPrefixOnly(t *testing.T) {
	router := addr("192.168.2.2")
	for bits, want := range map[int]string{
		0: "\x00", 1: "\x01\x80", 8: "\x08\xac", 9: "\x09\xac\x80", 16: "\x10\xac\x90", 17: "\x11\xac\x90\x80",
		24: "\x18\xac\x90\x80", 25: "\x19\xac\x90\x80\x80", 32: "\x20\xac\x90\x80\x81",
	} {
		route := reservation.Route{Destination: netip.PrefixFrom(addr("172.144.128.129"), bits), Router: router}
		if got := string(appendRoute(nil, route)); got != want+"\xc0\xa8\x02\x02" {
			t.Errorf("/%d is % x", bits, got)
		}
	}
	for _, route := range []reservation.Route{{Destination: netip.MustParsePrefix("fd00::/8"), Router: router}, {Destination: netip.MustParsePrefix("10.0.0.0/8")}} {
		if got := appendRoute(nil, route); got != nil {
			t.Errorf("%v is % x, want nothing", route, got)
		}
	}
}

func TestDomainSearchHoldsWhatDNSCan(t *testing.T) {
	label := func(n int) string { return strings.Repeat("x", n) }
	longest := label(63) + "." + label(63) + "." + label(63) + "." + label(61) // 253 bytes
	for name, want := range map[string]int{"": 0, ".": 0, "a": 3, "a.": 3, label(63): 65, label(64): 0, longest: 255, longest + "x": 0, "a..b": 0, ".a": 0} {
		if got := len(appendDomainSearch(nil, name)); got != want {
			t.Errorf("%q (%d bytes) takes %d bytes, want %d", name, len(name), got, want)
		}
	}
}

func TestBroadcastAddress(t *testing.T) {
	for prefix, want := range map[string]string{
		"192.168.2.185/24": "\xc0\xa8\x02\xff", "192.168.2.185/30": "\xc0\xa8\x02\xbb", "10.9.8.7/8": "\x0a\xff\xff\xff",
		"192.168.2.185/31": "", "192.168.2.185/32": "",
	} {
		if got := string(appendAddress(nil, broadcastAddress(reservation.MustParsePrefix(prefix)))); got != want {
			t.Errorf("%s: % x", prefix, got)
		}
	}
}

func TestRoutesWithoutGateway(t *testing.T) {
	r := testReservation()
	r.Gateway = netip.Addr{}
	r.Routes = []reservation.Route{{Destination: netip.MustParsePrefix("10.0.0.0/8"), Router: addr("192.168.2.2")}}
	_, options := answer(t, from(optType(TypeDiscover)), r)
	if got := find(options, 121); string(got) != "\x08\x0a\xc0\xa8\x02\x02" || find(options, 3) != nil {
		t.Errorf("option 121 is % x, option 3 % x", got, find(options, 3))
	}
}

func TestLeaseTimes(t *testing.T) {
	for lease, want := range map[uint32][3]string{
		60:         {"\x00\x00\x00\x3c", "\x00\x00\x00\x1e", "\x00\x00\x00\x34"},
		4294967294: {"\xff\xff\xff\xfe", "\x7f\xff\xff\xff", "\xdf\xff\xff\xfe"},
		4294967295: {"\xff\xff\xff\xff", "", ""},
	} {
		r := testReservation()
		r.Lease = lease
		_, options := answer(t, from(optType(TypeDiscover)), r)
		got := [3]string{string(find(options, 51)), string(find(options, 58)), string(find(options, 59))}
		if got != want {
			t.Errorf("lease %d: options 51, 58, 59 are %q, want %q", lease, got, want)
		}
	}
}

func TestFirmwareOptions(t *testing.T) {
	r := testReservation()
	r.VLAN = 50
	pi := pxe(TypeDiscover)
	m := from(join(pi, opt(55, 43, 60, 66, 67))...)
	m.mac = reservation.MAC{0xdc, 0xa6, 0x32, 0, 0, 1}
	r.MAC = m.mac
	_, options := answer(t, m, r)
	want := map[uint8]string{43: "\x09\x14\x00\x00\x11Raspberry Pi Boot\x0a\x04\x00PXE\x74\x0250\xff", 60: "PXEClient",
		66: "192.168.2.112", 67: "snp-arm64.efi", 97: string(make([]byte, 17))}
	for code, value := range want {
		if got := string(find(options, code)); got != value {
			t.Errorf("Raspberry Pi: option %d is %q, want %q", code, got, value)
		}
	}

	r = testReservation()
	_, options = answer(t, from(pxe(TypeDiscover)...), r)
	if find(options, 60) != nil || find(options, 43) != nil || find(options, 175) != nil {
		t.Errorf("plain firmware got options %v", codes(options))
	}
	_, options = answer(t, from(join(pxe(TypeDiscover), optText(77, "Tinkerbell"), opt(55, 1))...), r)
	if got := string(find(options, 175)); got != "\xb0\x01\x01" {
		t.Errorf("iPXE: option 175 is %q", got)
	}
	http := []tlv{optType(TypeDiscover), optText(60, "HTTPClient:Arch:00016"), opt(93, 0, 16), opt(94, 1, 3, 0), opt(55, 60, 67)}
	o, options := answer(t, from(http...), r)
	if got := string(find(options, 60)); got != "HTTPClient" {
		t.Errorf("HTTP boot: option 60 is %q", got)
	}
	if got := oracle(t, o).BootFileName; got != "http://192.168.2.112:7171/ipxe/binary/52:54:00:00:00:01/ipxe.efi" || got != string(find(options, 67)) {
		t.Errorf("HTTP boot: file is %q, option 67 %q", got, find(options, 67))
	}
}

func TestVLANIsForNetbootClientsOnly(t *testing.T) {
	r := testReservation()
	r.VLAN = 50
	if _, options := answer(t, from(optType(TypeDiscover), opt(55, 43)), r); find(options, 43) != nil {
		t.Error("an operating system was sent option 43, which means something else to it")
	}
}

func TestBootFileLength(t *testing.T) {
	for _, n := range []int{127, 128, 255, 256} {
		r := testReservation()
		r.Netboot.TFTPServerName, r.Netboot.BootFileName = "server", strings.Repeat("f", n)
		o, options := answer(t, from(optType(TypeDiscover), opt(55, 1)), r)
		file, option := strings.TrimRight(string(o.Reply.Packet[108:236]), "\x00"), string(find(options, 67))
		if n <= 127 && (len(file) != n || option != "") || n > 127 && (file != "" || len(option) != n) {
			t.Errorf("boot file of %d bytes: file has %d, option 67 %d", n, len(file), len(option))
		}
		if got := oracle(t, o).BootFileNameOption(); got != option {
			t.Errorf("the library reads option 67 of %d bytes as %d", n, len(got))
		}
	}
}

func TestServerNameThatDoesNotFitIsNotCut(t *testing.T) {
	for n, want := range map[int]int{63: 63, 64: 0} {
		r := testReservation()
		r.Netboot.TFTPServerName, r.Netboot.BootFileName = strings.Repeat("s", n), "file"
		o, options := answer(t, from(optType(TypeDiscover), opt(55, 66)), r)
		if got := oracle(t, o).ServerHostName; len(got) != want || len(find(options, 66)) != n {
			t.Errorf("server name of %d bytes: sname has %d, option 66 %d", n, len(got), len(find(options, 66)))
		}
	}
}

func TestLongOptionGoesOutInPieces(t *testing.T) {
	m := from(optType(TypeDiscover), tlv{61, bytes.Repeat([]byte{7}, 200)}, tlv{61, bytes.Repeat([]byte{8}, 56)}, opt(55, 1), opt(57, 5, 0xdc))
	o, options := answer(t, m, testReservation())
	if got := find(options, 61); len(got) != 256 || got[199] != 7 || got[200] != 8 {
		t.Errorf("option 61 came back as %d bytes", len(got))
	}
	if !bytes.Contains(o.Reply.Packet, append([]byte{61, 255}, bytes.Repeat([]byte{7}, 200)...)) || !bytes.Contains(o.Reply.Packet, []byte{61, 1, 8}) {
		t.Error("option 61 is not split after 255 bytes")
	}
}

func TestSizes(t *testing.T) {
	long := testReservation()
	long.DomainName = strings.Repeat("x", 60) + "." + strings.Repeat("y", 60)
	long.NameServers = slices.Repeat(long.NameServers, 10)
	long.TimeServers = slices.Repeat(long.TimeServers, 10)
	size := func(n int) tlv { return opt(57, byte(n>>8), byte(n)) }
	for name, test := range map[string]struct {
		options []tlv
		limit   int
		omitted []uint8
	}{
		"none":                          {nil, 548, []uint8{119}},
		"576":                           {[]tlv{size(576)}, 548, []uint8{119}},
		"too small":                     {[]tlv{size(300)}, 548, []uint8{119}},
		"with a long client identifier": {[]tlv{{61, make([]byte, 150)}}, 548, []uint8{119, 42, 28, 15}},
		"1472":                          {[]tlv{size(1472)}, 1444, nil},
		"EDK2's":                        {[]tlv{size(65280)}, 1472, nil},
	} {
		t.Run(name, func(t *testing.T) {
			o, options := answer(t, from(join(test.options, optType(TypeDiscover))...), long)
			if n := len(o.Reply.Packet); n > test.limit || n < 300 {
				t.Errorf("%d bytes, allowed are 300 to %d", n, test.limit)
			}
			if diff := cmp.Diff(test.omitted, o.Reply.Omitted); diff != "" {
				t.Errorf("omitted: -want +got:\n%s", diff)
			}
			for _, code := range test.omitted {
				if find(options, code) != nil {
					t.Errorf("option %d is said to be omitted and is there", code)
				}
			}
		})
	}
}

// TestFullToTheLastByte: a message may be as long as the client accepts, and not one byte longer.
func TestFullToTheLastByte(t *testing.T) {
	reply := func(id int, size uint16) Reply {
		m := from(optType(TypeDiscover), opt(55, 1, 12), opt(57, byte(size>>8), byte(size)))
		for piece := range slices.Chunk(make([]byte, id), 255) {
			m.options = append(m.options, tlv{61, piece})
		}
		o, _ := answer(t, m, testReservation())
		return o.Reply
	}
	for size, limit := range map[uint16]int{0: 548, 576: 548, 577: 549, 1472: 1444, 1500: 1472, 1501: 1472, 65280: 1472} {
		room := limit - len(reply(200, 1500).Packet)
		id := 200 + room - 2*((200+room)/257) // every further piece of option 61 costs two bytes
		if full := reply(id, size); len(full.Packet) != limit || full.Omitted != nil {
			t.Errorf("size %d: a reply that fits has %d of %d bytes and lacks %v", size, len(full.Packet), limit, full.Omitted)
		}
		if over := reply(id+1, size); len(over.Packet) > limit || !slices.Equal(over.Omitted, []uint8{12}) {
			t.Errorf("size %d: one byte more makes %d of %d bytes and leaves out %v", size, len(over.Packet), limit, over.Omitted)
		}
	}
}

// TestLongOptionsGoOutInPieces: which the library puts together again.
func TestLongOptionsGoOutInPieces(t *testing.T) {
	for _, n := range []int{1, 254, 255, 256, 510, 511, 1000} {
		value := make([]byte, n)
		for i := range value {
			value[i] = byte(i)
		}
		w := writer{}
		w.begin()
		w.text(optHostName, "before")
		w.bytes(optClientIdentifier, value)
		w.text(optDomainName, "after")
		got := dhcpv4.Options{}
		if err := got.FromBytes(w.end()[offOptions:]); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got[optClientIdentifier], value) || string(got[optHostName]) != "before" || string(got[optDomainName]) != "after" {
			t.Errorf("%d bytes are read as %d, beside %q and %q", n, len(got[optClientIdentifier]), got[optHostName], got[optDomainName])
		}
		w.remove(1)
		if want := offOptions + len("before") + len("after") + 2*2; w.placed[1].end != want || w.placed[1].code != optDomainName {
			t.Errorf("without it the last option is %+v, want it to end at %d", w.placed[1], want)
		}
	}
}

func TestShortRepliesAreFilledUp(t *testing.T) {
	o, _ := answer(t, from(optType(TypeDiscover), opt(55, 1)), testReservation())
	if got := len(o.Reply.Packet); got != 300 {
		t.Errorf("%d bytes, want the 300 of BOOTP", got)
	}
}

func TestWhatMustBeSaidAndDoesNotFit(t *testing.T) {
	m := from(optType(TypeDiscover), tlv{61, make([]byte, 255)}, relayOption(bytes.Repeat(subOption(1, 'x'), 30))).relayed("192.168.2.1")
	if o := Answer(m.parse(t), only(testReservation()), testSelf); o.Verdict != Silent || o.Reason != ReasonReplyTooLarge || o.Reply.Packet != nil {
		t.Errorf("%v %q with a packet of %d bytes", o.Verdict, o.Reason, len(o.Reply.Packet))
	}
	m.options = append(m.options, opt(57, 5, 0xc0))
	answer(t, m, testReservation())
}

func TestBootFileInOption67OnlyIsNotLeftOut(t *testing.T) {
	r := testReservation()
	r.NameServers = slices.Repeat(r.NameServers, 20)
	r.Netboot.TFTPServerName, r.Netboot.BootFileName = "s", strings.Repeat("f", 200)
	o, options := answer(t, from(optType(TypeDiscover)), r)
	if len(find(options, 67)) != 200 || !slices.Contains(o.Reply.Omitted, 6) {
		t.Errorf("omitted %v, option 67 has %d bytes", o.Reply.Omitted, len(find(options, 67)))
	}
}

func TestDestination(t *testing.T) {
	const own, relay = "192.168.2.185", "192.168.2.1"
	flagged := func(m message) message { m.flags = 0x8000; return m }
	for name, test := range map[string]struct {
		message message
		want    Dest
	}{
		"link layer":                {from(optType(TypeDiscover)), Dest{Delivery: ToHardware, Addr: addr(own), Port: 68, MAC: testMAC}},
		"broadcast flag":            {flagged(from(optType(TypeDiscover))), broadcast()},
		"ciaddr beats the flag":     {flagged(from(optType(TypeRequest)).at(own)), Dest{Delivery: ToClient, Addr: addr(own), Port: 68}},
		"inform":                    {from(optType(TypeInform)).at("192.168.2.7"), Dest{Delivery: ToClient, Addr: addr("192.168.2.7"), Port: 68}},
		"forged ciaddr":             {from(optType(TypeDiscover)).at("192.0.2.9"), Dest{Delivery: ToHardware, Addr: addr(own), Port: 68, MAC: testMAC}},
		"NAK":                       {from(optType(TypeRequest)).at("192.168.2.7"), broadcast()},
		"relay":                     {flagged(from(optType(TypeRequest)).at(own).relayed(relay)), Dest{Delivery: ToRelay, Addr: addr(relay), Port: 67}},
		"NAK via relay":             {from(optType(TypeRequest)).at("192.168.2.7").relayed(relay), Dest{Delivery: ToRelay, Addr: addr(relay), Port: 67}},
		"relay's source port":       {from(optType(TypeDiscover), relayOption(subOption(19))).relayed(relay), Dest{Delivery: ToRelay, Addr: addr(relay), Port: 67, RequestPort: true}},
		"no source port for client": {from(optType(TypeDiscover), relayOption(subOption(19))), Dest{Delivery: ToHardware, Addr: addr(own), Port: 68, MAC: testMAC}},
	} {
		t.Run(name, func(t *testing.T) {
			if o, _ := answer(t, test.message, testReservation()); o.Reply.Dest != test.want {
				t.Errorf("%+v, want %+v", o.Reply.Dest, test.want)
			}
		})
	}
}

func TestNakSaysWhy(t *testing.T) {
	for want, m := range map[string]message{
		"this address is not reserved for this client": from(optType(TypeRequest), optAddr(50, "192.168.2.9")),
		"this address cannot be used on this subnet":   from(optType(TypeRequest), optAddr(50, "192.168.2.185")).relayed("10.77.0.1"),
	} {
		if _, options := answer(t, m, testReservation()); string(find(options, 56)) != want {
			t.Errorf("option 56 is %q, want %q", find(options, 56), want)
		}
	}
}

func TestReasons(t *testing.T) {
	allowed, forbidden := testReservation(), testReservation()
	forbidden.Netboot.Allow = false
	for _, test := range []struct {
		message message
		r       *reservation.Reservation
		want    boot.Reason
	}{
		{from(pxe(TypeDiscover)...), allowed, boot.ReasonFirmwareBinary},
		{from(pxe(TypeDiscover)...), forbidden, boot.ReasonNetbootNotAllowed},
		{from(optType(TypeRequest)), allowed, boot.ReasonNotNetbootClient},
		{from(optType(TypeRequest), optAddr(50, "192.168.2.9")), allowed, ReasonWrongAddress},
	} {
		if o, _ := answer(t, test.message, test.r); o.Reason != test.want {
			t.Errorf("reason %q, want %q", o.Reason, test.want)
		}
	}
}
