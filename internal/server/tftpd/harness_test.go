package tftpd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/ipxe"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/tftp"
)

// machineMAC is the machine to which the file "machine" goes.
var machineMAC = reservation.MAC{0x02, 0, 0, 0, 0, 0x07}

// shelf is a Source with a few files, and some that fail.
type shelf struct{}

func (shelf) Get(path string, _ netip.Addr) (ipxe.Content, error) {
	switch path {
	case "small":
		return ipxe.Content{Name: "small", Body: pattern(1000), Reason: "BinaryGiven"}, nil
	case "large":
		return ipxe.Content{Name: "large", Body: pattern(300_000)}, nil
	case "machine":
		return ipxe.Content{Name: "machine", Body: pattern(3000), Machine: machineMAC, Reason: "BinaryGiven"}, nil
	case "initrd":
		return ipxe.Content{Name: "initrd", Machine: machineMAC, Open: func() (*os.File, error) { panic("nobody opens it for TFTP") }}, nil
	case "panic":
		panic("the shelf fell")
	case "broken":
		return ipxe.Content{}, errors.New("disk on fire")
	case "invalid":
		return ipxe.Content{}, &ipxe.Refusal{Reason: "InvalidValue", Machine: machineMAC, Invalid: true, Message: "hostname holds a newline"}
	}
	return ipxe.Content{}, &ipxe.Refusal{Reason: "NoSuchFile", Message: "no such file: " + path}
}

func pattern(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i*7) ^ byte(i>>8)
	}
	return b
}

// lines collects log lines.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) add(_, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.WriteString(line + "\n")
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// running is a server on loopback.
type running struct {
	*Server
	t       *testing.T
	address netip.AddrPort
	log     *lines
	journal *journal.Journal
	stop    context.CancelFunc
	stopped chan error
}

// quick is for tests of silence; a busy machine is not fast enough to read a file under it.
var quick = tftp.Timing{First: 50 * time.Millisecond, Retransmit: 50 * time.Millisecond, MaxRetransmit: 100 * time.Millisecond, Retries: 3, Silence: 300 * time.Millisecond}

func start(t *testing.T, change func(*Config)) *running {
	t.Helper()
	r := listening(t, change)
	r.run()
	return r
}

// listening is a server that nobody has started.
func listening(t *testing.T, change func(*Config)) *running {
	t.Helper()
	r := &running{t: t, log: &lines{}, journal: journal.New(10, 10), stopped: make(chan error, 1)}
	c := Config{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Source: shelf{}, Journal: r.journal,
		Log: funcr.New(r.log.add, funcr.Options{}), Metrics: prometheus.NewRegistry()}
	if change != nil {
		change(&c)
	}
	var err error
	if r.Server, err = New(c); err != nil {
		t.Fatal(err)
	}
	if err := r.Listen(); err != nil {
		t.Fatal(err)
	}
	r.address = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), r.Addrs()[0].Port())
	return r
}

func (r *running) run() {
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.stopped <- r.Start(ctx) }()
	r.t.Cleanup(r.end)
}

// end stops the server and checks that it goes in time, without an error and leaving nothing behind.
func (r *running) end() {
	r.stop()
	select {
	case err, first := <-r.stopped:
		if first && err != nil {
			r.t.Errorf("Start returned %v", err)
		}
		if first {
			close(r.stopped)
		}
	case <-time.After(10 * time.Second):
		r.t.Fatal("the server does not stop")
	}
	for _, l := range r.listeners {
		if left := len(l.table.all()); left != 0 {
			r.t.Errorf("%d sessions left in the table", left)
		}
	}
	if n := r.admission.running(); n != 0 {
		r.t.Errorf("%d transfers still counted", n)
	}
}

// requests waits until the counter of requests that ended in why has the value want.
func (r *running) requests(why boot.Reason, want int) {
	r.t.Helper()
	r.counted(r.metrics.requests.WithLabelValues(string(why)), string(why), want)
}

func (r *running) counted(c prometheus.Collector, name string, want int) {
	r.t.Helper()
	var got float64
	for range 2000 {
		if got = testutil.ToFloat64(c); got == float64(want) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	r.t.Errorf("%s counted %v times, want %d\n%s", name, got, want, r.log)
}

// client is a TFTP client with one port.
type client struct {
	t    testing.TB
	conn *net.UDPConn
	to   netip.AddrPort
}

func (r *running) client() *client { return newClient(r.t, "127.0.0.1:0", r.address) }

func newClient(t testing.TB, from string, to netip.AddrPort) *client {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(from)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{t, conn, to}
}

func (c *client) send(p tftp.Packet) { c.sendBytes(p.AppendTo(nil)) }

func (c *client) sendBytes(b []byte) {
	c.t.Helper()
	if _, err := c.conn.WriteToUDPAddrPort(b, c.to); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) ask(name string, options ...string) {
	c.t.Helper()
	p := tftp.Packet{Op: tftp.OpRRQ, Name: name, Mode: "octet"}
	for i := 0; i+1 < len(options); i += 2 {
		p.Options = append(p.Options, tftp.Option{Name: options[i], Value: options[i+1]})
	}
	c.send(p)
}

func (c *client) ack(block uint16) { c.send(tftp.Packet{Op: tftp.OpACK, Block: block}) }

// next returns the next packet, which must come from the server's listening port.
func (c *client) next() tftp.Packet {
	c.t.Helper()
	p, err := c.within(5 * time.Second)
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

func (c *client) within(d time.Duration) (tftp.Packet, error) {
	b := make([]byte, 1<<16)
	if err := c.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		return tftp.Packet{}, err
	}
	n, from, err := c.conn.ReadFromUDPAddrPort(b)
	if err != nil {
		return tftp.Packet{}, err
	}
	if from != c.to {
		return tftp.Packet{}, fmt.Errorf("answered from %s, asked %s", from, c.to)
	}
	return tftp.Parse(b[:n])
}

// silent checks that nothing comes for a while.
func (c *client) silent(d time.Duration) {
	c.t.Helper()
	if p, err := c.within(d); err == nil {
		c.t.Errorf("unexpected packet %+v", p)
	}
}

func (c *client) wantError(code tftp.ErrorCode, message string) {
	c.t.Helper()
	p := c.next()
	if p.Op != tftp.OpERROR || p.Code != code || !strings.Contains(p.Message, message) {
		c.t.Errorf("got %+v, want ERROR %d with %q", p, code, message)
	}
}

// fetch reads a file in windows and returns what it read.
func (c *client) fetch(name string, blockSize, windowSize int) []byte {
	c.t.Helper()
	c.ask(name, "blksize", fmt.Sprint(blockSize), "windowsize", fmt.Sprint(windowSize))
	return c.read(blockSize, windowSize)
}

func (c *client) read(blockSize, windowSize int) []byte {
	c.t.Helper()
	var got bytes.Buffer
	for expected, unacked := uint16(1), 0; ; {
		p, err := c.within(5 * time.Second)
		if err != nil {
			c.t.Error(err)
			return nil
		}
		switch {
		case p.Op == tftp.OpOACK:
			c.ack(0)
			continue
		case p.Op != tftp.OpDATA:
			c.t.Errorf("got %+v", p)
			return nil
		case p.Block != expected:
			unacked = 0
			c.ack(expected - 1)
			continue
		}
		got.Write(p.Payload)
		last := len(p.Payload) < blockSize
		if unacked++; unacked == windowSize || last {
			c.ack(expected)
			unacked = 0
		}
		expected++
		if last {
			return got.Bytes()
		}
	}
}
