package probe

import (
	"fmt"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

// scriptOf is a script as a stack at addr makes it: with continued lines, and its Tink server in the middle.
func scriptOf(addr netip.Addr) string {
	return "#!ipxe\n\necho Starting\nset arch x86_64\nset base http://" + addr.String() + ":8080/hook\n:again\n" +
		"kernel ${base}/vmlinuz-${arch} vlan_id=7 \\\nfacility=onprem syslog_host=" + addr.String() +
		" grpc_authority=" + addr.String() + ":42113 tinkerbell_tls=false worker_id=52:54:00:00:00:01 \\\n" +
		"initrd=initramfs-${arch} console=ttyS1,115200 && goto next || goto again\n:next\nboot\n"
}

// scripts is the script's handler of a Tinkerbell: 404 without a text for machines that it does not know.
type scripts struct {
	machines []reservation.MAC
	// noMAC: the handler does not look for a MAC in the path.
	noMAC bool
	text  string
}

func (s scripts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mac, err := reservation.ParseMAC(path.Base(path.Dir(r.URL.Path)))
	if path.Base(r.URL.Path) != "auto.ipxe" || s.noMAC || err != nil || !slices.Contains(s.machines, mac) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	fmt.Fprint(w, s.text)
}

// stack is the HTTP server of a Tinkerbell. Paths that nobody takes are answered 404 with the text of net/http.
func stack(script http.Handler, scriptAt string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthcheck", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"git_rev":"x"}`) })
	mux.Handle(scriptAt, script)
	if scriptAt == "/" {
		mux.HandleFunc("/ipxe/", http.NotFound)
	} else {
		mux.HandleFunc("/ipxe/binary/", http.NotFound)
	}
	return mux
}

// shape is where a release serves.
type shape struct {
	name     string
	port     uint16
	scriptAt string
	noMAC    bool
	want     string
}

var shapes = []shape{
	{"EKS Anywhere 0.19", 80, "/", true, "/auto.ipxe"},
	{"EKS Anywhere 0.21 at the bootstrap IP", 80, "/", false, "/auto.ipxe"},
	{"EKS Anywhere 0.21 at tinkerbellIP", 7171, "/", false, "/auto.ipxe"},
	{"EKS Anywhere 0.24", 7171, "/", false, "/auto.ipxe"},
	{"EKS Anywhere 0.26", 7171, "/ipxe/script/", false, "/ipxe/script/auto.ipxe"},
	{"Tinkerbell chart", 7080, "/ipxe/script/", false, "/ipxe/script/auto.ipxe"},
}

// network has a stack of this shape, whose scripts name addr.
func (s shape) network(addr netip.Addr, machines ...reservation.MAC) *lan {
	handler := scripts{machines: machines, noMAC: s.noMAC, text: scriptOf(addr)}
	return &lan{web: map[uint16]http.Handler{s.port: stack(handler, s.scriptAt), 42113: http.NotFoundHandler()},
		files: shelf(addr, tinkerbellFiles...)}
}

func (s shape) endpoint(addr netip.Addr) takeover.Endpoint {
	return takeover.Endpoint{Addr: addr, TFTPPort: 69, HTTPPort: s.port, ScriptPath: s.want, BootFiles: tinkerbellPairs}
}

// hints are what a round may be told: nothing, what it would find, and what another release would have.
func (s shape) hints() []takeover.Endpoint {
	hints := []takeover.Endpoint{{}}
	for _, other := range shapes {
		hints = append(hints, other.endpoint(tinkerbellIP))
	}
	return hints
}

func TestEveryReleaseIsFound(t *testing.T) {
	required := []string{"undionly.kpxe", "ipxe.efi"}
	for _, s := range shapes {
		for _, hint := range s.hints() {
			t.Run(fmt.Sprintf("%s hint %d %s", s.name, hint.HTTPPort, strings.ReplaceAll(hint.ScriptPath, "/", "-")), func(t *testing.T) {
				l := s.network(tinkerbellIP, machine)
				got := l.on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP, BootFiles: required, Hint: hint}, clock)
				want := takeover.Stack{At: clock(), Addr: tinkerbellIP, Endpoint: s.endpoint(tinkerbellIP)}
				if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
					t.Errorf("without a machine that may boot (-want +got):\n%s", diff)
				}

				got = l.on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP, BootFiles: required, Machine: machine, Hint: hint}, clock)
				if !s.noMAC {
					want.Proof, want.ProofMAC = tinkerbellIP, machine.String()
				}
				if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
					t.Errorf("with a machine that may boot (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// A stack that has not been given the Hardware yet is found all the same, and says 404 of its machine.
func TestMachineThatTheStackDoesNotKnow(t *testing.T) {
	for _, s := range shapes {
		for _, hint := range s.hints() {
			got := s.network(tinkerbellIP).on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP, Machine: machine, Hint: hint}, clock)
			if got.Endpoint != s.endpoint(tinkerbellIP) || got.Proof.IsValid() || got.ProofMAC != "" || got.Healthcheck != "" {
				t.Errorf("%s with hint %s: %+v", s.name, hint.ScriptURL(), got)
			}
			if s.port == 80 { // where it may be one that looks up by source address, and 404 means nothing
				if got.Script != "" {
					t.Errorf("%s: script %q", s.name, got.Script)
				}
				continue
			}
			has(t, s.name, got.Script, "/52:54:00:00:00:01/auto.ipxe", "404", "no Hardware with that MAC", "allowPXE")
		}
	}
}

func TestScriptOfAnotherStack(t *testing.T) {
	for _, s := range shapes {
		if s.noMAC {
			continue
		}
		l := s.network(bootstrapIP, machine)
		l.files = shelf(tinkerbellIP)
		got := l.on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP, Machine: machine}, clock)
		if got.Proof != bootstrapIP || got.ProofMAC != machine.String() || got.Script != "" {
			t.Errorf("%s: proof %s of %q, script %q", s.name, got.Proof, got.ProofMAC, got.Script)
		}
	}
}

// The steady round asks for nothing twice and not everywhere.
func TestSteadyRoundAsksWhereItWasFound(t *testing.T) {
	s := shapes[4]
	for _, m := range []reservation.MAC{noMachine, machine} {
		l := s.network(tinkerbellIP, machine)
		l.on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP, Machine: m, Hint: s.endpoint(tinkerbellIP)}, clock)
		if asked := l.asked(); len(asked) != 3 {
			t.Errorf("asked %q", asked)
		}
	}
}

// A port that answers alike everywhere tells nothing apart: the hint's path is taken there, else the most recent.
func TestPathsThatCannotBeToldApart(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthcheck", func(http.ResponseWriter, *http.Request) {})
	for _, test := range []struct {
		hint     takeover.Endpoint
		port     uint16
		wantPath string
	}{
		{takeover.Endpoint{}, 7171, "/ipxe/script/auto.ipxe"},
		{takeover.Endpoint{}, 80, "/auto.ipxe"},
		{takeover.Endpoint{HTTPPort: 7171, ScriptPath: "/auto.ipxe"}, 7171, "/auto.ipxe"},
		{takeover.Endpoint{HTTPPort: 80, ScriptPath: "/auto.ipxe"}, 7171, "/ipxe/script/auto.ipxe"}, // that port is silent
		{takeover.Endpoint{HTTPPort: 8088, ScriptPath: "/site/auto.ipxe"}, 8088, "/site/auto.ipxe"},
	} {
		l := &lan{web: map[uint16]http.Handler{test.port: mux}, files: shelf(tinkerbellIP)}
		got := l.on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP, Hint: test.hint}, clock)
		if got.Endpoint.HTTPPort != test.port || got.Endpoint.ScriptPath != test.wantPath || got.Script != "" || got.Healthcheck != "" {
			t.Errorf("hint %+v: %+v", test.hint, got)
		}
	}
}

// A hint may come from a ConfigMap that somebody edited.
func TestHintThatIsNoPathIsNotFollowed(t *testing.T) {
	for _, bad := range []string{"auto.ipxe", "/a b", "/a\nb", "/a?b", "/a#b", "/a%2f", "@other/auto.ipxe", "/", "/auto/", "/" + strings.Repeat("a", 255), "/ü"} {
		l := shapes[4].network(tinkerbellIP)
		got := l.on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP, Hint: takeover.Endpoint{HTTPPort: 7171, ScriptPath: bad}}, clock)
		if got.Endpoint.ScriptPath != "/ipxe/script/auto.ipxe" {
			t.Errorf("hint %q: found %q", bad, got.Endpoint.ScriptPath)
		}
		if asked := l.asked(); len(asked) != 4 { // the two paths, /healthcheck and the control path, once
			t.Errorf("hint %q: asked %q", bad, asked)
		}
	}
}

// What cannot be told apart, or is no stack, does not stand in the way of a stack on another port.
func TestScriptsHandlerIsPreferred(t *testing.T) {
	naming := func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "nothing at "+r.URL.Path, http.StatusNotFound)
	}
	for name, other := range map[string]struct {
		healthy bool
		answer  http.HandlerFunc
	}{
		"names the path": {true, naming},
		"fails at the control path": {true, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/ipxe/tugboot") {
				panic(http.ErrAbortHandler)
			}
			http.NotFound(w, r)
		}},
		"is no stack": {false, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/ipxe/script/") {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			http.NotFound(w, r)
		}},
	} {
		mux := http.NewServeMux()
		mux.HandleFunc("/", other.answer)
		if other.healthy {
			mux.HandleFunc("/healthcheck", func(http.ResponseWriter, *http.Request) {})
		}
		l := shapes[0].network(tinkerbellIP)
		l.web[7171] = mux
		for _, hint := range shapes[0].hints() {
			got := l.on(t, Options{}).Stack(t.Context(), Target{Addr: tinkerbellIP, Hint: hint}, clock)
			if got.Endpoint.HTTPPort != 80 || got.Healthcheck != "" || got.Script != "" {
				t.Errorf("%s, hint %s: %+v", name, hint.ScriptURL(), got)
			}
		}
	}
}

func TestCandidatesAreDistinct(t *testing.T) {
	for _, hint := range shapes[0].hints() {
		seen := map[candidate]bool{}
		for i, c := range candidates(hint) {
			if seen[c] || i == 0 && usable(hint) && c != (candidate{hint.HTTPPort, hint.ScriptPath}) {
				t.Errorf("hint %s: %v", hint.ScriptURL(), candidates(hint))
			}
			seen[c] = true
		}
	}
}
