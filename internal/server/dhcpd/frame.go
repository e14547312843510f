package dhcpd

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/internal/reservation"
)

// packetSocket sends IP packets in frames of our own addressing (packet(7)). It receives nothing, for its protocol is 0.
type packetSocket struct{ fd int }

func openPacketSocket() (*packetSocket, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return &packetSocket{fd: fd}, nil
}

func (s *packetSocket) close() error { return unix.Close(s.fd) }

// send sends an IP packet out of an interface in a frame to mac.
func (s *packetSocket) send(ip []byte, ifindex int, mac reservation.MAC) error {
	to := &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_IP), Ifindex: ifindex, Halen: uint8(len(mac))}
	copy(to.Addr[:], mac[:])
	return unix.Sendto(s.fd, ip, 0, to)
}

// networkOrder swaps the bytes of n on machines that store the low one first.
func networkOrder(n uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], n)
	return binary.NativeEndian.Uint16(b[:])
}

const (
	ipHeader     = 20
	udpHeader    = 8
	ttl          = 64
	dontFragment = 0x4000
)

// udpPacket wraps payload in UDP (RFC 768) and IPv4 (RFC 791) headers with their checksums. A datagram that is not to
// be fragmented needs no identification (RFC 6864 section 4.1). Both addresses are IPv4.
func udpPacket(payload []byte, from, to netip.AddrPort) []byte {
	b := make([]byte, ipHeader+udpHeader, ipHeader+udpHeader+len(payload))
	b = append(b, payload...)
	source, destination := from.Addr().As4(), to.Addr().As4()

	b[0] = 4<<4 | ipHeader/4
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	binary.BigEndian.PutUint16(b[6:], dontFragment)
	b[8], b[9] = ttl, unix.IPPROTO_UDP
	copy(b[12:], source[:])
	copy(b[16:], destination[:])
	binary.BigEndian.PutUint16(b[10:], ^fold(sum(0, b[:ipHeader])))

	udp := b[ipHeader:]
	binary.BigEndian.PutUint16(udp[0:], from.Port())
	binary.BigEndian.PutUint16(udp[2:], to.Port())
	binary.BigEndian.PutUint16(udp[4:], uint16(len(udp)))
	pseudo := sum(sum(uint32(len(udp))+unix.IPPROTO_UDP, source[:]), destination[:])
	checksum := ^fold(sum(pseudo, udp))
	if checksum == 0 {
		checksum = 0xffff // 0 says that there is no checksum
	}
	binary.BigEndian.PutUint16(udp[6:], checksum)
	return b
}

// sum adds the 16-bit words of b to total (RFC 1071); an odd last byte counts as the high half of a word.
func sum(total uint32, b []byte) uint32 {
	for ; len(b) >= 2; b = b[2:] {
		total += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		total += uint32(b[0]) << 8
	}
	return total
}

func fold(total uint32) uint16 {
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return uint16(total)
}
