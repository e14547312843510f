package probe

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/ipxe"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/server/httpd"
	"github.com/tugboot/tugboot/internal/server/tftpd"
	"github.com/tugboot/tugboot/internal/takeover"
	"github.com/tugboot/tugboot/internal/tftp"
)

var (
	loopback = netip.MustParseAddr("127.0.0.1")
	denied   = reservation.MAC{0x52, 0x54, 0, 0, 0, 2}
)

// tugboot is a stack made of this repository's servers, on free ports of the loopback address.
type tugboot struct {
	library    *ipxe.Library
	tftp, http netip.AddrPort
}

// startTugboot serves scripts that name tink, for one machine that may boot and one that may not.
func startTugboot(t *testing.T, tink netip.Addr, files ...string) *tugboot {
	t.Helper()
	directory := t.TempDir()
	for _, name := range files {
		if err := os.WriteFile(filepath.Join(directory, name), []byte("MZ"+strings.Repeat(name, 100)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	library, err := ipxe.Load(directory, ipxe.LibraryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	snapshot := inventory.New([]*reservation.Reservation{
		{MAC: machine, Address: reservation.MustParsePrefix("192.168.2.10/24"), Settings: &reservation.Settings{Netboot: reservation.Netboot{Allow: true}}},
		{MAC: denied, Address: reservation.MustParsePrefix("192.168.2.11/24"), Settings: &reservation.Settings{}},
	})
	catalog, err := ipxe.NewCatalog(library, func() *inventory.Snapshot { return snapshot },
		func() boot.Endpoint {
			return boot.Endpoint{Addr: tink, TFTPPort: 69, HTTPPort: 7171, ScriptPath: boot.DefaultScriptPath, Binaries: library.Binaries()}
		}, ipxe.ScriptOptions{HookURL: "http://files.example/hook"}, func(p reservation.Problem) { t.Errorf("problem: %v", p) })
	if err != nil {
		t.Fatal(err)
	}
	free := []netip.AddrPort{netip.AddrPortFrom(loopback, 0)}
	web, err := httpd.New(httpd.Config{Addresses: free}, catalog, journal.New(8, 8), prometheus.NewRegistry(), logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	bins, err := tftpd.New(tftpd.Config{Listen: free, Source: catalog, Journal: journal.New(8, 8), Metrics: prometheus.NewRegistry(), Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	run(t, web)
	run(t, bins)
	return &tugboot{library: library, tftp: bins.Addrs()[0], http: web.Addrs()[0]}
}

// run runs a server until the test ends.
func run(t *testing.T, s interface {
	Listen() error
	Start(context.Context) error
}) {
	t.Helper()
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Start returned %v", err)
		}
	})
}

// listening is a TCP port that takes connections.
func listening(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return netip.MustParseAddrPort(l.Addr().String()).Port()
}

// only lets p reach these TCP ports: others of this host may be anybody's.
func only(p *Prober, ports ...uint16) *Prober {
	dial := p.dial
	p.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if !slices.Contains(ports, netip.MustParseAddrPort(address).Port()) {
			return nil, syscall.ECONNREFUSED
		}
		return dial(ctx, network, address)
	}
	return p
}

func (s *tugboot) target(m reservation.MAC, tinkPort uint16) Target {
	return Target{Addr: loopback, BootFiles: []string{"undionly.kpxe"}, Machine: m, TinkPort: tinkPort, TFTPPort: s.tftp.Port(),
		Hint: takeover.Endpoint{HTTPPort: s.http.Port(), ScriptPath: boot.DefaultScriptPath}}
}

// The real servers, over real sockets: everything they serve is found, and the transfers end at once.
func TestTugbootItself(t *testing.T) {
	s := startTugboot(t, loopback, "undionly.kpxe", "ipxe.efi", "ipxe-arm64.efi", "ipxe-i386.efi", "ipxe-arm32.efi", "ipxe-riscv64.efi")
	var pairs []string
	for _, f := range boot.Families() {
		if file := s.library.Binaries().For(f); file != "" {
			pairs = append(pairs, f.String()+"="+file)
		}
	}
	if len(pairs) != 7 {
		t.Fatalf("the library serves %q", pairs)
	}
	var mu sync.Mutex
	told := map[string]error{}
	tink := listening(t)
	p := only(New(Options{Observe: func(kind string, took time.Duration, err error) {
		mu.Lock()
		defer mu.Unlock()
		if took <= 0 || took > DefaultTimeout {
			t.Errorf("%s took %s", kind, took)
		}
		told[kind] = err
	}}), s.http.Port(), tink)
	began := time.Now()
	got := p.Stack(t.Context(), s.target(machine, tink), time.Now)
	if got.At.Before(began) || got.BootFile+got.Healthcheck+got.Script+got.TinkServer != "" || got.Proof != loopback || got.ProofMAC != machine.String() {
		t.Errorf("%+v", got)
	}
	e := got.Endpoint
	if e.Addr != loopback || e.TFTPPort != s.tftp.Port() || e.HTTPPort != s.http.Port() || e.ScriptPath != boot.DefaultScriptPath {
		t.Errorf("endpoint %+v", e)
	}
	for _, pair := range pairs {
		if !strings.Contains(" "+e.BootFiles+" ", " "+pair+" ") {
			t.Errorf("%s is served, and not in %q", pair, e.BootFiles)
		}
	}
	if len(strings.Fields(e.BootFiles)) != len(pairs) {
		t.Errorf("boot files %q, served %q", e.BootFiles, pairs)
	}
	if len(told) != 4 || told[KindBootFile] != nil || told[KindHealthcheck] != nil || told[KindScript] != nil || told[KindTinkServer] != nil {
		t.Errorf("told of %v", told)
	}
	noneLeft(t)
}

func TestTugbootWithoutTheMachine(t *testing.T) {
	s := startTugboot(t, loopback, "undionly.kpxe")
	elsewhere := startTugboot(t, tinkerbellIP, "undionly.kpxe")
	tink := listening(t)
	p := only(New(Options{}), s.http.Port(), elsewhere.http.Port(), tink, 1)
	got := p.Stack(t.Context(), s.target(noMachine, tink), time.Now)
	if got.Script != "" || got.Endpoint.ScriptPath != boot.DefaultScriptPath || got.Proof.IsValid() {
		t.Errorf("without a machine: %+v", got)
	}
	for _, m := range []reservation.MAC{denied, {0x52, 0x54, 0, 0, 0, 3}} {
		got = p.Stack(t.Context(), s.target(m, tink), time.Now)
		has(t, "script", got.Script, m.String(), "answered 404", "allowPXE")
		if got.Proof.IsValid() || got.Endpoint.HTTPPort != s.http.Port() {
			t.Errorf("%s: %+v", m, got)
		}
	}
	if got = p.Stack(t.Context(), elsewhere.target(machine, 1), time.Now); got.Proof != tinkerbellIP || got.Script != "" {
		t.Errorf("a script that names another stack: %+v", got)
	}
	has(t, "Tink server", got.TinkServer, "127.0.0.1:1: connection refused")
	noneLeft(t)
}

// Nothing is there: closed ports are told from silent ones.
func TestNothingThere(t *testing.T) {
	target := Target{Addr: loopback, BootFiles: []string{"ipxe.efi"}, TinkPort: 1, TFTPPort: 1, Hint: takeover.Endpoint{HTTPPort: 1, ScriptPath: "/auto.ipxe"}}
	told := 0
	p := New(Options{Timeout: 300 * time.Millisecond, Observe: func(kind string, _ time.Duration, err error) {
		if told++; err == nil {
			t.Errorf("told that %s is well", kind)
		}
	}})
	p.dial = func(ctx context.Context, network, address string) (net.Conn, error) { // as on a host with no server
		if !strings.HasSuffix(address, ":1") {
			return nil, context.DeadlineExceeded
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	got := p.Stack(t.Context(), target, time.Now)
	has(t, "boot file", got.BootFile, "tftp://127.0.0.1:1/ipxe.efi: no answer within 300ms")
	has(t, "healthcheck", got.Healthcheck, "port 1 connection refused", "port 7171 no answer within 300ms")
	has(t, "script", got.Script, "GET http://127.0.0.1:1/auto.ipxe connection refused", "http://127.0.0.1/auto.ipxe no answer within 300ms")
	has(t, "Tink server", got.TinkServer, "127.0.0.1:1: connection refused")
	if !got.Endpoint.IsZero() || told != 4 {
		t.Errorf("%+v, told of %d", got, told)
	}
	noneLeft(t)
}

// Over real sockets: an answer from another address is not taken, and a round that is cancelled leaves nothing behind.
func TestAnswerFromAnotherAddress(t *testing.T) {
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	other, err := net.ListenPacket("udp4", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	go func() {
		buffer := make([]byte, 2048)
		for {
			_, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			other.WriteTo(block(1, "x"), from)
		}
	}()
	at := netip.MustParseAddrPort(server.LocalAddr().String())
	err = New(Options{Timeout: 300 * time.Millisecond}).bootFile(t.Context(), at, "ipxe.efi")
	has(t, "error", text(err), "one from 127.0.0.2")

	ctx, cancel := context.WithCancel(t.Context())
	began := time.Now()
	time.AfterFunc(50*time.Millisecond, cancel)
	only(New(Options{Timeout: time.Minute})).Stack(ctx, Target{Addr: loopback, TFTPPort: at.Port()}, time.Now)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %s to end", took)
	}
	noneLeft(t)
}

// A server that is asked again because its answer was late has sent two transfers: the one that is taken is broken off.
func TestTransferIsBrokenOff(t *testing.T) {
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	at := netip.MustParseAddrPort(server.LocalAddr().String())
	done := make(chan error, 1)
	go func() { done <- New(Options{}).bootFile(context.Background(), at, "ipxe.efi") }()
	buffer := make([]byte, 2048)
	_, from, err := server.ReadFrom(buffer)
	if err != nil {
		t.Fatal(err)
	}
	session, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	session.WriteTo(block(1, "x"), from)
	if err := session.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, _, err := session.ReadFrom(buffer)
	if p, parseErr := tftp.Parse(buffer[:n]); err != nil || parseErr != nil || p.Op != tftp.OpERROR || p.Code != tftp.CodeUndefined {
		t.Errorf("the transfer's own port was sent %+v, %v, %v", p, err, parseErr)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAddressesThatAreNoHost(t *testing.T) {
	p := New(Options{Observe: func(kind string, _ time.Duration, _ error) { t.Errorf("told of %s", kind) }})
	for _, bad := range []string{"0.0.0.0", "255.255.255.255", "224.0.0.1", "2001:db8::1", "::"} {
		got := p.Stack(t.Context(), Target{Addr: netip.MustParseAddr(bad)}, clock)
		for _, text := range []string{got.BootFile, got.Healthcheck, got.Script, got.TinkServer} {
			has(t, bad, text, `"`+bad+`" is no IPv4 address of one host`)
		}
		if !got.Endpoint.IsZero() || got.At.IsZero() {
			t.Errorf("%+v", got)
		}
	}
	if got := p.Stack(t.Context(), Target{}, clock); got.Script == "" {
		t.Errorf("no address: %+v", got)
	}
}

func TestReachesNoKubernetes(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go list -deps .: %v\n%s", err, out)
	}
	for path := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(path, "k8s.io/") || strings.HasPrefix(path, "sigs.k8s.io/") || strings.Contains(path, "tugboot/internal/server") {
			t.Errorf("this package reaches %s", path)
		}
	}
}
