package httpd

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/ipxe"
)

// from asks for a path from a loopback address of one's own, as another client would.
func (f *fixture) from(t *testing.T, local, path string) *http.Response {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(local)}}
	client := http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	response, err := client.Get(f.url + path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

func TestAFloodIsToldToWaitAndOthersAreAnswered(t *testing.T) {
	f := serve(t, Config{SourceRate: 1, SourceBurst: 3, TotalRate: 1, TotalBurst: 100})
	var codes []int
	var last *http.Response
	for range 20 {
		last = f.from(t, "127.0.0.2", "/ipxe.efi")
		codes = append(codes, last.StatusCode)
	}
	if got := fmt.Sprint(codes[:4]); got != "[200 200 200 429]" {
		t.Errorf("the first four of a flood: %s", got)
	}
	if body, err := io.ReadAll(last.Body); err != nil || last.StatusCode != http.StatusTooManyRequests ||
		last.Header.Get("Retry-After") != "1" || strings.Count(string(body), "\n") != 1 {
		t.Errorf("the last: %d, Retry-After %q, %q, %v", last.StatusCode, last.Header.Get("Retry-After"), body, err)
	}
	for range 3 {
		if got := f.from(t, "127.0.0.3", "/ipxe.efi"); got.StatusCode != http.StatusOK {
			t.Errorf("a client that asks for little is answered %d", got.StatusCode)
		}
	}
	if refused := testutil.ToFloat64(f.metrics.requests.WithLabelValues("none", "429", "SourceRate")); refused < 15 {
		t.Errorf("%v requests are counted as refused, want about 17", refused)
	}
	named := 0
	for _, line := range f.logs.all() {
		if strings.Contains(line, "asks too much") {
			named++
		}
	}
	if named != 1 {
		t.Errorf("%d lines of the log name the flood, want 1", named)
	}
}

func TestAllClientsTogetherAreBounded(t *testing.T) {
	f := serve(t, Config{SourceRate: 10, SourceBurst: 10, TotalRate: 1, TotalBurst: 4})
	over := 0
	for i := range 12 {
		if f.from(t, fmt.Sprintf("127.0.1.%d", i+1), "/healthcheck").StatusCode == http.StatusTooManyRequests {
			over++
		}
	}
	if over < 6 || over > 8 || testutil.ToFloat64(f.metrics.requests.WithLabelValues("none", "429", "TotalRate")) != float64(over) {
		t.Errorf("%d of 12 were refused, want about 8, each as TotalRate", over)
	}
}

// A client that opens connections and sends half a header on each, slowly, takes no place from others.
func TestSlowHeadersAreBounded(t *testing.T) {
	f := serve(t, Config{MaxConnections: 20, MaxConnectionsPerSource: 5, HeaderTimeout: 500 * time.Millisecond})
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.2")}}
	var slow []net.Conn
	for range 15 {
		conn, err := dialer.Dial("tcp", f.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHos"); err == nil {
			slow = append(slow, conn)
		}
	}
	if got := f.from(t, "127.0.0.3", "/ipxe.efi"); got.StatusCode != http.StatusOK {
		t.Errorf("while one client holds connections, another is answered %d", got.StatusCode)
	}
	waitFor(t, "ten connections to be refused", func() bool {
		return testutil.ToFloat64(f.metrics.refused.WithLabelValues("SourceConnections")) == 10
	})
	for _, conn := range slow {
		if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(conn).ReadString(0); err == nil || strings.Contains(err.Error(), "timeout") {
			t.Errorf("a connection with half a header is still open: %v", err)
		}
	}
	waitFor(t, "the connections to be forgotten", func() bool {
		f.connections.mu.Lock()
		defer f.connections.mu.Unlock()
		return len(f.connections.bySource) == 0
	})
	if got := f.from(t, "127.0.0.2", "/ipxe.efi"); got.StatusCode != http.StatusOK {
		t.Errorf("afterwards the client is answered %d", got.StatusCode)
	}
}

// forbidden is a source whose scripts are another's.
type forbidden struct{}

func (forbidden) Get(string, netip.Addr) (ipxe.Content, error) {
	return ipxe.Content{}, &ipxe.Refusal{Reason: ipxe.ReasonNotTheMachine, Machine: mac, Message: "not yours", Forbidden: true,
		ForProbes: []byte("#!ipxe\nexit 1\n")}
}

func TestForbiddenExceptForProbes(t *testing.T) {
	f := serve(t, Config{})
	f.Server.source = forbidden{}
	for agent, want := range map[string]string{"iPXE/1.21": "403 not yours\n", ipxe.ProbeUserAgent: "200 #!ipxe\nexit 1\n"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/52:54:00:12:34:56/auto.ipxe", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("User-Agent", agent)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if got := fmt.Sprintf("%d %s", response.StatusCode, body); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", agent, got, err, want)
		}
	}
	f.stop()
	told := f.journal.Timeline(mac)
	if len(told) != 1 || boot.Reason(told[0].Reason) != ipxe.ReasonNotTheMachine || !strings.Contains(told[0].What, "403") {
		t.Errorf("the journal says %+v", told)
	}
}
