package mmsg

import (
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// maxParts is how many parts a datagram may have.
	maxParts = 2
	// maxSegments is into how many datagrams the kernel cuts one (its UDP_MAX_SEGMENTS), and maxSegmented how many bytes that
	// one may have: an IPv4 packet holds no more.
	maxSegments  = 64
	maxSegmented = 65507
	// maxSegment is the longest datagram that is cut out of another, in bytes: longer ones do not fit into an Ethernet frame,
	// and then the kernel makes fragments and not segments.
	maxSegment = 1472
)

// Writer collects datagrams or frames for one socket and sends them. It is for one goroutine.
type Writer struct {
	segment bool
	items   []item
	vectors []unix.Iovec // maxParts for each item, those in use side by side

	headers  []header
	first    []int // the first item of each header
	inet     []unix.RawSockaddrInet4
	link     []unix.RawSockaddrLinklayer
	controls [][controlSize]byte

	try    func(fd uintptr)
	write  func(fd uintptr) bool
	sent   int
	failed syscall.Errno
}

// item is one datagram or frame.
type item struct {
	vector, parts int // where its parts are among the vectors
	size          int
	way           way
}

// way is where an item goes and how.
type way struct {
	frame   bool
	mac     [6]byte
	to      netip.AddrPort
	ifindex int
	source  netip.Addr
}

// NewWriter returns a writer for at most batch datagrams at a time. With segment, which the socket must be able to
// (CanSegment), those that have the same way to go and the same length pass through the kernel as one, and are cut apart where
// they leave it: on the wire nothing tells.
func NewWriter(batch int, segment bool) *Writer {
	w := &Writer{segment: segment, items: make([]item, 0, batch), vectors: make([]unix.Iovec, 0, maxParts*batch),
		headers: make([]header, 0, batch), first: make([]int, 0, batch), inet: make([]unix.RawSockaddrInet4, batch),
		link: make([]unix.RawSockaddrLinklayer, batch), controls: make([][controlSize]byte, batch)}
	w.write = w.transmit
	w.try = func(fd uintptr) { w.transmit(fd) }
	return w
}

// Reset forgets what was collected, and holds on to none of it.
func (w *Writer) Reset() {
	clear(w.vectors)
	w.items, w.vectors = w.items[:0], w.vectors[:0]
}

// Len returns how many were collected.
func (w *Writer) Len() int { return len(w.items) }

// AddUDP collects a datagram for an IPv4 address, to be sent out of the interface of that index, 0 for where the routes lead,
// and from source, or the zero Addr for the one that the kernel chooses (ip(7), IP_PKTINFO). Its parts, one or two, must stay
// as they are until it was sent.
func (w *Writer) AddUDP(to netip.AddrPort, ifindex int, source netip.Addr, parts ...[]byte) {
	w.add(way{to: to, ifindex: ifindex, source: source}, parts)
}

// AddFrame collects an IPv4 packet for a packet socket, to be sent in a frame to mac out of the interface of that index
// (packet(7), SOCK_DGRAM).
func (w *Writer) AddFrame(ip []byte, ifindex int, mac [6]byte) {
	w.add(way{frame: true, ifindex: ifindex, mac: mac}, [][]byte{ip})
}

// add puts an item behind the others; there must be room.
func (w *Writer) add(to way, parts [][]byte) {
	i := item{vector: len(w.vectors), way: to}
	for _, part := range parts[:min(len(parts), maxParts)] {
		if len(part) == 0 {
			continue
		}
		v := unix.Iovec{Base: &part[0]}
		v.SetLen(len(part))
		w.vectors = append(w.vectors, v)
		i.parts++
		i.size += len(part)
	}
	w.items = append(w.items, i)
}

// Send sends what was collected from the i-th on, and returns how many went out. When none did, the error is that of the i-th.
func (w *Writer) Send(raw syscall.RawConn, i int) (int, error) {
	w.arrange(i, w.segment)
	err := w.send(raw)
	if err != nil && w.end(0) > i+1 {
		// One of several, or the whole of them, does not go this way: a link whose frames are smaller, say. Each on its own
		// goes, or has an error of its own.
		w.arrange(i, false)
		err = w.send(raw)
	}
	if err != nil {
		return 0, err
	}
	return w.end(w.sent-1) - i, nil
}

// end is the item behind those of the h-th header.
func (w *Writer) end(h int) int {
	if h+1 < len(w.first) {
		return w.first[h+1]
	}
	return len(w.items)
}

func (w *Writer) send(raw syscall.RawConn) error {
	if err := w.attempt(raw); err != nil {
		return err
	}
	if w.failed != 0 {
		return w.failed
	}
	return nil
}

// attempt sends at once where there is room, which is the rule, and waits for it otherwise.
func (w *Writer) attempt(raw syscall.RawConn) error {
	if err := raw.Control(w.try); err != nil || w.failed != unix.EAGAIN {
		return err
	}
	return raw.Write(w.write)
}

// transmit reports whether the system call did something: sent, or failed.
func (w *Writer) transmit(fd uintptr) bool {
	w.sent, w.failed = batchCall(unix.SYS_SENDMMSG, fd, w.headers, unix.MSG_DONTWAIT)
	return w.failed != unix.EAGAIN
}
