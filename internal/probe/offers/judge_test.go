package offers

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

var (
	server   = netip.MustParseAddr("192.168.2.10")
	other    = netip.MustParseAddr("192.168.2.20")
	address  = netip.MustParseAddr("192.168.2.101")
	reserved = &reservation.Reservation{MAC: machine, Address: reservation.PrefixOf(netip.PrefixFrom(address, 24)), Settings: &reservation.Settings{Netboot: reservation.Netboot{Allow: true}}}
)

// good is the answer that agrees with the intent for k.
func good(k Kind) Offer {
	return Offer{
		Message: MessageOffer, From: server, ServerID: server, Address: address, Mask: 24, NextServer: k.Want.NextServer,
		File: k.Want.BootFile, VendorClass: k.Want.VendorClass.String(), Lease: 3600,
	}
}

func judged(k Kind, i Intent, answers ...Offer) []Finding {
	return Judge(k, machine, reserved, i, answers)
}

// What boot.Table says agrees, in the file field or in option 67, as does the machine's own URL.
func TestIntentAgrees(t *testing.T) {
	for _, e := range []boot.Endpoint{endpoint, {}} {
		for _, k := range Kinds(e) {
			c := k.Client()
			c.MAC = machine
			inOption, own := good(k), good(k)
			inOption.File, inOption.Option67 = "", inOption.File
			own.File = boot.Decide(c, allowed, e).BootFile
			for _, o := range []Offer{good(k), inOption, own} {
				if f := judged(k, Intent{Endpoint: e}, o); len(f) > 0 {
					t.Errorf("%s: %v", k.Name, f)
				}
			}
		}
	}
}

func TestJudge(t *testing.T) {
	for _, test := range []struct {
		name, kind string
		change     func(*Offer)
		field      Field // empty when the answer agrees
		says       string
	}{
		{"address", "firmware-bios/0", func(o *Offer) { o.Address = other }, FieldAddress, "192.168.2.101"},
		{"no address", "firmware-bios/0", func(o *Offer) { o.Address = netip.Addr{} }, FieldAddress, `got "none"`},
		{"netmask", "firmware-bios/0", func(o *Offer) { o.Mask = 16 }, FieldNetmask, `got "/16", want "/24"`},
		{"no netmask", "firmware-bios/0", func(o *Offer) { o.Mask = -1 }, FieldNetmask, "not a netmask"},
		{"old next-server", "firmware-bios/0", func(o *Offer) { o.NextServer = other }, FieldNextServer, "not the endpoint"},
		{"own next-server", "tinkerbell/7", func(o *Offer) { o.NextServer = server }, FieldNextServer, "not the endpoint"},
		{"only option 66", "firmware-uefi-x86-64/7", func(o *Offer) { o.NextServer, o.Option66 = netip.Addr{}, "192.168.2.112" }, FieldNextServer, "option 66"},
		{"binary for iPXE", "ipxe/7", func(o *Offer) { o.File = "ipxe.efi" }, FieldBootFile, "boots it for ever"},
		{"no boot file", "firmware-uefi-x86-64/9", func(o *Offer) { o.File = "" }, FieldBootFile, "no rule of this server"},
		{"two boot files", "firmware-bios/0", func(o *Offer) { o.Option67 = o.File; o.File = "none" }, FieldBootFile, "let both say the same"},
		{"hostile boot file", "firmware-bios/0", func(o *Offer) { o.File = "\x1b[2J\n\"" }, FieldBootFile, `"\x1b[2J\n\""`},
		{"HTTP boot without option 60", "http-uefi-arm64/19", func(o *Offer) { o.VendorClass = "" }, FieldVendorClass, "no other answer"},
		{"option 60 for PXE", "firmware-uefi-x86-64/7", func(o *Offer) { o.VendorClass = "PXEClient" }, FieldVendorClass, "port 4011"},
		{"HTTPClient for PXE", "firmware-uefi-x86-64/7", func(o *Offer) { o.VendorClass = "HTTPClient" }, FieldVendorClass, "drops it"},
		{"another option 60", "firmware-uefi-x86-64/7", func(o *Offer) { o.VendorClass = "MSFT" }, "", ""},
		{"something for nothing", "firmware-uefi-ia32/6", func(o *Offer) { o.File = "ipxe.efi" }, FieldBootFile, "ArchUnsupported"},
		{"next-server for nothing", "firmware-uefi-ia32/6", func(o *Offer) { o.NextServer = endpoint.Addr }, FieldNextServer, "ArchUnsupported"},
		{"own next-server for nothing", "firmware-uefi-ia32/6", func(o *Offer) { o.NextServer = server }, "", ""},
		{"refused", "firmware-bios/0", func(o *Offer) { *o = Offer{Message: MessageNAK, ServerID: server} }, FieldAnswer, "NAK"},
		{"no server identifier", "firmware-bios/0", func(o *Offer) { o.ServerID = netip.Addr{} }, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := kindNamed(t, test.kind)
			o := good(k)
			test.change(&o)
			findings := judged(k, Intent{Endpoint: endpoint}, o)
			if test.field == "" {
				if len(findings) > 0 {
					t.Errorf("%v", findings)
				}
				return
			}
			if len(findings) != 1 || findings[0].Field != test.field {
				t.Fatalf("%v, want one about the %s", findings, test.field)
			}
			text := findings[0].String()
			if !strings.Contains(text, test.says) || strings.ContainsAny(text, "\n\x1b") || !strings.HasPrefix(text, machine.String()+" as "+test.kind+": ") {
				t.Errorf("%q does not say %q in one line", text, test.says)
			}
		})
	}
}

func TestJudgeServers(t *testing.T) {
	k := kindNamed(t, "firmware-bios/0")
	second := good(k)
	second.From, second.ServerID = other, other
	for _, test := range []struct {
		name     string
		expected []netip.Addr
		answers  []Offer
		want     []Field
	}{
		{"none", nil, nil, []Field{FieldAnswer}},
		{"one", nil, []Offer{good(k)}, nil},
		{"two", nil, []Offer{good(k), second}, []Field{FieldServer}},
		{"a pair", []netip.Addr{server, other}, []Offer{good(k), second}, nil},
		{"one of a pair", []netip.Addr{server, other}, []Offer{second}, nil},
		{"a foreign one", []netip.Addr{server}, []Offer{good(k), second}, []Field{FieldServer}},
		{"only a foreign one", []netip.Addr{server}, []Offer{second}, []Field{FieldServer}},
	} {
		t.Run(test.name, func(t *testing.T) {
			findings := judged(k, Intent{Endpoint: endpoint, Servers: test.expected}, test.answers...)
			if len(findings) != len(test.want) || len(findings) > 0 && findings[0].Field != test.want[0] {
				t.Errorf("%v, want %v", findings, test.want)
			}
		})
	}
}

// An iPXE without HTTP may be given the script only where that is allowed.
func TestOldIPXE(t *testing.T) {
	k := kindNamed(t, "old-ipxe-bios/0")
	o := good(k)
	o.File = endpoint.ScriptURL(reservation.MAC{})
	if f := judged(k, Intent{Endpoint: endpoint}, o); len(f) != 1 || f[0].Field != FieldBootFile {
		t.Errorf("not allowed: %v", f)
	}
	if f := judged(k, Intent{Endpoint: endpoint, OldIPXEGetsScript: true}, o); len(f) > 0 {
		t.Errorf("allowed: %v", f)
	}
}

// Without an intent, boot files are nobody's business, and addresses only those of a reservation.
func TestJudgeAddress(t *testing.T) {
	k := kindNamed(t, "firmware-bios/0")
	o := good(k)
	o.File, o.NextServer, o.Address = "other", other, other
	if f := JudgeAddress(k, machine, nil, nil, []Offer{o}); len(f) > 0 {
		t.Errorf("without a reservation: %v", f)
	}
	if f := JudgeAddress(k, machine, reserved, nil, []Offer{o}); len(f) != 1 || f[0].Field != FieldAddress {
		t.Errorf("with a reservation: %v", f)
	}
}

// A proxy gives no address, and the server of addresses beside it nothing to boot.
func TestJudgeBesideAProxy(t *testing.T) {
	k := kindNamed(t, "firmware-uefi-x86-64/7")
	proxy, giver := good(k), good(k)
	proxy.From, proxy.ServerID, proxy.Address, proxy.Mask, proxy.VendorClass = other, other, netip.Addr{}, 0, "PXEClient"
	giver.File, giver.NextServer, giver.VendorClass = "", netip.Addr{}, ""
	changed := func(o Offer, change func(*Offer)) Offer { change(&o); return o }
	third := netip.MustParseAddr("192.168.2.30")
	for _, test := range []struct {
		name    string
		answers []Offer
		want    []Field
	}{
		{"both", []Offer{giver, proxy}, nil},
		{"the proxy first", []Offer{proxy, giver}, nil},
		{"menu at 4011", []Offer{giver, changed(proxy, func(o *Offer) { o.File = "" })}, nil},
		{"only the proxy", []Offer{proxy}, []Field{FieldAddress}},
		{"only the giver", []Offer{giver}, []Field{FieldBootFile, FieldNextServer}},
		{"another address", []Offer{changed(giver, func(o *Offer) { o.Address = other }), proxy}, []Field{FieldAddress}},
		{"another file of the proxy", []Offer{giver, changed(proxy, func(o *Offer) { o.File = "other.efi" })}, []Field{FieldBootFile}},
		{"another file of the giver", []Offer{changed(giver, func(o *Offer) { o.File = "other.efi" }), proxy}, []Field{FieldBootFile, FieldNextServer}},
		{"two givers", []Offer{giver, changed(giver, func(o *Offer) { o.From, o.ServerID = third, third }), proxy}, []Field{FieldServer}},
		{"two proxies", []Offer{giver, proxy, changed(proxy, func(o *Offer) { o.From, o.ServerID = third, third })}, []Field{FieldServer}},
		{"an OFFER without address that is no proxy's", []Offer{giver, changed(proxy, func(o *Offer) { o.VendorClass = "" })},
			[]Field{FieldBootFile, FieldNextServer, FieldAddress, FieldNetmask, FieldServer}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []Field
			for _, f := range judged(k, Intent{Endpoint: endpoint}, test.answers...) {
				got = append(got, f.Field)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}
