package interop

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/test/lab"
)

func TestScriptIsItsMachinesOnly(t *testing.T) {
	t.Parallel()
	s, h := httpSite(t, "http-access")
	stranger := s.addressed("stranger", "52:54:00:a7:00:99", "192.168.2.99/24")
	neighbour := s.addressed("denied", httpDenied, "192.168.2.82/24") // reserved, and another machine's
	const script = httpBase + "/ipxe/script/" + httpMAC + "/auto.ipxe"
	if got := s.curl(h, script); got.code != 200 || !strings.HasPrefix(got.body, "#!ipxe\n") {
		t.Errorf("the machine itself is answered %d %.60q", got.code, got.body)
	}
	if got := s.curl(&lab.Host{Namespace: s.Server}, "http://127.0.0.1:7171/"+httpMAC+"/auto.ipxe"); got.code != 200 {
		t.Errorf("this host is answered %d %.60q", got.code, got.body)
	}
	for _, other := range []*lab.Host{stranger, neighbour} {
		got := s.curl(other, script, "-H", "X-Forwarded-For: 192.168.2.81")
		if got.code != 403 || strings.Count(got.body, "\n") != 1 || !strings.Contains(got.body, "is given to that machine only") || strings.Contains(got.body, "192.168.2.81") || strings.Contains(got.body, "#!ipxe") {
			t.Errorf("%s is answered %d %q, want 403 and one line", other.Name, got.code, got.body)
		}
		if got := s.curl(other, httpBase+"/"+httpMAC+"/ipxe.efi", "--head"); got.code != 200 {
			t.Errorf("%s asks for a binary: %d", other.Name, got.code)
		}
		// curl's exit code 69 is TFTP's "access violation".
		out, err := other.Run(s.ctx, nil, "curl", "-sS", "--max-time", "10", "tftp://"+serverAddr+"/"+httpMAC+"/auto.ipxe")
		if err == nil || !strings.Contains(err.Error(), "Access Violation") && !strings.Contains(err.Error(), "69") {
			t.Errorf("%s asks by TFTP: %q, %v", other.Name, out, err)
		}
		probe := s.curl(other, script, "-A", "tugboot-probe")
		if probe.code != 200 || !strings.Contains(probe.body, "grpc_authority="+serverAddr) || strings.Contains(probe.body, httpMAC) {
			t.Errorf("a probe is answered %d %q, want the Tink server and nothing of the machine", probe.code, probe.body)
		}
	}
	if !s.happened(httpMAC, journal.StageScript, "NotTheMachine", "403") {
		t.Error("the machine's timeline does not tell of it")
	}
	if n := s.metric(`tugboot_http_requests_total{code="403",kind="script",reason="NotTheMachine"}`); n != 2 {
		t.Errorf("the metric says %d, want 2", n)
	}
}

func TestScriptIsAnyonesWhereItIsSaidSo(t *testing.T) {
	t.Parallel()
	s, _ := httpSite(t, "http-anyone", "--script-access=anyone")
	stranger := s.addressed("stranger", "52:54:00:a7:00:99", "192.168.2.99/24")
	if got := s.curl(stranger, httpBase+"/"+httpMAC+"/auto.ipxe"); got.code != 200 || !strings.Contains(got.body, "hw_addr="+httpMAC) {
		t.Errorf("%d %.60q", got.code, got.body)
	}
}

// One client asks as fast as curl can, on many connections, and another holds as many connections as it gets with half a
// header on each; a machine that asks now and then is answered each time, and quickly.
func TestAFloodDoesNotKeepMachinesFromBooting(t *testing.T) {
	t.Parallel()
	s, h := httpSite(t, "http-flood", "--http-rate-per-client=20", "--http-connections-per-client=50", "--http-connections=200")
	flood, slow := s.addressed("flood", "52:54:00:a7:00:97", "192.168.2.97/24"), s.addressed("slow", "52:54:00:a7:00:96", "192.168.2.96/24")
	s.launch(flood, "flood", "curl", "-sS", "-Z", "--parallel-max", "40", "-o", "/dev/null", httpBase+"/ipxe/script/auto.ipxe?[1-20000]")
	held := s.holdConnections(slow, 300)
	s.within(10*time.Second, "the flood is refused", func() bool {
		return s.metric(`tugboot_http_requests_total{code="429",kind="none",reason="SourceRate"}`) > 100
	})
	for range 20 {
		got := s.curl(h, httpBase+"/ipxe/script/"+httpMAC+"/auto.ipxe", "--max-time", "2")
		if got.code != 200 {
			t.Fatalf("the machine is answered %d %q", got.code, got.body)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if got := s.curl(flood, httpBase+"/healthcheck"); got.code != 429 || got.field("Retry-After") != "1" || strings.Count(got.body, "\n") != 1 {
		t.Errorf("the flood is answered %d %q, Retry-After %q, want 429, one line, 1", got.code, got.body, got.field("Retry-After"))
	}
	if n := s.metric(`tugboot_http_refused_connections_total{reason="SourceConnections"}`); n < 250 {
		t.Errorf("%d connections were refused, want 250 or more of the slow client's", n)
	}
	// Half a header is given ten seconds, the last connection as much as the first.
	for _, conn := range held {
		if err := conn.SetReadDeadline(time.Now().Add(15 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(conn); err != nil && os.IsTimeout(err) {
			t.Fatal("a connection with half a header is held for more than 15 s")
		}
	}
	if got := s.curl(slow, httpBase+"/ipxe.efi", "--head"); got.code != 200 {
		t.Errorf("afterwards the slow client is answered %d", got.code)
	}
}

// holdConnections opens n connections, and begins a request on each.
func (s *site) holdConnections(h *lab.Host, n int) []net.Conn {
	s.t.Helper()
	var held []net.Conn
	for range n {
		conn, err := h.Dial(serverAddr + ":7171")
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { conn.Close() })
		if _, err := io.WriteString(conn, "GET /auto.ipxe HTTP/1.1\r\nHost: x\r\nX-Slow: "); err == nil {
			held = append(held, conn)
		}
	}
	return held
}

func TestHTTPSWithACertificateThatIsReplaced(t *testing.T) {
	t.Parallel()
	first, second := certificateFor(t), certificateFor(t)
	dir := t.TempDir()
	ca1, cert1, key1 := first.Files()
	ca2, cert2, key2 := second.Files()
	cert, key := dir+"/tls.crt", dir+"/tls.key"
	replace := func(from, to string) {
		t.Helper()
		if err := os.WriteFile(to+".next", []byte(read(t, from)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(to+".next", to); err != nil {
			t.Fatal(err)
		}
	}
	replace(cert1, cert)
	replace(key1, key)
	s, h := httpSite(t, "https", "--https-cert="+cert, "--https-key="+key)
	const script = "https://" + serverAddr + ":7443/ipxe/script/" + httpMAC + "/auto.ipxe"
	trusted := func(ca string) bool {
		_, err := h.Run(s.ctx, nil, "curl", "-sSf", "--max-time", "5", "--cacert", ca, "-o", "/dev/null", script)
		return err == nil
	}
	plain := s.curl(h, httpBase+"/ipxe/script/"+httpMAC+"/auto.ipxe")
	if got := s.curl(h, script, "--cacert", ca1); got.code != 200 || got.body != plain.body || plain.code != 200 {
		t.Errorf("by HTTPS %d, by HTTP %d, want the same script by both", got.code, plain.code)
	}
	if trusted(ca2) {
		t.Fatal("curl trusts a certificate of another authority: this test shows nothing")
	}
	if _, err := h.Run(s.ctx, nil, "curl", "-sS", "--max-time", "5", "--cacert", ca1, "--tls-max", "1.1", "-o", "/dev/null", script); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	refused := func() int { return s.metric(`tugboot_https_certificate_loads_total{result="refused"}`) }
	replace(cert2, cert) // with the first one's key
	s.within(10*time.Second, "the wrong pair is refused", func() bool { return refused() == 1 })
	if !trusted(ca1) {
		t.Error("with a wrong pair in the files, the last good one is not served")
	}
	if lines := s.logged(map[string]string{"certFile": cert}); len(lines) != 1 {
		t.Errorf("%d lines of the log tell of the wrong pair, want 1", len(lines))
	}
	replace(key2, key)
	s.within(10*time.Second, "the second certificate is served", func() bool { return trusted(ca2) })
	if trusted(ca1) || s.metric(`tugboot_https_certificate_loads_total{result="loaded"}`) != 2 {
		t.Error("the first certificate is served still")
	}
}

// certificateFor makes a certificate of an authority of its own.
func certificateFor(t *testing.T) *lab.Certificate {
	t.Helper()
	c, err := lab.NewCertificate(t.TempDir(), net.ParseIP(serverAddr))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
