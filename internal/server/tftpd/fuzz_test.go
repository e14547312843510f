package tftpd

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/server/limit"
	"github.com/tugboot/tugboot/internal/tftp"
)

// FuzzHandle has one client send three packets, through one buffer, with every log level on. Nothing may panic, no session
// may be left when its client is given up, and who acknowledges nothing is sent no more than a block or an ERROR for each
// packet.
func FuzzHandle(f *testing.F) {
	request := tftp.Packet{Op: tftp.OpRRQ, Name: "large", Mode: "octet", Options: []tftp.Option{{Name: "blksize", Value: "1468"}, {Name: "windowsize", Value: "4"}}}
	f.Add(request.AppendTo(nil), []byte("\x00\x04\x00\x00"), []byte("\x00\x04\x00\x04"))
	f.Add(request.AppendTo(nil), request.AppendTo(nil), []byte("\x00\x05\x00\x08aborted\x00"))
	f.Add([]byte("\x00\x01small\x00octet\x00"), []byte("\x00\x04\x00\x01"), []byte("\x00\x04\x00\x02"))
	f.Add([]byte("\x00\x01machine\x00netascii\x00tsize\x000\x00"), []byte("\x00\x04\x00\x00"), []byte("\x00\x01invalid\x00octet\x00"))
	f.Add([]byte("\x00\x02x\x00octet\x00"), []byte("\x00\x04\x00\x01"), []byte("\x00\x09"))
	f.Add([]byte("\x00\x01broken\x00octet\x00"), []byte("\x00\x03\x00\x01x"), []byte("\x00\x06blksize\x008\x00"))
	log := &lines{}
	unlimited := limit.Rate{PerSecond: 100_000_000, Burst: 100_000_000}
	s, err := New(Config{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Source: shelf{}, Journal: journal.New(10, 10),
		Log: funcr.New(log.add, funcr.Options{Verbosity: 9}), Metrics: prometheus.NewRegistry(), Limits: Limits{unlimited, unlimited, unlimited}})
	if err != nil {
		f.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	l, client := s.listeners[0], uint32(0)
	f.Fuzz(func(t *testing.T, one, two, three []byte) {
		if strings.Contains(string(one)+string(two)+string(three), "panic") {
			return // the shelf's file that panics
		}
		client = client%0xfffff0 + 1 // another address of loopback each time; nobody listens there
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 127<<24|client))), 2048)
		sent, counted := testutil.ToFloat64(s.metrics.sentBytes), endings(s)
		buffer, acknowledged := make([]byte, max(len(one), len(two), len(three))), false
		for _, payload := range [][]byte{one, two, three} {
			l.handle(received{bytes: buffer[:copy(buffer, payload)], client: from, at: time.Now()})
			p, err := tftp.Parse(payload)
			acknowledged = acknowledged || err == nil && p.Op == tftp.OpACK
		}
		if n := testutil.ToFloat64(s.metrics.panics); n != 0 {
			t.Fatalf("%v panics:\n%s", n, log)
		}
		if grown := testutil.ToFloat64(s.metrics.sentBytes) - sent; !acknowledged && grown > 3*(tftp.MaxBlockSize+4) {
			t.Fatalf("%v bytes for a client that acknowledged nothing", grown)
		}
		if session := l.table.find(from); session != nil {
			session.stop(time.Now())
			session.mu.Lock()
			session.leave()
			session.mu.Unlock()
		}
		if left := s.admission.running() + len(l.table.all()); left != 0 {
			t.Fatalf("%d sessions are left", left)
		}
		if endings(s) == counted {
			t.Fatal("three packets ended in no reason")
		}
		for line := range strings.Lines(log.String()) {
			if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Fatalf("a control character in the log: %q", line)
			}
		}
		log.mu.Lock()
		log.text.Reset()
		log.mu.Unlock()
	})
}

// endings is how many requests ended and packets were ignored so far.
func endings(s *Server) (n float64) {
	families, err := s.config.Metrics.(prometheus.Gatherer).Gather()
	if err != nil {
		return -1
	}
	for _, family := range families {
		if name := family.GetName(); name != "tugboot_tftp_requests_total" && name != "tugboot_tftp_packets_ignored_total" {
			continue
		}
		for _, series := range family.GetMetric() {
			n += series.GetCounter().GetValue()
		}
	}
	return n
}
