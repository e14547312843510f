package httpd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/ipxe"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
)

var (
	mac      = reservation.MAC{0x52, 0x54, 0, 0x12, 0x34, 0x56}
	modified = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	large    = bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
)

// source is a Source with one of everything.
type source struct {
	mu      sync.Mutex
	clients []netip.Addr
	file    func() (*os.File, error)
}

func (s *source) Get(path string, client netip.Addr) (ipxe.Content, error) {
	s.mu.Lock()
	s.clients = append(s.clients, client)
	s.mu.Unlock()
	switch path {
	case "/ipxe.efi":
		return ipxe.Content{Name: "ipxe.efi", Body: []byte("0123456789"), Type: "application/efi", Modified: modified,
			Machine: mac, Reason: ipxe.ReasonBinary}, nil
	case "/large":
		return ipxe.Content{Name: "large", Body: large, Type: "application/octet-stream", Modified: modified, Machine: mac,
			Reason: ipxe.ReasonBinary}, nil
	case "/52:54:00:12:34:56/auto.ipxe":
		return ipxe.Content{Name: "auto.ipxe", Body: []byte("#!ipxe\n"), Type: "text/plain; charset=utf-8", Machine: mac,
			Reason: boot.ReasonScript}, nil
	case "/invalid/auto.ipxe":
		return ipxe.Content{}, &ipxe.Refusal{Reason: ipxe.ReasonScriptValueRefused, Machine: mac, Message: "spec.agentID: bad", Invalid: true}
	case "/file":
		return onDisk(s.file), nil
	case "/panic":
		panic("on purpose")
	case "/broken":
		return ipxe.Content{}, errors.New("no refusal")
	}
	return ipxe.Content{}, &ipxe.Refusal{Reason: ipxe.ReasonNoSuchFile, Message: "no such file"}
}

type fixture struct {
	*Server
	source   *source
	registry *prometheus.Registry
	url      string
	address  string
	logs     *lines
	stop     func()
}

type lines struct {
	mu   sync.Mutex
	text []string
}

func (l *lines) add(prefix, args string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, prefix+" "+args)
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.text...)
}

// serve starts a server on loopback and stops it when the test ends.
func serve(t *testing.T, c Config) *fixture {
	t.Helper()
	f := &fixture{source: &source{}, registry: prometheus.NewRegistry(), logs: &lines{}}
	if c.Addresses == nil {
		c.Addresses = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	}
	s, err := New(c, f.source, journal.New(16, 16), f.registry, funcr.New(f.logs.add, funcr.Options{Verbosity: 1}))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Start(ctx) }()
	f.Server, f.address = s, s.Addrs()[0].String()
	f.url = "http://" + f.address
	f.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Start returned %v", err)
		}
	})
	t.Cleanup(f.stop)
	return f
}

// raw sends bytes as they are and returns all that comes back until the server closes the connection.
func (f *fixture) raw(t *testing.T, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil && len(answer) == 0 {
		t.Fatalf("after %.40q: %v", request, err)
	}
	return string(answer)
}

func TestAnswers(t *testing.T) {
	f := serve(t, Config{})
	for name, tc := range map[string]struct {
		method, path string
		header       map[string]string
		code         int
		want         map[string]string
		body         string
	}{
		"binary": {"GET", "/ipxe.efi", nil, 200, map[string]string{"Content-Type": "application/efi", "Content-Length": "10",
			"X-Content-Type-Options": "nosniff", "Last-Modified": "Sun, 01 Mar 2026 12:00:00 GMT", "Accept-Ranges": "bytes"}, "0123456789"},
		"HEAD":        {"HEAD", "/ipxe.efi", nil, 200, map[string]string{"Content-Length": "10", "Content-Type": "application/efi"}, ""},
		"range":       {"GET", "/ipxe.efi", map[string]string{"Range": "bytes=2-4"}, 206, map[string]string{"Content-Range": "bytes 2-4/10", "Content-Length": "3"}, "234"},
		"suffix":      {"GET", "/ipxe.efi", map[string]string{"Range": "bytes=-2"}, 206, map[string]string{"Content-Range": "bytes 8-9/10"}, "89"},
		"bad range":   {"GET", "/ipxe.efi", map[string]string{"Range": "bytes=50-60"}, 416, map[string]string{"Content-Range": "bytes */10"}, "invalid range: failed to overlap\n"},
		"unchanged":   {"GET", "/ipxe.efi", map[string]string{"If-Modified-Since": "Sun, 01 Mar 2026 12:00:00 GMT"}, 304, nil, ""},
		"script":      {"GET", "/52%3a54%3A00:12:34:56/auto.ipxe", nil, 200, map[string]string{"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store", "Content-Length": "7"}, "#!ipxe\n"},
		"script HEAD": {"HEAD", "/52:54:00:12:34:56/auto.ipxe", nil, 200, map[string]string{"Content-Length": "7"}, ""},
		"absent":      {"GET", "/nothing", nil, 404, map[string]string{"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}, "no such file\n"},
		"absent HEAD": {"HEAD", "/nothing", nil, 404, map[string]string{"Content-Length": "13"}, ""},
		"directory":   {"GET", "/", nil, 404, nil, "no such file\n"},
		"invalid":     {"GET", "/invalid/auto.ipxe", nil, 422, nil, "spec.agentID: bad\n"},
		"POST":        {"POST", "/ipxe.efi", nil, 405, map[string]string{"Allow": "GET, HEAD"}, "only GET and HEAD are answered here\n"},
		"health":      {"GET", "/healthcheck", nil, 200, map[string]string{"Content-Type": "application/json"}, "{\"status\":\"ok\"}\n"},
		"broken":      {"GET", "/broken", nil, 500, nil, "the server failed on this request; its log says how\n"},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequest(tc.method, f.url+tc.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for k, v := range tc.header {
				request.Header.Set(k, v)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != tc.code || string(body) != tc.body {
				t.Errorf("got %d %q, want %d %q", response.StatusCode, body, tc.code, tc.body)
			}
			for k, want := range tc.want {
				if got := response.Header.Get(k); got != want {
					t.Errorf("%s is %q, want %q", k, got, want)
				}
			}
		})
	}
}

func TestSourceAddressIsTheConnections(t *testing.T) {
	f := serve(t, Config{})
	f.raw(t, "GET /ipxe.efi HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.168.2.10\r\nForwarded: for=192.168.2.10\r\nConnection: close\r\n\r\n")
	if diff := cmp.Diff([]string{"127.0.0.1"}, []string{fmt.Sprint(f.source.clients[0])}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHostileRequests(t *testing.T) {
	f := serve(t, Config{HeaderTimeout: 300 * time.Millisecond})
	for name, tc := range map[string]struct{ request, answer string }{
		"made-up method":   {"BREW /ipxe.efi HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 "},
		"OPTIONS *":        {"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 "},
		"no HTTP":          {"\x16\x03\x01\x02\x00\x01\r\n\r\n", "HTTP/1.1 400 "},
		"bad escape":       {"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400 "},
		"traversal":        {"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 "},
		"no host":          {"GET /ipxe.efi HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
		"HTTP/1.0":         {"GET /ipxe.efi HTTP/1.0\r\n\r\n", "HTTP/1.0 200 "},
		"header too long":  {"GET /ipxe.efi HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 20<<10) + "\r\n\r\n", "HTTP/1.1 431 "},
		"long path":        {"GET /" + strings.Repeat("a", 4<<10) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 "},
		"GET with a body":  {"GET /ipxe.efi HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 413 "},
		"body never comes": {"GET /ipxe.efi HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", "HTTP/1.1 413 "},
		"chunked body":     {"POST /ipxe.efi HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 405 "},
	} {
		t.Run(name, func(t *testing.T) {
			if got := f.raw(t, tc.request); !strings.HasPrefix(got, tc.answer) {
				t.Errorf("answered %.80q, want %q", got, tc.answer)
			}
		})
	}
	for _, line := range f.logs.all() {
		if strings.ContainsAny(line, "\n\r\x16") {
			t.Errorf("a log line holds control characters: %q", line)
		}
	}
}

func TestSlowHeaderIsCutOff(t *testing.T) {
	f := serve(t, Config{HeaderTimeout: 200 * time.Millisecond})
	conn, err := net.Dial("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	started := time.Now()
	if _, err := io.WriteString(conn, "GET /ipxe.efi HTTP/1.1\r\nHost:"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil {
		t.Fatalf("the server kept the connection: %v", err)
	}
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("cut off only after %v", took)
	}
}

func TestStalledClientIsCutOffAndSlowOneIsNot(t *testing.T) {
	f := serve(t, Config{StallTimeout: 400 * time.Millisecond})
	conn, err := net.Dial("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the stalled download to be cut off", func() bool {
		entries := f.journal.Timeline(mac)
		return len(entries) == 1 && strings.HasSuffix(entries[0].What, "cut off")
	})
	if sent := f.journal.Timeline(mac)[0].Bytes; sent >= int64(len(large)) {
		t.Errorf("the journal says %d bytes were sent to a client that took none", sent)
	}

	started := time.Now()
	response, err := http.Get(f.url + "/large")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var got int
	buffer := make([]byte, 1<<20)
	for { // three times the stall time in all, never a stall
		n, err := io.ReadFull(response.Body, buffer)
		got += n
		if err != nil {
			break
		}
		time.Sleep(75 * time.Millisecond)
	}
	if took := time.Since(started); got != len(large) || took < 800*time.Millisecond {
		t.Errorf("%d of %d bytes in %v: the download was cut off, or the test too fast to tell", got, len(large), took)
	}
}

func TestKeptConnectionOutlivesTheStallTime(t *testing.T) {
	f := serve(t, Config{StallTimeout: 100 * time.Millisecond})
	conn, err := net.Dial("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for _, method := range []string{"GET", "HEAD"} {
		if _, err := fmt.Fprintf(conn, "%s /ipxe.efi HTTP/1.1\r\nHost: x\r\n\r\n", method); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(answers, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%s on the kept connection: %v", method, err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Fatal(err)
		}
		time.Sleep(250 * time.Millisecond)
	}
}

func TestConnectionsAreCapped(t *testing.T) {
	f := serve(t, Config{MaxConnections: 1})
	first, err := net.Dial("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the first connection", func() bool { return testutil.ToFloat64(f.metrics.connections) == 1 })
	second, err := net.Dial("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if _, err := io.WriteString(second, "GET /ipxe.efi HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := second.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(second); err == nil {
		t.Fatalf("the second connection was answered: %q", answer)
	}
	if err := errors.Join(first.Close(), second.SetReadDeadline(time.Now().Add(10*time.Second))); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(second); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") {
		t.Errorf("after the first went: %q, %v", answer, err)
	}
}

func TestPanicIsAnsweredAndCounted(t *testing.T) {
	f := serve(t, Config{})
	for range 2 {
		if got := f.raw(t, "GET /panic HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 500 ") || strings.Contains(got, "on purpose") {
			t.Errorf("answered %q", got)
		}
	}
	if got := testutil.ToFloat64(f.metrics.panics); got != 2 {
		t.Errorf("%v panics were counted", got)
	}
	if logs := strings.Join(f.logs.all(), "\n"); !strings.Contains(logs, "on purpose") || !strings.Contains(logs, "server_test.go") {
		t.Errorf("the log does not say what happened and where: %s", logs)
	}
}

func TestJournalLogAndMetrics(t *testing.T) {
	f := serve(t, Config{})
	for _, request := range []string{
		"GET /ipxe.efi HTTP/1.1\r\nHost: x\r\nRange: bytes=0-3\r\nConnection: close\r\n\r\n",
		"HEAD /ipxe.efi HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"GET /52:54:00:12:34:56/auto.ipxe HTTP/1.1\r\nHost: x\r\nUser-Agent: iPXE/1.21\r\nConnection: close\r\n\r\n",
		"GET /invalid/auto.ipxe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"HEAD /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"GET /52:54:00:12:34:56/auto.ipxe HTTP/1.1\r\nHost: x\r\nUser-Agent: tugboot-probe\r\nConnection: close\r\n\r\n", // not the machine
		"GET /no%0Ating HTTP/1.1\r\nHost: x\r\nUser-Agent: evil \"agent\"\xff\r\nConnection: close\r\n\r\n",
	} {
		f.raw(t, request)
	}
	f.stop() // the last entries are written after the answers
	var got []journal.Entry
	for _, e := range f.journal.Timeline(mac) {
		if e.At.IsZero() || e.Took <= 0 {
			t.Errorf("without a time: %+v", e)
		}
		e.At, e.Took = time.Time{}, 0
		got = append(got, e)
	}
	want := []journal.Entry{
		{Stage: journal.StageHTTP, What: "GET /ipxe.efi -> 206", Reason: "Binary", Bytes: 4},
		{Stage: journal.StageHTTP, What: "HEAD /ipxe.efi -> 200", Reason: "Binary"},
		{Stage: journal.StageScript, What: "GET /52:54:00:12:34:56/auto.ipxe -> 200", Reason: "Script", Bytes: 7},
		{Stage: journal.StageScript, What: "GET /invalid/auto.ipxe -> 422", Reason: "ScriptValueRefused", Bytes: 18},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	logs := strings.Join(f.logs.all(), "\n")
	for _, want := range []string{`no\\nting`, `evil \\\"agent\\\"\\xff`} {
		if !strings.Contains(logs, want) {
			t.Errorf("the log does not hold %s:\n%s", want, logs)
		}
	}
	if err := testutil.GatherAndCompare(f.registry, strings.NewReader(`
# HELP tugboot_http_requests_total HTTP requests by kind (script, binary, image, healthcheck, none), status code and reason.
# TYPE tugboot_http_requests_total counter
tugboot_http_requests_total{code="200",kind="binary",reason="Binary"} 1
tugboot_http_requests_total{code="200",kind="script",reason="Script"} 2
tugboot_http_requests_total{code="206",kind="binary",reason="Binary"} 1
tugboot_http_requests_total{code="404",kind="binary",reason="NoSuchFile"} 2
tugboot_http_requests_total{code="422",kind="script",reason="ScriptValueRefused"} 1
# HELP tugboot_http_sent_bytes_total Bytes of HTTP response bodies sent, by kind.
# TYPE tugboot_http_sent_bytes_total counter
tugboot_http_sent_bytes_total{kind="binary"} 17
tugboot_http_sent_bytes_total{kind="script"} 32
`), "tugboot_http_requests_total", "tugboot_http_sent_bytes_total"); err != nil {
		t.Error(err)
	}
}

func TestStopLetsTransfersFinish(t *testing.T) {
	f := serve(t, Config{DrainTimeout: 10 * time.Second})
	response, err := http.Get(f.url + "/large")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	stopped := make(chan struct{})
	go func() { f.stop(); close(stopped) }()
	waitFor(t, "the listener to close", func() bool {
		conn, err := net.Dial("tcp", f.address)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	if n, err := io.Copy(io.Discard, response.Body); err != nil || n != int64(len(large)) {
		t.Errorf("%d of %d bytes, %v", n, len(large), err)
	}
	<-stopped
}

func TestStopIsBounded(t *testing.T) {
	f := serve(t, Config{DrainTimeout: 200 * time.Millisecond})
	response, err := http.Get(f.url + "/large") // nobody reads it
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	started := time.Now()
	f.stop()
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	}
}

func TestSeveralAddressesAndConflicts(t *testing.T) {
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	f := serve(t, Config{Addresses: []netip.AddrPort{loopback, loopback}})
	if len(f.Addrs()) != 2 || f.NeedLeaderElection() {
		t.Fatalf("listening on %v, leader election %v", f.Addrs(), f.NeedLeaderElection())
	}
	for _, address := range f.Addrs() {
		response, err := http.Get("http://" + address.String() + "/healthcheck")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	taken := f.Addrs()[1]
	second, err := New(Config{Addresses: []netip.AddrPort{loopback, taken}}, f.source, f.journal, prometheus.NewRegistry(), logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	err = second.Start(context.Background())
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("HTTP: port %d/tcp at 127.0.0.1 is taken", taken.Port())) {
		t.Errorf("the conflict reads: %v", err)
	}
	if len(second.Addrs()) != 0 {
		t.Errorf("after the conflict it still holds %v", second.Addrs())
	}
	if _, err := New(Config{}, f.source, f.journal, prometheus.NewRegistry(), logr.Discard()); err == nil {
		t.Error("a server without any address was made")
	}
}

func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}
