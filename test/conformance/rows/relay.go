package rows

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/tugboot/tugboot/test/conformance/wire"
)

// agent is the address of the relay agent that is played: the interface's own.
func (c *Client) agent() netip.Addr { return c.link.Prefix.Addr() }

// throughAgent is the route of a relayed message.
func (c *Client) throughAgent() route {
	return route{from: c.agent(), port: 67, unicast: true, fromMAC: c.link.MAC}
}

// agentSays is option 82 with sub-options, each a code and a value.
func agentSays(subs ...wire.Option) change {
	return option(optRelay, wire.AppendOptions(nil, subs...)...)
}

// circuit is what an agent says that names the port a client is at, with a sub-option that no server knows.
func circuit() change {
	return agentSays(wire.Option{Code: relayCircuit, Value: []byte("rack 7")}, wire.Option{Code: relayRemote, Value: []byte{0, 255, 7}},
		wire.Option{Code: 222, Value: []byte("unknown")})
}

// relayed makes a message of the main machine that the agent passes on.
func (c *Client) relayed(kind byte, changes ...change) *wire.Message {
	return message(kind, c.main().MAC, append(changes, func(m *wire.Message) { m.GIAddr, m.Hops = c.agent(), 1 })...)
}

// forwarded judges the answer of a type to a relayed message.
func forwarded(kind, answer byte, judge func(c *Client, q *wire.Message, h wire.Heard) Verdict, changes ...change) func(*Client) Verdict {
	return func(c *Client) Verdict {
		more := changes
		switch {
		case kind == typeRequest && answer == typeAck:
			more = append([]change{address(optRequested, c.main().Addr)}, changes...)
		case kind == typeRequest:
			more = append([]change{address(optRequested, c.wrong())}, changes...)
		}
		q := c.relayed(kind, more...)
		h, ok := c.ask(q, c.throughAgent())
		return answered(h, ok, answer, func(h wire.Heard) Verdict { return judge(c, q, h) })
	}
}

// relayRows are about giaddr (RFC 2131 section 4.1) and option 82 (RFC 3046).
func relayRows() []Row {
	toAgent := func(c *Client, _ *wire.Message, h wire.Heard) Verdict {
		return judged(h.To.Addr() == c.agent() && h.To.Port() == 67, "to %s", h.To)
	}
	echoed := func(_ *Client, q *wire.Message, h wire.Heard) Verdict {
		sent, _ := q.Get(optRelay)
		got, _ := h.Message.Get(optRelay)
		return judged(bytes.Equal(sent, got), "option 82 %x to %x", got, sent)
	}
	return []Row{
		{"2131-4.1-giaddr", "RFC 2131 4.1", Must, "The OFFER to a relayed DISCOVER goes to port 67 of giaddr.", forwarded(typeDiscover, typeOffer, toAgent, unflagged)},
		{"2131-4.1-giaddr-ack", "RFC 2131 4.1", Must, "So does the ACK.", forwarded(typeRequest, typeAck, toAgent, unflagged)},
		{"2131-4.1-giaddr-nak", "RFC 2131 4.3.2", Must, "So does the NAK.", forwarded(typeRequest, typeNak, toAgent, unflagged)},
		{"2131-4.3.2-nak-flag", "RFC 2131 4.3.2", Must, "The NAK through a relay agent has the broadcast bit, so that the agent sends it to everybody.",
			forwarded(typeRequest, typeNak, func(_ *Client, _ *wire.Message, h wire.Heard) Verdict {
				return judged(h.Message.Flags&wire.Broadcast != 0, "flags %04x", h.Message.Flags)
			}, unflagged)},
		{"2131-t3-giaddr", "RFC 2131 table 3", Must, "giaddr comes back.",
			forwarded(typeDiscover, typeOffer, func(c *Client, _ *wire.Message, h wire.Heard) Verdict {
				return judged(h.Message.GIAddr == c.agent(), "giaddr %s", addr(h.Message.GIAddr))
			})},
		{"2131-4.1-giaddr-flags", "RFC 2131 4.1", Must, "flags comes back as it was: it tells the agent how to deliver.",
			forwarded(typeDiscover, typeOffer, func(_ *Client, q *wire.Message, h wire.Heard) Verdict {
				return judged(h.Message.Flags == q.Flags, "flags %04x to %04x", h.Message.Flags, q.Flags)
			}, unflagged)},
		{"2131-4.1-giaddr-port", "RFC 2131 4.1", Must, "The port is 67 even when the agent sent from another one (and does not use RFC 8357).", func(c *Client) Verdict {
			way := c.throughAgent()
			way.port = 1067
			h, ok := c.ask(c.relayed(typeDiscover), way)
			return answered(h, ok, typeOffer, func(h wire.Heard) Verdict { return judged(h.To.Port() == 67, "to port %d", h.To.Port()) })
		}},
		{"2131-4.3.1-giaddr-network", "RFC 2131 4.3.1", Must, "A relayed client is given an address of giaddr's network only.", wrongNetwork},
		{"3046-2.2-offer", "RFC 3046 2.2", Must, "Option 82 comes back unchanged in the OFFER, unknown sub-options too.", forwarded(typeDiscover, typeOffer, echoed, circuit())},
		{"3046-2.2-ack", "RFC 3046 2.2", Must, "Option 82 comes back unchanged in the ACK.", forwarded(typeRequest, typeAck, echoed, circuit())},
		{"3046-2.2-nak", "RFC 3046 2.2", Must, "Option 82 comes back unchanged in the NAK.", forwarded(typeRequest, typeNak, echoed, circuit())},
		{"3046-2.2-last", "RFC 3046 2.2", Should, "Option 82 is the last one before End, so that the agent can cut it off.",
			forwarded(typeDiscover, typeOffer, func(_ *Client, _ *wire.Message, h wire.Heard) Verdict {
				codes := h.Message.Codes()
				return judged(len(codes) > 0 && codes[len(codes)-1] == optRelay, "options %v", codes)
			}, circuit())},
		{"3046-2.2-none", "RFC 3046 2.2", Must, "Where no option 82 came, none goes.",
			forwarded(typeDiscover, typeOffer, func(_ *Client, _ *wire.Message, h wire.Heard) Verdict {
				return judged(!h.Message.Has(optRelay), "options %v", h.Message.Codes())
			})},
		{"3046-2.2-full", "RFC 3046 2.2", Must, "Option 82 comes back even where 548 bytes leave little room: other options make way.", crowded},
	}
}

// wrongNetwork asks for a machine of this network through an agent of another one.
func wrongNetwork(c *Client) Verdict {
	if c.far == nil {
		return notApplicable("needs a known machine of another network")
	}
	m := c.relayed(typeDiscover, func(m *wire.Message) { copy(m.CHAddr[:], c.far.MAC[:]) })
	h, silent := c.silence(c.envelope(m, c.throughAgent()), m.Bytes(), m.XID)
	return judged(silent || c.link.Prefix.Contains(h.Message.YIAddr), "%s to a machine whose address is %s, through %s", describe(h), c.far.Addr, c.agent())
}

func crowded(c *Client) Verdict {
	m, most := c.richest()
	long := wire.Option{Code: relayCircuit, Value: bytes.Repeat([]byte("c"), 100)}
	q := c.relayed(typeDiscover, agentSays(long), func(q *wire.Message) { copy(q.CHAddr[:], m.MAC[:]) })
	h, ok := c.ask(q, c.throughAgent())
	return answered(h, ok, typeOffer, func(h wire.Heard) Verdict {
		sent, _ := q.Get(optRelay)
		got, _ := h.Message.Get(optRelay)
		if most+len(sent)+2 <= 576-ipAndUDP {
			return notApplicable("no known machine has settings enough: %d bytes", most)
		}
		return judged(bytes.Equal(sent, got) && len(h.Payload) <= 576-ipAndUDP, "option 82 of %d bytes to %d, in %d", len(got), len(sent), len(h.Payload))
	})
}

// linkRows are about link selection (RFC 3527) and the server identifier override (RFC 5107).
func linkRows() []Row {
	override := netip.AddrFrom4([4]byte{198, 51, 100, 67})
	posing := agentSays(wire.Option{Code: relayIdentifier, Value: wire.Octets(override)})
	overridden := func(_ *Client, _ *wire.Message, h wire.Heard) Verdict {
		value, _ := h.Message.Get(optServer)
		return judged(wire.Address(value) == override, "option 54 %s", addr(wire.Address(value)))
	}
	return []Row{
		{"3527-3-subnet", "RFC 3527 3", Must, "Sub-option 5 names the network that the address is of, in giaddr's place.", linked(func(c *Client, h wire.Heard) Verdict {
			return judged(h.Message.YIAddr == c.far.Addr, "%s", describe(h))
		})},
		{"3527-3-destination", "RFC 3527 3", Must, "The answer goes to giaddr all the same.", linked(func(c *Client, h wire.Heard) Verdict {
			return judged(h.To.Addr() == c.agent() && h.Message.GIAddr == c.agent(), "to %s, giaddr %s", h.To, addr(h.Message.GIAddr))
		})},
		{"3527-3-echo", "RFC 3527 3", Must, "Sub-option 5 comes back with option 82.", linked(func(_ *Client, h wire.Heard) Verdict {
			value, _ := h.Message.Get(optRelay)
			return judged(len(value) == 6 && value[0] == relayLink, "option 82 %x", value)
		})},
		{"5107-4-offer", "RFC 5107 4", Must, "Sub-option 11 is the server identifier of the OFFER.", forwarded(typeDiscover, typeOffer, overridden, posing)},
		{"5107-4-ack", "RFC 5107 4", Must, "Sub-option 11 is the server identifier of the ACK.", forwarded(typeRequest, typeAck, overridden, posing)},
		{"5107-4-request", "RFC 5107 4", Must, "A REQUEST that names it in option 54 is one to this server.",
			forwarded(typeRequest, typeAck, func(_ *Client, _ *wire.Message, h wire.Heard) Verdict { return passed("%s", describe(h)) },
				address(optServer, override), posing)},
	}
}

// linked judges the offer to the machine of another network, whose agent says what network that is.
func linked(judge func(*Client, wire.Heard) Verdict) func(*Client) Verdict {
	return func(c *Client) Verdict {
		if c.far == nil {
			return notApplicable("needs a known machine of another network")
		}
		network := netip.PrefixFrom(c.far.Addr, 24).Masked().Addr()
		q := c.relayed(typeDiscover, agentSays(wire.Option{Code: relayLink, Value: wire.Octets(network)}),
			func(m *wire.Message) { copy(m.CHAddr[:], c.far.MAC[:]) })
		h, ok := c.ask(q, c.throughAgent())
		return answered(h, ok, typeOffer, func(h wire.Heard) Verdict { return judge(c, h) })
	}
}

// queryRows are about DHCPLEASEQUERY (RFC 4388).
func queryRows() []Row {
	query := func(changes ...change) func(*Client) Verdict {
		return func(c *Client) Verdict {
			h, ok := c.ask(c.relayed(typeLeaseQuery, append([]change{without(optParameters), unflagged}, changes...)...), c.throughAgent())
			if !ok {
				return unanswered("no answer")
			}
			return judged(slices.Contains([]byte{11, 12, 13}, h.Message.Type()), "%s", describe(h))
		}
	}
	return []Row{
		{"4388-6.4-mac", "RFC 4388 6.4", Should, "A DHCPLEASEQUERY by MAC is answered with DHCPLEASEACTIVE, -UNASSIGNED or -UNKNOWN.", query()},
		{"4388-6.4-address", "RFC 4388 6.4", Should, "A DHCPLEASEQUERY by address is answered so.", func(c *Client) Verdict {
			return query(using(c.main().Addr), func(m *wire.Message) { m.CHAddr, m.HType, m.HLen = [16]byte{}, 0, 0 })(c)
		}},
		{"4388-6.3-no-giaddr", "RFC 4388 6.3", Must, "A DHCPLEASEQUERY without giaddr has no answer.", func(c *Client) Verdict {
			return c.ignored(message(typeLeaseQuery, c.main().MAC, without(optParameters), unflagged), route{})
		}},
	}
}
