package mmsg

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// arrange makes headers of the items from the i-th on: one of those that have the same way and length, where the kernel may
// cut them apart, and of the shorter one that ends them.
func (w *Writer) arrange(i int, segment bool) {
	w.headers, w.first = w.headers[:0], w.first[:0]
	for i < len(w.items) {
		n, bytes := 1, w.items[i].size
		for segment && n < maxSegments && i+n < len(w.items) && w.items[i].goesOn(&w.items[i+n], bytes) {
			bytes += w.items[i+n].size
			n++
			if w.items[i+n-1].size < w.items[i].size {
				break
			}
		}
		w.head(i, n)
		i += n
	}
}

// goesOn reports whether next can be cut out of the same datagram as it, behind that many bytes.
func (it *item) goesOn(next *item, bytes int) bool {
	return !it.way.frame && 0 < next.size && next.size <= it.size && it.size <= maxSegment && bytes+next.size <= maxSegmented && it.way == next.way
}

// head makes the header of the n items from the i-th on.
func (w *Writer) head(i, n int) {
	it, at := &w.items[i], len(w.headers)
	w.headers, w.first = append(w.headers, header{}), append(w.first, i)
	h := &w.headers[at]
	parts := 0
	for _, one := range w.items[i : i+n] {
		parts += one.parts
	}
	if parts > 0 {
		h.Iov = &w.vectors[it.vector]
		h.SetIovlen(parts)
	}
	if it.way.frame {
		w.linkName(h, at, &it.way)
		return
	}
	w.inetName(h, at, &it.way)
	control, size := w.controls[at][:], 0
	if it.way.ifindex != 0 || it.way.source.IsValid() { // else the kernel would forget the address that the socket is bound to
		size = putPacketInfo(control, &it.way)
	}
	if n > 1 {
		size += putSegment(control[size:], it.size)
	}
	if size > 0 {
		h.Control = &control[0]
		h.SetControllen(size)
	}
}

func (w *Writer) inetName(h *header, at int, to *way) {
	name := &w.inet[at]
	*name = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.to.Addr().As4()}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&name.Port))[:], to.to.Port())
	h.Name, h.Namelen = (*byte)(unsafe.Pointer(name)), unix.SizeofSockaddrInet4
}

func (w *Writer) linkName(h *header, at int, to *way) {
	name := &w.link[at]
	*name = unix.RawSockaddrLinklayer{Family: unix.AF_PACKET, Ifindex: int32(to.ifindex), Halen: uint8(len(to.mac))}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&name.Protocol))[:], unix.ETH_P_IP)
	copy(name.Addr[:], to.mac[:])
	h.Name, h.Namelen = (*byte)(unsafe.Pointer(name)), unix.SizeofSockaddrLinklayer
}

// putPacketInfo puts the control message IP_PKTINFO, struct in_pktinfo of ip(7), and returns how much room it takes.
func putPacketInfo(b []byte, to *way) int {
	body := putControl(b, unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
	clear(body)
	binary.NativeEndian.PutUint32(body, uint32(to.ifindex))
	if to.source.Is4() {
		from := to.source.As4()
		copy(body[4:8], from[:]) // ipi_spec_dst
	}
	return unix.CmsgSpace(len(body))
}

// putSegment puts the control message UDP_SEGMENT: the length of the datagrams to cut.
func putSegment(b []byte, size int) int {
	body := putControl(b, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2)
	binary.NativeEndian.PutUint16(body, uint16(size))
	return unix.CmsgSpace(len(body))
}

// putControl puts the head of a control message, and returns where its bytes go.
func putControl(b []byte, level, kind int32, size int) []byte {
	c := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	c.Level, c.Type = level, kind
	c.SetLen(unix.CmsgLen(size))
	return b[unix.SizeofCmsghdr:][:size]
}
