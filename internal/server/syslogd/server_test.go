package syslogd

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
)

var mac = reservation.MAC{0x52, 0x54, 0, 0x12, 0x34, 0x56}

type fixture struct {
	*Server
	t        *testing.T
	udp, tcp string
	stop     func()

	mu   sync.Mutex
	logs []string
}

func (f *fixture) log(prefix, args string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logs = append(f.logs, prefix+" "+args)
}

// messages returns the lines that messages were logged as.
func (f *fixture) messages() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []string
	for _, line := range f.logs {
		if strings.Contains(line, `"msg"="message"`) {
			found = append(found, line)
		}
	}
	return found
}

func (f *fixture) everything() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.logs, "\n")
}

// serve starts a server on loopback whose inventory knows a machine at 127.0.0.1; it is stopped when the test ends.
func serve(t *testing.T, c Config, snapshot func() *inventory.Snapshot) *fixture {
	t.Helper()
	f := &fixture{t: t}
	if snapshot == nil {
		known := inventory.New([]*reservation.Reservation{{MAC: mac, Address: reservation.MustParsePrefix("127.0.0.1/8"), Settings: &reservation.Settings{}}})
		snapshot = func() *inventory.Snapshot { return known }
	}
	c.Addresses = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	s, err := New(c, snapshot, journal.New(16, 64), prometheus.NewRegistry(), funcr.New(f.log, funcr.Options{Verbosity: 1}))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	f.Server, f.udp, f.tcp = s, s.Addrs()[0].String(), s.Addrs()[1].String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Start(ctx) }()
	f.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Start returned %v", err)
		}
	})
	t.Cleanup(f.stop)
	return f
}

func (f *fixture) dial(network string) net.Conn {
	f.t.Helper()
	address := f.udp
	if network == tcp {
		address = f.tcp
	}
	conn, err := net.Dial(network, address)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { conn.Close() })
	return conn
}

func (f *fixture) send(conn net.Conn, text string) {
	f.t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) counted(transport string, reason string) int {
	return int(testutil.ToFloat64(f.metrics.messages.WithLabelValues(transport, reason)))
}

func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}

func TestMessagesReachLogAndJournal(t *testing.T) {
	f := serve(t, Config{}, nil)
	datagrams := f.dial(udp)
	f.send(datagrams, "<134>Jan  2 03:04:05 eksa-wk01 containerd[7]: \x1b[2Jstarted \u202eevil\xff\nline")
	waitFor(t, "the datagram", func() bool { return f.counted(udp, "Received") == 1 })
	stream := f.dial(tcp)
	f.send(stream, "<11>tink-worker: one\n21 <3>1 - - - - - - two\nno priority\n")
	waitFor(t, "the stream's messages", func() bool { return f.counted(tcp, "Received") == 3 })

	var got []string
	for _, e := range f.journal.Timeline(mac) {
		if e.Stage != journal.StageSyslog || e.Reason != "Received" || e.At.IsZero() {
			t.Errorf("journal entry %+v", e)
		}
		got = append(got, e.What)
	}
	if diff := cmp.Diff([]string{`info containerd: \x1b[2Jstarted \u202eevil\xff\nline`, "err tink-worker: one", "err : two", "notice : no priority"}, got); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	first := f.messages()[0]
	for _, want := range []string{`"host"="eksa-wk01"`, `"app"="containerd"`, `"pid"="7"`, `"severity"="info"`, `"facility"="local0"`,
		`"machine"="52:54:00:12:34:56"`, `"source"="127.0.0.1"`, `"time"="Jan  2 03:04:05"`, `\\x1b[2Jstarted`} {
		if !strings.Contains(first, want) {
			t.Errorf("the log line does not hold %s: %s", want, first)
		}
	}
	if !strings.HasPrefix(first, "syslog ") || strings.ContainsAny(first, "\x1b\n\u202e") || !utf8.ValidString(first) {
		t.Errorf("the log line is not clean, or not from the logger syslog: %q", first)
	}
}

func TestUnknownSourceIsLoggedAndNotRemembered(t *testing.T) {
	empty := inventory.New(nil)
	f := serve(t, Config{}, func() *inventory.Snapshot { return empty })
	f.send(f.dial(udp), "<13>app: hello")
	waitFor(t, "the message", func() bool { return len(f.messages()) == 1 })
	if strings.Contains(f.messages()[0], "machine") || len(f.journal.Machines()) != 0 {
		t.Errorf("a message of nobody's machine: %s, %v", f.messages()[0], f.journal.Machines())
	}
}

func TestFloodOfOneSourceIsDroppedAndCounted(t *testing.T) {
	f := serve(t, Config{SourceRate: 1, SourceBurst: 5, TotalRate: 1000}, nil)
	conn := f.dial(tcp)
	f.send(conn, strings.Repeat("<13>app: flood\n", 100))
	waitFor(t, "all to be counted", func() bool { return f.counted(tcp, "Received")+f.counted(tcp, "SourceRate") == 100 })
	if got := f.counted(tcp, "Received"); got < 5 || got > 10 {
		t.Errorf("%d messages were let through a bucket of 5", got)
	}
	f.stop()
	if !strings.Contains(f.everything(), "messages dropped") {
		t.Error("the log does not say that messages were dropped")
	}
}

func TestFloodOfAllSources(t *testing.T) {
	f := serve(t, Config{TotalRate: 1, TotalBurst: 5}, nil)
	f.send(f.dial(tcp), strings.Repeat("<13>app: flood\n", 100))
	waitFor(t, "all to be counted", func() bool { return f.counted(tcp, "Received")+f.counted(tcp, "TotalRate") == 100 })
	if got := f.counted(tcp, "TotalRate"); got < 90 {
		t.Errorf("only %d messages were dropped", got)
	}
}

func TestFullQueueDropsAndNeverWaits(t *testing.T) {
	release := make(chan struct{})
	empty := inventory.New(nil)
	f := serve(t, Config{Queue: 3}, func() *inventory.Snapshot { <-release; return empty })
	f.send(f.dial(tcp), strings.Repeat("<13>app: many\n", 50))
	waitFor(t, "the queue to overflow", func() bool { return f.counted(tcp, "QueueFull") >= 46 })
	close(release)
	waitFor(t, "the rest to be written", func() bool { return f.counted(tcp, "QueueFull")+f.counted(tcp, "Received") == 50 })
}

// TestFullQueueKeepsTheNewest: what a machine says last is what tells why it stopped.
func TestFullQueueKeepsTheNewest(t *testing.T) {
	release := make(chan struct{})
	known := inventory.New([]*reservation.Reservation{{MAC: mac, Address: reservation.MustParsePrefix("127.0.0.1/8")}})
	f := serve(t, Config{Queue: 2}, func() *inventory.Snapshot { <-release; return known })
	conn := f.dial(tcp)
	f.send(conn, "<13>app: 0\n")
	waitFor(t, "the writer to take the first", func() bool { return len(f.queue) == 0 && testutil.ToFloat64(f.metrics.connections) == 1 })
	for n := 1; n <= 9; n++ {
		f.send(conn, fmt.Sprintf("<13>app: %d\n", n))
	}
	waitFor(t, "the queue to overflow", func() bool { return f.counted(tcp, "QueueFull") >= 7 })
	close(release)
	waitFor(t, "the rest to be written", func() bool { return f.counted(tcp, "QueueFull")+f.counted(tcp, "Received") == 10 })
	timeline := f.journal.Timeline(mac)
	if n := len(timeline); n < 2 || timeline[n-2].What != "notice app: 8" || timeline[n-1].What != "notice app: 9" {
		t.Errorf("the newest are not there: %+v", timeline)
	}
}

func TestConnectionsOfOneSourceAreCapped(t *testing.T) {
	f := serve(t, Config{MaxConnectionsPerSource: 2}, nil)
	held := []net.Conn{f.dial(tcp), f.dial(tcp)}
	waitFor(t, "both to be open", func() bool { return testutil.ToFloat64(f.metrics.connections) == 2 })
	third := f.dial(tcp)
	if err := third.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := third.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") || f.counted(tcp, "TooManyFromSource") != 1 {
		t.Errorf("the third connection is still open (%v), or was not counted", err)
	}
	other := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	conn, err := other.Dial(tcp, f.tcp)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	f.send(conn, "<13>app: from another source\n")
	waitFor(t, "the other source's message", func() bool { return f.counted(tcp, "Received") == 1 })
	held[0].Close()
	waitFor(t, "one to be forgotten", func() bool { return testutil.ToFloat64(f.metrics.connections) == 2 })
	f.send(f.dial(tcp), "<13>app: again\n")
	waitFor(t, "a message of a new connection", func() bool { return f.counted(tcp, "Received") == 2 })
}

func TestKernelDropsAreCounted(t *testing.T) {
	empty := inventory.New(nil)
	s, err := New(Config{Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}}, func() *inventory.Snapshot { return empty },
		journal.New(1, 1), prometheus.NewRegistry(), logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	if err := s.packets[0].conn.SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	f := &fixture{Server: s, t: t, udp: s.Addrs()[0].String()}
	conn := f.dial(udp)
	const sent = 100
	for range sent {
		f.send(conn, "<13>app: nobody reads yet")
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Start(ctx) }()
	waitFor(t, "some to be read", func() bool { return f.counted(udp, "Received") > 0 })
	f.send(conn, "<13>app: the kernel tells with this one")
	waitFor(t, "all to be counted", func() bool {
		return testutil.ToFloat64(s.metrics.kernelDrops) > 0 && f.counted(udp, "Received")+int(testutil.ToFloat64(s.metrics.kernelDrops)) == sent+1
	})
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestQueuedMessagesKeepTheirBytes(t *testing.T) {
	release := make(chan struct{})
	known := inventory.New([]*reservation.Reservation{{MAC: mac, Address: reservation.MustParsePrefix("127.0.0.1/8"), Settings: &reservation.Settings{}}})
	f := serve(t, Config{}, func() *inventory.Snapshot { <-release; return known })
	conn := f.dial(udp)
	for _, text := range []string{"first", "second", "third"} {
		f.send(conn, "<13>app: "+text)
	}
	waitFor(t, "the others to queue behind the first", func() bool { return len(f.queue) == 2 })
	close(release)
	waitFor(t, "all three", func() bool { return f.counted(udp, "Received") == 3 })
	var got []string
	for _, e := range f.journal.Timeline(mac) {
		got = append(got, e.What)
	}
	if diff := cmp.Diff([]string{"notice app: first", "notice app: second", "notice app: third"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOneFloodDoesNotSilenceTheOthers(t *testing.T) {
	s := &Server{limits: Config{SourceRate: 1, SourceBurst: 2, TotalRate: 1, TotalBurst: 5}.limits()}
	now := time.Now()
	loud, quiet := netip.MustParseAddr("192.168.2.10"), netip.MustParseAddr("192.168.2.11")
	for i := range 100 {
		if reason, ok := s.allow(loud, now); ok != (i < 2) || !ok && reason != ReasonSourceRate {
			t.Fatalf("message %d of the loud source: %v %s", i, ok, reason)
		}
	}
	if reason, ok := s.allow(quiet, now); !ok {
		t.Errorf("the quiet source was dropped: %s", reason)
	}
}

func TestConnectionsAreClosedWhenSilentOrSenseless(t *testing.T) {
	f := serve(t, Config{IdleTimeout: 150 * time.Millisecond}, nil)
	silent, senseless := f.dial(tcp), f.dial(tcp)
	f.send(senseless, "9999999 <13>never so long")
	for name, conn := range map[string]net.Conn{"silent": silent, "senseless": senseless} {
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
			t.Errorf("the %s connection is still open: %v", name, err)
		}
	}
	waitFor(t, "the connections to be forgotten", func() bool { return testutil.ToFloat64(f.metrics.connections) == 0 })
	if f.counted(tcp, "Framing") != 1 {
		t.Errorf("%d framing faults were counted", f.counted(tcp, "Framing"))
	}
}

func TestConnectionsAreCapped(t *testing.T) {
	f := serve(t, Config{MaxConnections: 1}, nil)
	first := f.dial(tcp)
	waitFor(t, "the first connection", func() bool { return testutil.ToFloat64(f.metrics.connections) == 1 })
	second := f.dial(tcp)
	f.send(second, "<13>app: waiting\n")
	time.Sleep(100 * time.Millisecond)
	if f.counted(tcp, "Received") != 0 {
		t.Fatal("a connection over the cap was read")
	}
	first.Close()
	waitFor(t, "the second connection's message", func() bool { return f.counted(tcp, "Received") == 1 })
}

func TestPanicIsCountedAndSurvived(t *testing.T) {
	var calls int
	empty := inventory.New(nil)
	f := serve(t, Config{}, func() *inventory.Snapshot {
		if calls++; calls == 1 {
			panic("on purpose")
		}
		return empty
	})
	conn := f.dial(udp)
	f.send(conn, "<13>app: first\x1b")
	waitFor(t, "the panic", func() bool { return f.counted(udp, "Panic") == 1 })
	f.send(conn, "<13>app: second")
	waitFor(t, "the second message", func() bool { return f.counted(udp, "Received") == 1 })
	if got := testutil.ToFloat64(f.metrics.panics); got != 1 || !strings.Contains(f.everything(), "on purpose") || strings.Contains(f.everything(), "\x1b") {
		t.Errorf("%v panics; the log: %s", got, f.everything())
	}
}

func TestStopWritesWhatWasReceived(t *testing.T) {
	f := serve(t, Config{}, nil)
	conn := f.dial(tcp)
	f.send(conn, strings.Repeat("<13>app: last words\n", 200))
	waitFor(t, "some message", func() bool { return f.counted(tcp, "Received") > 0 })
	f.stop()
	if got, queued := f.counted(tcp, "Received"), len(f.queue); got != len(f.messages()) || queued != 0 {
		t.Errorf("%d received, %d in the log, %d left in the queue", got, len(f.messages()), queued)
	}
	if _, err := net.Dial("tcp", f.tcp); err == nil {
		t.Error("the port is still open")
	}
}

func TestStopIsBounded(t *testing.T) {
	release := make(chan struct{})
	empty := inventory.New(nil)
	f := serve(t, Config{DrainTimeout: 50 * time.Millisecond}, func() *inventory.Snapshot {
		select {
		case <-release:
		case <-time.After(20 * time.Millisecond): // a slow log
		}
		return empty
	})
	defer close(release)
	f.send(f.dial(tcp), strings.Repeat("<13>app: many\n", 1000))
	waitFor(t, "the queue to fill", func() bool { return len(f.queue) > 500 })
	started := time.Now()
	f.stop()
	if took := time.Since(started); took > 5*time.Second || !strings.Contains(f.everything(), "left unwritten") {
		t.Errorf("stopping took %v; the log: %s", took, f.everything())
	}
}

func TestConflictNamesThePort(t *testing.T) {
	f := serve(t, Config{}, nil)
	for network, taken := range map[string]netip.AddrPort{udp: f.Addrs()[0], tcp: f.Addrs()[1]} {
		s, err := New(Config{Addresses: []netip.AddrPort{taken}}, f.snapshot, f.journal, prometheus.NewRegistry(), logr.Discard())
		if err != nil {
			t.Fatal(err)
		}
		err = s.Start(context.Background())
		if want := fmt.Sprintf("syslog: port %d/%s at 127.0.0.1 is taken", taken.Port(), network); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the conflict reads %v, want %q", err, want)
		}
		if len(s.Addrs()) != 0 || s.NeedLeaderElection() {
			t.Errorf("after the conflict it holds %v", s.Addrs())
		}
	}
	if _, err := New(Config{}, f.snapshot, f.journal, prometheus.NewRegistry(), logr.Discard()); err == nil {
		t.Error("a server without any address was made")
	}
}
