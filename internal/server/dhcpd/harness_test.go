package dhcpd

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/dhcp4"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
)

var (
	clientMAC  = reservation.MAC{0x52, 0x54, 0, 0, 0, 1}
	unknownMAC = reservation.MAC{0x52, 0x54, 0, 0, 0, 2}
	serverAddr = netip.MustParseAddr("192.168.2.112")
	clientAddr = netip.MustParseAddr("192.168.2.185")
	relayAddr  = netip.MustParseAddr("192.168.2.1")
)

// lines is a log that a test can look into.
type lines struct {
	mu   sync.Mutex
	list []string
}

func (l *lines) logger(verbosity int) logr.Logger {
	return funcr.New(func(_, args string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.list = append(l.list, args)
	}, funcr.Options{Verbosity: verbosity})
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.list...)
}

func storeOf(list []*reservation.Reservation) *inventory.Store {
	store := inventory.NewStore()
	store.Publish(inventory.New(list))
	return store
}

func testConfig(log logr.Logger) Config {
	list := []*reservation.Reservation{{
		Source: reservation.Source{Namespace: "eksa-system", Name: "wk01", Interface: 1}, MAC: clientMAC, Address: reservation.PrefixOf(netip.PrefixFrom(clientAddr, 24)),
		Settings: &reservation.Settings{Gateway: relayAddr, Lease: 3600, Netboot: reservation.Netboot{Allow: true}},
	}}
	binaries := boot.NewBinaries(map[boot.Family]string{boot.FamilyBIOS: "undionly.kpxe"}, nil)
	return Config{
		Snapshot: storeOf(list).Load, Journal: journal.New(8, 8), Log: log, Registerer: prometheus.NewPedanticRegistry(), Workers: 2,
		Self: selfAt(serverAddr, boot.Endpoint{Addr: serverAddr, TFTPPort: 69, HTTPPort: 7171, Binaries: binaries}),
	}
}

// selfAt is a server of that identifier which gives e to boot.
func selfAt(id netip.Addr, e boot.Endpoint) func() *dhcp4.Self {
	self := &dhcp4.Self{Servers: dhcp4.Servers{ID: id}, Endpoint: e}
	return func() *dhcp4.Self { return self }
}

// sent is one reply that a server without sockets sent.
type sent struct {
	payload []byte
	to      netip.AddrPort
	ifindex int
	source  netip.Addr
}

// wire is a sender that keeps what is sent.
type wire struct {
	sent []sent
	err  error // returned for everything that is sent
}

func (w *wire) send(_ *outbox, list []*answered) (errs []error) {
	for _, a := range list {
		w.sent = append(w.sent, sent{append([]byte(nil), a.payload()...), a.to, a.ifindex, a.source})
		errs = append(errs, w.err)
	}
	return errs
}

// workers are those of the servers that are used by handle: a *sync.Pool for each.
var workers sync.Map

// handle handles a packet, and sends the answer.
func (s *Server) handle(p *packet) {
	pool, _ := workers.LoadOrStore(s, &sync.Pool{New: func() any { return s.newWorker() }})
	w := pool.(*sync.Pool).Get().(*worker)
	defer pool.(*sync.Pool).Put(w)
	w.handle(p)
	w.flush()
}

// offline is a server with one interface, eth0, number 2, that never looks at the host's.
func offline(t testing.TB, c Config) *Server {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.interfaces = &interfaces{log: c.Log, closed: make(chan struct{}), looked: time.Now().Add(time.Hour)}
	known := &table{
		byIndex: map[int]iface{2: {index: 2, name: "eth0", ethernet: true, prefixes: []netip.Prefix{netip.PrefixFrom(serverAddr, 24)}}},
		local:   map[netip.Addr]bool{serverAddr: true},
	}
	known.kinds = known.kind
	s.interfaces.current.Store(known)
	return s
}

// deliver hands a payload to the server as if it had come in on eth0.
func deliver(s *Server, w *wire, p *packet, payload []byte) {
	p.size, p.truncated, p.ifindex, p.socket, p.at = copy(p.buffer[:], payload), false, 2, w, time.Now()
	p.from = netip.AddrPortFrom(relayAddr, 1067)
	s.handle(p)
}

// request is a DHCP request with the options given as bytes.
func request(mac reservation.MAC, t dhcp4.MessageType, options ...byte) []byte {
	b := make([]byte, 240)
	b[0], b[1], b[2] = 1, 1, 6
	copy(b[28:], mac[:])
	binary.BigEndian.PutUint32(b[236:], 0x63825363)
	b = append(b, 53, 1, byte(t))
	return append(append(b, options...), 255)
}

func withBroadcast(b []byte) []byte            { b[10] = 0x80; return b }
func withCIAddr(b []byte, a netip.Addr) []byte { v := a.As4(); copy(b[12:], v[:]); return b }
func withGIAddr(b []byte, a netip.Addr) []byte { v := a.As4(); copy(b[24:], v[:]); return b }
func addrOption(code byte, a netip.Addr) []byte {
	v := a.As4()
	return append([]byte{code, 4}, v[:]...)
}
func pxeOptions() []byte {
	return []byte("\x3c\x09PXEClient\x5d\x02\x00\x00\x5e\x03\x01\x02\x01")
}

// messageType returns option 53 of a reply, which is always its first.
func messageType(t testing.TB, payload []byte) dhcp4.MessageType {
	t.Helper()
	if len(payload) < 243 || payload[240] != 53 {
		t.Fatalf("not a DHCP reply: % x", payload)
	}
	return dhcp4.MessageType(payload[242])
}
