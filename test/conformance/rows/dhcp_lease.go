package rows

import (
	"net/netip"
	"slices"

	"github.com/tugboot/tugboot/test/conformance/wire"
)

// informed judges the answer to a DHCPINFORM of the main machine, which has its address already.
func informed(judge func(wire.Heard) Verdict) func(*Client) Verdict {
	return func(c *Client) Verdict {
		m := c.main()
		h, ok := c.ask(message(typeInform, m.MAC, using(m.Addr), unflagged), route{from: m.Addr})
		return answered(h, ok, typeAck, judge)
	}
}

// informRows are about the DHCPINFORM (RFC 2131 section 4.3.5).
func informRows() []Row {
	return []Row{
		{"2131-4.3.5-ack", "RFC 2131 4.3.5", Must, "A DHCPINFORM is answered with a DHCPACK.",
			informed(func(h wire.Heard) Verdict { return passed("%s", describe(h)) })},
		{"2131-4.3.5-ciaddr", "RFC 2131 4.3.5", Must, "It goes to ciaddr by unicast.",
			informed(func(h wire.Heard) Verdict { return judged(h.To.Addr() == h.Message.CIAddr, "to %s", h.To) })},
		{"2131-4.3.5-no-lease", "RFC 2131 4.3.5", Must, "It has no lease time.",
			informed(func(h wire.Heard) Verdict { return judged(!h.Message.Has(optLease), "options %v", h.Message.Codes()) })},
		{"2131-4.3.5-no-times", "RFC 2131 4.3.5", Should, "It has neither T1 nor T2.",
			informed(func(h wire.Heard) Verdict {
				return judged(!h.Message.Has(optT1) && !h.Message.Has(optT2), "options %v", h.Message.Codes())
			})},
		{"2131-4.3.5-yiaddr", "RFC 2131 4.3.5", Should, "Its yiaddr is 0.0.0.0.",
			informed(func(h wire.Heard) Verdict {
				return judged(!h.Message.YIAddr.IsValid(), "yiaddr %s", addr(h.Message.YIAddr))
			})},
		{"2131-4.3.5-parameters", "RFC 2131 4.3.5", Must, "It has parameters that were asked for.",
			informed(func(h wire.Heard) Verdict {
				m := h.Message
				return judged(m.Has(optMask) || m.Has(optRouter) || m.Has(optNameServer), "options %v", m.Codes())
			})},
		{"2131-4.3.5-server", "RFC 2131 table 3", Must, "It has the server identifier.",
			informed(func(h wire.Heard) Verdict { return judged(h.Message.Has(optServer), "options %v", h.Message.Codes()) })},
	}
}

// leaseRows are about server identifier, lease time and the times that follow from it.
func leaseRows() []Row {
	hasServer := func(_ *wire.Message, h wire.Heard) Verdict {
		value, _ := h.Message.Get(optServer)
		return judged(wire.Address(value).IsValid(), "option 54 %s", addr(wire.Address(value)))
	}
	hasLease := func(_ *wire.Message, h wire.Heard) Verdict {
		lease, ok := number(h.Message, optLease)
		return judged(ok && lease > 0, "lease %d s", lease)
	}
	return []Row{
		{"2131-t3-offer-server", "RFC 2131 table 3", Must, "A DHCPOFFER has the server identifier.", discovered(hasServer)},
		{"2131-t3-ack-server", "RFC 2131 table 3", Must, "A DHCPACK has the server identifier.", selected(hasServer)},
		{"2132-9.7-reachable", "RFC 2131 4.1", Must, "The server identifier is an address at which the client reaches the server.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				value, _ := h.Message.Get(optServer)
				return judged(wire.Address(value) == h.From.Addr(), "option 54 %s from %s", addr(wire.Address(value)), h.From.Addr())
			})},
		{"2131-t3-offer-lease", "RFC 2131 table 3", Must, "A DHCPOFFER has a lease time.", discovered(hasLease)},
		{"2131-t3-ack-lease", "RFC 2131 table 3", Must, "A DHCPACK to a DHCPREQUEST has a lease time.", selected(hasLease)},
		{"2131-4.3.1-same-lease", "RFC 2131 4.3.1", Should, "OFFER and ACK agree on the lease time.", func(c *Client) Verdict {
			offer, ok := c.broadcast(message(typeDiscover, c.main().MAC))
			if !ok {
				return unanswered("no OFFER")
			}
			offered, _ := number(offer.Message, optLease)
			return selected(func(_ *wire.Message, h wire.Heard) Verdict {
				granted, _ := number(h.Message, optLease)
				return judged(offered == granted, "offered %d s, granted %d s", offered, granted)
			})(c)
		}},
		{"2131-4.3.1-same-parameters", "RFC 2131 4.3.1", Must, "OFFER and ACK agree on every parameter but those that are counted down.", sameParameters},
		{"2131-4.4.5-order", "RFC 2131 4.4.5", Must, "T1 is earlier than T2, and T2 than the end of the lease.",
			selected(func(_ *wire.Message, h wire.Heard) Verdict {
				t1, one := number(h.Message, optT1)
				t2, two := number(h.Message, optT2)
				lease, _ := number(h.Message, optLease)
				if !one && !two {
					return passed("neither is sent: the client takes a half and seven eighths of %d s", lease)
				}
				return judged(t1 < t2 && t2 < lease, "T1 %d s, T2 %d s, lease %d s", t1, t2, lease)
			}, asking(optMask, optLease, optT1, optT2))},
		{"2131-t3-must-not", "RFC 2131 table 3", Must, "OFFER and ACK have none of a client's own options 50, 55 and 57.",
			selected(func(_ *wire.Message, h wire.Heard) Verdict {
				m := h.Message
				return judged(!m.Has(optRequested) && !m.Has(optParameters) && !m.Has(optMaxSize), "options %v", m.Codes())
			}, option(optMaxSize, 0x05, 0xdc))},
	}
}

func sameParameters(c *Client) Verdict {
	offer, ok := c.broadcast(message(typeDiscover, c.main().MAC))
	if !ok {
		return unanswered("no OFFER")
	}
	return selected(func(_ *wire.Message, h wire.Heard) Verdict {
		for _, code := range offer.Message.Codes() {
			if slices.Contains([]byte{optType, optLease, optT1, optT2}, code) {
				continue
			}
			offered, _ := offer.Message.Get(code)
			granted, _ := h.Message.Get(code)
			if string(offered) != string(granted) {
				return failed("option %d was %x, then %x", code, offered, granted)
			}
		}
		return passed("options %v", offer.Message.Codes())
	})(c)
}

// maskOf is the subnet mask that goes with the interface's network.
func (c *Client) maskOf() []byte {
	bits := c.link.Prefix.Bits()
	return wire.Octets(netip.PrefixFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), bits).Masked().Addr())
}
