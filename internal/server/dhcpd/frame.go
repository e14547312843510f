package dhcpd

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// packetSocket sends IP packets in frames of our own addressing (packet(7)). It receives nothing, for its protocol is 0.
type packetSocket struct {
	file *os.File
	raw  syscall.RawConn
}

func openPacketSocket() (*packetSocket, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	s := &packetSocket{file: os.NewFile(uintptr(fd), "packet socket")}
	if s.raw, err = s.file.SyscallConn(); err != nil {
		return nil, errors.Join(err, s.file.Close())
	}
	return s, nil
}

func (s *packetSocket) close() error { return s.file.Close() }

const (
	ipHeader     = 20
	udpHeader    = 8
	ttl          = 64
	dontFragment = 0x4000
)

// headers is the room before a payload for what udpPacket puts there.
const headers = ipHeader + udpHeader

// udpPacket puts UDP (RFC 768) and IPv4 (RFC 791) headers with their checksums into the first bytes of b, before the payload
// that is there. A datagram that is not to be fragmented needs no identification (RFC 6864 section 4.1). Both addresses are
// IPv4.
func udpPacket(b []byte, from, to netip.AddrPort) {
	source, destination := from.Addr().As4(), to.Addr().As4()
	clear(b[:headers])
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
