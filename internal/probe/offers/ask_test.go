package offers

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// reply is an answer on its way.
type reply struct {
	payload []byte
	from    netip.Addr
}

// fakeWire answers what is sent to it.
type fakeWire struct {
	answer func(n int, d *dhcpv4.DHCPv4) []reply // n counts packets with that transaction from 1
	delay  time.Duration
	seen   map[dhcpv4.TransactionID]int
	sent   []*dhcpv4.DHCPv4
	at     []time.Time
	in     chan reply
}

func newFakeWire(answer func(int, *dhcpv4.DHCPv4) []reply) *fakeWire {
	return &fakeWire{answer: answer, delay: time.Millisecond, seen: map[dhcpv4.TransactionID]int{}, in: make(chan reply, 1000)}
}

func (w *fakeWire) send(payload []byte) error {
	d, err := dhcpv4.FromBytes(payload)
	if err != nil {
		return err
	}
	w.sent, w.at = append(w.sent, d), append(w.at, time.Now())
	w.seen[d.TransactionID]++
	answers := w.answer(w.seen[d.TransactionID], d)
	time.AfterFunc(w.delay, func() {
		for _, r := range answers {
			w.in <- r
		}
	})
	return nil
}

func (w *fakeWire) receive(deadline time.Time) ([]byte, netip.Addr, bool, error) {
	late := time.NewTimer(time.Until(deadline))
	defer late.Stop()
	select {
	case r := <-w.in:
		return r.payload, r.from, true, nil
	case <-late.C:
		return nil, netip.Addr{}, false, nil
	}
}

func (w *fakeWire) close() {}

// offerFrom is an answer of that type to d.
func offerFrom(from netip.Addr, t dhcpv4.MessageType, d *dhcpv4.DHCPv4) reply {
	o, err := dhcpv4.NewReplyFromRequest(d, dhcpv4.WithMessageType(t), dhcpv4.WithYourIP(address.AsSlice()),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(from.AsSlice())), dhcpv4.WithNetmask(net.CIDRMask(24, 32)))
	if err != nil {
		panic(err)
	}
	return reply{o.ToBytes(), from}
}

func asking(w wire, o Options, questions []Question) (*round, error) {
	r := newRound(w, o, questions)
	return r, r.run(context.Background(), r.discover, isOffer)
}

func everyKind() []Question {
	var all []Question
	for _, k := range Kinds(endpoint) {
		all = append(all, Question{machine, k})
	}
	return all
}

// All offers to all questions are kept, each once, within the window; nothing is sent twice where there was an answer.
func TestAllOffersAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeWire(func(_ int, d *dhcpv4.DHCPv4) []reply {
			first := offerFrom(server, dhcpv4.MessageTypeOffer, d)
			return []reply{first, offerFrom(other, dhcpv4.MessageTypeOffer, d), first}
		})
		questions := everyKind()
		began := time.Now()
		r, err := asking(w, Options{}, questions)
		if err != nil || len(w.sent) != len(questions) {
			t.Fatalf("%v, sent %d packets for %d questions", err, len(w.sent), len(questions))
		}
		if took := time.Since(began); took > DefaultWindow+time.Duration(len(questions))*pace+patience {
			t.Errorf("took %v", took)
		}
		for i, a := range r.asked {
			if len(a.offers) != 2 || a.offers[0].ServerID != server || a.offers[1].From != other || a.offers[0].RTT != w.delay {
				t.Errorf("%s: %+v", questions[i].Kind.Name, a.offers)
			}
		}
		for i := range w.at[1:] {
			if gap := w.at[i+1].Sub(w.at[i]); gap < pace {
				t.Fatalf("two packets were sent %v after one another", gap)
			}
		}
	})
}

// A question without an answer is sent once more at half of the window, says so in secs, and then is given up.
func TestOneRetransmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeWire(func(n int, d *dhcpv4.DHCPv4) []reply {
			if n == 1 || d.ClassIdentifier() == "PXEClient:Arch:00000:UNDI:002001" {
				return nil
			}
			return []reply{offerFrom(server, dhcpv4.MessageTypeOffer, d)}
		})
		began := time.Now()
		r, err := asking(w, Options{Window: 4 * time.Second}, []Question{{machine, kindNamed(t, "firmware-bios/0")}, {machine, kindNamed(t, "firmware-uefi-x86-64/7")}})
		if err != nil || len(w.sent) != 4 {
			t.Fatalf("%v, sent %d packets", err, len(w.sent))
		}
		if again := w.at[2].Sub(began); again != 2*time.Second || w.sent[2].NumSeconds != 2 || w.sent[2].TransactionID != w.sent[0].TransactionID {
			t.Errorf("sent again after %v: %s", again, w.sent[2].Summary())
		}
		if len(r.asked[0].offers) != 0 || len(r.asked[1].offers) != 1 || time.Since(began) > 5*time.Second {
			t.Errorf("%v and %v after %v", r.asked[0].offers, r.asked[1].offers, time.Since(began))
		}
	})
}

// What is not an offer to this very question is no answer, and no more are kept than memory is meant for.
func TestStrangersAreIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeWire(func(_ int, d *dhcpv4.DHCPv4) []reply {
			otherXID, otherMAC, request := *d, *d, *d
			otherXID.TransactionID[0]++
			otherMAC.ClientHWAddr = append(net.HardwareAddr{}, 2, 0, 0, 0, 0, 9)
			request.OpCode = dhcpv4.OpcodeBootRequest
			return []reply{
				{nil, server}, {[]byte("garbage"), server}, {request.ToBytes(), server}, {d.ToBytes(), server},
				offerFrom(server, dhcpv4.MessageTypeOffer, &otherXID), offerFrom(server, dhcpv4.MessageTypeOffer, &otherMAC),
				offerFrom(server, dhcpv4.MessageTypeAck, d), offerFrom(server, dhcpv4.MessageTypeNak, d),
			}
		})
		r, err := asking(w, Options{}, []Question{{machine, kindNamed(t, "ipxe/7")}})
		if err != nil || len(r.asked[0].offers) != 0 {
			t.Errorf("%v, %+v", err, r.asked[0].offers)
		}
		w.answer = func(_ int, d *dhcpv4.DHCPv4) (all []reply) {
			for n := range 100 {
				all = append(all, offerFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}), dhcpv4.MessageTypeOffer, d))
			}
			return all
		}
		if r, err = asking(w, Options{}, []Question{{machine, kindNamed(t, "ipxe/7")}}); err != nil || len(r.asked[0].offers) != maxOffers {
			t.Errorf("%v, %d offers", err, len(r.asked[0].offers))
		}
	})
}

// A REQUEST follows only where it is asked for and there is an offer to accept.
func TestRequestsFollowOffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeWire(func(_ int, d *dhcpv4.DHCPv4) []reply {
			if d.ClassIdentifier() == "PXEClient:Arch:00000:UNDI:002001" {
				return nil
			}
			if d.MessageType() == dhcpv4.MessageTypeRequest {
				return []reply{offerFrom(server, dhcpv4.MessageTypeAck, d)}
			}
			return []reply{offerFrom(server, dhcpv4.MessageTypeOffer, d)}
		})
		r, err := asking(w, Options{}, []Question{{machine, kindNamed(t, "firmware-bios/0")}, {machine, kindNamed(t, "ipxe/7")}})
		if err == nil {
			err = r.run(context.Background(), r.request, isVerdict)
		}
		var requests int
		for _, d := range w.sent {
			if d.MessageType() == dhcpv4.MessageTypeRequest {
				requests++
			}
		}
		if got := r.asked[1].offers; err != nil || requests != 1 || len(r.asked[0].offers) != 0 || len(got) != 2 || got[1].Message != MessageACK {
			t.Errorf("%v, %d requests, %+v", err, requests, got)
		}
	})
}

func TestStopsWhenToldTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		r := newRound(newFakeWire(func(int, *dhcpv4.DHCPv4) []reply { return nil }), Options{Window: time.Minute}, everyKind())
		if err := r.run(ctx, r.discover, isOffer); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Second+patience {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestOptionsThatSayNothing(t *testing.T) {
	for _, o := range []Options{{}, {Interface: "lo", Relay: server}, {Relay: server}, {Server: server}, {Interface: "no-such-link"}} {
		if _, err := AskAll(t.Context(), o, nil); err == nil || !strings.HasPrefix(err.Error(), "ask for offers: ") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
