package probe

import (
	"compress/gzip"
	"context"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tugboot/tugboot/internal/takeover"
)

// strange is an EKS Anywhere 0.26 whose script is answered by h.
func strange(h http.HandlerFunc) *lan {
	return &lan{web: map[uint16]http.Handler{7171: stack(h, "/ipxe/script/")}, files: shelf(tinkerbellIP, "undionly.kpxe")}
}

// says is a handler that answers 200 with a text.
func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }
}

func TestAnswersThatAreNoScript(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   []string
	}{
		"redirect": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Location"] = []string{"http://elsewhere.example/\u202e/" + strings.Repeat("a", 4000)}
			w.WriteHeader(http.StatusFound)
		}, []string{"answered 302", `a redirect to "http://elsewhere.example/\u202e/`, "not followed"}},
		"redirect on the same host": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/healthcheck", http.StatusTemporaryRedirect)
		}, []string{"answered 307", `a redirect to "/healthcheck"`}},
		"redirect to nowhere": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) }, []string{"answered 302"}},
		"failure": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "broken\nof \x1b[2J", http.StatusInternalServerError)
		},
			[]string{`answered 500 "broken\nof \x1b[2J\n"`}},
		"failure without a text": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, []string{"answered 502"}},
		"page":                   {says(strings.Repeat("<html>\x1b[2J\u202e ", 500)), []string{`answered 200 "<html>\x1b[2J\u202e `, "does not begin with #!ipxe"}},
		"empty":                  {says(""), []string{"answered 200", "does not begin with #!ipxe"}},
		"too long":               {says("#!ipxe\n" + strings.Repeat("echo\n", maxBody)), []string{"more than 65536 bytes"}},
		"compressed": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			z.Write(make([]byte, 1<<20))
			z.Close()
		}, []string{`Content-Encoding "gzip"`}},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, "#!ipxe\n")
		}, []string{"answered 200, and the body broke off"}},
		"header too long": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 2*maxHeader))
		},
			[]string{"a header of more than 16384 bytes"}},
	} {
		got := strange(test.answer).on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP, Machine: machine}, clock)
		has(t, name, got.Script, append(test.want, "http://192.168.2.50:7171/ipxe/script/52:54:00:00:00:01/auto.ipxe")...)
		// The other path of that port is answered 404, as everything is: it is not taken for where the script is.
		want := takeover.Endpoint{Addr: tinkerbellIP, TFTPPort: 69, BootFiles: "bios=undionly.kpxe"}
		if got.Proof.IsValid() || got.ProofMAC != "" || got.Endpoint != want || got.Healthcheck != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What a redirect leads to is never asked, nor is any proxy.
func TestNobodyElseIsAsked(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://192.168.2.99:3128")
	l := strange(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://192.168.2.98/elsewhere", http.StatusFound)
	})
	l.on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP, Machine: machine}, clock)
	for _, url := range l.asked() {
		if !strings.HasPrefix(url, "http://192.168.2.50:7171/") || strings.HasSuffix(url, "elsewhere") {
			t.Errorf("asked %s", url)
		}
	}
}

func TestServerThatSpeaksNoHTTP(t *testing.T) {
	l := &lan{raw: map[uint16]string{7171: "SSH-2.0-x\x1b[2J\r\n", 80: "HTTP/1.1 100 Continue\r\nA: " + strings.Repeat("x", 1<<20)}, files: shelf(tinkerbellIP)}
	got := l.on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP}, clock)
	has(t, "script", got.Script, "no iPXE script found", "http://192.168.2.50:7171/ipxe/script/auto.ipxe", "malformed HTTP", "connection refused", "http://192.168.2.50/auto.ipxe")
	has(t, "healthcheck", got.Healthcheck, "port 7171", "malformed HTTP", "port 7080 connection refused", "port 80 ", "started there")
	if strings.Contains(got.Script+got.Healthcheck, "\x1b") || !got.Endpoint.IsZero() {
		t.Errorf("%+v", got)
	}
}

// A script counts although the port does not answer /healthcheck, and a healthy one is preferred.
func TestHealth(t *testing.T) {
	ill := http.NewServeMux()
	ill.HandleFunc("/healthcheck", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no API", http.StatusServiceUnavailable) })
	ill.HandleFunc("/ipxe/script/", says(scriptOf(tinkerbellIP)))
	l := &lan{web: map[uint16]http.Handler{7171: ill}, files: shelf(tinkerbellIP)}
	got := l.on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP, Machine: machine}, clock)
	has(t, "healthcheck", got.Healthcheck, "GET http://192.168.2.50:7171/healthcheck", `answered 503 "no API\n"`)
	if got.Script != "" || got.Proof != tinkerbellIP || got.Endpoint.HTTPPort != 7171 {
		t.Errorf("%+v", got)
	}

	// Healthy, and 404 in the manner of a script's handler.
	l.web[80] = stack(scripts{}, "/")
	got = l.on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP}, clock)
	if got.Healthcheck != "" || got.Endpoint.HTTPPort != 80 {
		t.Errorf("with a healthy stack on port 80: %+v", got)
	}
	// Not healthy, and 404.
	l = &lan{web: map[uint16]http.Handler{7171: http.NotFoundHandler()}, files: shelf(tinkerbellIP)}
	got = l.on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP}, clock)
	has(t, "script", got.Script, "no iPXE script found", "answered 404")
	has(t, "healthcheck", got.Healthcheck, `port 7171 answered 404 "404 page not found\n"`)
	if !got.Endpoint.IsZero() {
		t.Errorf("what answers 404 only is taken for a stack: %+v", got.Endpoint)
	}
}

// Of two ports with a script, that counts which names the address that was asked.
func TestProvenScriptIsPreferred(t *testing.T) {
	l := &lan{web: map[uint16]http.Handler{7171: stack(says(scriptOf(bootstrapIP)), "/ipxe/script/"), 7080: stack(says(scriptOf(tinkerbellIP)), "/ipxe/script/")},
		files: shelf(tinkerbellIP)}
	for _, hint := range shapes[0].hints() {
		got := l.on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP, Machine: machine, Hint: hint}, clock)
		if got.Proof != tinkerbellIP || got.Endpoint.HTTPPort != 7080 {
			t.Errorf("hint %s: proof %s, %s", hint.ScriptURL(), got.Proof, got.Endpoint.ScriptURL())
		}
	}
}

func TestScriptThatProvesNothing(t *testing.T) {
	for text, want := range map[string]string{
		"#!ipxe\nchain http://files.example/own.ipxe\n":                                         "",
		"#!ipxe\nkernel k grpc_authority=tink.example:42113\n":                                  "",
		"#!ipxe\nkernel k grpc_authority=192.168.2.50:42113 grpc_authority=192.168.2.112:42113": `names two Tink servers, "192.168.2.112:42113" and "192.168.2.50:42113"`,
	} {
		got := strange(says(text)).on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP, Machine: machine}, clock)
		if got.Proof.IsValid() || got.ProofMAC != machine.String() || got.Endpoint.HTTPPort != 7171 || (got.Script == "") != (want == "") {
			t.Errorf("%q: %+v", text, got)
		}
		has(t, text, got.Script, want)
	}
}

// A body that never ends in time is given up at the timeout, and a round at twice the timeout.
func TestSlowServers(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "#!ipxe\n")
		for r.Context().Err() == nil {
			io.WriteString(w, "echo\n")
			if http.NewResponseController(w).Flush() != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		l := strange(slow)
		began := time.Now()
		got := l.on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP, Machine: machine}, clock)
		has(t, "script", got.Script, "answered 200, and the body broke off: no answer within 3s")
		if took := time.Since(began); took != DefaultTimeout {
			t.Errorf("took %s", took)
		}
		l.stop()
		time.Sleep(time.Second) // until the handler has seen it
	})
	synctest.Test(t, func(t *testing.T) {
		l := &lan{silent: map[uint16]bool{7171: true, 7080: true, 80: true, 42113: true}}
		began := time.Now()
		target := Target{Addr: tinkerbellIP, BootFiles: []string{"ipxe.efi", "undionly.kpxe"}, Machine: machine, Hint: shapes[4].endpoint(tinkerbellIP)}
		got := l.on(t, Options{Timeout: 2 * time.Second}).Stack(t.Context(), target, clock)
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("took %s", took)
		}
		for what, text := range map[string]string{"boot file": got.BootFile, "healthcheck": got.Healthcheck, "script": got.Script, "Tink server": got.TinkServer} {
			has(t, what, text, "no answer within 2s", "192.168.2.50", "?")
		}
		if !got.Endpoint.IsZero() || !got.At.Equal(clock()) {
			t.Errorf("%+v", got)
		}
	})
}

// A round that is cancelled ends at once and says nothing.
func TestCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lan{silent: map[uint16]bool{7171: true, 7080: true, 42113: true}, web: map[uint16]http.Handler{80: stack(scripts{}, "/")}}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(700*time.Millisecond, cancel)
		began := time.Now()
		p := l.on(t, Options{Observe: func(kind string, _ time.Duration, err error) { t.Errorf("told of %s: %v", kind, err) }})
		got := p.Stack(ctx, Target{Addr: tinkerbellIP}, clock)
		if took := time.Since(began); took != 700*time.Millisecond {
			t.Errorf("took %s", took)
		}
		if got != (takeover.Stack{Addr: tinkerbellIP}) {
			t.Errorf("%+v", got)
		}
		l.stop()
	})
}

// Each kind is told of with the time that its own answer took, not the slowest's.
func TestWhatIsObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mux := http.NewServeMux()
		after := func(d time.Duration, text string) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(d)
				io.WriteString(w, text)
			}
		}
		mux.HandleFunc("/healthcheck", after(100*time.Millisecond, ""))
		mux.HandleFunc("/ipxe/script/", after(400*time.Millisecond, scriptOf(tinkerbellIP)))
		l := &lan{web: map[uint16]http.Handler{7171: mux}, silent: map[uint16]bool{42113: true}, files: func(name string, nth int) []packet {
			if name != "ipxe.efi" || nth > 1 {
				return nil
			}
			return []packet{{after: 200 * time.Millisecond, from: tid(tinkerbellIP), bytes: block(1, "x")}}
		}}
		told := map[string]string{}
		p := l.on(t, Options{Observe: func(kind string, took time.Duration, err error) {
			told[kind] = took.String()
			if (err == nil) != (kind != KindTinkServer) {
				t.Errorf("told of %s: %v", kind, err)
			}
		}})
		p.Stack(t.Context(), Target{Addr: tinkerbellIP, BootFiles: []string{"ipxe.efi"}, Machine: machine}, clock)
		want := map[string]string{KindHealthcheck: "100ms", KindBootFile: "200ms", KindScript: "400ms", KindTinkServer: "3s"}
		if !maps.Equal(told, want) {
			t.Errorf("told of %v, want %v", told, want)
		}
		l.stop()
	})
}
