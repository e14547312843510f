package dhcp4

import (
	"encoding/binary"
	"net/netip"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Reply is an answer, ready to be sent.
type Reply struct {
	Type MessageType
	// Packet is the UDP payload. It lies in the memory that it was made in, until that is used for another.
	Packet []byte
	Dest   Dest
	// YIAddr is the address given to the client; the zero Addr in a NAK, in the answer to a DHCPINFORM and in a proxy mode.
	YIAddr netip.Addr
	// ServerIdentifier is option 54.
	ServerIdentifier netip.Addr
	// Omitted are the codes of options that did not fit in what the client accepts, in the order they were left out.
	Omitted []uint8
}

// Build makes the reply to q that the outcome o calls for; o's own Reply is not looked at. It returns false when what
// must be said does not fit in the client's maximum message size.
//
// The header follows RFC 2131 table 3: secs and hops are 0, so that an answer to a retransmission is the same bytes;
// siaddr, sname and file hold the decision's next-server, server name and boot file. A boot file of more than 127
// bytes is in option 67 only. The file and sname fields never carry options (option 52): firmware reads them as names.
func Build(q *Request, o Outcome, self Servers) (Reply, bool) { return build(&writer{}, q, &o, self) }

// build is Build in the memory of w.
func build(w *writer, q *Request, o *Outcome, self Servers) (Reply, bool) {
	reply := Reply{Type: o.Verdict.messageType(), ServerIdentifier: self.identifier(q)}
	if o.Verdict != Nak && q.Type != TypeInform && !q.Arrival.Mode.Proxies() {
		reply.YIAddr = o.Reservation.Address.Addr()
	}
	reply.Dest = Destination(q, reply)

	w.begin()
	w.header(q, o, &reply)
	w.bytes(optMessageType, []byte{byte(reply.Type)})
	w.address(optServerIdentifier, reply.ServerIdentifier)
	switch {
	case o.Verdict == Nak:
		w.text(optMessage, nakText(o.Reason))
	case q.Arrival.Mode.Proxies():
		w.proxy(q, o)
	default:
		w.grant(q, o)
	}
	w.echo(q)
	omitted, fits := w.fit(q.limit(), o.Reservation)
	if !fits {
		return Reply{}, false
	}
	reply.Omitted = omitted
	reply.Packet = w.end()
	return reply, true
}

// header fills the fixed part of the message and the magic cookie.
func (w *writer) header(q *Request, o *Outcome, reply *Reply) {
	b := w.b
	b[0], b[1], b[2] = opReply, htypeEthernet, 6
	binary.BigEndian.PutUint32(b[4:], q.XID)
	binary.BigEndian.PutUint16(b[10:], q.Flags)
	put(b[24:28], q.GIAddr)
	copy(b[28:offSname], q.chaddr[:])
	binary.BigEndian.PutUint32(b[offCookie:], magicCookie)
	if q.GIAddr.IsValid() && (o.Verdict == Nak || q.Arrival.Mode.Proxies()) {
		// The relay agent must not address it to an address that the client is being told not to use, or to none at all.
		binary.BigEndian.PutUint16(b[10:], q.Flags|flagBroadcast)
	}
	if o.Verdict == Nak {
		return
	}
	if o.Verdict == Ack {
		put(b[12:16], q.CIAddr)
	}
	put(b[16:20], reply.YIAddr)
	put(b[20:24], o.Decision.NextServer)
	if len(o.Decision.ServerName) < snameSize {
		copy(b[offSname:offFile], o.Decision.ServerName)
	}
	if inFileField(o.Decision.BootFile) {
		copy(b[offFile:offCookie], o.Decision.BootFile)
	}
}

// put writes the four bytes of an IPv4 address; any other leaves zeros.
func put(b []byte, a netip.Addr) { appendAddress(b[:0], a) }

// inFileField reports whether the boot file fits in the file field with the NUL that ends it.
func inFileField(bootFile string) bool { return len(bootFile) < fileSize }

func nakText(why boot.Reason) string {
	if why == ReasonWrongSubnet {
		return "this address cannot be used on this subnet"
	}
	return "this address is not reserved for this client"
}

// grant writes the options of an OFFER or ACK in the order in which they go out, after 53 and 54:
//
//   - unless a DHCPINFORM is answered, 51, 58 and 59;
//   - 1, before everything that depends on it (RFC 2132 section 3.3);
//   - what the client asks for in option 55, in its order; the usual settings when it sent none;
//   - what goes out asked for or not: see always;
//   - the reservation's own options, which somebody asked for by hand.
func (w *writer) grant(q *Request, o *Outcome) {
	if q.Type != TypeInform {
		w.leaseTimes(o.Reservation.Lease)
	}
	s := settings{request: q, client: q.Client(), reservation: o.Reservation, decision: &o.Decision}
	w.setting(s, optSubnetMask)
	if len(q.ParameterList) == 0 {
		for _, code := range usual() {
			w.setting(s, code)
		}
	}
	for _, code := range q.ParameterList {
		w.setting(s, code)
	}
	for _, code := range always() {
		w.setting(s, code)
	}
	if !inFileField(o.Decision.BootFile) {
		w.setting(s, optBootFile)
	}
	for _, own := range o.Reservation.Options {
		w.setting(s, own.Code)
	}
}

// setting writes an option once, if there is anything to be said in it.
func (w *writer) setting(s settings, code uint8) {
	if w.has(code) {
		return
	}
	start := w.open(code)
	w.b = s.append(w.b, code)
	w.close(start)
}

// leaseTimes writes options 51, 58 and 59, with T1 at a half and T2 at seven eighths of the lease (RFC 2131 section
// 4.4.5). A lease that never ends is never renewed: it has no T1 and T2, and none are sent.
func (w *writer) leaseTimes(lease uint32) {
	w.seconds(optLeaseTime, lease)
	if lease != reservation.Infinite {
		w.seconds(optRenewalTime, lease/2)
		w.seconds(optRebindingTime, uint32(uint64(lease)*7/8))
	}
}

// echo writes the options that go back as they came: 61 (RFC 6842), 118 (RFC 3011) and last 82 (RFC 3046 section 2.2).
func (w *writer) echo(q *Request) {
	w.bytes(optClientIdentifier, q.ClientIdentifier)
	w.address(optSubnetSelection, q.SubnetSelection)
	w.bytes(optRelayAgent, q.RelayAgent)
}
