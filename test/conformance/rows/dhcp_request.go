package rows

import (
	"net/netip"

	"github.com/tugboot/tugboot/test/conformance/wire"
)

// requestRows are about who is answered (RFC 2131 sections 3.1, 4.3.1 and 4.3.2).
func requestRows() []Row {
	return []Row{
		{"2131-4.3.1-offer", "RFC 2131 4.3.1", Must, "A known client's DHCPDISCOVER is answered with the address that is reserved for it.", func(c *Client) Verdict {
			h, ok := c.broadcast(message(typeDiscover, c.main().MAC))
			return answered(h, ok, typeOffer, func(h wire.Heard) Verdict { return judged(h.Message.YIAddr == c.main().Addr, "%s", describe(h)) })
		}},
		{"2131-4.3.1-wish", "RFC 2131 4.3.1", Should, "It is, even when the client wishes for another address in option 50.", func(c *Client) Verdict {
			h, ok := c.broadcast(message(typeDiscover, c.main().MAC, address(optRequested, c.wrong())))
			return answered(h, ok, typeOffer, func(h wire.Heard) Verdict { return judged(h.Message.YIAddr == c.main().Addr, "%s", describe(h)) })
		}},
		{"2131-4.3.1-stranger", "RFC 2131 4.3.1", Should, "A client that is not known is offered an address, if one is available.", func(c *Client) Verdict {
			m := message(typeDiscover, c.stranger())
			h, silent := c.silence(c.envelope(m, route{}), m.Bytes(), m.XID)
			return answered(h, !silent, typeOffer, func(h wire.Heard) Verdict { return passed("%s", describe(h)) })
		}},
		{"2131-4.3.2-selecting", "RFC 2131 4.3.2", Must, "A REQUEST that takes up the offer (54, 50) is answered with a DHCPACK of the same address.",
			selected(func(q *wire.Message, h wire.Heard) Verdict {
				asked, _ := q.Get(optRequested)
				return judged(h.Message.YIAddr == wire.Address(asked), "%s", describe(h))
			})},
		{"2131-4.3.2-other-server", "RFC 2131 4.3.2", Must, "A REQUEST with option 54 of another server is another server's business: silence.", func(c *Client) Verdict {
			return c.ignored(message(typeRequest, c.main().MAC, address(optRequested, c.main().Addr), address(optServer, elsewhere())), route{})
		}},
		{"2131-4.3.2-other-server-wrong", "RFC 2131 4.3.2", Must, "Silence, too, when that other server has offered another address: no NAK.", func(c *Client) Verdict {
			return c.ignored(message(typeRequest, c.main().MAC, address(optRequested, c.wrong()), address(optServer, elsewhere())), route{})
		}},
		{"2131-4.3.2-init-reboot", "RFC 2131 4.3.2", Must, "INIT-REBOOT (50, no 54) with the right address: DHCPACK.", func(c *Client) Verdict {
			h, ok := c.broadcast(message(typeRequest, c.main().MAC, address(optRequested, c.main().Addr)))
			return answered(h, ok, typeAck, func(h wire.Heard) Verdict { return judged(h.Message.YIAddr == c.main().Addr, "%s", describe(h)) })
		}},
		{"2131-4.3.2-init-reboot-stranger", "RFC 2131 4.3.2", Must, "INIT-REBOOT of a client that the server has no record of: silence.", func(c *Client) Verdict {
			return c.ignored(message(typeRequest, c.stranger(), address(optRequested, c.wrong())), route{})
		}},
	}
}

// keepingRows are about those that have their address, and about those that ask twice.
func keepingRows() []Row {
	return []Row{
		{"2131-4.3.2-renewing", "RFC 2131 4.3.2", Must, "RENEWING (ciaddr, by unicast): DHCPACK of ciaddr.", func(c *Client) Verdict {
			m := c.main()
			h, ok := c.ask(message(typeRequest, m.MAC, using(m.Addr), unflagged), route{from: m.Addr, unicast: true})
			return answered(h, ok, typeAck, func(h wire.Heard) Verdict { return judged(h.Message.YIAddr == m.Addr, "%s", describe(h)) })
		}},
		{"2131-4.3.2-rebinding", "RFC 2131 4.3.2", Must, "REBINDING (ciaddr, by broadcast): DHCPACK of ciaddr, to ciaddr.", func(c *Client) Verdict {
			m := c.main()
			h, ok := c.ask(message(typeRequest, m.MAC, using(m.Addr), unflagged), route{from: m.Addr})
			return answered(h, ok, typeAck, func(h wire.Heard) Verdict {
				return judged(h.Message.YIAddr == m.Addr && h.To.Addr() == m.Addr, "%s, to %s", describe(h), h.To.Addr())
			})
		}},
		{"2131-4.3.2-rebinding-wrong", "RFC 2131 4.3.2", Should, "REBINDING with an address that is another client's is not granted.", func(c *Client) Verdict {
			m := message(typeRequest, c.main().MAC, using(c.wrong()), unflagged)
			h, silent := c.silence(c.envelope(m, route{from: c.wrong()}), m.Bytes(), m.XID)
			return judged(silent || h.Message.Type() == typeNak, "%s", describe(h))
		}},
		{"2131-4.3.1-again", "RFC 2131 4.3.1", Must, "A DHCPDISCOVER that is repeated is offered the same address.", func(c *Client) Verdict {
			first, second, ok := c.twice()
			if !ok {
				return unanswered("no OFFER twice")
			}
			return judged(first.Message.YIAddr == second.Message.YIAddr, "%s, then %s", describe(first), describe(second))
		}},
		{"2131-2.2-identical", "RFC 2131 4.3.1", Should, "The answer to a repetition is the same to the last byte.", func(c *Client) Verdict {
			first, second, ok := c.twice()
			if !ok {
				return unanswered("no OFFER twice")
			}
			return judged(string(first.Payload) == string(second.Payload), "%d bytes, then %d", len(first.Payload), len(second.Payload))
		}},
	}
}

// elsewhere is the address of a server that is none here (RFC 5737).
func elsewhere() netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, 67}) }

func (c *Client) twice() (first, second wire.Heard, both bool) {
	q := message(typeDiscover, c.main().MAC)
	first, one := c.broadcast(q)
	second, two := c.broadcast(q)
	return first, second, one && two
}

// refusalRows are about the DHCPNAK (RFC 2131 section 4.3.2, table 3).
func refusalRows() []Row {
	return []Row{
		{"2131-4.3.2-nak", "RFC 2131 4.3.2", Should, "INIT-REBOOT of a known client with a wrong address: DHCPNAK.",
			refused(func(_ *wire.Message, h wire.Heard) Verdict { return passed("%s", describe(h)) })},
		{"2131-4.3.2-nak-network", "RFC 2131 4.3.2", Should, "INIT-REBOOT with an address of another network: DHCPNAK.", func(c *Client) Verdict {
			h, ok := c.broadcast(message(typeRequest, c.main().MAC, address(optRequested, netip.AddrFrom4([4]byte{198, 51, 100, 7}))))
			return answered(h, ok, typeNak, func(h wire.Heard) Verdict { return passed("%s", describe(h)) })
		}},
		{"2131-3.1-nak-selecting", "RFC 2131 3.1", Should, "A REQUEST to this server (54) for an address that it cannot grant: DHCPNAK.", func(c *Client) Verdict {
			q, problem := c.selecting(c.main(), without(optRequested))
			if q == nil {
				return problem
			}
			without(optRequested)(q)
			address(optRequested, c.wrong())(q)
			h, ok := c.broadcast(q)
			return answered(h, ok, typeNak, func(h wire.Heard) Verdict { return passed("%s", describe(h)) })
		}},
		{"2131-t3-nak-addresses", "RFC 2131 table 3", Must, "A DHCPNAK has no ciaddr, yiaddr and siaddr.",
			refused(func(_ *wire.Message, h wire.Heard) Verdict {
				m := h.Message
				return judged(!m.CIAddr.IsValid() && !m.YIAddr.IsValid() && !m.SIAddr.IsValid(), "ciaddr %s, yiaddr %s, siaddr %s", addr(m.CIAddr), addr(m.YIAddr), addr(m.SIAddr))
			})},
		{"2131-t3-nak-server", "RFC 2131 table 3", Must, "A DHCPNAK has the server identifier.",
			refused(func(_ *wire.Message, h wire.Heard) Verdict {
				value, _ := h.Message.Get(optServer)
				return judged(wire.Address(value).IsValid(), "option 54 %s", addr(wire.Address(value)))
			})},
		{"2131-t3-nak-lease", "RFC 2131 table 3", Must, "A DHCPNAK has no lease time.",
			refused(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(!h.Message.Has(optLease), "options %v", h.Message.Codes())
			})},
		{"2131-t3-nak-options", "RFC 2131 table 3", Must, "A DHCPNAK has no option but 53, 54, 56, 60, 61 and 82.",
			refused(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(only(h.Message.Codes(), optType, optServer, optText, optVendorClass, optClientID, optRelay), "options %v", h.Message.Codes())
			})},
		{"2131-t3-nak-text", "RFC 2131 table 3", Should, "A DHCPNAK says why in option 56.",
			refused(func(_ *wire.Message, h wire.Heard) Verdict {
				value, _ := h.Message.Get(optText)
				return judged(len(value) > 0, "option 56 %q", value)
			})},
		{"2131-4.1-nak-broadcast", "RFC 2131 4.1", Must, "A DHCPNAK to a client that is no relay agent's goes to 255.255.255.255, whatever flags says.",
			refused(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(h.To.Addr() == netip.AddrFrom4([4]byte{255, 255, 255, 255}) && h.To.Port() == 68, "to %s", h.To)
			}, unflagged)},
	}
}

// only reports whether all codes are among the allowed ones.
func only(codes []byte, allowed ...byte) bool {
	permitted := map[byte]bool{}
	for _, code := range allowed {
		permitted[code] = true
	}
	for _, code := range codes {
		if !permitted[code] {
			return false
		}
	}
	return true
}

// partingRows are about what a client says when it goes, and come last: a server may keep the address back for a while.
func partingRows() []Row {
	return []Row{
		{"2131-4.3.4-release", "RFC 2131 4.3.4", Must, "A DHCPRELEASE has no answer.", func(c *Client) Verdict {
			m, ok := c.spare()
			if !ok {
				return notApplicable("needs a second known machine")
			}
			return c.ignored(message(typeRelease, m.MAC, without(optParameters), using(m.Addr), unflagged, address(optServer, c.Server)), route{from: m.Addr, unicast: true})
		}},
		{"2131-4.3.4-release-kept", "RFC 2131 4.3.4", Should, "A client that has released its address is offered the same one again.", func(c *Client) Verdict {
			m, ok := c.spare()
			if !ok {
				return notApplicable("needs a second known machine")
			}
			h, ok := c.broadcast(message(typeDiscover, m.MAC))
			return answered(h, ok, typeOffer, func(h wire.Heard) Verdict { return judged(h.Message.YIAddr == m.Addr, "%s", describe(h)) })
		}},
		{"2131-4.3.3-decline-other", "RFC 2131 4.3.3", Must, "A DHCPDECLINE to another server takes nothing from this one's client.", func(c *Client) Verdict {
			m, ok := c.spare()
			if !ok {
				return notApplicable("needs a second known machine")
			}
			if v := c.ignored(message(typeDecline, m.MAC, without(optParameters), address(optRequested, m.Addr), address(optServer, elsewhere())), route{}); v.Result != Pass {
				return v
			}
			h, ok := c.broadcast(message(typeDiscover, m.MAC))
			return answered(h, ok, typeOffer, func(h wire.Heard) Verdict { return judged(h.Message.YIAddr == m.Addr, "then %s", describe(h)) })
		}},
		{"2131-4.3.3-decline", "RFC 2131 4.3.3", Must, "A DHCPDECLINE has no answer.", func(c *Client) Verdict {
			m, ok := c.spare()
			if !ok {
				return notApplicable("needs a second known machine")
			}
			return c.ignored(message(typeDecline, m.MAC, without(optParameters), address(optRequested, m.Addr), address(optServer, c.Server)), route{})
		}},
	}
}

// spare is the machine that may lose its address: the last known one, unless it is the only one.
func (c *Client) spare() (Machine, bool) {
	if len(c.near) < 2 {
		return Machine{}, false
	}
	return c.near[len(c.near)-1], true
}
