package kea

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		says string
	}{
		"empty":           {Options{}, "unix:///PATH"},
		"relative socket": {Options{URL: "unix://run/s"}, "unix:///PATH"},
		"another scheme":  {Options{URL: "ftp://host/"}, "unix:///PATH"},
		"no host":         {Options{URL: "http:///x"}, "unix:///PATH"},
		"query":           {Options{URL: "http://host/?a=b"}, "unix:///PATH"},
		"unreadable":      {Options{URL: "http://u:s3cret@host:x y/"}, "cannot be read"},
		"password in it":  {Options{URL: "http://u:s3cret@host/"}, "in the Secret"},
		"colon":           {Options{URL: "http://host/", Username: "a:b", Password: "s3cret"}, "colon"},
		"authority":       {Options{URL: "https://host/", CA: []byte("s3cret")}, "ca.crt"},
		"certificate":     {Options{URL: "https://host/", Cert: []byte("s3cret"), Key: []byte("s3cret")}, "tls.crt"},
		"timeout":         {Options{URL: "http://host/", Timeout: -1}, "below zero"},
	} {
		if _, err := New(c.o); err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q in it", name, err, c.says)
		}
	}
	for _, url := range []string{"unix:///run/kea/s", "http://host:8000", "https://host:8000/"} {
		if _, err := New(Options{URL: url}); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// overHTTP is a driver for a server, with the name and password that the fake asks for.
func overHTTP(t *testing.T, s *httptest.Server, change func(*Options)) *Driver {
	t.Helper()
	o := Options{URL: s.URL, Username: "u", Password: "s3cret", Timeout: 5 * time.Second}
	if change != nil {
		change(&o)
	}
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestOverHTTPS(t *testing.T) {
	f := newFake(t, true)
	s := httptest.NewTLSServer(f)
	defer s.Close()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	apply(t, overHTTP(t, s, func(o *Options) { o.CA = authority }), wanted("lab", 2, before, 1))
	if _, err := overHTTP(t, s, nil).Version(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority: %v", err)
	}
	_, err := overHTTP(t, s, func(o *Options) { o.CA, o.Password = authority, "wr0ng" }).Version(t.Context())
	if err == nil || !strings.Contains(err.Error(), "401") || strings.Contains(err.Error(), "wr0ng") {
		t.Errorf("a wrong password: %v", err)
	}
}

// agent is a Control Agent before a fake: it answers by itself what is not for a service.
type agent struct {
	*fake
	services [][]string
}

func (a *agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Service []string `json:"service"`
	}
	text, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(text, &q) != nil {
		return
	}
	a.services = append(a.services, q.Service)
	if !slices.Equal(q.Service, []string{"dhcp4"}) {
		io.WriteString(w, `[ { "arguments": [ "build-report", "config-get", "config-set", "list-commands", "version-get" ], "result": 0 } ]`)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	a.fake.ServeHTTP(w, r)
}

func TestThroughAControlAgent(t *testing.T) {
	a := &agent{fake: newFake(t, false)}
	s := httptest.NewServer(a)
	defer s.Close()
	apply(t, overHTTP(t, s, nil), wanted("lab", 2, before, 1))
	for i, service := range a.services {
		if (len(service) == 0) != (i == 0) {
			t.Errorf("command %d is for %v", i, service)
		}
	}
	// kea-dhcp4 itself is not told a service.
	direct := &agent{fake: newFake(t, true)}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil || strings.Contains(string(text), `"service"`) {
			t.Errorf("%s, %v", text, err)
		}
		r.Body = io.NopCloser(bytes.NewReader(text))
		direct.fake.ServeHTTP(w, r)
	}))
	defer front.Close()
	apply(t, overHTTP(t, front, nil), wanted("lab", 2, before, 1))
}

func TestStrangeAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		answer string
		says   string
	}{
		"not found":       {404, "", "404"},
		"redirected":      {302, "", "not followed"},
		"empty":           {200, "", "empty answer"},
		"a page":          {200, "<html>", "not Kea's"},
		"no result":       {200, "{}", "without a result"},
		"nobody answered": {200, "[]", "0 answers"},
		"two answers":     {200, `[{"result": 0}, {"result": 0}]`, "2 answers"},
		"cut off":         {200, `[{"result": 0, "arg`, "cut off"},
		"not supported":   {200, `[{"result": 2, "text": "no"}]`, "not supported"},
		"partial":         {200, `{"result": 5, "text": "a\nb"}`, `changed a part: "a\nb"`},
		"no list":         {200, `[{"result": 0, "arguments": {}}]`, "not Kea's"},
	} {
		elsewhere := false
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			elsewhere = elsewhere || r.URL.Path != "/"
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.status)
			io.WriteString(w, c.answer)
		}))
		_, err := overHTTP(t, s, func(o *Options) { o.URL += "/" }).Version(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.ContainsAny(err.Error(), "\n") || elsewhere {
			t.Errorf("%s: %v, want %q in it; a redirection followed: %t", name, err, c.says, elsewhere)
		}
		s.Close()
	}
}

func TestAnotherOfKeasServers(t *testing.T) {
	f := newFake(t, false)
	d := connect(t, f)
	d.channel.exchange = func(context.Context, []byte) ([]byte, error) {
		return []byte(`{"result": 0, "arguments": {"Dhcp6": {}}}`), nil
	}
	if _, err := d.Read(t.Context(), wanted("lab", 1, before, 1)); err == nil || !strings.Contains(err.Error(), "that of kea-dhcp4") {
		t.Errorf("%v", err)
	}
}

func TestSocketThatIsNotThereOrSilent(t *testing.T) {
	d, err := New(Options{URL: "unix://" + t.TempDir() + "/none", Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Version(t.Context()); err == nil || !strings.Contains(err.Error(), "is Kea running") {
		t.Errorf("%v", err)
	}
	path := t.TempDir() + "/s"
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if d, err = New(Options{URL: "unix://" + path, Timeout: 50 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Version(t.Context()); err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("%v", err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	if _, err := bounded(io.LimitReader(zeros{}, maxAnswer+2)); err == nil {
		t.Error("an answer without end is read")
	}
	if all, err := bounded(io.LimitReader(zeros{}, 9)); err != nil || len(all) != 9 {
		t.Errorf("%d bytes, %v", len(all), err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func FuzzAnswer(f *testing.F) {
	for _, s := range []string{"", "[", "{}", `[{"result": 0}]`, `{"result": 1, "text": "a"}`, `{"result": 0, "arguments": []}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		arguments, text, err := read("config-get", answer)
		if err != nil && (arguments != nil || text != "" || strings.Contains(err.Error(), "\n")) {
			t.Fatalf("%q, %q, %v", arguments, text, err)
		}
	})
}
