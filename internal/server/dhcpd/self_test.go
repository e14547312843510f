package dhcpd

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-logr/logr"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/dhcp4"
)

// stackAt is a server that tells machines nothing that a server at another address does.
func stackAt(addr, file string) *dhcp4.Self {
	a := netip.MustParseAddr(addr)
	return &dhcp4.Self{
		Servers: dhcp4.Servers{ID: a},
		Endpoint: boot.Endpoint{Addr: a, TFTPPort: 69, HTTPPort: 7171, ScriptPath: "/" + file + "/auto.ipxe",
			Binaries: boot.NewBinaries(map[boot.Family]string{boot.FamilyBIOS: file}, nil)},
	}
}

// TestEveryAnswerIsWhollyOldOrWhollyNew: while one stack takes the place of the other, over and over, firmware and iPXE
// ask without a pause. What is not the transaction's own is the old server's answer byte for byte, or the new one's.
func TestEveryAnswerIsWhollyOldOrWhollyNew(t *testing.T) {
	old, fresh := stackAt("192.168.2.112", "undionly.kpxe"), stackAt("192.168.2.50", "other.kpxe")
	var current atomic.Pointer[dhcp4.Self]
	current.Store(old)
	questions := map[string][]byte{
		"firmware": request(clientMAC, dhcp4.TypeDiscover, pxeOptions()...),
		"iPXE":     request(clientMAC, dhcp4.TypeDiscover, append(pxeOptions(), "\x4d\x0aTinkerbell"...)...),
	}
	c := testConfig(logr.Discard())
	c.Self = current.Load
	s := offline(t, c)

	done := make(chan struct{})
	var writer, asking sync.WaitGroup
	writer.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			default:
				current.Store([]*dhcp4.Self{old, fresh}[n%2])
			}
		}
	})
	for name, question := range questions {
		want := map[*dhcp4.Self][]byte{old: answerOf(t, old, question), fresh: answerOf(t, fresh, question)}
		asking.Go(func() {
			seen := map[*dhcp4.Self]int{}
			w, p := &wire{}, &packet{}
			for n := uint32(1); n <= 5000; n++ {
				w.sent = nil
				binary.BigEndian.PutUint32(question[4:], n)
				deliver(s, w, p, question)
				if len(w.sent) != 1 {
					t.Errorf("%s: %d answers", name, len(w.sent))
					return
				}
				got := w.sent[0].payload
				clear(got[4:8])
				switch {
				case bytes.Equal(got, want[old]):
					seen[old]++
				case bytes.Equal(got, want[fresh]):
					seen[fresh]++
				default:
					t.Errorf("%s: an answer made of two: % x", name, got)
					return
				}
			}
			t.Logf("%s: %d answers of the old stack, %d of the new", name, seen[old], seen[fresh])
			if seen[old] == 0 || seen[fresh] == 0 {
				t.Errorf("%s was never in the middle of a change", name)
			}
		})
	}
	asking.Wait()
	close(done)
	writer.Wait()
}

// answerOf is the answer of a server that is never another, without the transaction's number.
func answerOf(t *testing.T, self *dhcp4.Self, question []byte) []byte {
	t.Helper()
	c := testConfig(logr.Discard())
	c.Self = func() *dhcp4.Self { return self }
	w := &wire{}
	deliver(offline(t, c), w, &packet{}, bytes.Clone(question))
	if len(w.sent) != 1 {
		t.Fatalf("%d answers", len(w.sent))
	}
	clear(w.sent[0].payload[4:8])
	return w.sent[0].payload
}

// TestQuiet: with a reason to be quiet nothing is sent, and strangers are still strangers.
func TestQuiet(t *testing.T) {
	c := testConfig(logr.Discard())
	self := *c.Self()
	self.Quiet = "TakeoverPending"
	c.Self = func() *dhcp4.Self { return &self }
	s, w := offline(t, c), &wire{}
	deliver(s, w, &packet{}, request(clientMAC, dhcp4.TypeDiscover, pxeOptions()...))
	deliver(s, w, &packet{}, withCIAddr(request(clientMAC, dhcp4.TypeRequest), relayAddr)) // else a NAK
	deliver(s, w, &packet{}, request(clientMAC, dhcp4.TypeRequest, addrOption(54, relayAddr)...))
	deliver(s, w, &packet{}, request(unknownMAC, dhcp4.TypeDiscover))
	if len(w.sent) != 0 {
		t.Errorf("%d answers", len(w.sent))
	}
	for kind, reason := range map[string]string{"DISCOVER": "TakeoverPending", "REQUEST": "TakeoverPending"} {
		if n := count(s, kind, reason); n != 1 {
			t.Errorf("%s: %v packets with the reason %s, want 1", kind, n, reason)
		}
	}
	if count(s, "REQUEST", "OtherServer") != 1 || count(s, "DISCOVER", "NotReserved") != 1 {
		t.Error("a stranger, or another server's client, is counted as kept waiting")
	}
	if entries := c.Journal.Timeline(clientMAC); len(entries) == 0 || entries[0].Reason != "TakeoverPending" {
		t.Errorf("the machine's timeline does not say why: %+v", entries)
	}
}
