package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/test/lab"
)

var httpPackages = map[string]string{"curl": "curl", "ip": "iproute2"}

const (
	httpMAC    = "52:54:00:a7:00:01"
	httpBase   = "http://" + serverAddr + ":7171"
	httpDenied = "52:54:00:a7:00:02"
	httpLine   = "52:54:00:a7:00:03"
	httpExpand = "52:54:00:a7:00:04"
)

// httpSite is a site whose machines may boot, may not, and try to add to their script; the client has the address of the
// first.
func httpSite(t *testing.T, name string, flags ...string) (*site, *lab.Host) {
	t.Helper()
	need(t, httpPackages)
	s := newSite(t, name, hardware(
		machine{name: "web1", mac: httpMAC, address: "192.168.2.81"},
		machine{name: "denied", mac: httpDenied, address: "192.168.2.82", notAllowed: true},
		machine{name: "line", mac: httpLine, address: "192.168.2.83", netboot: `osie: {kernelParams: ["quiet\nshell"]}`},
		machine{name: "expand", mac: httpExpand, address: "192.168.2.84", netboot: `osie: {kernelParams: ["quiet ${next-server}"]}`}), flags...)
	return s, s.addressed("web1", httpMAC, "192.168.2.81/24")
}

// answer is what curl got.
type answer struct {
	code   int
	header string
	body   string
}

// curl fetches a URL; the flags come first.
func (s *site) curl(h *lab.Host, url string, flags ...string) answer {
	s.t.Helper()
	body, err := os.CreateTemp(s.Dir, "body-")
	if err != nil {
		s.t.Fatal(err)
	}
	body.Close()
	header := body.Name() + ".header"
	args := append([]string{"curl", "-sS", "--max-time", "20", "-o", body.Name(), "-D", header, "-w", "%{http_code}"}, flags...)
	code, err := strconv.Atoi(s.run(h.Namespace, append(args, url)...))
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{code: code, header: read(s.t, header), body: read(s.t, body.Name())}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// field is the value of a header field.
func (a answer) field(name string) string {
	for line := range strings.Lines(a.header) {
		if got, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(got, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func TestHTTPScriptsAtEveryPath(t *testing.T) {
	t.Parallel()
	s, h := httpSite(t, "http-scripts", "--http=:80")
	for _, base := range []string{httpBase, "http://" + serverAddr} {
		var first string
		for _, path := range []string{"/auto.ipxe", "/ipxe/script/auto.ipxe",
			"/" + httpMAC + "/auto.ipxe", "/ipxe/script/" + httpMAC + "/auto.ipxe",
			"/52-54-00-A7-00-01/auto.ipxe", "/5254.00a7.0001/auto.ipxe", "/ipxe/script/525400A70001/auto.ipxe"} {
			got := s.curl(h, base+path)
			if first == "" {
				first = got.body
			}
			if got.code != 200 || got.body != first || !strings.HasPrefix(got.body, "#!ipxe\n") || got.field("Cache-Control") != "no-store" {
				t.Errorf("%s%s: %d, Cache-Control %q, script %.40q, want 200 and the same script everywhere", base, path, got.code, got.field("Cache-Control"), got.body)
			}
		}
		for _, want := range []string{"hw_addr=" + httpMAC, "worker_id=" + httpMAC, "grpc_authority=" + serverAddr + ":42113", "syslog_host=" + serverAddr,
			"http://" + serverAddr + ":7180/hook", "vmlinuz-", "initramfs-"} {
			if !strings.Contains(first, want) {
				t.Errorf("the script has no %s", want)
			}
		}
	}
	if !s.happened(httpMAC, journal.StageScript, "Script", "GET") {
		t.Error("the machine's timeline does not tell of its script")
	}
}

func TestHTTPBinariesAtEveryPath(t *testing.T) {
	t.Parallel()
	s, h := httpSite(t, "http-binaries")
	for file, stored := range map[string]string{"ipxe.efi": "ipxe.efi", "undionly.kpxe": "undionly.kpxe", "snp-arm64.efi": "ipxe-arm64.efi"} {
		want := read(t, filepath.Join(suite.ipxe, stored))
		for _, folder := range []string{"/", "/ipxe/", "/ipxe/binary/"} {
			for _, mac := range []string{"", httpMAC + "/", "52-54-00-a7-00-01/"} {
				path := folder + mac + file
				if got := s.curl(h, httpBase+path); got.code != 200 || got.body != want || got.field("Content-Length") != strconv.Itoa(len(want)) {
					t.Errorf("%s: %d, %d bytes, Content-Length %s, want 200 and %d bytes", path, got.code, len(got.body), got.field("Content-Length"), len(want))
				}
				if got := s.curl(h, httpBase+folder+mac+"autoexec.ipxe"); got.code != 200 || !strings.HasPrefix(got.body, "#!ipxe\n") {
					t.Errorf("%sautoexec.ipxe: %d, %.30q, want a script", folder+mac, got.code, got.body)
				}
			}
		}
	}
	if !s.happened(httpMAC, journal.StageHTTP, "Binary", "ipxe.efi") {
		t.Error("the machine's timeline does not tell of ipxe.efi")
	}
}

func TestHTTPPartsAndConditions(t *testing.T) {
	t.Parallel()
	s, h := httpSite(t, "http-parts")
	want, url := read(t, filepath.Join(suite.ipxe, "ipxe.efi")), httpBase+"/ipxe.efi"

	head := s.curl(h, url, "--head")
	if head.code != 200 || head.field("Content-Length") != strconv.Itoa(len(want)) || head.field("Accept-Ranges") != "bytes" {
		t.Errorf("HEAD: %d, want 200, Content-Length %d and Accept-Ranges: bytes, got\n%s", head.code, len(want), head.header)
	}
	part := s.curl(h, url, "-r", "0-99")
	if part.code != 206 || part.body != want[:100] || part.field("Content-Range") != fmt.Sprintf("bytes 0-99/%d", len(want)) {
		t.Errorf("the first 100 bytes: %d, %d bytes, Content-Range %q", part.code, len(part.body), part.field("Content-Range"))
	}
	if past := s.curl(h, url, "-r", "99999999-"); past.code != 416 {
		t.Errorf("a range past the end: %d, want 416", past.code)
	}
	s.write("torso.efi", want[:54321])
	s.run(h.Namespace, "curl", "-sS", "--fail", "-C", "-", "-o", s.file("torso.efi"), url)
	if got := read(t, s.file("torso.efi")); got != want {
		t.Errorf("a resumed download has %d bytes, want the %d of the file", len(got), len(want))
	}
	modified, err := time.Parse(time.RFC1123, head.field("Last-Modified"))
	if err != nil {
		t.Fatalf("Last-Modified: %v", err)
	}
	if same := s.curl(h, url, "-z", modified.Format(time.RFC1123)); same.code != 304 || same.body != "" {
		t.Errorf("not modified since: %d and %d bytes, want 304 and none", same.code, len(same.body))
	}
	if older := s.curl(h, url, "-z", modified.Add(-time.Hour).Format(time.RFC1123)); older.code != 200 {
		t.Errorf("modified since: %d, want 200", older.code)
	}
}

func TestHTTPRefusals(t *testing.T) {
	t.Parallel()
	s, h := httpSite(t, "http-refuse", "--script-access=anyone")
	stranger := s.addressed("stranger", "52:54:00:a7:00:99", "192.168.2.99/24")
	for _, test := range []struct {
		name, path string
		from       *lab.Host
		flags      []string
		code       int
		says       string
	}{
		{"post", "/auto.ipxe", h, []string{"-d", "x=1"}, 405, "GET and HEAD"},
		{"put", "/ipxe.efi", h, []string{"-X", "PUT"}, 405, "GET and HEAD"},
		{"delete", "/ipxe.efi", h, []string{"-X", "DELETE"}, 405, "GET and HEAD"},
		{"unknown file", "/no-such.efi", h, nil, 404, "no-such.efi"},
		{"folder", "/", h, nil, 404, "no file"},
		{"dot-dot", "/../../../etc/passwd", h, []string{"--path-as-is"}, 404, "no file"},
		{"escaped dot-dot", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", h, []string{"--path-as-is"}, 404, "no file"},
		{"unknown machine by MAC", "/52:54:00:a7:00:98/auto.ipxe", h, nil, 404, "52:54:00:a7:00:98"},
		{"unknown machine by address", "/auto.ipxe", stranger, nil, 404, "192.168.2.99"},
		{"not allowed", "/" + httpDenied + "/auto.ipxe", h, nil, 404, "allowPXE"},
		{"line feed in Hardware", "/" + httpLine + "/auto.ipxe", h, nil, 422, "not valid"},
		{"expansion in Hardware", "/" + httpExpand + "/auto.ipxe", h, nil, 422, "kernelParams"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := s.in(t).curl(test.from, httpBase+test.path, test.flags...)
			oneLine := strings.Count(got.body, "\n") == 1 && strings.HasSuffix(got.body, "\n")
			if got.code != test.code || !strings.Contains(got.body, test.says) || !oneLine {
				t.Errorf("%d %q, want %d and one line that says %q", got.code, got.body, test.code, test.says)
			}
			if got.code == 405 && got.field("Allow") != "GET, HEAD" {
				t.Errorf("Allow %q, want GET, HEAD", got.field("Allow"))
			}
		})
	}
	if text := read(t, s.tugboot.Log); !strings.Contains(text, `netboot.osie.kernelParams[0] \"quiet\\nshell\"`) {
		t.Error("the log does not name the kernelParams with the line feed")
	}
	if !s.happened(httpDenied, journal.StageScript, "NetbootNotAllowed", "404") {
		t.Error("the timeline of the machine that may not netboot does not say so")
	}
}

// size is a file's size in bytes, 0 when there is none.
func size(path string) int64 {
	stat, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return stat.Size()
}
