package mmsg

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Reader receives from one UDP socket over IPv4. It is for one goroutine; a socket may have several.
type Reader struct {
	raw      syscall.RawConn
	headers  []header
	vectors  []unix.Iovec
	names    []unix.RawSockaddrInet4
	controls [][controlSize]byte

	poll, read func(fd uintptr)
	want, n    int
	failed     syscall.Errno
}

// NewReader returns a reader of at most batch datagrams at a time.
func NewReader(raw syscall.RawConn, batch int) *Reader {
	r := &Reader{raw: raw, headers: make([]header, batch), vectors: make([]unix.Iovec, batch),
		names: make([]unix.RawSockaddrInet4, batch), controls: make([][controlSize]byte, batch)}
	r.poll = func(fd uintptr) {
		r.n, r.failed = batchCall(unix.SYS_RECVMMSG, fd, r.headers[:r.want], unix.MSG_DONTWAIT)
	}
	r.read = func(fd uintptr) {
		if r.poll(fd); r.failed == unix.EAGAIN {
			r.n, r.failed = batchCall(unix.SYS_RECVMMSG, fd, r.headers[:r.want], unix.MSG_WAITFORONE)
		}
	}
	return r
}

// Read waits for a datagram, and takes all that are there, one a buffer. It returns how many: none after Wake. The socket must
// Block. The error is the kernel's.
func (r *Reader) Read(buffers [][]byte) (int, error) { return r.receive(buffers, r.read) }

// Poll takes the datagrams that are there, and returns how many: it waits for none.
func (r *Reader) Poll(buffers [][]byte) (int, error) {
	n, err := r.receive(buffers, r.poll)
	if errors.Is(err, unix.EAGAIN) {
		return 0, nil
	}
	return n, err
}

func (r *Reader) receive(buffers [][]byte, call func(fd uintptr)) (int, error) {
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
	if err := r.raw.Control(call); err != nil {
		return 0, err
	}
	if r.failed != 0 {
		return 0, r.failed
	}
	if r.n > 0 && r.headers[r.n-1].Namelen == 0 { // who was woken is given something from nobody
		r.n--
	}
	return r.n, nil
}

// Datagram is what is known of a datagram besides its bytes.
type Datagram struct {
	// Size is its length in bytes, or the buffer's where it was Truncated.
	Size      int
	Truncated bool
	From      netip.AddrPort
	// Interface is the index of the one that it came in on, To the destination in its header, and Local the address of this
	// host that it was taken for, another one where To is that of many hosts; all with IP_PKTINFO only.
	Interface int
	To, Local netip.Addr
	// Drops is how many datagrams the kernel had dropped at this socket; with SO_RXQ_OVFL only, and 0 as long as there are none.
	Drops uint32
}

// At returns what is known of the i-th datagram of the last Read or Poll.
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
			d.Local, d.To = netip.AddrFrom4([4]byte(body[4:8])), netip.AddrFrom4([4]byte(body[8:12])) // ipi_spec_dst, ipi_addr
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_RXQ_OVFL && len(body) >= 4:
			d.Drops = binary.NativeEndian.Uint32(body)
		}
		b = b[min(unix.CmsgSpace(len(body)), len(b)):]
	}
}
