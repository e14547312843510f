package rows

import (
	"fmt"
	"net/netip"

	"github.com/tugboot/tugboot/test/conformance/wire"
)

// Message types (RFC 2132 section 9.6, RFC 4388 section 6.1).
const (
	typeDiscover   = 1
	typeOffer      = 2
	typeRequest    = 3
	typeDecline    = 4
	typeAck        = 5
	typeNak        = 6
	typeRelease    = 7
	typeInform     = 8
	typeLeaseQuery = 10
)

// Option codes.
const (
	optMask         = 1
	optRouter       = 3
	optNameServer   = 6
	optVendorInfo   = 43
	optRequested    = 50
	optLease        = 51
	optOverload     = 52
	optType         = 53
	optServer       = 54
	optParameters   = 55
	optText         = 56
	optMaxSize      = 57
	optT1           = 58
	optT2           = 59
	optVendorClass  = 60
	optClientID     = 61
	optTFTPServer   = 66
	optBootFile     = 67
	optUserClass    = 77
	optRelay        = 82
	optArch         = 93
	optInterface    = 94
	optMachineID    = 97
	optRoutes       = 121
	relayCircuit    = 1
	relayRemote     = 2
	relayLink       = 5
	relayIdentifier = 11
)

func kindName(kind byte) string {
	names := map[byte]string{typeOffer: "OFFER", typeAck: "ACK", typeNak: "NAK", 0: "BOOTREPLY without option 53"}
	if name, known := names[kind]; known {
		return name
	}
	return fmt.Sprintf("message type %d", kind)
}

// describe is an answer in a few words.
func describe(h wire.Heard) string {
	if h.Message == nil {
		return "nothing"
	}
	words := kindName(h.Message.Type())
	if h.Message.YIAddr.IsValid() {
		words += " of " + h.Message.YIAddr.String()
	}
	return words
}

// addr writes an address as people read it.
func addr(a netip.Addr) string {
	if !a.IsValid() {
		return "0.0.0.0"
	}
	return a.String()
}

// number reads an option of four bytes.
func number(m *wire.Message, code byte) (uint32, bool) {
	value, _ := m.Get(code)
	if len(value) != 4 {
		return 0, false
	}
	return uint32(value[0])<<24 | uint32(value[1])<<16 | uint32(value[2])<<8 | uint32(value[3]), true
}

// answered asks for an answer of a type, and hands it to the judge.
func answered(h wire.Heard, ok bool, kind byte, judge func(wire.Heard) Verdict) Verdict {
	switch {
	case !ok:
		return unanswered("no answer where %s is expected", kindName(kind))
	case h.Message.Type() != kind:
		return failed("answered with %s, not %s", describe(h), kindName(kind))
	}
	return judge(h)
}

// discovered judges the offer to the main machine's DISCOVER with these changes.
func discovered(judge func(q *wire.Message, h wire.Heard) Verdict, changes ...change) func(*Client) Verdict {
	return func(c *Client) Verdict {
		q := message(typeDiscover, c.main().MAC, changes...)
		h, ok := c.broadcast(q)
		return answered(h, ok, typeOffer, func(h wire.Heard) Verdict { return judge(q, h) })
	}
}

// selected judges the ACK to the REQUEST by which the main machine takes up its offer.
func selected(judge func(q *wire.Message, h wire.Heard) Verdict, changes ...change) func(*Client) Verdict {
	return func(c *Client) Verdict {
		q, problem := c.selecting(c.main(), changes...)
		if q == nil {
			return problem
		}
		h, ok := c.broadcast(q)
		return answered(h, ok, typeAck, func(h wire.Heard) Verdict { return judge(q, h) })
	}
}

// selecting is the REQUEST of a machine that takes up an offer; nil, and why, without an offer.
func (c *Client) selecting(m Machine, changes ...change) (*wire.Message, Verdict) {
	discover := message(typeDiscover, m.MAC, changes...)
	h, ok := c.broadcast(discover)
	if !ok {
		return nil, unanswered("no OFFER to take up")
	}
	identifier, _ := h.Message.Get(optServer)
	q := message(typeRequest, m.MAC, append([]change{address(optRequested, h.Message.YIAddr), option(optServer, identifier...)}, changes...)...)
	q.XID = discover.XID
	return q, Verdict{}
}

// refused judges the NAK to a REQUEST of the main machine for an address that is not its own.
func refused(judge func(q *wire.Message, h wire.Heard) Verdict, changes ...change) func(*Client) Verdict {
	return func(c *Client) Verdict {
		q := message(typeRequest, c.main().MAC, append([]change{address(optRequested, c.wrong())}, changes...)...)
		h, ok := c.broadcast(q)
		return answered(h, ok, typeNak, func(h wire.Heard) Verdict { return judge(q, h) })
	}
}

// wrong is an address of the main machine's network that is not the main machine's: another known machine's, if any.
func (c *Client) wrong() netip.Addr {
	if other, ok := c.other(); ok {
		return other.Addr
	}
	return c.main().Addr.Next()
}
