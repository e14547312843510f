package httpd

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tugboot/tugboot/internal/ipxe"
)

// onDisk is a Source of one file that is opened when it is asked for.
func onDisk(open func() (*os.File, error)) ipxe.Content {
	return ipxe.Content{Name: "initramfs-x86_64", Type: "application/octet-stream", Machine: mac, Reason: ipxe.ReasonImage, Open: open}
}

// largeFile is a file with the bytes of large.
func largeFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "initramfs-x86_64")
	if err := errors.Join(os.WriteFile(file, large, 0o600), os.Chtimes(file, modified, modified)); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAFileIsGivenAsItIs(t *testing.T) {
	file := largeFile(t)
	f := serve(t, Config{})
	f.source.file = func() (*os.File, error) { return os.Open(file) }
	response, err := http.Get(f.url + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || !bytes.Equal(body, large) || response.Header.Get("Content-Length") != strconv.Itoa(len(large)) ||
		response.Header.Get("Content-Type") != "application/octet-stream" || response.Header.Get("Last-Modified") == "" {
		t.Errorf("%d bytes, %v, %v", len(body), response.Header, err)
	}
	request, err := http.NewRequest(http.MethodGet, f.url+"/file", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Range", "bytes=16-31")
	part, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer part.Body.Close()
	if body, err := io.ReadAll(part.Body); err != nil || part.StatusCode != http.StatusPartialContent || string(body) != "0123456789abcdef" {
		t.Errorf("a part: %d %q, %v", part.StatusCode, body, err)
	}
	head, err := http.Head(f.url + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer head.Body.Close()
	if head.ContentLength != int64(len(large)) {
		t.Errorf("HEAD: %d bytes", head.ContentLength)
	}
	f.stop()
	if sent := testutil.ToFloat64(f.metrics.bytes.WithLabelValues("image")); sent != float64(len(large)+16) {
		t.Errorf("%v bytes are counted, want %d", sent, len(large)+16)
	}
	if got := testutil.ToFloat64(f.metrics.requests.WithLabelValues("image", "200", "Image")); got != 2 {
		t.Errorf("%v requests are counted, want 2", got)
	}
}

func TestAFileThatCannotBeGiven(t *testing.T) {
	for name, tc := range map[string]struct {
		err    error
		code   int
		reason string
		logged bool
	}{
		"absent":     {fs.ErrNotExist, http.StatusNotFound, "NoSuchFile", false},
		"unreadable": {fs.ErrPermission, http.StatusInternalServerError, "FileUnreadable", true},
	} {
		t.Run(name, func(t *testing.T) {
			f := serve(t, Config{})
			f.source.file = func() (*os.File, error) { return nil, tc.err }
			response, err := http.Get(f.url + "/file")
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != tc.code || strings.Count(string(body), "\n") != 1 {
				t.Errorf("%d %q, %v", response.StatusCode, body, err)
			}
			f.stop()
			if got := testutil.ToFloat64(f.metrics.requests.WithLabelValues("image", strconv.Itoa(tc.code), tc.reason)); got != 1 {
				t.Errorf("%v requests are counted as %s", got, tc.reason)
			}
			if logged := strings.Contains(strings.Join(f.logs.all(), "\n"), "could not be served"); logged != tc.logged {
				t.Errorf("logged: %t", logged)
			}
		})
	}
}

// sink is a net/http writer that takes note of what it is told to read from.
type sink struct {
	*httptest.ResponseRecorder
	parts []int64
	other int
	file  *os.File
}

func (s *sink) ReadFrom(src io.Reader) (int64, error) {
	part, ok := src.(*io.LimitedReader)
	if !ok || part.R != s.file {
		s.other++
	}
	s.parts = append(s.parts, part.N)
	return io.Copy(s.ResponseRecorder, src)
}

func (*sink) SetWriteDeadline(time.Time) error { return nil }

// TestTheKernelIsToldToSendFiles: net/http is handed the file itself, in parts of which each has a deadline of its own, on a
// connection that it knows as one of TCP. That is what sendfile needs.
func TestTheKernelIsToldToSendFiles(t *testing.T) {
	file, err := os.Open(largeFile(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	to := &sink{ResponseRecorder: httptest.NewRecorder(), file: file}
	r := &recorder{ResponseWriter: to, control: http.NewResponseController(to), stall: time.Second}
	n, err := io.CopyN(r, file, int64(len(large)))
	if err != nil || n != int64(len(large)) || r.sent != n || to.other != 0 || !bytes.Equal(to.Body.Bytes(), large) {
		t.Errorf("%d bytes sent, %d counted, %d from something else, %v", n, r.sent, to.other, err)
	}
	for _, part := range to.parts {
		if part > maxSend {
			t.Errorf("a part of %d bytes has one deadline", part)
		}
	}

	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	fair := newFairListener(l, 1, newCensus(1), func(netip.Addr) {})
	defer fair.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := fair.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, sends := conn.(io.ReaderFrom)
	_, raw := conn.(syscall.Conn)
	if !sends || !raw {
		t.Errorf("a %T is no TCP connection to net/http", conn)
	}
}

// TestPlacesAreGivenBack: a listener of two places takes a third connection once one of the two has gone.
func TestPlacesAreGivenBack(t *testing.T) {
	f := serve(t, Config{MaxConnections: 2})
	ask := func() (net.Conn, error) {
		conn, err := net.Dial("tcp", f.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := io.WriteString(conn, "HEAD /ipxe.efi HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		return conn, answered(conn, 10*time.Second)
	}
	first, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(); err != nil {
		t.Fatal(err)
	}
	third, err := net.Dial("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	if _, err := io.WriteString(third, "HEAD /ipxe.efi HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if answered(third, 200*time.Millisecond) == nil {
		t.Error("a third connection is answered beside two")
	}
	if err := errors.Join(first.Close(), answered(third, 10*time.Second)); err != nil {
		t.Errorf("after the first has gone: %v", err)
	}
}

// answered waits for the first byte of an answer.
func answered(conn net.Conn, within time.Duration) error {
	if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	_, err := conn.Read(make([]byte, 1))
	return err
}
