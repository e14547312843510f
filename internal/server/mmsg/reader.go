package mmsg

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// header is the kernel's struct mmsghdr.
type header struct {
	unix.Msghdr

	size uint32
}

// controlSize is room for the control messages of one datagram: IP_PKTINFO and SO_RXQ_OVFL.
const controlSize = 64

// Reader receives from one UDP socket over IPv4. It is for one goroutine.
type Reader struct {
	raw      syscall.RawConn
	headers  []header
	vectors  []unix.Iovec
	names    []unix.RawSockaddrInet4
	controls [][controlSize]byte

	read    func(fd uintptr) bool
	want, n int
	failed  syscall.Errno
}

// NewReader returns a reader of at most batch datagrams at a time.
func NewReader(conn syscall.Conn, batch int) (*Reader, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	r := &Reader{raw: raw, headers: make([]header, batch), vectors: make([]unix.Iovec, batch),
		names: make([]unix.RawSockaddrInet4, batch), controls: make([][controlSize]byte, batch)}
	r.read = r.receive
	return r, nil
}

// Read waits for a datagram and takes all that are there, one a buffer. It returns how many. The error is the kernel's, or
// that of the deadline.
func (r *Reader) Read(buffers [][]byte) (int, error) {
	r.want = min(len(buffers), len(r.headers))
	for i := range r.want {
		r.vectors[i] = unix.Iovec{Base: &buffers[i][0]}
		r.vectors[i].SetLen(len(buffers[i]))
		h := &r.headers[i]
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&r.names[i])), unix.SizeofSockaddrInet4
		h.Iov, h.Control, h.Flags = &r.vectors[i], &r.controls[i][0], 0
		h.SetIovlen(1)
		h.SetControllen(controlSize)
	}
	if err := r.raw.Read(r.read); err != nil {
		return 0, err
	}
	if r.failed != 0 {
		return 0, r.failed
	}
	return r.n, nil
}

// receive reports whether the system call did something: took datagrams, or failed.
func (r *Reader) receive(fd uintptr) bool {
	for {
		n, _, failed := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.headers[0])), uintptr(r.want), unix.MSG_DONTWAIT, 0, 0)
		if failed == unix.EINTR {
			continue
		}
		r.n, r.failed = int(n), failed
		return failed != unix.EAGAIN
	}
}

// Datagram is what is known of a datagram besides its bytes.
type Datagram struct {
	// Size is its length in bytes, or the buffer's where it was Truncated.
	Size      int
	Truncated bool
	From      netip.AddrPort
	// Interface is the index of the one that it came in on, To the destination in its header; both with IP_PKTINFO only.
	Interface int
	To        netip.Addr
	// Drops is how many datagrams the kernel had dropped at this socket; with SO_RXQ_OVFL only, and 0 as long as there are none.
	Drops uint32
}

// At returns what is known of the i-th datagram of the last Read.
func (r *Reader) At(i int) Datagram {
	h, name := &r.headers[i], &r.names[i]
	port := (*[2]byte)(unsafe.Pointer(&name.Port))
	d := Datagram{Size: int(h.size), Truncated: h.Flags&unix.MSG_TRUNC != 0,
		From: netip.AddrPortFrom(netip.AddrFrom4(name.Addr), binary.BigEndian.Uint16(port[:]))}
	d.readControl(r.controls[i][:h.Controllen])
	return d
}

// readControl reads control messages (cmsg(3)): each has a length, a level and a type before its bytes, and is filled up to
// the size of a pointer.
func (d *Datagram) readControl(b []byte) {
	for len(b) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
		size := int(h.Len)
		if size < unix.SizeofCmsghdr || size > len(b) {
			return
		}
		body := b[unix.SizeofCmsghdr:size]
		switch {
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(body) >= unix.SizeofInet4Pktinfo:
			d.Interface = int(int32(binary.NativeEndian.Uint32(body)))
			d.To = netip.AddrFrom4([4]byte(body[8:12])) // ipi_addr, after ipi_spec_dst
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_RXQ_OVFL && len(body) >= 4:
			d.Drops = binary.NativeEndian.Uint32(body)
		}
		b = b[min(unix.CmsgSpace(len(body)), len(b)):]
	}
}
