package offers

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/internal/reservation"
)

var machine = reservation.MAC{0x52, 0x54, 0, 0, 0, 5}

func kindNamed(t testing.TB, name string) Kind {
	t.Helper()
	kinds := Kinds(endpoint)
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		t.Fatalf("no kind is named %s", name)
	}
	return kinds[i]
}

// captured returns the DISCOVERs of a capture of Ethernet frames.
func captured(t *testing.T, name string) []*dhcpv4.DHCPv4 {
	t.Helper()
	b, err := os.ReadFile("../../../test/testdata/pcap/" + name + ".pcap")
	if err != nil {
		t.Fatal(err)
	}
	var all []*dhcpv4.DHCPv4
	for b = b[24:]; len(b) >= 16; {
		n := int(binary.LittleEndian.Uint32(b[8:]))
		payload, _, to, ok := open(b[16+14 : 16+n])
		b = b[16+n:]
		if !ok || to.Port() != serverPort {
			continue
		}
		if d, err := dhcpv4.FromBytes(payload); err == nil && d.MessageType() == dhcpv4.MessageTypeDiscover {
			all = append(all, d)
		}
	}
	return all
}

// What is sent is what real firmware and real iPXE sent, but for the machine's UUID, iPXE's version, network card and
// features, and the order of the options.
func TestDiscoverIsLikeTheCaptured(t *testing.T) {
	for _, test := range []struct {
		capture, kind string
		nth           int
	}{
		{"uefi-x64-pxe-tcg", "firmware-uefi-x86-64/7", 0},
		{"uefi-x64-pxe-tcg", "tinkerbell/7", 1},
		{"deb13-uefi-x64-http-autoexec", "http-uefi-x86-64/16", 0},
		{"deb13-uefi-arm64-pxe-autoexec", "firmware-uefi-arm64/11", 0},
		{"deb13-uefi-arm64-pxe-autoexec", "tinkerbell/11", 1},
		{"bios-e1000-tcg", "tinkerbell/0", 2},
	} {
		t.Run(test.kind, func(t *testing.T) {
			want := captured(t, test.capture)[test.nth]
			q := question{mac: reservation.MAC(want.ClientHWAddr), kind: kindNamed(t, test.kind), xid: want.TransactionID}
			got, err := dhcpv4.FromBytes(q.discover(time.Duration(want.NumSeconds) * time.Second))
			if err != nil {
				t.Fatal(err)
			}
			if got.Flags != want.Flags || got.NumSeconds != want.NumSeconds || !bytes.Equal(got.ClientHWAddr, want.ClientHWAddr) ||
				got.TransactionID != want.TransactionID || got.OpCode != want.OpCode || got.HWType != want.HWType || got.HopCount != 0 {
				t.Errorf("header:\n%s\nwant\n%s", got.Summary(), want.Summary())
			}
			for code := range 255 {
				g, w := got.Options[uint8(code)], want.Options[uint8(code)]
				differs := !bytes.Equal(g, w)
				if code == optMachineID || code == optIPXE {
					differs = (g == nil) != (w == nil)
				}
				if differs {
					t.Errorf("option %d is % x, the captured one % x", code, g, w)
				}
			}
		})
	}
}

// Every packet is read back by another reader as the client that boot.Decide judges.
func TestEveryKindIsSentAsItIs(t *testing.T) {
	for _, k := range Kinds(endpoint) {
		q := question{mac: machine, kind: k, xid: dhcpv4.TransactionID{1, 2, 3, 4}, giaddr: endpoint.Addr}
		b := q.discover(0)
		d, err := dhcpv4.FromBytes(b)
		if err != nil {
			t.Fatal(err)
		}
		c := k.Client()
		features := dhcpv4.Options{}
		if err := features.FromBytes(d.Options[optIPXE]); err != nil {
			t.Fatal(err)
		}
		class := d.ClassIdentifier()[:10]
		if k.Stage != StageHTTP {
			class = class[:9]
		}
		http := len(features[ipxeHTTP]) == 1
		if class != c.VendorClass.String() || string(d.Options[optUserClass]) != c.UserClass || http != c.IPXE.HTTP ||
			!bytes.Equal(d.Options[optArch], []byte{0, byte(k.Arch)}) {
			t.Errorf("%s is sent as %s", k.Name, d.Summary())
		}
		if len(d.Options[optMachineID]) != 17 || len(d.Options[optUNDI]) != 3 || !d.IsBroadcast() || !d.GatewayIPAddr.Equal(endpoint.Addr.AsSlice()) {
			t.Errorf("%s: not what a netboot client behind a relay agent sends: %s", k.Name, d.Summary())
		}
	}
}

// A REQUEST names the server and the address, and is otherwise the DISCOVER.
func TestRequest(t *testing.T) {
	q := question{mac: machine, kind: kindNamed(t, "firmware-bios/0"), xid: dhcpv4.TransactionID{1, 2, 3, 4}}
	d, err := dhcpv4.FromBytes(q.request(good(q.kind), 0))
	if err != nil {
		t.Fatal(err)
	}
	if d.MessageType() != dhcpv4.MessageTypeRequest || !d.ServerIdentifier().Equal(server.AsSlice()) ||
		!d.RequestedIPAddress().Equal(address.AsSlice()) || d.ClassIdentifier() != "PXEClient:Arch:00000:UNDI:002001" {
		t.Errorf("sent %s", d.Summary())
	}
}
