package offers

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// wholeOffer is an offer in which everything is set.
func wholeOffer() *dhcpv4.DHCPv4 {
	q := question{mac: machine, kind: Kinds(endpoint)[0], xid: dhcpv4.TransactionID{1, 2, 3, 4}}
	d := q.message(dhcpv4.MessageTypeOffer, 0, nil)
	d.OpCode, d.YourIPAddr, d.ServerIPAddr, d.BootFileName = dhcpv4.OpcodeBootReply, address.AsSlice(), endpoint.Addr.AsSlice(), "ipxe.efi"
	d.Options = dhcpv4.Options{
		53: {2}, 1: {255, 255, 255, 0}, 51: {0, 0, 14, 16}, 54: server.AsSlice(), 60: []byte("HTTPClient\x00"),
		66: []byte("192.168.2.112"), 67: []byte("http://192.168.2.112/x\x00"),
	}
	return d
}

func TestRead(t *testing.T) {
	o, xid, mac, ok := read(wholeOffer().ToBytes())
	want := Offer{
		Message: MessageOffer, ServerID: server, Address: address, Mask: 24, NextServer: endpoint.Addr, File: "ipxe.efi",
		Option66: "192.168.2.112", Option67: "http://192.168.2.112/x", VendorClass: "HTTPClient", Lease: 3600,
	}
	if o != want || xid != [4]byte{1, 2, 3, 4} || mac != machine || !ok {
		t.Errorf("read %+v, want %+v", o, want)
	}
	if o.BootFile() != "http://192.168.2.112/x" {
		t.Errorf("the boot file is %q", o.BootFile())
	}
}

// Header fields that hold options are read as such (RFC 2132 section 9.3).
func TestReadOverload(t *testing.T) {
	d := wholeOffer()
	d.BootFileName = ""
	delete(d.Options, optBootFile)
	delete(d.Options, optServerName)
	d.Options[optOverload] = []byte{overloadFile | overloadSname}
	b := d.ToBytes()
	copy(b[fileFrom:], "\x43\x08ipxe.efi\xff")
	copy(b[snameFrom:], "\x42\x04boot\xff")
	if o, _, _, _ := read(b); o.BootFile() != "ipxe.efi" || o.File != "" || o.Option66 != "boot" {
		t.Errorf("read %+v", o)
	}
	copy(b[fileFrom:], "\x43\xffgarbled") // longer than the field
	if o, _, _, ok := read(b); !ok || o.BootFile() != "" || o.Option66 != "boot" {
		t.Errorf("read %+v, %v", o, ok)
	}
}

func TestReadOddValues(t *testing.T) {
	d := wholeOffer()
	d.Options[1], d.Options[51], d.Options[54] = []byte{255, 0, 255, 0}, []byte{1}, []byte{1, 2, 3}
	if o, _, _, ok := read(d.ToBytes()); !ok || o.Mask != -1 || o.Lease != 0 || o.ServerID.IsValid() || o.server() != o.From {
		t.Errorf("read %+v, %v", o, ok)
	}
}

// Nothing that comes in crashes the readers, and what an answer is judged by stays on one line.
func FuzzRead(f *testing.F) {
	from, to := netip.AddrPortFrom(server, serverPort), netip.AddrPortFrom(address, clientPort)
	whole := datagram(wholeOffer().ToBytes(), from, to)
	f.Add(whole)
	f.Add(whole[:100])
	f.Add([]byte{0x4f})
	k := kindNamed(f, "ipxe/7")
	f.Fuzz(func(t *testing.T, ip []byte) {
		payload, _, _, ok := open(ip)
		if ok && len(payload) > len(ip)-ipHeader-udpHeader {
			t.Fatalf("%d bytes came out of %d", len(payload), len(ip))
		}
		for _, b := range [][]byte{payload, ip} {
			o, _, _, ok := read(b)
			if !ok {
				continue
			}
			for _, finding := range judged(k, Intent{Endpoint: endpoint}, o) {
				if text := finding.String(); bytes.ContainsAny([]byte(text), "\n\r\x1b\x00") || len(text) > 1200 {
					t.Errorf("not one line: %q", text)
				}
			}
		}
	})
}

// A datagram is opened as it was closed; one that is cut, garbled or a fragment is not opened.
func TestDatagram(t *testing.T) {
	from, to := netip.MustParseAddrPort("192.168.2.112:67"), netip.MustParseAddrPort("192.168.2.185:68")
	for _, payload := range []string{"tugboot", "tugboot!"} {
		ip := datagram([]byte(payload), from, to)
		if got, f, a, ok := open(append(ip, "padding"...)); string(got) != payload || f != from || a != to || !ok {
			t.Errorf("opened %q from %v to %v, %v", got, f, a, ok)
		}
		if sum(0, ip[:ipHeader]) != 0xffff {
			t.Errorf("%q: the IP header's checksum is wrong", payload)
		}
		pseudo := sum(uint32(len(ip)-ipHeader)+17, ip[12:ipHeader])
		if sum(uint32(pseudo), ip[ipHeader:]) != 0xffff {
			t.Errorf("%q: the UDP checksum is wrong", payload)
		}
	}
	whole := datagram([]byte("tugboot"), from, to)
	for name, change := range map[string]func([]byte) []byte{
		"cut":           func(b []byte) []byte { return b[:len(b)-1] },
		"IPv6":          func(b []byte) []byte { b[0] = 0x65; return b },
		"short header":  func(b []byte) []byte { b[0] = 0x44; return b },
		"long header":   func(b []byte) []byte { b[0] = 0x4f; return b },
		"TCP":           func(b []byte) []byte { b[9] = 6; return b },
		"fragment":      func(b []byte) []byte { b[6] = 0x20; return b },
		"no UDP header": func(b []byte) []byte { b[3] = ipHeader + 1; return b },
		"UDP too short": func(b []byte) []byte { b[25] = 7; return b },
		"UDP too long":  func(b []byte) []byte { b[25]++; return b },
	} {
		if got, _, _, ok := open(change(bytes.Clone(whole))); ok {
			t.Errorf("%s: opened %q", name, got)
		}
	}
}
