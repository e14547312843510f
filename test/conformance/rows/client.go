package rows

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/tugboot/tugboot/test/conformance/wire"
)

// Client asks one server.
type Client struct {
	Target

	link    *wire.Link
	server  wire.MAC
	near    []Machine // of the interface's own network
	far     *Machine  // of another one
	self    *Machine  // the host that asks, where the server knows it
	offers  map[wire.MAC]*wire.Message
	content []byte          // what the TFTP file holds, once it was read
	ctx     context.Context //nolint:containedctx // a client lives as long as one run
}

// Open makes a client. The server must be there.
func Open(ctx context.Context, t Target) (*Client, error) {
	link, err := wire.Open(t.Interface)
	if err != nil {
		return nil, err
	}
	c := &Client{Target: t, link: link, offers: map[wire.MAC]*wire.Message{}, ctx: ctx}
	for _, m := range t.Known {
		switch {
		case m.Addr == link.Prefix.Addr():
			c.self = &m
		case link.Prefix.Contains(m.Addr):
			c.near = append(c.near, m)
			link.Hold(m.Addr, m.MAC)
		case c.far == nil:
			c.far = &m
		}
	}
	if c.server, err = link.Resolve(t.Server); err != nil {
		return nil, errors.Join(err, link.Close())
	}
	if t.Patience <= 0 {
		c.Patience = 3 * time.Second
	}
	return c, nil
}

// Close ends it.
func (c *Client) Close() error { return c.link.Close() }

// main is the machine that is asked for most often.
func (c *Client) main() Machine {
	if len(c.near) == 0 {
		return Machine{MAC: c.stranger()}
	}
	return c.near[0]
}

// other is another known machine than main, and whether there is one.
func (c *Client) other() (Machine, bool) {
	if len(c.near) < 2 {
		return Machine{}, false
	}
	return c.near[1], true
}

// stranger is the MAC of a machine that no server knows.
func (c *Client) stranger() wire.MAC {
	n := rand.Uint32()
	return wire.MAC{0x02, 0x5e, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
}

// change is a further word of a message.
type change func(*wire.Message)

func option(code byte, value ...byte) change {
	return func(m *wire.Message) { m.Options = append(m.Options, wire.Option{Code: code, Value: value}) }
}

func text(code byte, value string) change { return option(code, []byte(value)...) }

func address(code byte, a netip.Addr) change { return option(code, wire.Octets(a)...) }

func without(code byte) change {
	return func(m *wire.Message) {
		m.Options = slices.DeleteFunc(m.Options, func(o wire.Option) bool { return o.Code == code })
	}
}

// asking replaces the parameter request list.
func asking(codes ...byte) change {
	return func(m *wire.Message) { without(optParameters)(m); option(optParameters, codes...)(m) }
}

func unflagged(m *wire.Message) { m.Flags = 0 }

func using(a netip.Addr) change { return func(m *wire.Message) { m.CIAddr = a } }

// message makes a message of a machine. It asks for answers by broadcast, and for the usual parameters.
func message(kind byte, mac wire.MAC, changes ...change) *wire.Message {
	m := &wire.Message{Op: 1, HType: 1, HLen: 6, XID: rand.Uint32(), Flags: wire.Broadcast, Cookie: wire.Cookie}
	copy(m.CHAddr[:], mac[:])
	option(optType, kind)(m)
	option(optParameters, usual()...)(m)
	for _, change := range changes {
		change(m)
	}
	return m
}

// usual are the options that most clients ask for.
func usual() []byte { return []byte{1, 3, 6, 12, 15, 28, 42, 121} }

// route is how a message goes out.
type route struct {
	from     netip.Addr // 0.0.0.0 for none yet
	port     uint16     // 68 unless set
	unicast  bool
	fromMAC  wire.MAC
	wantPort uint16 // of the server, 67 unless set
}

func (c *Client) envelope(m *wire.Message, r route) wire.Envelope {
	e := wire.Envelope{FromMAC: wire.MAC(m.CHAddr[:6]), ToMAC: wire.Everybody()}
	if r.fromMAC != (wire.MAC{}) {
		e.FromMAC = r.fromMAC
	}
	to := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	if r.unicast {
		e.ToMAC, to = c.server, c.Server
	}
	port, serverPort := uint16(68), uint16(67)
	if r.port != 0 {
		port = r.port
	}
	if r.wantPort != 0 {
		serverPort = r.wantPort
	}
	from := r.from
	if !from.IsValid() {
		from = netip.IPv4Unspecified()
	}
	e.From, e.To = netip.AddrPortFrom(from, port), netip.AddrPortFrom(to, serverPort)
	return e
}

// ask sends a message, once more when nothing comes, and returns the first answer with its xid.
func (c *Client) ask(m *wire.Message, r route) (wire.Heard, bool) {
	for range 2 {
		c.send(c.envelope(m, r), m.Bytes())
		if heard, ok := c.hear(m.XID, c.Patience); ok {
			return heard, true
		}
	}
	return wire.Heard{}, false
}

// broadcast asks as a machine without an address does.
func (c *Client) broadcast(m *wire.Message) (wire.Heard, bool) { return c.ask(m, route{}) }

func (c *Client) send(e wire.Envelope, payload []byte) {
	if err := c.link.Send(e, payload); err != nil {
		panic(broken{err})
	}
}

// hear waits for an answer with that xid from the server.
func (c *Client) hear(xid uint32, patience time.Duration) (wire.Heard, bool) {
	for deadline := time.Now().Add(patience); ; {
		heard, ok, err := c.link.Receive(deadline)
		switch {
		case err != nil:
			panic(broken{err})
		case !ok:
			return wire.Heard{}, false
		case heard.From.Addr() != c.Server:
		case heard.Fault != nil:
			panic(broken{fmt.Errorf("an answer that cannot be read: %w", heard.Fault)})
		case heard.Message.XID == xid:
			return heard, true
		}
	}
}

// grace is how much later than the answer to the next question an answer may come.
const grace = 250 * time.Millisecond

// silence sends a payload and says whether nothing answered it: not until another machine's question, sent after it, was
// answered, and not for a while after that.
func (c *Client) silence(e wire.Envelope, payload []byte, xid uint32) (heard wire.Heard, silent bool) {
	c.send(e, payload)
	for range 2 {
		probe := message(typeDiscover, c.main().MAC)
		c.send(c.envelope(probe, route{}), probe.Bytes())
		for deadline := time.Now().Add(c.Patience); ; {
			heard, ok, err := c.link.Receive(deadline)
			if err != nil {
				panic(broken{err})
			}
			if !ok {
				break
			}
			if heard.From.Addr() != c.Server || heard.Message == nil {
				continue
			}
			switch heard.Message.XID {
			case xid:
				return heard, false
			case probe.XID:
				heard, answered := c.hear(xid, grace)
				return heard, !answered
			}
		}
	}
	panic(broken{errors.New("the server answers no DISCOVER of a known machine any more")})
}

// ignored judges that a message is met with silence.
func (c *Client) ignored(m *wire.Message, r route) Verdict {
	return c.ignoredPayload(c.envelope(m, r), m.Bytes(), m.XID)
}

func (c *Client) ignoredPayload(e wire.Envelope, payload []byte, xid uint32) Verdict {
	heard, silent := c.silence(e, payload, xid)
	if silent {
		return passed("no answer")
	}
	return failed("answered with %s", describe(heard))
}

// offer is what the machine is offered when it asks for everything; it is asked once.
func (c *Client) offer(m Machine) (*wire.Message, bool) {
	if known, asked := c.offers[m.MAC]; asked {
		return known, known != nil
	}
	c.offers[m.MAC] = nil
	heard, ok := c.broadcast(message(typeDiscover, m.MAC, option(optMaxSize, 0x05, 0xdc)))
	if ok {
		c.offers[m.MAC] = heard.Message
	}
	return heard.Message, ok
}

// subject is a known machine whose full offer is so; false when there is none.
func (c *Client) subject(so func(*wire.Message) bool) (Machine, *wire.Message, bool) {
	for _, m := range c.near {
		if offer, ok := c.offer(m); ok && so(offer) {
			return m, offer, true
		}
	}
	return Machine{}, nil, false
}
