package dhcpd

import (
	"encoding/hex"
	"net/netip"
	"testing"
)

// TestPacketBytes compares with packets whose checksums another implementation computed, one of an even and one of an
// odd length.
func TestPacketBytes(t *testing.T) {
	from, to := netip.MustParseAddrPort("192.168.2.112:67"), netip.MustParseAddrPort("192.168.2.185:68")
	for payload, want := range map[string]string{
		"tugboot!": "45000024000040004011b44fc0a80270c0a802b9004300440010b964747567626f6f7421",
		"tugboot":  "45000023000040004011b450c0a80270c0a802b900430044000fb987747567626f6f74",
	} {
		if got := hex.EncodeToString(inHeaders([]byte(payload), from, to)); got != want {
			t.Errorf("%q is sent as\n%s, want\n%s", payload, got, want)
		}
	}
}

// Among all payloads of two bytes there is one whose checksum is 0, which would say that there is no checksum.
func TestChecksumIsNeverLeftOut(t *testing.T) {
	from, to := netip.MustParseAddrPort("192.168.2.112:67"), netip.MustParseAddrPort("192.168.2.185:68")
	for n := range 1 << 16 {
		ip := inHeaders([]byte{byte(n >> 8), byte(n)}, from, to)
		f := frame{ip: ip, udp: ip[ipHeader:]}
		if err := f.checksums(); err != nil {
			t.Fatalf("payload %#04x: %v", n, err)
		}
	}
}

// inHeaders is the packet of a payload.
func inHeaders(payload []byte, from, to netip.AddrPort) []byte {
	b := append(make([]byte, headers), payload...)
	udpPacket(b, from, to)
	return b
}
