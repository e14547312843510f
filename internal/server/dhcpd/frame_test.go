package dhcpd

import (
	"net/netip"
	"testing"
)

// Among all payloads of two bytes there is one whose checksum is 0, which would say that there is no checksum.
func TestChecksumIsNeverLeftOut(t *testing.T) {
	from, to := netip.MustParseAddrPort("192.168.2.112:67"), netip.MustParseAddrPort("192.168.2.185:68")
	for n := range 1 << 16 {
		ip := udpPacket([]byte{byte(n >> 8), byte(n)}, from, to)
		f := frame{ip: ip, udp: ip[ipHeader:]}
		if err := f.checksums(); err != nil {
			t.Fatalf("payload %#04x: %v", n, err)
		}
	}
}
