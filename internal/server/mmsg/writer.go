package mmsg

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Writer collects datagrams or frames for one socket and sends them. It is for one goroutine.
type Writer struct {
	headers  []header
	vectors  []unix.Iovec
	inet     []unix.RawSockaddrInet4
	link     []unix.RawSockaddrLinklayer
	controls [][controlSize]byte
	n        int

	write    func(fd uintptr) bool
	from, to int // those that are being sent, and how many were
	sent     int
	failed   syscall.Errno
}

// NewWriter returns a writer for at most batch datagrams at a time.
func NewWriter(batch int) *Writer {
	w := &Writer{headers: make([]header, batch), vectors: make([]unix.Iovec, batch), inet: make([]unix.RawSockaddrInet4, batch),
		link: make([]unix.RawSockaddrLinklayer, batch), controls: make([][controlSize]byte, batch)}
	w.write = w.transmit
	return w
}

// Reset forgets what was collected.
func (w *Writer) Reset() { w.n = 0 }

// Len returns how many were collected.
func (w *Writer) Len() int { return w.n }

// add puts a payload, which must stay as it is until it was sent, behind the others; there must be room.
func (w *Writer) add(payload []byte) (i int, h *header) {
	i = w.n
	w.n++
	w.vectors[i] = unix.Iovec{Base: &payload[0]}
	w.vectors[i].SetLen(len(payload))
	h = &w.headers[i]
	h.Msghdr = unix.Msghdr{Iov: &w.vectors[i]}
	h.SetIovlen(1)
	return i, h
}

// AddUDP collects a datagram for an IPv4 address, to be sent out of the interface of that index, 0 for where the routes lead,
// and from source, or the zero Addr for the one that the kernel chooses (ip(7), IP_PKTINFO).
func (w *Writer) AddUDP(payload []byte, to netip.AddrPort, ifindex int, source netip.Addr) {
	i, h := w.add(payload)
	name := &w.inet[i]
	*name = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.Addr().As4()}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&name.Port))[:], to.Port())
	h.Name, h.Namelen = (*byte)(unsafe.Pointer(name)), unix.SizeofSockaddrInet4

	control := w.controls[i][:]
	clear(control)
	c := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	c.Level, c.Type = unix.IPPROTO_IP, unix.IP_PKTINFO
	c.SetLen(unix.CmsgLen(unix.SizeofInet4Pktinfo))
	body := control[unix.SizeofCmsghdr:]
	binary.NativeEndian.PutUint32(body, uint32(ifindex))
	if source.Is4() {
		from := source.As4()
		copy(body[4:8], from[:]) // ipi_spec_dst
	}
	h.Control = &control[0]
	h.SetControllen(unix.CmsgSpace(unix.SizeofInet4Pktinfo))
}

// AddFrame collects an IPv4 packet for a packet socket, to be sent in a frame to mac out of the interface of that index
// (packet(7), SOCK_DGRAM).
func (w *Writer) AddFrame(ip []byte, ifindex int, mac [6]byte) {
	i, h := w.add(ip)
	name := &w.link[i]
	*name = unix.RawSockaddrLinklayer{Family: unix.AF_PACKET, Ifindex: int32(ifindex), Halen: uint8(len(mac))}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&name.Protocol))[:], unix.ETH_P_IP)
	copy(name.Addr[:], mac[:])
	h.Name, h.Namelen = (*byte)(unsafe.Pointer(name)), unix.SizeofSockaddrLinklayer
}

// Send sends what was collected from the i-th on, and returns how many went out. When none did, the error is that of the i-th.
func (w *Writer) Send(raw syscall.RawConn, i int) (int, error) {
	w.from, w.to = i, w.n
	if err := raw.Write(w.write); err != nil {
		return 0, err
	}
	if w.failed != 0 {
		return 0, w.failed
	}
	return w.sent, nil
}

// transmit reports whether the system call did something: sent, or failed.
func (w *Writer) transmit(fd uintptr) bool {
	for {
		n, _, failed := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&w.headers[w.from])), uintptr(w.to-w.from), unix.MSG_DONTWAIT, 0, 0)
		if failed == unix.EINTR {
			continue
		}
		w.sent, w.failed = int(n), failed
		return failed != unix.EAGAIN
	}
}
