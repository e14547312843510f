package dhcp4

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/tugboot/tugboot/internal/reservation"
)

// Sizes in bytes. The maximum message size of option 57 counts the IP and UDP headers; RFC 2132 section 9.10 does not
// say so, but a client that counted without them only receives less than it could.
const (
	minMaxMessageSize = 576  // what every client accepts (RFC 2131 section 2)
	maxMaxMessageSize = 1500 // more would be sent in fragments, which firmware does not put together
	ipAndUDP          = 28
	minReply          = 300 // BOOTP's; some relay agents and clients drop anything shorter (RFC 1542 section 2.1)
	maxPiece          = 255
)

// limit is the largest UDP payload that the client accepts.
func (q *Request) limit() int {
	return min(max(int(q.MaxMessageSize), minMaxMessageSize), maxMaxMessageSize) - ipAndUDP
}

// expendable are the options that may be left out, the first to go first: comforts of an operating system, names of
// what the header holds too, and last what costs the machine some of its network. The rest is never left out, nor is
// any option cut short.
func expendable() [11]uint8 {
	return [...]uint8{optDomainSearch, optTimeServer, optBroadcast, optTFTPServerName, optBootFile, optDomainName,
		optHostName, optMessage, optIPXE, optNameServer, optClasslessRoutes}
}

// writer is the memory that a reply is written in.
type writer struct {
	b      []byte
	placed []place
	sent   [4]uint64 // a bit for each code
}

// place is where an option is, its code and lengths included.
type place struct {
	code       uint8
	start, end int
}

// begin forgets the reply before, and makes room for the fixed part of the message, all zeros.
func (w *writer) begin() {
	w.b = append(w.b[:0], make([]byte, offOptions)...)
	w.placed, w.sent = w.placed[:0], [4]uint64{}
}

// has reports whether the reply has an option.
func (w *writer) has(code uint8) bool { return w.sent[code/64]&(1<<(code%64)) != 0 }

// open begins an option whose value is appended to w.b until close.
func (w *writer) open(code uint8) (start int) {
	w.b = append(w.b, code, 0)
	return len(w.b)
}

// close ends the option. One without a value is not sent; what is longer than 255 bytes goes out in pieces (RFC 3396).
func (w *writer) close(start int) {
	code, n := w.b[start-2], len(w.b)-start
	if n == 0 {
		w.b = w.b[:start-2]
		return
	}
	w.b[start-1] = uint8(min(n, maxPiece))
	for at := start + maxPiece; at < len(w.b); at += 2 + maxPiece {
		w.b = slices.Insert(w.b, at, code, uint8(min(len(w.b)-at, maxPiece)))
	}
	w.placed = append(w.placed, place{code, start - 2, len(w.b)})
	w.sent[code/64] |= 1 << (code % 64)
}

func (w *writer) bytes(code uint8, value []byte) {
	start := w.open(code)
	w.b = append(w.b, value...)
	w.close(start)
}

func (w *writer) text(code uint8, value string) {
	start := w.open(code)
	w.b = append(w.b, value...)
	w.close(start)
}

func (w *writer) address(code uint8, a netip.Addr) {
	start := w.open(code)
	w.b = appendAddress(w.b, a)
	w.close(start)
}

func (w *writer) seconds(code uint8, s uint32) {
	start := w.open(code)
	w.b = binary.BigEndian.AppendUint32(w.b, s)
	w.close(start)
}

// fit leaves out whole options until the message has at most limit bytes with its End, the reservation's own before all
// others. It returns false when that cannot be done.
func (w *writer) fit(limit int, r *reservation.Reservation) (omitted []uint8, fits bool) {
	leaveOut := func(code uint8) {
		if len(w.b)+1 <= limit {
			return
		}
		n := slices.IndexFunc(w.placed, func(p place) bool { return p.code == code })
		if n < 0 || code == optBootFile && w.placed[n].end-w.placed[n].start-2 >= fileSize {
			return
		}
		w.remove(n)
		omitted = append(omitted, code)
	}
	if r != nil {
		for _, own := range r.Options {
			leaveOut(own.Code)
		}
	}
	for _, code := range expendable() {
		leaveOut(code)
	}
	return omitted, len(w.b)+1 <= limit
}

// remove takes the n-th option out.
func (w *writer) remove(n int) {
	gone := w.placed[n]
	w.b = slices.Delete(w.b, gone.start, gone.end)
	w.placed = slices.Delete(w.placed, n, n+1)
	for i := n; i < len(w.placed); i++ {
		w.placed[i].start -= gone.end - gone.start
		w.placed[i].end -= gone.end - gone.start
	}
}

// end finishes the message: End, and zeros up to BOOTP's smallest message.
func (w *writer) end() []byte {
	w.b = append(w.b, optEnd)
	if short := minReply - len(w.b); short > 0 {
		w.b = append(w.b, make([]byte, short)...)
	}
	return w.b
}

// appendAddress appends the four bytes of an IPv4 address, nothing for any other.
func appendAddress(b []byte, a netip.Addr) []byte {
	if !a.Is4() {
		return b
	}
	four := a.As4()
	return append(b, four[:]...)
}
