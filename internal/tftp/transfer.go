package tftp

import (
	"bytes"
	"fmt"
	"time"

	"github.com/tugboot/tugboot/internal/boot"
)

// firstSends is how often the first packet is sent to a client that has not answered it: the source of a request may be
// forged, and what a forger can make us send to a third party must stay small.
const firstSends = 2

// Offer is what a server gives in answer to one RRQ.
type Offer struct {
	// Body is the file. It is sliced, never copied (but for netascii) and never changed.
	Body []byte
	// MaxBlock is the largest block size to agree to, in bytes: the path's MTU less PacketOverhead. 0 means no limit.
	MaxBlock int
	Timing   Timing
}

// Transfer is the server's half of one read. It is not safe for concurrent use.
//
// A window is the blocks from base+1 to top. An ACK of top brings the next window; an ACK inside the window says that
// the block after it was lost, and the next window begins there (RFC 7440 section 4), unless it may be an echo.
type Transfer struct {
	request []byte
	offer   Offer
	terms   Terms
	size    int64 // bytes on the wire, without headers

	oack []byte // the encoded OACK; nil when no option was agreed on
	base int64  // the last block that is acknowledged, with all before it; counted without wrapping
	top  int64  // the last block that was sent
	last int64  // the last block of the file

	acked     bool // the client has answered: the source of the request is real
	sends     int  // how often the first packet was sent, while not acked
	lastFirst time.Time
	retries   int  // retransmissions since the last progress
	resent    bool // a duplicate ACK has already brought this window again
	roundTrip roundTrip
	deadline  time.Time
	reason    boot.Reason // why the transfer is over
	detail    string

	start, next cursor // netascii: where block base+1 begins, and the one after it
	out         window
}

// Step is what a packet, a request or a deadline brings about.
type Step struct {
	// Send are the packets to send now, in this order. They are valid until the transfer's next step.
	Send []Datagram
	// Retransmits is how many of them were sent before.
	Retransmits int
	// Deadline is when to call Expire unless another step comes first; zero when the transfer is over.
	Deadline time.Time
	// Reason is set when the transfer is over.
	Reason boot.Reason
	// Ignored is set when what was received changed nothing, and says why.
	Ignored boot.Reason
}

// Over reports whether the transfer is over.
func (s Step) Over() bool { return s.Reason != "" }

// Open begins a transfer for the RRQ that was parsed from raw, and returns its first packet to send: an OACK when
// options were agreed on, else block 1. The error is a *Fault.
func Open(raw []byte, request Packet, offer Offer, now time.Time) (*Transfer, Step, error) {
	if err := Check(request); err != nil {
		return nil, Step{}, err
	}
	if offer.MaxBlock <= 0 {
		offer.MaxBlock = MaxBlockSize
	}
	t := &Transfer{request: bytes.Clone(raw), offer: offer, size: int64(len(offer.Body))}
	if isNetascii(request) {
		t.size = netasciiSize(offer.Body)
	}
	terms, agreed, fault := negotiate(request, t.size, max(offer.MaxBlock, MinBlockSize))
	if fault != nil {
		return nil, Step{}, fault
	}
	t.terms = terms
	t.last = t.size/int64(terms.BlockSize) + 1
	if agreed != nil {
		t.oack = Packet{Op: OpOACK, Options: agreed}.AppendTo(nil)
	}
	return t, t.sendFirst(now), nil
}

// Terms returns what was agreed on.
func (t *Transfer) Terms() Terms { return t.terms }

// Acknowledged reports whether the client has answered at all.
func (t *Transfer) Acknowledged() bool { return t.acked }

// Bytes returns how many bytes of the file the client has acknowledged.
func (t *Transfer) Bytes() int64 { return min(t.base*int64(t.terms.BlockSize), t.size) }

// Detail adds to the reason of a transfer that is over what the client said, as one line; it may be empty. The text is
// the client's and not escaped.
func (t *Transfer) Detail() string { return t.detail }

// Receive handles a packet from the client's TID that is not a request.
func (t *Transfer) Receive(p Packet, now time.Time) Step {
	switch {
	case t.reason != "":
		return Step{Ignored: ReasonOver, Reason: t.reason}
	case p.Op == OpACK:
		return t.receiveACK(p.Block, now)
	case p.Op == OpERROR:
		t.detail = fmt.Sprintf("ERROR %d %s", p.Code, p.Message)
		if t.oack != nil && !t.acked {
			return t.end(ReasonProbed)
		}
		return t.end(ReasonClientAborted)
	default:
		return t.ignore(ReasonUnexpectedPacket)
	}
}

// receiveACK places a 16-bit block number, which wraps to 0 after 65535, in the window that is in flight.
func (t *Transfer) receiveACK(block uint16, now time.Time) Step {
	ahead := int64(block - uint16(t.base))
	switch {
	case !t.acked && t.oack != nil:
		if ahead != 0 {
			return t.ignore(ReasonStrayACK)
		}
		t.answered(now)
		return t.sendWindow(now)
	case ahead == 0:
		return t.receiveDuplicate(now)
	case ahead > t.top-t.base:
		return t.ignore(ReasonStrayACK)
	}
	return t.advance(t.base+ahead, now)
}

// answered notes the first ACK.
func (t *Transfer) answered(now time.Time) {
	t.acked = true
	if t.sends == 1 {
		t.roundTrip.measured(now.Sub(t.lastFirst))
	} else {
		t.roundTrip.smoothed = t.offer.Timing.First / 4 // not known: the ACK may answer either of two packets
		t.roundTrip.repeated(now)
	}
}

// advance moves base to the block that was acknowledged, and sends what follows.
func (t *Transfer) advance(to int64, now time.Time) Step {
	if !t.acked {
		t.answered(now)
	}
	t.roundTrip.acknowledged(now, to)
	gap := to < t.top && !t.roundTrip.echoes(now)
	t.base, t.start, t.retries, t.resent = to, t.next, 0, false
	switch {
	case t.base == t.last:
		return t.end(ReasonServed)
	case gap:
		return t.sendWindow(now)
	default:
		return t.sendFrom(t.top+1, now)
	}
}

// receiveDuplicate handles an ACK of what was acknowledged before. In lock-step it must send nothing, or every block is
// sent twice to the end of the file (RFC 1123 section 4.2.3.1, the Sorcerer's Apprentice). In a window it is also how a
// client says that the window's first block was lost, so it may bring the window once more, but only once, and not when
// it may be an echo.
func (t *Transfer) receiveDuplicate(now time.Time) Step {
	if !t.acked || t.terms.WindowSize == 1 || t.resent || t.roundTrip.echoes(now) {
		return t.ignore(ReasonDuplicateACK)
	}
	t.resent = true
	return t.sendWindow(now)
}

// Expire handles the deadline; before it, it does nothing.
func (t *Transfer) Expire(now time.Time) Step {
	switch {
	case t.reason != "":
		return Step{Reason: t.reason}
	case now.Before(t.deadline):
		return Step{Deadline: t.deadline}
	case !t.acked && t.sends < firstSends:
		return t.sendFirst(now)
	case !t.acked:
		return t.end(ReasonNoAck)
	case t.retries >= t.offer.Timing.Retries && t.top == t.last:
		return t.end(ReasonUnconfirmed)
	case t.retries >= t.offer.Timing.Retries:
		return t.end(ReasonTimedOut)
	}
	t.retries++
	return t.sendWindow(now)
}

// Again handles a request from the TID of this transfer. When it returns true, the request begins a new transfer in
// place of this one: it asks for something else, or the client has begun anew, as a machine does that was reset.
// Otherwise it is a repetition: the client has not seen our first packet, or the network delivered the request twice.
func (t *Transfer) Again(raw []byte, now time.Time) (Step, bool) {
	switch {
	case t.reason != "", !bytes.Equal(raw, t.request):
		return Step{}, true
	case t.acked && t.retries > 0:
		return Step{}, true // a client that is still reading would have acknowledged what was sent last
	case t.acked:
		return t.ignore(ReasonDuplicateRequest), false
	case t.sends < firstSends:
		return t.sendFirst(now), false
	case now.Sub(t.lastFirst) >= t.offer.Timing.First:
		return Step{}, true
	default:
		return t.ignore(ReasonDuplicateRequest), false
	}
}

func (t *Transfer) ignore(why boot.Reason) Step { return Step{Deadline: t.deadline, Ignored: why} }

func (t *Transfer) end(why boot.Reason) Step {
	t.reason = why
	t.out, t.offer.Body = window{}, nil // a transfer that is over must not keep the file
	return Step{Reason: why}
}
