package rows

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/tugboot/tugboot/test/conformance/wire"
)

// optionRows are about options in general, and those that go back to the client (RFC 2131 section 4.1, RFC 2132, RFC 6842).
func optionRows() []Row {
	identifier := []byte("\xffconformance")
	echoed := func(_ *wire.Message, h wire.Heard) Verdict {
		value, _ := h.Message.Get(optClientID)
		return judged(bytes.Equal(value, identifier), "option 61 %q to %q", value, identifier)
	}
	with := option(optClientID, identifier...)
	return []Row{
		{"2131-4.1-end", "RFC 2131 4.1", Must, "The last option is End.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(h.Message.End, "options %v", h.Message.Codes())
			})},
		{"2131-4.1-after-end", "RFC 2131 4.1", Must, "Nothing but zeros follows End.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(len(bytes.Trim(h.Message.Rest, "\x00")) == 0, "%d bytes after End", len(h.Message.Rest))
			})},
		{"2131-4.1-once", "RFC 2131 4.1", Must, "No option is there twice.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(len(h.Message.Codes()) == len(h.Message.Options), "options %v", h.Message.Codes())
			})},
		{"1542-2.1-size", "RFC 1542 2.1", Should, "An answer has the 300 bytes of a BOOTP message at least.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(len(h.Payload) >= 300, "%d bytes", len(h.Payload))
			}, asking(optMask))},
		{"2132-3.3-mask", "RFC 2132 3.3", Must, "The subnet mask is before the router, even when the client asks for them the other way round.",
			discovered(maskFirst, asking(optRouter, optMask))},
		{"2131-4.3.1-mask", "RFC 2131 4.3.1", Must, "The subnet mask is the network's.", func(c *Client) Verdict {
			return discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				value, _ := h.Message.Get(optMask)
				return judged(bytes.Equal(value, c.maskOf()), "option 1 %v", value)
			})(c)
		}},
		{"2132-9.8-order", "RFC 2132 9.8", Must, "Options come in the order of option 55, as far as nothing else orders them.", inOrder},
		{"2131-4.3.1-asked", "RFC 2131 4.3.1", Must, "Each parameter that the server has is there when it alone is asked for.", eachAsked},
		{"2132-9.8-unasked", "RFC 2131 4.3.1", May, "A client that sends no option 55 gets subnet mask and router all the same.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(h.Message.Has(optMask) && h.Message.Has(optRouter), "options %v", h.Message.Codes())
			}, without(optParameters))},
		{"6842-3-offer", "RFC 6842 3", Must, "Option 61 comes back in the DHCPOFFER.", discovered(echoed, with)},
		{"6842-3-ack", "RFC 6842 3", Must, "Option 61 comes back in the DHCPACK.", selected(echoed, with)},
		{"6842-3-nak", "RFC 6842 3", Must, "Option 61 comes back in the DHCPNAK.", refused(echoed, with)},
		{"6842-3-none", "RFC 6842 3", Must, "Option 61 is not in the answer to a client that sends none.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(!h.Message.Has(optClientID), "options %v", h.Message.Codes())
			})},
		{"3442-routes", "RFC 3442", Must, "Option 121 can be read: prefix length, as many bytes of the destination as it needs, router.", routes},
		{"3442-default", "RFC 3442", Should, "Option 121 has a default route where the server has a router to give: clients that read 121 ignore option 3.", defaultRoute},
		{"3442-no-router", "RFC 3442", Should, "Where option 121 was asked for and is given, option 3 is left out.", func(c *Client) Verdict {
			_, offer, ok := c.subject(func(m *wire.Message) bool { return m.Has(optRoutes) })
			if !ok {
				return notApplicable("no known machine is given option 121")
			}
			return judged(!offer.Has(optRouter), "options %v", offer.Codes())
		}},
	}
}

func maskFirst(_ *wire.Message, h wire.Heard) Verdict {
	codes := h.Message.Codes()
	mask, router := slices.Index(codes, optMask), slices.Index(codes, optRouter)
	if router < 0 {
		return notApplicable("no router is given")
	}
	return judged(mask >= 0 && mask < router, "options %v", codes)
}

// inOrder asks in two orders; subnet mask and router are left out, for those have an order of their own.
func inOrder(c *Client) Verdict {
	var seen []string
	for _, asked := range [][]byte{{6, 12, 15, 28}, {28, 15, 6, 12}} {
		h, ok := c.broadcast(message(typeDiscover, c.main().MAC, asking(asked...)))
		if !ok {
			return unanswered("no OFFER")
		}
		var got []byte
		for _, code := range h.Message.Codes() {
			if slices.Contains(asked, code) {
				got = append(got, code)
			}
		}
		want := slices.DeleteFunc(slices.Clone(asked), func(code byte) bool { return !slices.Contains(got, code) })
		if len(want) < 2 {
			return notApplicable("fewer than two of options %v are given", asked)
		}
		if !bytes.Equal(got, want) {
			return failed("asked for %v, got %v", asked, got)
		}
		seen = append(seen, fmt.Sprint(got))
	}
	return passed("got %v", seen)
}

func eachAsked(c *Client) Verdict {
	all, ok := c.broadcast(message(typeDiscover, c.main().MAC))
	if !ok {
		return unanswered("no OFFER")
	}
	var seen []byte
	for _, code := range usual() {
		if !all.Message.Has(code) {
			continue
		}
		h, ok := c.broadcast(message(typeDiscover, c.main().MAC, asking(code)))
		if !ok {
			return unanswered("no OFFER when option %d alone is asked for", code)
		}
		if !h.Message.Has(code) {
			return failed("option %d is given, and not when it alone is asked for", code)
		}
		seen = append(seen, code)
	}
	return judged(len(seen) > 0, "options %v, each alone", seen)
}

// classless reads option 121.
func classless(b []byte) (withDefault bool, count int, err error) {
	for len(b) > 0 {
		bits := int(b[0])
		size := 1 + (bits+7)/8 + 4
		if bits > 32 || len(b) < size {
			return false, 0, fmt.Errorf("route %d is cut off or longer than 32 bits", count+1)
		}
		withDefault = withDefault || bits == 0
		b, count = b[size:], count+1
	}
	return withDefault, count, nil
}

func routes(c *Client) Verdict {
	_, offer, ok := c.subject(func(m *wire.Message) bool { return m.Has(optRoutes) })
	if !ok {
		return notApplicable("no known machine is given option 121")
	}
	value, _ := offer.Get(optRoutes)
	_, count, err := classless(value)
	if err != nil {
		return failed("option 121 %x: %v", value, err)
	}
	return passed("%d routes in %d bytes", count, len(value))
}

func defaultRoute(c *Client) Verdict {
	m, offer, ok := c.subject(func(m *wire.Message) bool { return m.Has(optRoutes) })
	if !ok {
		return notApplicable("no known machine is given option 121")
	}
	h, ok := c.broadcast(message(typeDiscover, m.MAC, asking(optRouter)))
	if !ok || !h.Message.Has(optRouter) {
		return notApplicable("the server has no router to give")
	}
	value, _ := offer.Get(optRoutes)
	with, count, err := classless(value)
	return judged(err == nil && with, "default route among %d routes: %t", count, with)
}
