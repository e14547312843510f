package syslogd

import (
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
)

// raw is a log that keeps the values it is told, as they are: no format hides what is in them.
type raw struct{ values []string }

func (*raw) Init(logr.RuntimeInfo)            {}
func (*raw) Enabled(int) bool                 { return true }
func (r *raw) WithValues(...any) logr.LogSink { return r }
func (r *raw) WithName(string) logr.LogSink   { return r }
func (r *raw) Info(_ int, text string, values ...any) {
	r.values = append(r.values, text)
	for _, v := range values {
		if s, ok := v.(string); ok {
			r.values = append(r.values, s)
		}
	}
}
func (r *raw) Error(err error, text string, values ...any) {
	r.Info(0, text, values...)
	r.values = append(r.values, err.Error())
}

// FuzzHandle has a machine send two messages through one buffer, all the way to log and timeline. Neither may show what a
// terminal or a page could take for more than text, and each message ends in one reason.
func FuzzHandle(f *testing.F) {
	f.Add([]byte("<13>Nov 27 06:00:00 host app[1]: text"), []byte("<34>1 2026-11-27T06:00:00Z host app 1 ID [a b=\"c\"] \xef\xbb\xbftext"))
	f.Add([]byte("\x1b[31mred\x00\x7f\u202etfel"), []byte(""))
	f.Add([]byte("<999>\xff\xfe"), []byte("<13>"+strings.Repeat("a", 3000)))
	known := inventory.New([]*reservation.Reservation{{MAC: mac, Address: reservation.MustParsePrefix("127.0.0.1/8"), Settings: &reservation.Settings{}}})
	f.Fuzz(func(t *testing.T, one, two []byte) {
		log, j := &raw{}, journal.New(4, 4)
		s, err := New(Config{Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}},
			func() *inventory.Snapshot { return known }, j, prometheus.NewRegistry(), logr.New(log))
		if err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, max(len(one), len(two)))
		for _, message := range [][]byte{one, two} {
			s.admit(udp, netip.MustParseAddr("127.0.0.1"), buffer[:copy(buffer, message)])
		}
		clear(buffer)
		close(s.queue)
		for r := range s.queue {
			s.handle(r)
		}
		if n := testutil.ToFloat64(s.metrics.panics); n != 0 {
			t.Fatalf("%v panics: %q", n, log.values)
		}
		ended := testutil.ToFloat64(s.metrics.messages.WithLabelValues(udp, string(ReasonReceived))) +
			testutil.ToFloat64(s.metrics.messages.WithLabelValues(udp, string(ReasonEmpty)))
		if ended != 2 {
			t.Fatalf("two messages ended in %v reasons", ended)
		}
		shown := log.values
		for _, e := range j.Timeline(mac) {
			shown = append(shown, e.What)
			if e.At.After(time.Now()) || len(e.What) > maxEntry+8 {
				t.Fatalf("an entry of %d bytes at %v", len(e.What), e.At)
			}
		}
		for _, s := range shown {
			if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
				t.Fatalf("shown: %q", s)
			}
		}
	})
}
