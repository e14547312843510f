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
	// Packet is the UDP payload.
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
func Build(q *Request, o Outcome, self Servers) (Reply, bool) {
	reply := Reply{Type: o.Verdict.messageType(), ServerIdentifier: self.identifier(q)}
	if o.Verdict != Nak && q.Type != TypeInform && !q.Arrival.Mode.Proxies() {
		reply.YIAddr = o.Reservation.Address.Addr()
	}
	reply.Dest = Destination(q, reply)

	var options []option
	switch {
	case o.Verdict == Nak:
		options = nakOptions(q, o.Reason, reply)
	case q.Arrival.Mode.Proxies():
		options = proxyOptions(q, o, reply)
	default:
		options = grantOptions(q, o, reply)
	}
	kept, omitted, fits := fit(options, q.limit())
	if !fits {
		return Reply{}, false
	}
	reply.Omitted = omitted
	reply.Packet = appendOptions(header(q, o, reply), kept)
	return reply, true
}

// header makes the fixed part of the message and the magic cookie.
func header(q *Request, o Outcome, reply Reply) []byte {
	b := make([]byte, offOptions, minReply)
	b[0], b[1], b[2] = opReply, htypeEthernet, 6
	binary.BigEndian.PutUint32(b[4:], q.XID)
	binary.BigEndian.PutUint16(b[10:], q.Flags)
	copy(b[24:28], octets(q.GIAddr))
	copy(b[28:offSname], q.chaddr[:])
	binary.BigEndian.PutUint32(b[offCookie:], magicCookie)
	if q.GIAddr.IsValid() && (o.Verdict == Nak || q.Arrival.Mode.Proxies()) {
		// The relay agent must not address it to an address that the client is being told not to use, or to none at all.
		binary.BigEndian.PutUint16(b[10:], q.Flags|flagBroadcast)
	}
	if o.Verdict == Nak {
		return b
	}
	if o.Verdict == Ack {
		copy(b[12:16], octets(q.CIAddr))
	}
	copy(b[16:20], octets(reply.YIAddr))
	copy(b[20:24], octets(o.Decision.NextServer))
	if len(o.Decision.ServerName) < snameSize {
		copy(b[offSname:offFile], o.Decision.ServerName)
	}
	if inFileField(o.Decision.BootFile) {
		copy(b[offFile:offCookie], o.Decision.BootFile)
	}
	return b
}

// inFileField reports whether the boot file fits in the file field with the NUL that ends it.
func inFileField(bootFile string) bool { return len(bootFile) < fileSize }

// octets returns the four bytes of an IPv4 address, nothing for any other.
func octets(a netip.Addr) []byte {
	if !a.Is4() {
		return nil
	}
	b := a.As4()
	return b[:]
}

func nakOptions(q *Request, why boot.Reason, reply Reply) []option {
	text := "this address is not reserved for this client"
	if why == ReasonWrongSubnet {
		text = "this address cannot be used on this subnet"
	}
	options := []option{
		{code: optMessageType, value: []byte{byte(reply.Type)}},
		{code: optServerIdentifier, value: octets(reply.ServerIdentifier)},
		{code: optMessage, value: []byte(text)},
	}
	return append(options, echoes(q)...)
}

// grantOptions lists the options of an OFFER or ACK in the order in which they go out:
//
//   - 53, 54 and, unless a DHCPINFORM is answered, 51, 58 and 59, which make it an answer;
//   - 1, before everything that depends on it (RFC 2132 section 3.3);
//   - what the client asks for in option 55, in its order; the usual settings when it sent none;
//   - what goes out asked for or not: see always;
//   - what is echoed: 61 (RFC 6842), 118 (RFC 3011) and last 82 (RFC 3046 section 2.2).
func grantOptions(q *Request, o Outcome, reply Reply) []option {
	options := []option{
		{code: optMessageType, value: []byte{byte(reply.Type)}},
		{code: optServerIdentifier, value: octets(reply.ServerIdentifier)},
	}
	if q.Type != TypeInform {
		options = append(options, leaseTimes(o.Reservation)...)
	}
	s := settings{request: q, client: q.Client(), reservation: o.Reservation, decision: o.Decision}
	var sent [256]bool
	add := func(code uint8) {
		if value := s.value(code); len(value) > 0 && !sent[code] {
			sent[code] = true
			options = append(options, option{code: code, value: value})
		}
	}
	add(optSubnetMask)
	asked := q.ParameterList
	if len(asked) == 0 {
		asked = usual()
	}
	for _, code := range asked {
		add(code)
	}
	for _, code := range always(o.Decision) {
		add(code)
	}
	return append(options, echoes(q)...)
}

// leaseTimes makes options 51, 58 and 59, with T1 at a half and T2 at seven eighths of the lease (RFC 2131 section
// 4.4.5). A lease that never ends is never renewed: it has no T1 and T2, and none are sent.
func leaseTimes(r *reservation.Reservation) []option {
	options := []option{{code: optLeaseTime, value: seconds(uint64(r.Lease))}}
	if r.Lease == reservation.Infinite {
		return options
	}
	return append(options,
		option{code: optRenewalTime, value: seconds(uint64(r.Lease) / 2)},
		option{code: optRebindingTime, value: seconds(uint64(r.Lease) * 7 / 8)})
}

func seconds(s uint64) []byte { return binary.BigEndian.AppendUint32(nil, uint32(s)) }

// echoes are the options that go back as they came.
func echoes(q *Request) []option {
	var options []option
	if len(q.ClientIdentifier) > 0 {
		options = append(options, option{code: optClientIdentifier, value: q.ClientIdentifier})
	}
	if q.SubnetSelection.IsValid() {
		options = append(options, option{code: optSubnetSelection, value: octets(q.SubnetSelection)})
	}
	if len(q.RelayAgent) > 0 {
		options = append(options, option{code: optRelayAgent, value: q.RelayAgent})
	}
	return options
}
