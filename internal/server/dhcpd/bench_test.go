package dhcpd

import (
	"testing"

	"github.com/go-logr/logr"

	"github.com/tugboot/tugboot/internal/dhcp4"
)

// drain is a sender that throws away what is sent.
type drain struct{ none [batch]error }

func (d *drain) send(_ *outbox, list []*answered) []error { return d.none[:len(list)] }

// handling is a worker with a packet that it can handle again and again.
func handling(tb testing.TB) func() {
	s := offline(tb, testConfig(logr.Discard()))
	w, p := s.newWorker(), &packet{}
	p.size, p.ifindex, p.socket = copy(p.buffer[:], withBroadcast(request(clientMAC, dhcp4.TypeDiscover, pxeOptions()...))), 2, &drain{}
	return func() {
		w.handle(p)
		w.flush()
	}
}

// BenchmarkHandle is all that is done with a packet between the two system calls: answer, count, and note in the journal.
func BenchmarkHandle(b *testing.B) {
	handle := handling(b)
	b.ReportAllocs()
	for b.Loop() {
		handle()
	}
}

// TestHandleTakesNoMemory: none for a packet, once there were as many as the journal keeps.
func TestHandleTakesNoMemory(t *testing.T) {
	handle := handling(t)
	for range 100 {
		handle()
	}
	if n := testing.AllocsPerRun(200, handle); n != 0 {
		t.Errorf("%v allocations a packet, want 0", n)
	}
}
