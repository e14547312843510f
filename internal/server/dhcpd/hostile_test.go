package dhcpd

import (
	"fmt"
	"slices"
	"testing"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tugboot/tugboot/internal/dhcp4"
)

// tried sends bad packets through one buffer of one server, and a good one after each.
type tried struct {
	t *testing.T
	s *Server
	p packet

	packets *prometheus.Registry // of the one metric that counts reasons
}

// try returns the reason in which a packet ended, and how it was answered, 0 for not at all.
func (r *tried) try(payload []byte) (string, dhcp4.MessageType) {
	r.t.Helper()
	reason, answer := r.deliver(payload)
	if next, offer := r.deliver(request(clientMAC, dhcp4.TypeDiscover, pxeOptions()...)); next != "FirmwareBinary" || offer != dhcp4.TypeOffer {
		r.t.Fatalf("after % x: the next good packet ended in %s, answered with %v", payload, next, offer)
	}
	return reason, answer
}

func (r *tried) deliver(payload []byte) (reason string, answer dhcp4.MessageType) {
	r.t.Helper()
	before, w := r.endings(), &wire{}
	deliver(r.s, w, &r.p, payload)
	for why, n := range r.endings() {
		if n -= before[why]; n == 1 && reason == "" {
			reason = why
		} else if n != 0 {
			r.t.Fatalf("% x ended in %v times %s, and in %q", payload, n, why, reason)
		}
	}
	if reason == "" || reason == string(reasonPanic) || len(w.sent) > 1 {
		r.t.Fatalf("% x ended in %q with %d answers", payload, reason, len(w.sent))
	}
	if len(w.sent) == 1 {
		answer = messageType(r.t, w.sent[0].payload)
	}
	return reason, answer
}

// endings is how many packets ended in each reason so far.
func (r *tried) endings() map[string]float64 {
	families, err := r.packets.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	ended := map[string]float64{}
	for _, family := range families {
		for _, series := range family.GetMetric() {
			for _, label := range series.GetLabel() {
				if label.GetName() == "reason" {
					ended[label.GetValue()] += series.GetCounter().GetValue()
				}
			}
		}
	}
	return ended
}

func try(t *testing.T) *tried {
	t.Helper()
	r := &tried{t: t, s: offline(t, testConfig(logr.Discard())), packets: prometheus.NewRegistry()}
	if err := r.packets.Register(r.s.metrics.packets); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryPrefixOfAPacket(t *testing.T) {
	r, whole := try(t), request(clientMAC, dhcp4.TypeDiscover, pxeOptions()...)
	for n := range len(whole) + 1 {
		reason, answer := r.try(whole[:n])
		switch {
		case n < 240 && (reason != "Malformed" || answer != 0):
			t.Errorf("%d bytes ended in %s, answered with %v", n, reason, answer)
		case n == 240 && (reason != "NoMessageType" || answer != 0): // nothing after the cookie
			t.Errorf("%d bytes ended in %s, answered with %v", n, reason, answer)
		case n > 240 && answer != 0 && reason != "FirmwareBinary" && reason != "NotNetbootClient":
			t.Errorf("%d bytes ended in %s, answered with %v", n, reason, answer)
		case n > 240 && answer == 0 && reason != "Malformed" && reason != "NoMessageType":
			t.Errorf("%d bytes ended in %s without an answer", n, reason)
		}
	}
}

func TestEveryHardwareLength(t *testing.T) {
	r := try(t)
	for hlen := range 256 {
		b := request(clientMAC, dhcp4.TypeDiscover)
		b[2] = byte(hlen)
		reason, answer := r.try(b)
		if hlen == 6 && answer != dhcp4.TypeOffer || hlen != 6 && (answer != 0 || reason != "BadHardwareAddress") {
			t.Errorf("hlen %d ended in %s, answered with %v", hlen, reason, answer)
		}
	}
}

// Each option of each length: one that decides who is meant makes the packet malformed, one that adds detail is as if it
// had not been sent. An option that says it is longer than the packet always makes it malformed.
func TestEveryOptionOfEveryLength(t *testing.T) {
	r := try(t)
	strict := []int{50, 54, 118}
	sizes := map[int]int{1: 4, 12: 6, 50: 4, 51: 4, 53: 1, 54: 4, 55: 3, 57: 2, 60: 9, 61: 7, 77: 11, 82: 8, 93: 2, 94: 3, 97: 17, 118: 4, 175: 6}
	for code := 1; code < 255; code++ {
		n, listed := sizes[code]
		if !listed {
			n = 4
		}
		for _, size := range []int{0, 1, n - 1, n + 1, 255} {
			if code == 53 {
				continue // with it the packet has two message types, joined to one too long; see below
			}
			name := fmt.Sprintf("option %d of %d bytes", code, size)
			option := append([]byte{byte(code), byte(size)}, make([]byte, size)...)
			reason, answer := r.try(request(clientMAC, dhcp4.TypeDiscover, option...))
			switch {
			case slices.Contains(strict, code) && size != n:
				if reason != "Malformed" || answer != 0 {
					t.Errorf("%s ended in %s, answered with %v", name, reason, answer)
				}
			case code == 52 && answer == 0 && reason == "Malformed": // what it says of the packet is wrong
			case answer != dhcp4.TypeOffer:
				t.Errorf("%s ended in %s, answered with %v", name, reason, answer)
			}
			cut := request(clientMAC, dhcp4.TypeDiscover, option...)
			if size == 255 {
				if reason, answer := r.try(cut[:len(cut)-2]); reason != "Malformed" || answer != 0 {
					t.Errorf("%s, one byte short, ended in %s, answered with %v", name, reason, answer)
				}
			}
		}
	}
	for _, size := range []int{0, 2, 255} {
		b := request(clientMAC, dhcp4.TypeDiscover)[:240]
		b = append(append(b, 53, byte(size)), make([]byte, size)...)
		if reason, answer := r.try(append(b, 255)); reason != "Malformed" || answer != 0 {
			t.Errorf("a message type of %d bytes ended in %s, answered with %v", size, reason, answer)
		}
	}
}

// The rows of docs/limits.md: what each kind of bad packet ends in, and what its sender gets.
func TestEveryKindOfBadPacket(t *testing.T) {
	r, plain := try(t), request(clientMAC, dhcp4.TypeDiscover)
	edited := func(at int, to byte) []byte { b := slices.Clone(plain); b[at] = to; return b }
	for _, test := range []struct {
		payload []byte
		reason  string
		answer  dhcp4.MessageType
	}{
		{edited(1, 32), "BadHardwareAddress", 0},
		{edited(28, 0x53), "BadHardwareAddress", 0},
		{edited(236, 0), "BadCookie", 0},
		{edited(0, 2), "NotRequest", 0},
		{edited(3, 17), "TooManyHops", 0},
		{append(slices.Clone(plain[:240]), 255), "NoMessageType", 0},
		{request(clientMAC, 99), "UnknownMessageType", 0},
		{request(clientMAC, 10), "LeaseQuery", 0},
		{request(unknownMAC, dhcp4.TypeDiscover), "NotReserved", 0},
		{request(clientMAC, dhcp4.TypeRequest, append(addrOption(54, serverAddr), addrOption(50, relayAddr)...)...), "WrongAddress", dhcp4.TypeNak},
	} {
		if reason, answer := r.try(test.payload); reason != test.reason || answer != test.answer {
			t.Errorf("ended in %s, answered with %v, want %s and %v", reason, answer, test.reason, test.answer)
		}
	}
}
