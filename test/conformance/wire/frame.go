package wire

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
)

// MAC is an Ethernet address.
type MAC [6]byte

// Everybody is the broadcast address.
func Everybody() MAC { return MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff} }

// String writes it as ip-link(8) does.
func (m MAC) String() string { return net.HardwareAddr(m[:]).String() }

const (
	ethernetSize  = 14
	ipSize        = 20
	udpSize       = 8
	etherIPv4     = 0x0800
	etherARP      = 0x0806
	protocolUDP   = 17
	arpRequest    = 1
	arpReply      = 2
	arpPacketSize = 28
)

// Envelope is what is around a UDP payload.
type Envelope struct {
	FromMAC, ToMAC MAC
	From, To       netip.AddrPort
}

// frame wraps a payload.
func (e Envelope) frame(payload []byte) []byte {
	b := ethernet(e.FromMAC, e.ToMAC, etherIPv4)
	ip := make([]byte, ipSize+udpSize, ipSize+udpSize+len(payload))
	ip = append(ip, payload...)
	ip[0] = 4<<4 | ipSize/4
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	ip[8], ip[9] = 64, protocolUDP
	copy(ip[12:], Octets(e.From.Addr()))
	copy(ip[16:], Octets(e.To.Addr()))
	binary.BigEndian.PutUint16(ip[10:], ^sum(0, ip[:ipSize]))
	udp := ip[ipSize:]
	binary.BigEndian.PutUint16(udp, e.From.Port())
	binary.BigEndian.PutUint16(udp[2:], e.To.Port())
	binary.BigEndian.PutUint16(udp[4:], uint16(len(udp)))
	checksum := ^sum(uint32(len(udp))+protocolUDP+uint32(sum(0, ip[12:ipSize])), udp)
	if checksum == 0 {
		checksum = 0xffff // 0 says that there is none
	}
	binary.BigEndian.PutUint16(udp[6:], checksum)
	return append(b, ip...)
}

func ethernet(from, to MAC, kind uint16) []byte {
	b := slices.Concat(to[:], from[:])
	return binary.BigEndian.AppendUint16(b, kind)
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

// open unwraps a frame that holds a whole UDP datagram.
func open(frame []byte) (e Envelope, payload []byte, ok bool) {
	if len(frame) < ethernetSize+ipSize+udpSize || binary.BigEndian.Uint16(frame[12:]) != etherIPv4 {
		return e, nil, false
	}
	ip := frame[ethernetSize:]
	header, total := int(ip[0]&15)*4, int(binary.BigEndian.Uint16(ip[2:]))
	fragment := binary.BigEndian.Uint16(ip[6:]) & 0x3fff
	if ip[0]>>4 != 4 || ip[9] != protocolUDP || header < ipSize || total > len(ip) || total < header+udpSize || fragment != 0 {
		return e, nil, false
	}
	udp := ip[header:total]
	length := int(binary.BigEndian.Uint16(udp[4:]))
	if length < udpSize || length > len(udp) {
		return e, nil, false
	}
	e = Envelope{FromMAC: MAC(frame[6:12]), ToMAC: MAC(frame[0:6]),
		From: netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[12:16])), binary.BigEndian.Uint16(udp)),
		To:   netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[16:20])), binary.BigEndian.Uint16(udp[2:]))}
	return e, udp[udpSize:length], true
}

// arp makes an ARP packet about IPv4 on Ethernet (RFC 826).
func arp(operation uint16, fromMAC MAC, from netip.Addr, toMAC MAC, to netip.Addr) []byte {
	destination := toMAC
	if operation == arpRequest {
		destination, toMAC = Everybody(), MAC{}
	}
	b := append(ethernet(fromMAC, destination, etherARP), 0, 1, 8, 0, 6, 4)
	b = binary.BigEndian.AppendUint16(b, operation)
	b = append(append(b, fromMAC[:]...), Octets(from)...)
	return append(append(b, toMAC[:]...), Octets(to)...)
}

// heardARP is an ARP packet that came in.
type heardARP struct {
	operation uint16
	fromMAC   MAC
	from, to  netip.Addr
}

func openARP(frame []byte) (heardARP, bool) {
	if len(frame) < ethernetSize+arpPacketSize || binary.BigEndian.Uint16(frame[12:]) != etherARP {
		return heardARP{}, false
	}
	b := frame[ethernetSize:]
	return heardARP{operation: binary.BigEndian.Uint16(b[6:]), fromMAC: MAC(b[8:14]),
		from: netip.AddrFrom4([4]byte(b[14:18])), to: netip.AddrFrom4([4]byte(b[24:28]))}, true
}
