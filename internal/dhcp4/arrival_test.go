package dhcp4

import (
	"net/netip"
	"testing"

	"github.com/tugboot/tugboot/internal/boot"
)

func TestUnheardRelays(t *testing.T) {
	kind := func(a netip.Addr) AddrKind {
		switch a.String() {
		case "192.168.2.112":
			return AddrOwn
		case "192.168.2.255":
			return AddrBroadcast
		}
		return AddrForeign
	}
	allowed := []netip.Prefix{netip.MustParsePrefix("192.168.2.0/29"), netip.MustParsePrefix("10.77.0.1/32")}
	for name, test := range map[string]struct {
		giaddr string
		from   []netip.Prefix
		want   boot.Reason
	}{
		"own address":                 {"192.168.2.112", nil, ReasonRelayOwnAddress},
		"own address, allowed":        {"192.168.2.112", []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}, ReasonRelayOwnAddress},
		"the subnet's broadcast":      {"192.168.2.255", nil, ReasonRelayBroadcast},
		"everybody is listened to":    {"192.168.2.1", nil, ""},
		"listened to":                 {"192.168.2.1", allowed, ""},
		"listened to, by its address": {"10.77.0.1", allowed, ""},
		"not listened to":             {"10.77.0.2", allowed, ReasonRelayNotAllowed},
		"not through a relay":         {"", allowed, ""},
	} {
		for _, mode := range []Mode{ModeReservation, ModeProxy} {
			m := from(join(pxe(TypeDiscover), relayOption(subAddr(5, "192.168.2.0")))...)
			m.giaddr = test.giaddr
			o := arrived(t, m, Arrival{Mode: mode, Kind: kind, RelayFrom: test.from}, testReservation())
			if test.want == "" && o.Verdict != Offer || test.want != "" && (o.Verdict != Silent || o.Reason != test.want) {
				t.Errorf("%s in mode %v: %v %s, want %q", name, mode, o.Verdict, o.Reason, test.want)
			}
		}
	}
}

func TestOwnReplyIsKnown(t *testing.T) {
	o, _ := answer(t, from(pxe(TypeDiscover)...).relayed("192.168.2.1"), testReservation())
	if !OwnReply(o.Reply.Packet, testSelf.Servers) {
		t.Error("a reply of this server is not known")
	}
	other := Servers{ID: addr("192.168.2.5"), Also: []netip.Addr{addr("192.168.2.6")}}
	if OwnReply(o.Reply.Packet, other) {
		t.Error("another server's reply is taken for an own one")
	}
	other.Also = append(other.Also, testSelf.ID)
	if !OwnReply(o.Reply.Packet, other) {
		t.Error("a reply of the other stack, which counts as this server, is not known")
	}
	request := from(optType(TypeRequest), optAddr(54, "192.168.2.112")).bytes()
	for name, packet := range map[string][]byte{"a request": request, "too short": o.Reply.Packet[:200], "nothing": nil,
		"cut": o.Reply.Packet[:245], "without option 54": append(o.Reply.Packet[:240:240], 255)} {
		if OwnReply(packet, testSelf.Servers) {
			t.Errorf("%s is taken for an own reply", name)
		}
	}
}
