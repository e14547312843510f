package probe

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/tftp"
)

var (
	bootstrapIP  = netip.MustParseAddr("192.168.2.112")
	tinkerbellIP = netip.MustParseAddr("192.168.2.50")
	machine      = reservation.MAC{0x52, 0x54, 0, 0, 0, 1}
	noMachine    reservation.MAC
)

// clock is the time that rounds in these tests end at.
func clock() time.Time { return time.Date(2026, 11, 23, 23, 40, 0, 0, time.UTC) }

// lan is a network in memory with one stack on it, whatever the address. What is not listed refuses connections, and
// does not answer packets.
type lan struct {
	t *testing.T
	// web are the HTTP servers, by port.
	web map[uint16]http.Handler
	// raw are TCP servers that write these bytes to everybody.
	raw map[uint16]string
	// silent are TCP ports that take no connection and refuse none.
	silent map[uint16]bool
	// files answers the nth request for a file, the first being 1.
	files func(name string, nth int) []packet

	mu      sync.Mutex
	servers map[uint16]*pipes
	urls    []string
	sent    []datagram
}

// datagram is a packet that was sent to the stack, and when.
type datagram struct {
	at time.Time
	to netip.AddrPort
	p  tftp.Packet
}

// packet is an answer, and when it comes.
type packet struct {
	after time.Duration
	from  netip.AddrPort
	bytes []byte
}

// on returns a Prober on the network.
func (l *lan) on(t *testing.T, o Options) *Prober {
	l.t, l.servers = t, map[uint16]*pipes{}
	p := New(o)
	p.dial, p.listen = l.dial, func(context.Context) (packetConn, error) {
		return &socket{lan: l, nth: map[string]int{}, in: make(chan packet, 64), closed: make(chan struct{})}, nil
	}
	t.Cleanup(l.stop)
	return p
}

// stop ends the servers. It is called by the test itself where that must be seen to leave nothing behind.
func (l *lan) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.servers {
		s.server.Close()
	}
}

func (l *lan) dial(ctx context.Context, _, address string) (net.Conn, error) {
	port := netip.MustParseAddrPort(address).Port()
	switch text, isRaw := l.raw[port]; {
	case isRaw:
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			if far.SetDeadline(time.Now().Add(time.Minute)) == nil {
				far.Read(make([]byte, 4096)) // the request
				far.Write([]byte(text))
			}
		}()
		return near, nil
	case l.web[port] != nil:
		return l.server(port).dial(ctx)
	case l.silent[port]:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

func (l *lan) server(port uint16) *pipes {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.servers[port]
	if s == nil {
		s = &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		s.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			l.mu.Lock()
			l.urls = append(l.urls, "http://"+r.Host+r.URL.Path)
			l.mu.Unlock()
			l.web[port].ServeHTTP(w, r)
		}), ReadHeaderTimeout: time.Minute}
		l.servers[port] = s
		go s.server.Serve(s)
	}
	return s
}

// asked are the URLs that were fetched so far.
func (l *lan) asked() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.urls...)
}

// pipes is a listener in memory.
type pipes struct {
	server *http.Server
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

// socket is a UDP socket on the network.
type socket struct {
	lan    *lan
	nth    map[string]int
	in     chan packet
	until  time.Time
	closed chan struct{}
	once   sync.Once
}

func (s *socket) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	p, err := tftp.Parse(b)
	if err != nil {
		s.lan.t.Errorf("the prober sent %x: %v", b, err)
	}
	s.lan.mu.Lock()
	s.lan.sent = append(s.lan.sent, datagram{time.Now(), to, p})
	s.lan.mu.Unlock()
	if p.Op == tftp.OpRRQ && s.lan.files != nil {
		s.nth[p.Name]++
		for _, answer := range s.lan.files(p.Name, s.nth[p.Name]) {
			if answer.after == 0 {
				s.in <- answer
				continue
			}
			time.AfterFunc(answer.after, func() { s.in <- answer })
		}
	}
	return len(b), nil
}

func (s *socket) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	late := time.NewTimer(time.Until(s.until))
	defer late.Stop()
	select {
	case p := <-s.in:
		return copy(b, p.bytes), p.from, nil
	case <-s.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	case <-late.C:
		return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
	}
}

func (s *socket) SetReadDeadline(t time.Time) error {
	s.until = t
	return nil
}

func (s *socket) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// tid is the port from which the stack at addr sends a file.
func tid(addr netip.Addr) netip.AddrPort { return netip.AddrPortFrom(addr, 40069) }

// block is a DATA packet.
func block(number uint16, payload string) []byte {
	return tftp.Packet{Op: tftp.OpDATA, Block: number, Payload: []byte(payload)}.AppendTo(nil)
}

// shelf serves these files from addr, and answers ERROR 1 for others.
func shelf(addr netip.Addr, names ...string) func(string, int) []packet {
	return func(name string, _ int) []packet {
		for _, n := range names {
			if n == name {
				return []packet{{from: tid(addr), bytes: block(1, "MZ"+name)}}
			}
		}
		return []packet{{from: tid(addr), bytes: tftp.ErrorPacket(tftp.CodeFileNotFound, "file not found")}}
	}
}

// tinkerbellFiles are what every Tinkerbell serves.
var tinkerbellFiles = []string{"undionly.kpxe", "ipxe.efi", "snp-arm64.efi", "snp-x86_64.efi"}

const tinkerbellPairs = "bios=undionly.kpxe raspberry-pi=snp-arm64.efi uefi-arm64=snp-arm64.efi uefi-x86-64=ipxe.efi"

// has fails the test unless text has every part.
func has(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s is %q, and lacks %q", what, text, part)
		}
	}
	if strings.ContainsAny(text, "\n\r") || len(text) > 1500 {
		t.Errorf("%s is not one line of bounded length: %q", what, text)
	}
}

// noneLeft fails the test when goroutines of this package, or of net/http on its behalf, stay behind.
func noneLeft(t *testing.T) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	var left []string
	for range 400 {
		left = nil
		for one := range bytes.SplitSeq(stacks[:runtime.Stack(stacks, true)], []byte("\n\n")) {
			text := string(one)
			ours := strings.Contains(text, "internal/probe.(*Prober)") || strings.Contains(text, "net/http.(*persistConn)") ||
				strings.Contains(text, "net/http.(*Transport)")
			if ours {
				left = append(left, text)
			}
		}
		if len(left) == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%d goroutines left:\n%s", len(left), strings.Join(left, "\n\n"))
}

var errOther = errors.New("something \x1b[2J else")
