package rows

import (
	"bytes"
	"net/netip"

	"github.com/tugboot/tugboot/test/conformance/wire"
)

// headerRows are about the fixed part of an answer (RFC 2131 section 4.3.1, table 3).
func headerRows() []Row {
	return []Row{
		{"2131-3-cookie", "RFC 2131 3", Must, "The options of an answer begin with the magic cookie 63 82 53 63.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(h.Message.Cookie == wire.Cookie, "cookie %08x", h.Message.Cookie)
			})},
		{"2131-t3-op", "RFC 2131 table 3", Must, "op is BOOTREPLY, htype 1 and hlen 6, hops 0.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				m := h.Message
				return judged(m.Op == 2 && m.HType == 1 && m.HLen == 6 && m.Hops == 0, "op %d, htype %d, hlen %d, hops %d", m.Op, m.HType, m.HLen, m.Hops)
			})},
		{"2131-t3-xid", "RFC 2131 table 3", Must, "xid is that of the DHCPDISCOVER, and of the DHCPREQUEST.",
			selected(func(q *wire.Message, h wire.Heard) Verdict {
				return judged(h.Message.XID == q.XID, "OFFER and ACK came with the xid of the question, %08x", h.Message.XID)
			})},
		{"2131-t3-secs", "RFC 2131 table 3", Must, "secs is 0 in an answer, whatever the question says.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(h.Message.Secs == 0, "secs %d", h.Message.Secs)
			},
				func(m *wire.Message) { m.Secs = 7 })},
		{"2131-t3-flags-set", "RFC 2131 table 3", Must, "flags is the client's: the broadcast bit comes back.",
			discovered(func(q *wire.Message, h wire.Heard) Verdict {
				return judged(h.Message.Flags == q.Flags, "flags %04x to %04x", h.Message.Flags, q.Flags)
			})},
		{"2131-t3-flags-clear", "RFC 2131 table 3", Must, "flags is the client's: 0 stays 0.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(h.Message.Flags == 0, "flags %04x", h.Message.Flags)
			}, unflagged)},
		{"2131-t3-chaddr", "RFC 2131 table 3", Must, "chaddr is the client's, all sixteen bytes.",
			discovered(func(q *wire.Message, h wire.Heard) Verdict {
				return judged(h.Message.CHAddr == q.CHAddr, "chaddr %x", h.Message.CHAddr)
			})},
		{"2131-t3-giaddr-none", "RFC 2131 table 3", Must, "giaddr is 0.0.0.0 where the question has none.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(!h.Message.GIAddr.IsValid(), "giaddr %s", addr(h.Message.GIAddr))
			})},
		{"2131-t3-ciaddr-offer", "RFC 2131 table 3", Must, "ciaddr of a DHCPOFFER is 0.0.0.0.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(!h.Message.CIAddr.IsValid(), "ciaddr %s", addr(h.Message.CIAddr))
			})},
		{"2131-t3-ciaddr-ack", "RFC 2131 table 3", Must, "ciaddr of a DHCPACK is the DHCPREQUEST's, or 0.0.0.0.", ackCIAddr},
		{"2131-t3-strings", "RFC 2131 2", Must, "sname and file hold options or text that ends in a NUL.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				m := h.Message
				ended := bytes.IndexByte(m.SName[:], 0) >= 0 && bytes.IndexByte(m.File[:], 0) >= 0
				return judged(ended || m.Has(optOverload), "sname %q, file %q", wire.Text(m.SName[:]), wire.Text(m.File[:]))
			}, text(optVendorClass, "PXEClient:Arch:00007:UNDI:003016"))},
	}
}

func ackCIAddr(c *Client) Verdict {
	m := c.main()
	h, ok := c.ask(message(typeRequest, m.MAC, using(m.Addr)), route{from: m.Addr, unicast: true})
	return answered(h, ok, typeAck, func(h wire.Heard) Verdict {
		return judged(h.Message.CIAddr == m.Addr || !h.Message.CIAddr.IsValid(), "ciaddr %s", addr(h.Message.CIAddr))
	})
}

// deliveryRows are about where an answer goes (RFC 2131 section 4.1), as seen in the frame.
func deliveryRows() []Row {
	everybody := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	return []Row{
		{"2131-4.1-broadcast", "RFC 2131 4.1", Must, "An OFFER to a client that sets the broadcast bit goes to 255.255.255.255, in a broadcast frame.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(h.To.Addr() == everybody && h.ToMAC == wire.Everybody(), "to %s at %s", h.To.Addr(), h.ToMAC)
			})},
		{"2131-4.1-unicast", "RFC 2131 4.1", Must, "An OFFER to a client that does not set it goes to yiaddr, in a frame to chaddr.",
			discovered(func(q *wire.Message, h wire.Heard) Verdict {
				return judged(h.To.Addr() == h.Message.YIAddr && h.ToMAC == wire.MAC(q.CHAddr[:6]), "to %s at %s", h.To.Addr(), h.ToMAC)
			}, unflagged)},
		{"2131-4.1-unicast-ack", "RFC 2131 4.1", Must, "So does the ACK to such a client.",
			selected(func(q *wire.Message, h wire.Heard) Verdict {
				return judged(h.To.Addr() == h.Message.YIAddr && h.ToMAC == wire.MAC(q.CHAddr[:6]), "to %s at %s", h.To.Addr(), h.ToMAC)
			}, unflagged)},
		{"2131-4.1-ciaddr", "RFC 2131 4.1", Must, "The ACK to a client that renews goes to ciaddr.", renewed(0)},
		{"2131-4.1-ciaddr-flag", "RFC 2131 4.1", Must, "It goes to ciaddr even when the broadcast bit is set.", renewed(wire.Broadcast)},
		{"2131-4.1-client-port", "RFC 2131 4.1", Must, "Answers go to port 68, whatever port the question came from.", func(c *Client) Verdict {
			h, ok := c.ask(message(typeDiscover, c.main().MAC), route{port: 1068})
			return answered(h, ok, typeOffer, func(h wire.Heard) Verdict { return judged(h.To.Port() == 68, "to port %d", h.To.Port()) })
		}},
		{"2131-4.1-server-port", "RFC 2131 4.1", Should, "Answers come from port 67.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(h.From.Port() == 67, "from port %d", h.From.Port())
			})},
		{"2131-4.1-one-answer", "RFC 2131 4.3.1", Should, "One DHCPDISCOVER has one answer.", oneAnswer},
	}
}

// renewed judges where the answer to a renewing client goes.
func renewed(flags uint16) func(*Client) Verdict {
	return func(c *Client) Verdict {
		m := c.main()
		q := message(typeRequest, m.MAC, using(m.Addr), func(q *wire.Message) { q.Flags = flags })
		h, ok := c.ask(q, route{from: m.Addr, unicast: true})
		return answered(h, ok, typeAck, func(h wire.Heard) Verdict {
			return judged(h.To.Addr() == m.Addr && h.ToMAC == m.MAC && h.To.Port() == 68, "to %s at %s", h.To, h.ToMAC)
		})
	}
}

func oneAnswer(c *Client) Verdict {
	q := message(typeDiscover, c.main().MAC)
	if _, ok := c.broadcast(q); !ok {
		return unanswered("no answer")
	}
	if h, again := c.hear(q.XID, 4*grace); again {
		return failed("a second answer, %s", describe(h))
	}
	return passed("no second answer within %v", 4*grace)
}

// malformedRows are about what must not be taken for a question.
func malformedRows() []Row {
	changed := func(change change) func(*Client) Verdict {
		return func(c *Client) Verdict { return c.ignored(message(typeDiscover, c.main().MAC, change), route{}) }
	}
	return []Row{
		{"2131-2-op", "RFC 2131 2", Must, "A message whose op is BOOTREPLY is no question: silence.", changed(func(m *wire.Message) { m.Op = 2 })},
		{"2131-3-bad-cookie", "RFC 2131 3", Must, "Without the magic cookie there are no options, and this is no DHCPDISCOVER: no OFFER.",
			badCookie},
		{"2131-2-hlen", "RFC 2131 2", Must, "A hardware address that is longer than chaddr's sixteen bytes: silence.", changed(func(m *wire.Message) { m.HLen = 17 })},
		{"2131-2-htype", "RFC 2131 2", Should, "A hardware type that this network has not, with a known machine's bytes in chaddr, is another client: silence.",
			changed(func(m *wire.Message) { m.HType = 32 })},
		{"1542-4.1.1-hops", "RFC 1542 4.1.1", May, "A message that came through more than sixteen relay agents goes in circles: silence.",
			changed(func(m *wire.Message) { m.Hops = 17 })},
		{"2132-2-overrun", "RFC 2132 2", Should, "An option that runs past the end of the message: no answer that believes it.", overrun},
		{"2131-2-short", "RFC 2131 2", Must, "A message that ends before its options: silence.", short},
		{"2132-9.6-server-type", "RFC 2132 9.6", Must, "A DHCPOFFER that comes to a server: silence.", changed(retyped(typeOffer))},
		{"2132-9.6-unknown-type", "RFC 2132 9.6", Must, "A message type that nobody defined: silence.", changed(retyped(99))},
		{"2131-4.1-no-end", "RFC 2131 4.1", May, "A question whose End option is missing is forgiven.", noEnd},
		{"1534-2-bootp", "RFC 1534 2", May, "BOOTP, that is no option 53, has silence or a BOOTREPLY with no DHCP message type.", bootp},
	}
}

func retyped(kind byte) change {
	return func(m *wire.Message) { without(optType)(m); option(optType, kind)(m) }
}

// badCookie leaves a server free to answer as one of BOOTP, which knows other cookies.
func badCookie(c *Client) Verdict {
	m := message(typeDiscover, c.main().MAC, func(m *wire.Message) { m.Cookie = 0x01020304 })
	h, silent := c.silence(c.envelope(m, route{}), m.Bytes(), m.XID)
	return judged(silent || !h.Message.Has(optType), "%s", describe(h))
}

func overrun(c *Client) Verdict {
	m := message(typeDiscover, c.main().MAC)
	payload := m.Bytes()
	payload[len(payload)-1] = optVendorClass // in the place of End
	return c.ignoredPayload(c.envelope(m, route{}), append(payload, 200, 'P', 'X', 'E'), m.XID)
}

func short(c *Client) Verdict {
	m := message(typeDiscover, c.main().MAC)
	return c.ignoredPayload(c.envelope(m, route{}), m.Bytes()[:200], m.XID)
}

func noEnd(c *Client) Verdict {
	m := message(typeDiscover, c.main().MAC)
	payload := m.Bytes()
	h, silent := c.silence(c.envelope(m, route{}), payload[:len(payload)-1], m.XID)
	return answered(h, !silent, typeOffer, func(h wire.Heard) Verdict { return passed("%s", describe(h)) })
}

func bootp(c *Client) Verdict {
	m := message(typeDiscover, c.main().MAC, without(optType), without(optParameters))
	h, silent := c.silence(c.envelope(m, route{}), m.Bytes(), m.XID)
	return judged(silent || !h.Message.Has(optType), "%s", describe(h))
}
