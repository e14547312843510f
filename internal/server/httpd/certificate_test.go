package httpd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tugboot/tugboot/internal/journal"

	"github.com/go-logr/logr"
)

// pair makes a certificate for loopback with that serial number, and its key.
func pair(t *testing.T, serial int64) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
}

// pairFiles are the files of a certificate that is replaced.
type pairFiles struct{ cert, key string }

func newPairFiles(t *testing.T) pairFiles {
	dir := t.TempDir()
	return pairFiles{filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")}
}

func (p pairFiles) write(t *testing.T, certificate, key []byte) {
	t.Helper()
	for name, text := range map[string][]byte{p.cert: certificate, p.key: key} {
		if err := os.WriteFile(name+".next", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(name+".next", name); err != nil {
			t.Fatal(err)
		}
	}
}

// serial is the serial number of the certificate that is served, and the version of TLS that was agreed on.
func serial(t *testing.T, address string, limit uint16) (int64, uint16, error) {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, MaxVersion: limit})
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	state := conn.ConnectionState()
	return state.PeerCertificates[0].SerialNumber.Int64(), state.Version, nil
}

func TestHTTPSFollowsItsCertificate(t *testing.T) {
	files := newPairFiles(t)
	first, firstKey := pair(t, 1)
	second, secondKey := pair(t, 2)
	files.write(t, first, firstKey)
	free := netip.MustParseAddrPort("127.0.0.1:0")
	f := serve(t, Config{Addresses: []netip.AddrPort{free}, TLSAddresses: []netip.AddrPort{free}, CertFile: files.cert, KeyFile: files.key,
		CertificateInterval: 10 * time.Millisecond})
	secure := f.Addrs()[1].String()
	serves := func(want int64) func() bool {
		return func() bool {
			got, _, err := serial(t, secure, 0)
			return err == nil && got == want
		}
	}
	if !serves(1)() {
		t.Fatal("the first certificate is not served")
	}
	if _, _, err := serial(t, secure, tls.VersionTLS11); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	if _, version, err := serial(t, secure, tls.VersionTLS12); err != nil || version != tls.VersionTLS12 {
		t.Errorf("TLS 1.2: %v", err)
	}
	refused := func() float64 { return testutil.ToFloat64(f.certificate.loads.WithLabelValues("refused")) }
	files.write(t, second, firstKey) // no pair
	waitFor(t, "the wrong pair to be refused", func() bool { return refused() == 1 })
	if !serves(1)() {
		t.Error("the last good certificate is not served any more")
	}
	files.write(t, second, secondKey)
	waitFor(t, "the second certificate", serves(2))
	if err := os.Remove(files.key); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the missing key to be refused", func() bool { return refused() == 2 })
	time.Sleep(100 * time.Millisecond)
	if !serves(2)() || refused() != 2 {
		t.Errorf("refused %v times, want 2 in all", refused())
	}
	lines := strings.Join(f.logs.all(), "\n")
	if got := strings.Count(lines, "the last good one is served"); got != 2 {
		t.Errorf("%d lines say that the last good one is served, want 2:\n%s", got, lines)
	}
	if strings.Contains(lines, "PRIVATE KEY") {
		t.Error("the log holds a key")
	}
	if response, err := http.Get(f.url + "/ipxe.efi"); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("HTTP beside it: %v", err)
	} else {
		response.Body.Close()
	}
}

func TestHTTPSServesTheSame(t *testing.T) {
	files := newPairFiles(t)
	cert, key := pair(t, 7)
	files.write(t, cert, key)
	f := serve(t, Config{TLSAddresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, CertFile: files.cert, KeyFile: files.key})
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	response, err := client.Get("https://" + f.Addrs()[1].String() + "/52:54:00:12:34:56/auto.ipxe")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || string(body) != "#!ipxe\n" || response.ProtoMajor != 1 {
		t.Errorf("%d HTTP/%d %q, %v", response.StatusCode, response.ProtoMajor, body, err)
	}
}

func TestAWrongPairAtTheStartIsAnError(t *testing.T) {
	first, firstKey := pair(t, 1)
	_, otherKey := pair(t, 2)
	for name, write := range map[string]func(pairFiles){
		"no files":      func(pairFiles) {},
		"no pair":       func(p pairFiles) { p.write(t, first, otherKey) },
		"no PEM":        func(p pairFiles) { p.write(t, []byte("x"), firstKey) },
		"a huge file":   func(p pairFiles) { p.write(t, make([]byte, maxPEM+1), firstKey) },
		"a directory":   func(p pairFiles) { p.cert = filepath.Dir(p.cert) },
		"swapped files": func(p pairFiles) { p.write(t, firstKey, first) },
	} {
		files := newPairFiles(t)
		write(files)
		_, err := New(Config{TLSAddresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, CertFile: files.cert, KeyFile: files.key},
			&source{}, journal.New(1, 1), prometheus.NewRegistry(), logr.Discard())
		if err == nil || !strings.Contains(err.Error(), files.cert) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
