package dhcpd

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tugboot/tugboot/internal/dhcp4"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
)

func count(s *Server, kind, reason string) float64 {
	return testutil.ToFloat64(s.metrics.packets.WithLabelValues(kind, reason))
}

func TestOneLineForEachAnswerAndNoneForSilence(t *testing.T) {
	var log lines
	s, w, p := offline(t, testConfig(log.logger(0))), &wire{}, &packet{}
	deliver(s, w, p, request(clientMAC, dhcp4.TypeDiscover, append(pxeOptions(), "\x4d\x05\x1b[2Jx"...)...))
	deliver(s, w, p, request(unknownMAC, dhcp4.TypeDiscover))
	deliver(s, w, p, request(clientMAC, dhcp4.TypeRequest, addrOption(54, relayAddr)...))
	deliver(s, w, p, []byte("garbage"))
	want := []string{`"level"=0 "msg"="answered" "mac"="52:54:00:00:00:01" "type"="DISCOVER" "interface"="eth0" ` +
		`"reason"="FirmwareBinary" "address"="192.168.2.185" "bootFile"="undionly.kpxe" "nextServer"="192.168.2.112" ` +
		`"userClass"="\"\\x1b[2Jx\"" "reply"="OFFER" "delivery"="broadcast"`}
	if diff := cmp.Diff(want, log.all()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, c := range [][2]string{{"DISCOVER", "FirmwareBinary"}, {"DISCOVER", "NotReserved"}, {"REQUEST", "OtherServer"}, {"NONE", "Malformed"}} {
		if got := count(s, c[0], c[1]); got != 1 {
			t.Errorf("packets_total{%s,%s} is %v", c[0], c[1], got)
		}
	}
	if got := testutil.CollectAndCount(s.metrics.packets); got != 5 { // QueueFull is there from the start
		t.Errorf("%d series in packets_total, want 5", got)
	}
	if got := testutil.ToFloat64(s.metrics.replies.WithLabelValues("OFFER", "broadcast")); got != 1 || len(w.sent) != 1 {
		t.Errorf("replies_total is %v, %d were sent", got, len(w.sent))
	}
}

func TestSilenceIsLoggedAtDebug(t *testing.T) {
	var log lines
	s, w := offline(t, testConfig(log.logger(1))), &wire{}
	deliver(s, w, &packet{}, request(unknownMAC, dhcp4.TypeDiscover))
	deliver(s, w, &packet{}, []byte("garbage"))
	got := log.all()
	if len(got) != 2 || !strings.Contains(got[0], `"reason"="NotReserved"`) || !strings.Contains(got[1], `"reason"="Malformed"`) {
		t.Errorf("debug log: %q", got)
	}
}

func TestJournal(t *testing.T) {
	c := testConfig(logr.Discard())
	s, w := offline(t, c), &wire{}
	deliver(s, w, &packet{}, request(clientMAC, dhcp4.TypeDiscover, pxeOptions()...))
	deliver(s, w, &packet{}, request(clientMAC, dhcp4.TypeRequest, append(addrOption(54, relayAddr), addrOption(50, clientAddr)...)...))
	deliver(s, w, &packet{}, withCIAddr(request(clientMAC, dhcp4.TypeRequest), serverAddr))
	deliver(s, w, &packet{}, request(unknownMAC, dhcp4.TypeDiscover))
	want := []journal.Entry{
		{Stage: journal.StageDHCP, What: "DISCOVER -> OFFER 192.168.2.185 undionly.kpxe", Reason: "FirmwareBinary", Bytes: int64(len(w.sent[0].payload))},
		{Stage: journal.StageDHCP, What: "REQUEST 192.168.2.185 -> silent", Reason: "OtherServer"},
		{Stage: journal.StageDHCP, What: "REQUEST 192.168.2.112 -> NAK", Reason: "WrongAddress", Bytes: int64(len(w.sent[1].payload))},
	}
	got := c.Journal.Timeline(clientMAC)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(journal.Entry{}, "At", "Took")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got[0].At.IsZero() || c.Journal.Timeline(unknownMAC) != nil {
		t.Errorf("entry without a time, or a stranger remembered: %v", c.Journal.Machines())
	}
}

func TestLogNamesOmittedOptions(t *testing.T) {
	var log lines
	s, w := offline(t, testConfig(log.logger(0))), &wire{}
	options := append(pxeOptions(), 55, 1, 66, 61, 255)
	options = append(options, make([]byte, 255)...) // the echo of which leaves no room for option 66
	deliver(s, w, &packet{}, request(clientMAC, dhcp4.TypeDiscover, options...))
	if got := log.all(); len(got) != 1 || !strings.Contains(got[0], `"omittedOptions"="[66]"`) {
		t.Errorf("log: %q", got)
	}
}

func TestWhatStrangersChooseIsCutAndQuoted(t *testing.T) {
	for in, want := range map[string]string{
		strings.Repeat("x", 40): `"` + strings.Repeat("x", 40) + `"`,
		strings.Repeat("x", 41): `"` + strings.Repeat("x", 40) + `"`,
		"\x1b[2J\u202e\n\"":     `"\x1b[2J\u202e\n\""`,
	} {
		if got := quoted(in); got != want {
			t.Errorf("%q is logged as %s, want %s", in, got, want)
		}
	}
}

func TestReplyThatCannotBeSent(t *testing.T) {
	var log lines
	c := testConfig(log.logger(0))
	s, w := offline(t, c), &wire{err: syscall.ENETUNREACH}
	deliver(s, w, &packet{}, withBroadcast(request(clientMAC, dhcp4.TypeDiscover)))
	if got := testutil.ToFloat64(s.metrics.sendErrors.WithLabelValues("broadcast")); got != 1 {
		t.Errorf("send_errors_total is %v", got)
	}
	if got := testutil.CollectAndCount(s.metrics.replies); got != 0 {
		t.Errorf("%d series of replies that were never sent", got)
	}
	entries := c.Journal.Timeline(clientMAC)
	if len(entries) != 1 || entries[0].What != "DISCOVER -> OFFER 192.168.2.185 (not sent: network is unreachable)" || entries[0].Bytes != 0 {
		t.Errorf("journal: %+v", entries)
	}
	if got := log.all(); len(got) != 1 || !strings.Contains(got[0], "send a DHCP reply") {
		t.Errorf("log: %q", got)
	}
}

func TestDeclineIsReported(t *testing.T) {
	var log lines
	var reported []reservation.Problem
	c := testConfig(log.logger(0))
	c.Report = func(p reservation.Problem) { reported = append(reported, p) }
	s, w := offline(t, c), &wire{}
	deliver(s, w, &packet{}, request(clientMAC, dhcp4.TypeDecline, append(addrOption(54, serverAddr), addrOption(50, clientAddr)...)...))
	deliver(s, w, &packet{}, request(clientMAC, dhcp4.TypeDecline, append(addrOption(54, relayAddr), addrOption(50, clientAddr)...)...))
	if len(reported) != 1 || reported[0].Reason != "Declined" || reported[0].Field != "spec.interfaces[1].dhcp.ip.address" ||
		reported[0].Value != "192.168.2.185" || reported[0].Fatal {
		t.Errorf("reported: %+v", reported)
	}
	if len(w.sent) != 0 || len(log.all()) != 1 {
		t.Errorf("%d replies, log %q", len(w.sent), log.all())
	}
}

func TestPanicIsOnePacketsMatter(t *testing.T) {
	var log lines
	c := testConfig(log.logger(0))
	self, broken := c.Self, true
	c.Self = func() *dhcp4.Self {
		if broken {
			panic("a mistake")
		}
		return self()
	}
	s, w := offline(t, c), &wire{}
	first := request(clientMAC, dhcp4.TypeDiscover)
	deliver(s, w, &packet{}, first)
	broken = false
	deliver(s, w, &packet{}, first)
	if got := testutil.ToFloat64(s.metrics.panics); got != 1 || count(s, "NONE", "Panic") != 1 || len(w.sent) != 1 {
		t.Errorf("panics_total %v, %d replies", got, len(w.sent))
	}
	if got := log.all(); len(got) != 2 || !strings.Contains(got[0], hex.EncodeToString(first)) || !strings.Contains(got[0], "a mistake") {
		t.Errorf("log: %q", got)
	}
}

func TestTruncatedPacketIsMalformed(t *testing.T) {
	s, w := offline(t, testConfig(logr.Discard())), &wire{}
	p := &packet{truncated: true, ifindex: 2, socket: w}
	p.size = copy(p.buffer[:], request(clientMAC, dhcp4.TypeDiscover))
	s.handle(p)
	if count(s, "NONE", "Malformed") != 1 || len(w.sent) != 0 {
		t.Errorf("a packet of which the end is missing was handled: %d replies", len(w.sent))
	}
}

func TestWhereRepliesLeave(t *testing.T) {
	elsewhere := netip.MustParseAddr("10.77.0.1")
	bcast := netip.MustParseAddrPort("255.255.255.255:68")
	toRelay := request(clientMAC, dhcp4.TypeDiscover, []byte("\x52\x08\x05\x04\xc0\xa8\x02\x00\x13\x00")...)
	for name, test := range map[string]struct {
		payload []byte
		self    netip.Addr
		want    sent
	}{
		"broadcast":               {withBroadcast(request(clientMAC, dhcp4.TypeDiscover)), serverAddr, sent{nil, bcast, 2, serverAddr}},
		"no right to link-layer":  {request(clientMAC, dhcp4.TypeDiscover), serverAddr, sent{nil, bcast, 2, serverAddr}},
		"identifier of no host's": {withBroadcast(request(clientMAC, dhcp4.TypeDiscover)), elsewhere, sent{nil, bcast, 2, serverAddr}},
		"renewing":                {withCIAddr(request(clientMAC, dhcp4.TypeRequest), clientAddr), serverAddr, sent{nil, netip.AddrPortFrom(clientAddr, 68), 2, serverAddr}},
		"relay next door":         {withGIAddr(request(clientMAC, dhcp4.TypeDiscover), relayAddr), serverAddr, sent{nil, netip.AddrPortFrom(relayAddr, 67), 2, serverAddr}},
		"relay behind a router":   {withGIAddr(toRelay[:len(toRelay):len(toRelay)], elsewhere), serverAddr, sent{nil, netip.AddrPortFrom(elsewhere, 1067), 0, serverAddr}},
	} {
		t.Run(name, func(t *testing.T) {
			c := testConfig(logr.Discard())
			c.Self = selfAt(test.self, c.Self().Endpoint)
			s, w := offline(t, c), &wire{}
			deliver(s, w, &packet{}, test.payload)
			if len(w.sent) != 1 {
				t.Fatalf("%d replies", len(w.sent))
			}
			got := w.sent[0]
			got.payload = nil
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(sent{}), cmpopts.EquateComparable(got.to, got.source)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestFrameThatCannotBeSentIsBroadcast(t *testing.T) {
	var log lines
	s, w := offline(t, testConfig(log.logger(0))), &wire{}
	s.packets = must(openPacketSocket())(t)
	check(t, s.packets.close())
	deliver(s, w, &packet{}, request(clientMAC, dhcp4.TypeDiscover))
	if len(w.sent) != 1 || w.sent[0].to.String() != "255.255.255.255:68" || w.sent[0].ifindex != 2 {
		t.Errorf("sent %+v", w.sent)
	}
	if got := testutil.ToFloat64(s.metrics.sendErrors.WithLabelValues("link-layer")); got != 1 {
		t.Errorf("send_errors_total is %v", got)
	}
	if got := testutil.ToFloat64(s.metrics.replies.WithLabelValues("OFFER", "broadcast")); got != 1 {
		t.Errorf("replies_total{broadcast} is %v", got)
	}
	if got := log.all(); len(got) != 2 || !strings.Contains(got[0], "broadcasting instead") {
		t.Errorf("log: %q", got)
	}
}

func TestWhatIsNoRequestIsCounted(t *testing.T) {
	plain := request(clientMAC, dhcp4.TypeDiscover)
	edited := func(at int, to byte) []byte { b := append([]byte(nil), plain...); b[at] = to; return b }
	s, w := offline(t, testConfig(logr.Discard())), &wire{}
	for _, test := range []struct {
		payload      []byte
		kind, reason string
	}{
		{append(plain[:240:240], 255), "NONE", "NoMessageType"}, // BOOTP
		{edited(236, 0), "NONE", "BadCookie"},
		{edited(0, 2), "NONE", "NotRequest"},
		{edited(1, 32), "NONE", "BadHardwareAddress"},
		{edited(3, 17), "NONE", "TooManyHops"},
		{request(clientMAC, 10), "LEASEQUERY", "LeaseQuery"},
		{request(clientMAC, dhcp4.TypeAck), "ACK", "UnknownMessageType"},
		{request(clientMAC, 99), "OTHER", "UnknownMessageType"},
		{withCIAddr(request(clientMAC, dhcp4.TypeRelease), clientAddr), "RELEASE", "Released"},
	} {
		deliver(s, w, &packet{}, test.payload)
		if got := count(s, test.kind, test.reason); got != 1 {
			t.Errorf("packets_total{%s,%s} is %v", test.kind, test.reason, got)
		}
	}
	if len(w.sent) != 0 {
		t.Errorf("%d of them were answered", len(w.sent))
	}
}

func TestMetricsAreRegisteredOnce(t *testing.T) {
	c := testConfig(logr.Discard())
	if _, err := New(c); err != nil {
		t.Fatal(err)
	}
	if _, err := New(c); err == nil || !strings.HasPrefix(err.Error(), "DHCP: register metrics: ") {
		t.Errorf("registered twice: %v", err)
	}
	problems, err := testutil.GatherAndLint(c.Registerer.(prometheus.Gatherer))
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}
}

func TestServesEveryReplica(t *testing.T) {
	s := offline(t, testConfig(logr.Discard()))
	if s.NeedLeaderElection() {
		t.Error("only the leader would answer")
	}
}

func TestNoRequestCarriesOverToTheNext(t *testing.T) {
	s, w, p := offline(t, testConfig(logr.Discard())), &wire{}, &packet{}
	long := request(clientMAC, dhcp4.TypeDiscover, append(pxeOptions(), "\x3d\x03\x01\x02\x03"...)...)
	deliver(s, w, p, long)
	deliver(s, w, p, request(clientMAC, dhcp4.TypeDiscover)[:243]) // no End option: what follows in the buffer is the first's
	if len(w.sent) != 2 {
		t.Fatalf("%d replies", len(w.sent))
	}
	if strings.Contains(string(w.sent[1].payload), "undionly") || strings.Contains(string(w.sent[1].payload), "\x3d\x03\x01\x02\x03") {
		t.Errorf("the second reply answers the first request: %q", w.sent[1].payload)
	}
}

func TestClosedBeforeStart(t *testing.T) {
	s, err := New(testConfig(logr.Discard()))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// FuzzHandle handles two packets in one buffer with every log level on. Nothing may panic, and one packet may have one
// answer at most.
func FuzzHandle(f *testing.F) {
	f.Add(request(clientMAC, dhcp4.TypeDiscover, pxeOptions()...), request(clientMAC, dhcp4.TypeRequest, addrOption(50, clientAddr)...))
	f.Add(request(clientMAC, dhcp4.TypeDecline, addrOption(50, clientAddr)...), request(unknownMAC, dhcp4.TypeDiscover))
	f.Add(withGIAddr(request(clientMAC, dhcp4.TypeDiscover, []byte("\x52\x02\x13\x00")...), relayAddr), []byte("garbage"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var log lines
		s, p := offline(t, testConfig(log.logger(9))), &packet{}
		for _, payload := range [][]byte{first, second} {
			w := &wire{}
			deliver(s, w, p, payload)
			if len(w.sent) > 1 {
				t.Fatalf("%d answers to one packet", len(w.sent))
			}
		}
		if testutil.ToFloat64(s.metrics.panics) != 0 {
			t.Fatalf("panic: %q", log.all())
		}
		for _, line := range log.all() {
			if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Fatalf("a control character in the log: %q", line)
			}
		}
	})
}
