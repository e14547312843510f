package tftp

import (
	"encoding/binary"
	"time"
)

// Datagram is one packet to send: the bytes of Head, then those of Body, which is a part of the file or empty.
type Datagram struct{ Head, Body []byte }

// Len returns the length of the UDP payload in bytes.
func (d Datagram) Len() int { return len(d.Head) + len(d.Body) }

// window holds the packets of one step. It is reused, so that a transfer allocates nothing per packet.
type window struct {
	packets []Datagram
	heads   [][headerSize]byte
	text    []byte // netascii: the translated block
}

// sendFirst sends the OACK, or block 1 where there is none, to a client that has not answered yet.
func (t *Transfer) sendFirst(now time.Time) Step {
	t.sends++
	wait := t.offer.Timing.First
	if t.sends >= firstSends {
		wait = t.offer.Timing.Silence
	}
	var step Step
	if t.oack != nil {
		t.out.packets = append(t.out.packets[:0], Datagram{Head: t.oack})
		step = Step{Send: t.out.packets}
	} else {
		step = t.sendWindow(now)
	}
	if t.sends > 1 {
		step.Retransmits = len(step.Send)
	}
	t.lastFirst, t.deadline = now, now.Add(wait)
	step.Deadline = t.deadline
	return step
}

// sendWindow sends the window after base from its first block on.
func (t *Transfer) sendWindow(now time.Time) Step { return t.sendFrom(t.base+1, now) }

// sendFrom sends the blocks of the window after base that are not before first, and may be none.
func (t *Transfer) sendFrom(first int64, now time.Time) Step {
	known := t.top
	t.top = min(t.base+int64(t.terms.WindowSize), t.last)
	count := int(t.top - first + 1)
	w := &t.out
	if cap(w.heads) < count {
		w.heads = make([][headerSize]byte, count)
	}
	w.heads, w.packets = w.heads[:count], w.packets[:0]
	for i := range w.heads {
		block := first + int64(i)
		head := w.heads[i][:]
		binary.BigEndian.PutUint16(head, uint16(OpDATA))
		binary.BigEndian.PutUint16(head[2:], uint16(block)) // past 65535 RFC 1350 is silent, and clients wrap to 0
		w.packets = append(w.packets, Datagram{Head: head, Body: t.slice(block)})
	}
	step := Step{Send: w.packets, Retransmits: int(max(0, known-first+1))}
	t.roundTrip.sent(now, first, known, t.top)
	t.deadline = now.Add(t.offer.Timing.wait(t.terms.Timeout, t.roundTrip.smoothed, t.retries))
	step.Deadline = t.deadline
	return step
}

// slice returns the part of the file that is block, empty for the one that ends a file of whole blocks.
func (t *Transfer) slice(block int64) []byte {
	if t.terms.Netascii {
		return t.translate()
	}
	size := int64(t.terms.BlockSize)
	return t.offer.Body[(block-1)*size : min(block*size, t.size)]
}

// translate reads block base+1 of a netascii transfer, whose window is one block.
func (t *Transfer) translate() []byte {
	if t.out.text == nil {
		t.out.text = make([]byte, min(int64(t.terms.BlockSize), t.size))
	}
	n, next := t.start.read(t.out.text, t.offer.Body)
	t.next = next
	return t.out.text[:n]
}
