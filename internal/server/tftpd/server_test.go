package tftpd

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/tftp"
)

func TestManyClientsAtOnce(t *testing.T) {
	r := start(t, nil)
	var clients sync.WaitGroup
	for i := range 40 {
		c := r.client()
		clients.Go(func() {
			if got := c.fetch("large", 512+i*13, 1+i%8); !bytes.Equal(got, pattern(300_000)) {
				t.Errorf("client %d read %d bytes that are not the file", i, len(got))
			}
		})
	}
	clients.Wait()
	r.requests(tftp.ReasonServed, 40)
}

func TestCompletedTransferIsToldOnce(t *testing.T) {
	r := start(t, nil)
	c := r.client()
	if got := c.fetch("machine", 1468, 4); !bytes.Equal(got, pattern(3000)) {
		t.Fatalf("read %d bytes", len(got))
	}
	r.requests("BinaryGiven", 1)
	timeline := r.journal.Timeline(machineMAC)
	if len(timeline) != 1 {
		t.Fatalf("timeline %+v", timeline)
	}
	if e := timeline[0]; e.Stage != journal.StageTFTP || e.What != "machine, blksize 1468, windowsize 4" || e.Bytes != 3000 ||
		e.Reason != "BinaryGiven" || e.Took <= 0 || e.At.IsZero() {
		t.Errorf("entry %+v", e)
	}
	if n := strings.Count(r.log.String(), "TFTP transfer ended"); n != 1 {
		t.Errorf("%d lines:\n%s", n, r.log)
	}
	for _, want := range []string{`"bytes"=3000`, `"reason"="BinaryGiven"`, c.conn.LocalAddr().String(), `"file"="\"machine\""`} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, r.log)
		}
	}
	c.ack(3) // the last ACK once more is no unknown transfer
	c.silent(50 * time.Millisecond)
	if got := c.fetch("small", 512, 1); !bytes.Equal(got, pattern(1000)) {
		t.Error("the port cannot be used for another transfer")
	}
}

func TestStrangersDoNotDisturbATransfer(t *testing.T) {
	r := start(t, nil)
	c, stranger := r.client(), r.client()
	c.ask("small")
	if p := c.next(); p.Block != 1 {
		t.Fatalf("got %+v", p)
	}
	stranger.ack(1)
	stranger.wantError(tftp.CodeUnknownTID, "unknown TID")
	stranger.send(tftp.Packet{Op: tftp.OpDATA, Block: 1})
	stranger.wantError(tftp.CodeUnknownTID, "")
	stranger.send(tftp.Packet{Op: tftp.OpERROR, Code: 5})
	stranger.sendBytes([]byte{9})
	stranger.silent(20 * time.Millisecond)
	stranger.sendBytes([]byte{0, 9, 0, 0})
	stranger.wantError(tftp.CodeIllegalOperation, "opcode 9")
	stranger.sendBytes(append([]byte{0, 1}, bytes.Repeat([]byte("x"), 3000)...))
	stranger.wantError(tftp.CodeIllegalOperation, "too long")

	c.sendBytes([]byte{0, 9, 0, 0}) // garbage from the client itself is not the end either
	c.ack(1)
	for {
		p := c.next()
		if p.Op != tftp.OpDATA {
			t.Fatalf("the transfer was disturbed: %+v", p)
		}
		if p.Block == 2 {
			break
		}
	}
	c.ack(2)
	r.requests("BinaryGiven", 1)
	r.counted(r.metrics.ignored.WithLabelValues(string(ReasonUnknownTID)), "UnknownTID", 2)
	r.counted(r.metrics.ignored.WithLabelValues(string(ReasonStrayError)), "StrayError", 1)
	r.counted(r.metrics.ignored.WithLabelValues(string(tftp.ReasonMalformed)), "Malformed", 4)
}

func TestRefusals(t *testing.T) {
	r := start(t, nil)
	c := r.client()
	c.send(tftp.Packet{Op: tftp.OpWRQ, Name: "small", Mode: "octet"})
	c.wantError(tftp.CodeAccessViolation, "read-only")
	r.requests(tftp.ReasonWriteRefused, 1)
	c.ask("missing\u202e")
	c.wantError(tftp.CodeFileNotFound, "no such file: missing?")
	r.requests("NoSuchFile", 1)
	c.ask("invalid")
	c.wantError(tftp.CodeUndefined, "newline")
	r.requests("InvalidValue", 1)
	if timeline := r.journal.Timeline(machineMAC); len(timeline) != 1 || timeline[0].Reason != "InvalidValue" {
		t.Errorf("timeline %+v", timeline)
	}
	c.ask("initrd")
	c.wantError(tftp.CodeFileNotFound, "by HTTP only")
	r.requests(ReasonOnlyByHTTP, 1)
	if timeline := r.journal.Timeline(machineMAC); len(timeline) != 2 || timeline[1].Reason != string(ReasonOnlyByHTTP) {
		t.Errorf("timeline %+v", timeline)
	}
	c.ask("broken")
	c.wantError(tftp.CodeUndefined, "the server failed")
	r.requests(ReasonSourceFailed, 1)
	c.ask("small", "blksize", "1")
	c.wantError(tftp.CodeOptionRefused, "blksize")
	r.requests(tftp.ReasonOptionRefused, 1)
	c.ask("../small\n")
	c.wantError(tftp.CodeAccessViolation, "control")
	r.requests(tftp.ReasonNameRefused, 1)
	if got := c.fetch("small", 512, 1); !bytes.Equal(got, pattern(1000)) {
		t.Error("cannot be served after refusals")
	}
	log := r.log.String()
	if !strings.Contains(log, "disk on fire") || strings.Contains(log, "\u202e") || !strings.Contains(log, `\\u202e`) {
		t.Errorf("log:\n%s", log)
	}
}

func TestProbeOfTheSizeIsNoError(t *testing.T) {
	r := start(t, func(c *Config) { c.timing = quick })
	c := r.client()
	c.ask("machine", "tsize", "0", "blksize", "1468", "windowsize", "4")
	if p := c.next(); p.Op != tftp.OpOACK || p.Options[0].Value != "3000" {
		t.Fatalf("got %+v", p)
	}
	c.send(tftp.Packet{Op: tftp.OpERROR, Code: 8, Message: "User aborted the transfer"})
	r.requests(tftp.ReasonProbed, 1)
	c.silent(150 * time.Millisecond)
	if timeline := r.journal.Timeline(machineMAC); len(timeline) != 1 || timeline[0].Reason != string(tftp.ReasonProbed) {
		t.Errorf("timeline %+v", timeline)
	}
}

func TestSilentClientIsSentTwoPackets(t *testing.T) {
	r := start(t, func(c *Config) { c.timing = quick })
	c := r.client()
	begun := time.Now()
	c.ask("large")
	first, second := c.next(), c.next()
	if !bytes.Equal(first.AppendTo(nil), second.AppendTo(nil)) || time.Since(begun) < quick.First {
		t.Errorf("%+v, then %+v after %v", first, second, time.Since(begun))
	}
	r.requests(tftp.ReasonNoAck, 1)
	c.silent(100 * time.Millisecond)
	if sent := testutil.ToFloat64(r.metrics.sentBytes); sent != 2*516 {
		t.Errorf("%v bytes sent", sent)
	}
	r.counted(r.metrics.retransmits, "retransmits", 1)
}

func TestSilenceInTheMiddleEndsTheTransfer(t *testing.T) {
	r := start(t, func(c *Config) { c.timing = quick })
	c := r.client()
	c.ask("large", "windowsize", "3")
	c.next()
	c.ack(0)
	packets := 0
	for {
		if _, err := c.within(time.Second); err != nil {
			break
		}
		packets++
	}
	if packets != 3*(1+quick.Retries) {
		t.Errorf("%d packets", packets)
	}
	r.requests(tftp.ReasonTimedOut, 1)
}

func TestResetMachineAsksAgainFromTheSamePort(t *testing.T) {
	r := start(t, nil)
	c := r.client()
	c.ask("large", "blksize", "1024")
	c.next()
	c.ack(0)
	c.next()
	c.next() // a retransmission: the machine has been reset
	if got := c.fetch("large", 1000, 2); !bytes.Equal(got, pattern(300_000)) {
		t.Errorf("read %d bytes", len(got))
	}
	r.requests(ReasonSuperseded, 1)
	r.requests(tftp.ReasonServed, 1)
}

func TestOldestUnansweredTransferIsEvicted(t *testing.T) {
	r := start(t, func(c *Config) { c.MaxSessions = 2 })
	active, silent, third, fourth := r.client(), r.client(), r.client(), r.client()
	active.ask("small")
	active.next()
	active.ack(1)
	active.next()
	silent.ask("large")
	silent.next()
	third.ask("small") // takes the place of silent, not that of active
	third.next()
	r.requests(ReasonEvicted, 1)
	r.counted(r.metrics.evictions, "evictions", 1)
	silent.ack(1)
	silent.wantError(tftp.CodeUnknownTID, "")
	third.ack(1)
	third.next()
	fourth.ask("small") // both places are taken by clients that answer
	fourth.wantError(tftp.CodeUndefined, "busy")
	r.requests(ReasonTooManySessions, 1)
	active.ack(2)
	third.ack(2)
	r.requests("BinaryGiven", 2)
}

func TestOneSourceCannotTakeEveryPlace(t *testing.T) {
	r := start(t, func(c *Config) {
		c.MaxSessionsPerSource = 2
	})
	other := newClient(t, "127.0.0.2:0", r.address)
	other.ask("small")
	other.next()
	greedy := []*client{r.client(), r.client(), r.client()}
	for _, c := range greedy {
		c.ask("small")
		c.next()
	}
	r.requests(ReasonEvicted, 1) // of greedy's own, though other's is older
	other.ack(1)
	if p := other.next(); p.Op != tftp.OpDATA || p.Block != 2 {
		t.Errorf("the other source's transfer: %+v", p)
	}
	for _, c := range greedy[1:] {
		c.ack(1)
		c.next()
	}
	greedy[0].ask("small")
	greedy[0].wantError(tftp.CodeUndefined, "busy")
	r.requests(ReasonTooManyFromSource, 1)
}

func TestPanicEndsOneRequestOnly(t *testing.T) {
	r := start(t, nil)
	c, other := r.client(), r.client()
	other.ask("small")
	other.next()
	c.ask("panic")
	r.counted(r.metrics.panics, "panics", 1)
	r.requests(ReasonPanicked, 1)
	request := hex.EncodeToString([]byte("\x00\x01panic\x00octet\x00"))
	if log := r.log.String(); !strings.Contains(log, request) || !strings.Contains(log, "the shelf fell") || !strings.Contains(log, "shelf.Get") {
		t.Errorf("log without packet, cause or stack:\n%s", log)
	}
	if got := c.fetch("small", 512, 1); !bytes.Equal(got, pattern(1000)) {
		t.Error("the port is dead after the panic")
	}
	other.ack(1)
	p := other.next()
	for p.Block == 1 { // a retransmission from before the ACK
		p = other.next()
	}
	if p.Op != tftp.OpDATA || p.Block != 2 {
		t.Errorf("the other transfer after the panic: %+v", p)
	}
}

func TestDrainLetsTransfersEnd(t *testing.T) {
	r := start(t, func(c *Config) { c.Drain = 5 * time.Second })
	c, late := r.client(), r.client()
	c.ask("small")
	c.next()
	r.stop()
	for range 200 {
		r.admission.mu.Lock()
		stopping := r.admission.stopping
		r.admission.mu.Unlock()
		if stopping {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	late.ask("small")
	late.wantError(tftp.CodeUndefined, "stopping")
	c.ack(1)
	if p := c.next(); p.Block != 2 {
		t.Fatalf("got %+v", p)
	}
	begun := time.Now()
	c.ack(2)
	r.end()
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("stopping took %v after the last transfer", took)
	}
	r.requests("BinaryGiven", 1)
	r.requests(ReasonStopping, 1)
}

func TestDrainIsBounded(t *testing.T) {
	r := start(t, func(c *Config) { c.Drain = 100 * time.Millisecond })
	c := r.client()
	c.ask("large")
	c.next()
	c.ack(1)
	c.next()
	begun := time.Now()
	r.end()
	if took := time.Since(begun); took < 100*time.Millisecond || took > 2*time.Second {
		t.Errorf("stopping took %v", took)
	}
	c.wantError(tftp.CodeUndefined, "stops")
	r.requests(ReasonStopped, 1)
}

func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	r := start(t, nil)
	for range 5 {
		r.client().fetch("small", 512, 4)
		r.client().ask("large")
	}
	r.end()
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
}

func TestBindConflictNamesThePort(t *testing.T) {
	r := start(t, nil)
	second, err := New(Config{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0"), r.address}, Source: shelf{},
		Journal: journal.New(1, 1), Log: logr.Discard(), Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	err = second.Listen()
	if want := fmt.Sprintf("TFTP: port %d/udp at 127.0.0.1 is taken by", r.address.Port()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	if len(second.Addrs()) != 0 {
		t.Errorf("a failed Listen holds %v", second.Addrs())
	}
	if err := second.Start(context.Background()); err == nil {
		t.Error("Start on a taken port returned nil")
	}
}

// TestAnswerComesFromTheAddressThatWasAsked needs only loopback, all of whose 127.0.0.0/8 is local.
func TestAnswerComesFromTheAddressThatWasAsked(t *testing.T) {
	r := start(t, func(c *Config) { c.Listen = []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:0")} })
	asked := netip.AddrPortFrom(netip.MustParseAddr("127.9.8.7"), r.address.Port())
	c := newClient(t, "127.0.0.1:0", asked)
	if got := c.fetch("large", 1468, 16); !bytes.Equal(got, pattern(300_000)) {
		t.Error("not served")
	}
	c.ask("missing")
	c.wantError(tftp.CodeFileNotFound, "")
}

func TestBroadcastRequestsAreIgnored(t *testing.T) {
	r := start(t, func(c *Config) { c.Listen = []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:0")} })
	c := newClient(t, "127.0.0.1:0", netip.AddrPortFrom(netip.MustParseAddr("127.255.255.255"), r.address.Port()))
	c.ask("small")
	r.counted(r.metrics.ignored.WithLabelValues(string(ReasonBroadcast)), "Broadcast", 1)
	c.silent(20 * time.Millisecond)
	if n := r.admission.running(); n != 0 {
		t.Errorf("%d transfers began", n)
	}
}

func TestLogLinesOfStrangersAreBounded(t *testing.T) {
	r := start(t, nil)
	c := r.client()
	for i := range 2 * strangersBurst {
		c.ask(fmt.Sprintf("missing-%d", i))
		c.wantError(tftp.CodeFileNotFound, "")
	}
	if n := strings.Count(r.log.String(), "TFTP request refused"); n < strangersBurst || n >= 2*strangersBurst {
		t.Errorf("%d lines for %d requests", n, 2*strangersBurst)
	}
	r.requests("NoSuchFile", 2*strangersBurst)
	time.Sleep(2 * time.Second / strangersLines)
	c.ask("last")
	c.wantError(tftp.CodeFileNotFound, "")
	r.requests("NoSuchFile", 2*strangersBurst+1)
	if !strings.Contains(r.log.String(), `"suppressedLines"=`) {
		t.Error("no line says that lines are missing")
	}
}

// TestLogLinesOfForgedSourcesAreBounded needs no network: from a socket on loopback the kernel sends to no other host.
func TestLogLinesOfForgedSourcesAreBounded(t *testing.T) {
	r := start(t, nil)
	l := r.listeners[0]
	request := tftp.Packet{Op: tftp.OpRRQ, Name: "small", Mode: "octet"}.AppendTo(nil)
	for i := range 2 * strangersBurst {
		l.handle(received{bytes: request, at: time.Now(),
			client: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(1000+i))})
	}
	r.requests(ReasonSendFailed, 2*strangersBurst)
	log := r.log.String()
	if n := strings.Count(log, "\n"); n < strangersBurst || n >= 2*strangersBurst {
		t.Errorf("%d lines for %d requests", n, 2*strangersBurst)
	}
	if !strings.Contains(log, "cannot send: look at the routes") || !strings.Contains(log, "192.0.2.1:1000") {
		t.Errorf("nothing says what failed, or for whom:\n%.400s", log)
	}
}

func TestPacketThatCannotBeSentIsSentAgain(t *testing.T) {
	r := start(t, nil)
	c := r.client()
	c.ask("small")
	c.next()
	s := r.listeners[0].table.find(c.conn.LocalAddr().(*net.UDPAddr).AddrPort())
	leadsTo := func(to netip.AddrPort) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.route = route{to: to}
	}
	leadsTo(netip.MustParseAddrPort("192.0.2.1:1000")) // where a socket on loopback cannot send
	c.ack(1)
	for deadline := time.Now().Add(5 * time.Second); !strings.Contains(r.log.String(), "cannot send"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("sending did not fail, so nothing was tested")
		}
	}
	leadsTo(s.client)
	if p := c.next(); p.Op != tftp.OpDATA || p.Block != 2 {
		t.Fatalf("got %+v", p)
	}
	c.ack(2)
	r.requests("BinaryGiven", 1)
}

func TestPathMTUCapsTheBlockSize(t *testing.T) {
	r := start(t, func(c *Config) { c.PathMTU = 1500 })
	c := r.client()
	c.ask("small", "blksize", "8192")
	if p := c.next(); p.Op != tftp.OpOACK || p.Options[0].Value != "1468" {
		t.Errorf("got %+v", p)
	}
}

func TestValidateReportsEverything(t *testing.T) {
	_, err := New(Config{Listen: []netip.AddrPort{netip.MustParseAddrPort("[::1]:69")}, MaxSessions: -1, MaxSessionsPerSource: -1,
		PathMTU: 100, Drain: -1})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"listen address [::1]:69", "Source, Journal and Metrics", "max sessions -1", "max sessions per source -1",
		"path MTU 100", "drain -1ns"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if _, err := New(Config{}); err == nil || !strings.Contains(err.Error(), "no listen address") {
		t.Errorf("got %v", err)
	}
}

func TestMetricsAreWellFormed(t *testing.T) {
	registry := prometheus.NewRegistry()
	r := start(t, func(c *Config) { c.Metrics = registry })
	r.client().fetch("small", 512, 1)
	r.requests("BinaryGiven", 1)
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) != 0 {
		t.Errorf("%v, %v", problems, err)
	}
	count, err := testutil.GatherAndCount(registry, "tugboot_tftp_requests_total", "tugboot_tftp_sent_bytes_total",
		"tugboot_tftp_transfers_in_progress", "tugboot_tftp_transfer_duration_seconds", "tugboot_tftp_retransmitted_packets_total",
		"tugboot_tftp_evicted_sessions_total", "tugboot_tftp_panics_total")
	if err != nil || count != 7 {
		t.Errorf("%d metrics, %v", count, err)
	}
	if _, err := New(Config{Listen: []netip.AddrPort{r.address}, Source: shelf{}, Journal: r.journal, Log: logr.Discard(), Metrics: registry}); err == nil {
		t.Error("registering twice was accepted")
	}
	if r.NeedLeaderElection() {
		t.Error("every replica serves")
	}
}
