package tftpd

import (
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/server/limit"
	"github.com/tugboot/tugboot/internal/tftp"
)

func (r *running) ignored(why boot.Reason, want int) {
	r.t.Helper()
	r.counted(r.metrics.ignored.WithLabelValues(string(why)), string(why), want)
}

// What would begin a transfer or be answered with an ERROR is limited, whatever it is; what belongs to a transfer is not.
func TestSourceThatAsksTooMuchIsNotAnswered(t *testing.T) {
	r := start(t, func(c *Config) {
		c.Limits.Source = limit.Rate{PerSecond: 1, Burst: 4}
	})
	reader := r.client()
	reader.ask("large", "blksize", "512")
	flood := r.client()
	for range 3 {
		flood.ask("NoSuchFile")
		flood.wantError(tftp.CodeFileNotFound, "")
	}
	flood.ask("NoSuchFile")                                           // a request
	flood.ack(7)                                                      // what belongs to no transfer
	flood.sendBytes([]byte("\x00\x09"))                               // what is no TFTP packet
	flood.send(tftp.Packet{Op: tftp.OpWRQ, Name: "x", Mode: "octet"}) // what is refused always
	r.ignored(ReasonSourceRate, 4)
	if p, err := flood.within(50 * time.Millisecond); err == nil {
		t.Errorf("answered with %+v", p)
	}
	if p := reader.next(); p.Op != tftp.OpOACK {
		t.Fatalf("%+v", p)
	}
	for block := range uint16(100) { // far more packets than its source may send that belong to no transfer
		reader.ack(block)
		if p := reader.next(); p.Op != tftp.OpDATA || p.Block != block+1 {
			t.Fatalf("after block %d: %+v", block, p)
		}
	}
	r.ignored(ReasonSourceRate, 4)
}

func TestStrangersTakeNothingFromKnownMachines(t *testing.T) {
	known := netip.MustParseAddr("192.0.2.1")
	r := start(t, func(c *Config) {
		c.Known = func(a netip.Addr) bool { return a == known }
		c.Limits = Limits{Known: limit.Rate{PerSecond: 1, Burst: 2}, Strangers: limit.Rate{PerSecond: 1, Burst: 10}}
	})
	now, admitted := time.Now(), 0
	for n := range byte(200) {
		if r.admit(netip.AddrFrom4([4]byte{198, 51, 100, n}), now) {
			admitted++
		}
	}
	if admitted != 10 {
		t.Errorf("%d strangers were looked at, want 10", admitted)
	}
	for n, want := range []bool{true, true, false} {
		if got := r.admit(known, now); got != want {
			t.Errorf("request %d of the known machine: %v", n, got)
		}
	}
	r.ignored(ReasonStrangerRate, 190)
	r.ignored(ReasonTotalRate, 1)
}

func TestFailedReadEndsNothing(t *testing.T) {
	r := listening(t, nil)
	replug := unplug(t, r.listeners[0].raw)
	r.run()
	for deadline := time.Now().Add(5 * time.Second); !strings.Contains(r.log.String(), "cannot receive; trying again"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no read has failed")
		}
	}
	replug()
	c := r.client()
	c.ask("small")
	if p := c.next(); p.Op != tftp.OpDATA || testutil.ToFloat64(r.metrics.panics) != 0 {
		t.Errorf("after failed reads: %+v", p)
	}
}

// unplug puts something that is no socket in the place of one until replug is called.
func unplug(t *testing.T, raw syscall.RawConn) (replug func()) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	null, err := os.Open(os.DevNull)
	check(err)
	var saved, place int
	check(raw.Control(func(fd uintptr) {
		place = int(fd)
		saved, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
		check(err)
	}))
	check(unix.Dup3(int(null.Fd()), place, unix.O_CLOEXEC))
	check(null.Close())
	return func() {
		check(unix.Dup3(saved, place, unix.O_CLOEXEC))
		check(unix.Close(saved))
	}
}

// A request that was cut off is told so with an ERROR, and the next one is answered.
func TestEveryPrefixOfARequest(t *testing.T) {
	r := start(t, nil)
	whole := tftp.Packet{Op: tftp.OpRRQ, Name: "small", Mode: "octet", Options: []tftp.Option{{Name: "blksize", Value: "512"}}}.AppendTo(nil)
	plain := len("\x00\x01small\x00octet\x00")
	for n := range len(whole) + 1 {
		c := r.client()
		c.sendBytes(whole[:n])
		p, err := c.within(200 * time.Millisecond)
		switch {
		case n < 2 && err == nil: // too short to be known for TFTP
			t.Errorf("%d bytes were answered with %+v", n, p)
		case n == plain && (err != nil || p.Op != tftp.OpDATA), n == len(whole) && (err != nil || p.Op != tftp.OpOACK):
			t.Errorf("%d bytes, a whole request, were answered with %+v, %v", n, p, err)
		case n >= 2 && n != plain && n != len(whole) && (err != nil || p.Op != tftp.OpERROR):
			t.Errorf("%d bytes were answered with %+v, %v", n, p, err)
		}
		next := r.client()
		next.ask("small")
		if p := next.next(); p.Op != tftp.OpDATA {
			t.Fatalf("after %d bytes: %+v", n, p)
		}
	}
}

// The rows of docs/limits.md that are about TFTP.
func TestEveryKindOfBadPacket(t *testing.T) {
	r := start(t, nil)
	for name, test := range map[string]struct {
		payload string
		ignored boot.Reason // empty for a request that ends in another
		code    tftp.ErrorCode
		silent  bool
	}{
		"one byte":       {payload: "\x00", ignored: tftp.ReasonMalformed, silent: true},
		"cut off":        {payload: "\x00\x01small\x00oct", ignored: tftp.ReasonMalformed, code: tftp.CodeIllegalOperation},
		"unknown opcode": {payload: "\x00\x09", ignored: tftp.ReasonMalformed, code: tftp.CodeIllegalOperation},
		"write request":  {payload: "\x00\x02small\x00octet\x00", code: tftp.CodeAccessViolation},
		"no such file":   {payload: "\x00\x01other\x00octet\x00", code: tftp.CodeFileNotFound},
		"stray ACK":      {payload: "\x00\x04\x00\x01", ignored: ReasonUnknownTID, code: tftp.CodeUnknownTID},
		"stray ERROR":    {payload: "\x00\x05\x00\x01x\x00", ignored: ReasonStrayError, silent: true},
	} {
		t.Run(name, func(t *testing.T) {
			before := 0.0
			if test.ignored != "" {
				before = testutil.ToFloat64(r.metrics.ignored.WithLabelValues(string(test.ignored)))
			}
			c := newClient(t, "127.0.0.1:0", r.address)
			c.sendBytes([]byte(test.payload))
			p, err := c.within(200 * time.Millisecond)
			if test.silent != (err != nil) || err == nil && (p.Op != tftp.OpERROR || p.Code != test.code) {
				t.Errorf("answered with %+v, %v", p, err)
			}
			if test.ignored != "" && testutil.ToFloat64(r.metrics.ignored.WithLabelValues(string(test.ignored))) != before+1 {
				t.Errorf("not counted once as %s", test.ignored)
			}
			next := newClient(t, "127.0.0.1:0", r.address)
			next.ask("small")
			if p := next.next(); p.Op != tftp.OpDATA {
				t.Errorf("the next good packet: %+v", p)
			}
		})
	}
}
