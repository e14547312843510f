package rows

import (
	"bytes"
	"slices"

	"github.com/tugboot/tugboot/test/conformance/wire"
)

// ipAndUDP is what the maximum message size of option 57 counts besides the message (RFC 2132 section 9.10).
const ipAndUDP = 28

// richest is the machine whose offer is the largest.
func (c *Client) richest() (Machine, int) {
	richest, most := c.main(), 0
	for _, m := range c.near {
		if offer, ok := c.offer(m); ok && offer.Size > most {
			richest, most = m, offer.Size
		}
	}
	return richest, most
}

// within judges that the largest offer is no larger than limit and whole.
func within(limit int, changes ...change) func(*Client) Verdict {
	return func(c *Client) Verdict {
		m, most := c.richest()
		if most <= limit && limit < 576 {
			return notApplicable("no known machine has more than %d bytes of settings: nothing could show", most)
		}
		h, ok := c.broadcast(message(typeDiscover, m.MAC, append([]change{asking(append(usual(), 66, 67, 119)...)}, changes...)...))
		return answered(h, ok, typeOffer, func(h wire.Heard) Verdict {
			return judged(len(h.Payload) <= limit && h.Message.End, "%d bytes, at most %d allowed, End option: %t; %d bytes with 1500", len(h.Payload), limit, h.Message.End, most)
		})
	}
}

// sizeRows are about how much a client takes (option 57) and where it may be put (option 52).
func sizeRows() []Row {
	return []Row{
		{"2131-2-548", "RFC 2131 2", Must, "A client that does not say how much it takes is sent 548 bytes at most (576 with IP and UDP), whole options only.", within(576 - ipAndUDP)},
		{"2132-9.10-576", "RFC 2132 9.10", Must, "Option 57 of 576: 548 bytes at most.", within(576-ipAndUDP, option(optMaxSize, 0x02, 0x40))},
		{"2132-9.10-low", "RFC 2132 9.10", Must, "Option 57 below 576, which is not allowed: an answer that any client can take.", within(576-ipAndUDP, option(optMaxSize, 0x01, 0x00))},
		{"2132-9.10-1500", "RFC 2132 9.10", Must, "Option 57 of 1500: 1472 bytes at most.", within(1500-ipAndUDP, option(optMaxSize, 0x05, 0xdc))},
		{"2132-9.10-65535", "RFC 2132 9.10", May, "Option 57 of 65535: no more than one Ethernet frame holds.", within(1500-ipAndUDP, option(optMaxSize, 0xff, 0xff))},
		{"2132-9.10-more", "RFC 2132 9.10", Should, "A client that takes more is told more: settings that 548 bytes do not hold are there with option 57 of 1500.", func(c *Client) Verdict {
			_, most := c.richest()
			if most <= 576-ipAndUDP {
				return notApplicable("no known machine has more than %d bytes of settings", most)
			}
			return passed("%d bytes", most)
		}},
		{"2132-9.3-file", "RFC 2132 9.3", Must, "Options that the client put in the file field (52 is 1) are read: a wrong address there has a NAK.", overloaded(1)},
		{"2132-9.3-sname", "RFC 2132 9.3", Must, "Options in the sname field (52 is 2) are read.", overloaded(2)},
		{"2132-9.3-both", "RFC 2132 9.3", Must, "Options in both (52 is 3) are read.", overloaded(3)},
	}
}

// overloaded asks for a wrong address where only a server that reads the overloaded field sees it. The options field asks for
// none, and the REQUEST is for this server.
func overloaded(how byte) func(*Client) Verdict {
	return func(c *Client) Verdict {
		q := message(typeRequest, c.main().MAC, option(optOverload, how))
		asked := append(wire.AppendOptions(nil, wire.Option{Code: optRequested, Value: wire.Octets(c.wrong())}), 255)
		if how == 1 {
			copy(q.File[:], asked)
		} else {
			copy(q.SName[:], asked)
		}
		if how == 3 {
			q.File[0] = 255
		}
		h, ok := c.broadcast(q)
		return answered(h, ok, typeNak, func(h wire.Heard) Verdict { return passed("%s", describe(h)) })
	}
}

// pieceRows are about options in pieces (RFC 3396).
func pieceRows() []Row {
	return []Row{
		{"3396-5-identifier", "RFC 3396 5", Must, "An option that the client sends in two pieces is read as one: option 61 comes back whole.", func(c *Client) Verdict {
			h, ok := c.broadcast(message(typeDiscover, c.main().MAC, text(optClientID, "\xffin two "), text(optClientID, "pieces")))
			return answered(h, ok, typeOffer, func(h wire.Heard) Verdict {
				value, _ := h.Message.Get(optClientID)
				return judged(string(value) == "\xffin two pieces", "option 61 %q", value)
			})
		}},
		{"3396-5-parameters", "RFC 3396 5", Must, "Option 55 in two pieces: what both ask for is there.", piecesOfList},
		{"3396-5-fields", "RFC 3396 5", Must, "Pieces in the options and the file field are joined in that order.", func(c *Client) Verdict {
			q := message(typeDiscover, c.main().MAC, option(optOverload, 1), text(optClientID, "\xffoptions and "))
			copy(q.File[:], append(wire.AppendOptions(nil, wire.Option{Code: optClientID, Value: []byte("file")}), 255))
			h, ok := c.broadcast(q)
			return answered(h, ok, typeOffer, func(h wire.Heard) Verdict {
				value, _ := h.Message.Get(optClientID)
				return judged(string(value) == "\xffoptions and file", "option 61 %q", value)
			})
		}},
		{"3396-7-long", "RFC 3396 7", Must, "An option of more than 255 bytes comes in pieces that follow each other, each but the last as long as may be.", longOption},
	}
}

func piecesOfList(c *Client) Verdict {
	all, ok := c.offer(c.main())
	if !ok {
		return unanswered("no OFFER")
	}
	var has []byte
	for _, code := range []byte{3, 6, 12, 15, 28} {
		if all.Has(code) {
			has = append(has, code)
		}
	}
	if len(has) < 2 {
		return notApplicable("fewer than two settings are given")
	}
	h, ok := c.broadcast(message(typeDiscover, c.main().MAC, asking(has[:1]...), option(optParameters, has[1:]...)))
	return answered(h, ok, typeOffer, func(h wire.Heard) Verdict {
		missing := slices.DeleteFunc(slices.Clone(has), h.Message.Has)
		return judged(len(missing) == 0, "of options %v, %v are missing", has, missing)
	})
}

// longOption has a long option of the client's own come back: the server need not have one.
func longOption(c *Client) Verdict {
	identifier := bytes.Repeat([]byte("long"), 75)
	h, ok := c.broadcast(message(typeDiscover, c.main().MAC, option(optMaxSize, 0x05, 0xdc),
		option(optClientID, identifier[:255]...), option(optClientID, identifier[255:]...)))
	return answered(h, ok, typeOffer, func(h wire.Heard) Verdict {
		var pieces []int
		for i, o := range h.Message.Options {
			if o.Code != optClientID {
				continue
			}
			if len(pieces) > 0 && h.Message.Options[i-1].Code != optClientID {
				return failed("the pieces of option 61 are apart")
			}
			pieces = append(pieces, len(o.Value))
		}
		value, _ := h.Message.Get(optClientID)
		return judged(bytes.Equal(value, identifier) && slices.Equal(pieces, []int{255, len(identifier) - 255}), "option 61 of %d bytes in pieces of %v", len(value), pieces)
	})
}
