package dhcp4

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// tlv is one option as a test writes it.
type tlv struct {
	code  uint8
	value []byte
}

func opt(code uint8, value ...byte) tlv    { return tlv{code, value} }
func optText(code uint8, value string) tlv { return tlv{code, []byte(value)} }
func optAddr(code uint8, a string) tlv     { b := netip.MustParseAddr(a).As4(); return tlv{code, b[:]} }
func optType(t MessageType) tlv            { return opt(optMessageType, byte(t)) }
func join(first []tlv, more ...tlv) []tlv  { return append(append([]tlv{}, first...), more...) }
func subOption(code uint8, value ...byte) []byte {
	return append([]byte{code, byte(len(value))}, value...)
}
func subAddr(code uint8, a string) []byte {
	return subOption(code, appendAddress(nil, netip.MustParseAddr(a))...)
}
func relayOption(subOptions ...[]byte) (o tlv) {
	o.code = optRelayAgent
	for _, s := range subOptions {
		o.value = append(o.value, s...)
	}
	return o
}
func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// message writes requests without any help from the code under test.
type message struct {
	op, htype, hlen, hops uint8
	flags                 uint16
	ciaddr, giaddr        string
	mac                   reservation.MAC
	cookie                uint32
	sname, file           []byte
	options               []tlv
	noEnd                 bool
}

var testMAC = reservation.MAC{0x52, 0x54, 0, 0, 0, 1}

const testXID = 0x5bff0f46

func from(options ...tlv) message {
	return message{op: 1, htype: 1, hlen: 6, mac: testMAC, cookie: 0x63825363, options: options}
}

func (m message) relayed(giaddr string) message { m.giaddr = giaddr; return m }
func (m message) at(ciaddr string) message      { m.ciaddr = ciaddr; return m }

func (m message) bytes() []byte {
	b := make([]byte, 240)
	b[0], b[1], b[2], b[3] = m.op, m.htype, m.hlen, m.hops
	binary.BigEndian.PutUint32(b[4:], testXID)
	binary.BigEndian.PutUint16(b[8:], 7) // secs
	binary.BigEndian.PutUint16(b[10:], m.flags)
	if m.ciaddr != "" {
		copy(b[12:], appendAddress(nil, addr(m.ciaddr)))
	}
	if m.giaddr != "" {
		copy(b[24:], appendAddress(nil, addr(m.giaddr)))
	}
	copy(b[28:], m.mac[:])
	copy(b[44:108], m.sname)
	copy(b[108:236], m.file)
	binary.BigEndian.PutUint32(b[236:], m.cookie)
	for _, o := range m.options {
		b = append(append(b, o.code, uint8(len(o.value))), o.value...)
	}
	if !m.noEnd {
		b = append(b, 255)
	}
	return b
}

func (m message) parse(t testing.TB) *Request {
	t.Helper()
	q, err := Parse(m.bytes())
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return q
}

// pxe are the options by which BIOS firmware is known.
func pxe(t MessageType) []tlv {
	return []tlv{optType(t), optText(60, "PXEClient:Arch:00000:UNDI:002001"), opt(93, 0, 0), opt(94, 1, 2, 1),
		{97, append([]byte{0}, make([]byte, 16)...)}}
}

var testSelf = &Self{Servers: Servers{ID: addr("192.168.2.112")}, Endpoint: testEndpoint()}

func testReservation() *reservation.Reservation {
	return &reservation.Reservation{
		Source: reservation.Source{Namespace: "eksa-system", Name: "wk01"}, MAC: testMAC, Address: reservation.MustParsePrefix("192.168.2.185/24"), Hostname: "wk01",
		Settings: &reservation.Settings{Gateway: addr("192.168.2.1"), DomainName: "lab.example", NameServers: []netip.Addr{addr("8.8.8.8"), addr("8.8.4.4")}, TimeServers: []netip.Addr{addr("192.168.2.3")}, Lease: 86400, Netboot: reservation.Netboot{Allow: true}},
	}
}

func testEndpoint() boot.Endpoint {
	files := map[boot.Family]string{boot.FamilyBIOS: "undionly.kpxe", boot.FamilyX64: "ipxe.efi",
		boot.FamilyARM64: "snp-arm64.efi", boot.FamilyRaspberryPi: "snp-arm64.efi"}
	return boot.Endpoint{Addr: addr("192.168.2.112"), TFTPPort: 69, HTTPPort: 7171, ScriptPath: boot.DefaultScriptPath,
		Binaries: boot.NewBinaries(files, nil)}
}

func only(list ...*reservation.Reservation) Lookup {
	return func(m reservation.MAC) (*reservation.Reservation, bool) {
		for _, r := range list {
			if r.MAC == m {
				return r, true
			}
		}
		return nil, false
	}
}

// wireOptions reads the options of a reply in the order in which they stand there, pieces joined.
func wireOptions(t failing, packet []byte) (list []tlv) {
	t.Helper()
	b := packet[240:]
	for len(b) > 0 && b[0] != 255 {
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			t.Fatalf("an option of the reply is cut short: % x", b)
		}
		value := b[2 : 2+int(b[1])]
		if n := len(list); n > 0 && list[n-1].code == b[0] {
			list[n-1].value = append(list[n-1].value[:len(list[n-1].value):len(list[n-1].value)], value...)
		} else {
			list = append(list, tlv{b[0], value})
		}
		b = b[2+int(b[1]):]
	}
	if len(b) == 0 {
		t.Fatal("the reply has no End option")
	}
	for _, pad := range b[1:] {
		if pad != 0 {
			t.Fatalf("something follows the End option: % x", b)
		}
	}
	return list
}

func codes(list []tlv) (codes []uint8) {
	for _, o := range list {
		codes = append(codes, o.code)
	}
	return codes
}

func find(list []tlv, code uint8) []byte {
	for _, o := range list {
		if o.code == code {
			return o.value
		}
	}
	return nil
}

// failing is what a test, a fuzz target and a property have in common.
type failing interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}
