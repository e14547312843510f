package offers

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Ports of DHCP (RFC 2131 section 4.1).
const (
	serverPort = 67
	clientPort = 68
)

const (
	ipHeader  = 20
	udpHeader = 8
	ttl       = 64
)

// datagram wraps payload in UDP (RFC 768) and IPv4 (RFC 791) headers with their checksums. Both addresses are IPv4.
func datagram(payload []byte, from, to netip.AddrPort) []byte {
	b := make([]byte, ipHeader+udpHeader, ipHeader+udpHeader+len(payload))
	b = append(b, payload...)
	source, destination := from.Addr().As4(), to.Addr().As4()
	b[0] = 4<<4 | ipHeader/4
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	b[8], b[9] = ttl, unix.IPPROTO_UDP
	copy(b[12:], source[:])
	copy(b[16:], destination[:])
	binary.BigEndian.PutUint16(b[10:], ^sum(0, b[:ipHeader]))

	udp := b[ipHeader:]
	binary.BigEndian.PutUint16(udp[0:], from.Port())
	binary.BigEndian.PutUint16(udp[2:], to.Port())
	binary.BigEndian.PutUint16(udp[4:], uint16(len(udp)))
	pseudo := uint32(len(udp)) + unix.IPPROTO_UDP + uint32(sum(0, b[12:ipHeader]))
	checksum := ^sum(pseudo, udp)
	if checksum == 0 {
		checksum = 0xffff // 0 says that there is no checksum
	}
	binary.BigEndian.PutUint16(udp[6:], checksum)
	return b
}

// sum adds the 16-bit words of b to total in ones' complement (RFC 1071).
func sum(total uint32, b []byte) uint16 {
	for ; len(b) >= 2; b = b[2:] {
		total += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		total += uint32(b[0]) << 8
	}
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return uint16(total)
}

// open unwraps an IPv4 packet that holds a whole UDP datagram. Checksums are not looked at: what a daemon on this host
// sends is seen before the network card has filled them in.
func open(ip []byte) (payload []byte, from, to netip.AddrPort, ok bool) {
	if len(ip) < ipHeader+udpHeader || ip[0]>>4 != 4 || ip[9] != unix.IPPROTO_UDP {
		return nil, from, to, false
	}
	headerLength, total := int(ip[0]&15)*4, int(binary.BigEndian.Uint16(ip[2:]))
	fragment := binary.BigEndian.Uint16(ip[6:]) & 0x3fff // more fragments, or not the first
	if headerLength < ipHeader || total > len(ip) || total < headerLength+udpHeader || fragment != 0 {
		return nil, from, to, false
	}
	udp := ip[headerLength:total]
	length := int(binary.BigEndian.Uint16(udp[4:]))
	if length < udpHeader || length > len(udp) {
		return nil, from, to, false
	}
	from = netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[12:16])), binary.BigEndian.Uint16(udp))
	to = netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[16:20])), binary.BigEndian.Uint16(udp[2:]))
	return udp[udpHeader:length], from, to, true
}

// filter lets a packet socket that begins at the IP header see nothing but UDP to port: the rest of a busy network is not
// copied to us.
func filter(port uint16) ([]unix.SockFilter, error) {
	const whole = 1 << 16
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 9, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.IPPROTO_UDP, SkipTrue: 6},
		bpf.LoadAbsolute{Off: 6, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x3fff, SkipTrue: 4},
		bpf.LoadMemShift{Off: 0},
		bpf.LoadIndirect{Off: 2, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(port), SkipTrue: 1},
		bpf.RetConstant{Val: whole},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		return nil, err
	}
	code := make([]unix.SockFilter, len(program))
	for i, instruction := range program {
		code[i] = unix.SockFilter{Code: instruction.Op, Jt: instruction.Jt, Jf: instruction.Jf, K: instruction.K}
	}
	return code, nil
}
