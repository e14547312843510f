package mmsg

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const batch = 8

// listen opens a socket on the loopback interface that tells where datagrams come in.
func listen(t testing.TB) (*net.UDPConn, netip.AddrPort, syscall.RawConn) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var option error
	if err := raw.Control(func(fd uintptr) { option = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1) }); err != nil || option != nil {
		t.Fatal(err, option)
	}
	if err := Block(raw); err != nil {
		t.Fatal(err)
	}
	return conn, conn.LocalAddr().(*net.UDPAddr).AddrPort(), raw
}

func buffers() [][]byte {
	all := make([][]byte, batch)
	for i := range all {
		all[i] = make([]byte, 64)
	}
	return all
}

func TestBatchGoesOutAndComesIn(t *testing.T) {
	_, from, raw := listen(t)
	_, to, in := listen(t)
	r := NewReader(in, batch)
	w := NewWriter(batch, true)
	for round := range 3 { // in the same memory
		w.Reset()
		for i := range batch {
			w.AddUDP(to, 0, from.Addr(), fmt.Appendf(nil, "%d/%d", round, i))
		}
		if n, err := w.Send(raw, 0); n != batch || err != nil {
			t.Fatalf("sent %d, %v", n, err)
		}
		into := buffers()
		for got := 0; got < batch; {
			n, err := r.Read(into)
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				d := r.At(i)
				if want := fmt.Sprintf("%d/%d", round, got); string(into[i][:d.Size]) != want || d.From != from || d.To != to.Addr() || d.Local != to.Addr() ||
					d.Interface != 1 || d.Truncated || d.Drops != 0 {
					t.Errorf("%q, %+v, want %s from %s to %s on the loopback interface", into[i][:d.Size], d, want, from, to)
				}
				got++
			}
		}
	}
}

func TestTruncatedDatagram(t *testing.T) {
	_, _, raw := listen(t)
	_, to, in := listen(t)
	r := NewReader(in, batch)
	w := NewWriter(1, true)
	w.AddUDP(to, 0, netip.Addr{}, bytes.Repeat([]byte("x"), 65))
	if _, err := w.Send(raw, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(buffers()); err != nil || !r.At(0).Truncated || r.At(0).Size != 64 {
		t.Errorf("%+v, %v", r.At(0), err)
	}
}

// TestOneThatFailsIsFound: those before it go out, it is told of alone, and those behind it go out when asked for.
func TestOneThatFailsIsFound(t *testing.T) {
	_, _, raw := listen(t)
	conn, to, _ := listen(t)
	w := NewWriter(3, false)
	w.AddUDP(to, 0, netip.Addr{}, []byte("a"))
	w.AddUDP(netip.MustParseAddrPort("127.0.0.1:0"), 0, netip.Addr{}, []byte("b")) // there is no port 0
	w.AddUDP(to, 0, netip.Addr{}, []byte("c"))
	if n, err := w.Send(raw, 0); n != 1 || err != nil {
		t.Errorf("sent %d, %v; want the first", n, err)
	}
	if n, err := w.Send(raw, 1); n != 0 || !errors.Is(err, syscall.EINVAL) {
		t.Errorf("sent %d, %v; want the error of the second", n, err)
	}
	if n, err := w.Send(raw, 2); n != 1 || err != nil {
		t.Errorf("sent %d, %v; want the third", n, err)
	}
	into := make([]byte, 8)
	for _, want := range []string{"a", "c"} {
		if n, err := conn.Read(into); err != nil || string(into[:n]) != want {
			t.Errorf("%q, %v, want %q", into[:n], err, want)
		}
	}
}

// TestWakeEndsEveryRead, those that wait and those that come later; what had come is still there.
func TestWakeEndsEveryRead(t *testing.T) {
	_, _, out := listen(t)
	_, to, in := listen(t)
	const readers = 3
	ended := make(chan error, readers)
	for range readers {
		go func() {
			n, err := NewReader(in, batch).Read(buffers())
			if n != 0 {
				err = fmt.Errorf("%d datagrams, want none", n)
			}
			ended <- err
		}()
	}
	time.Sleep(50 * time.Millisecond) // most of them wait by then
	if err := Wake(in); err != nil {
		t.Fatal(err)
	}
	for range readers {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	r, w := NewReader(in, batch), NewWriter(1, false)
	if n, err := r.Read(buffers()); n != 0 || err != nil {
		t.Errorf("afterwards: %d, %v", n, err)
	}
	w.AddUDP(to, 0, netip.Addr{}, []byte("x"))
	if _, err := w.Send(out, 0); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Poll(buffers()); n != 1 || err != nil {
		t.Errorf("polled %d, %v, want the one that came", n, err)
	}
	if n, err := r.Poll(buffers()); n != 0 || err != nil {
		t.Errorf("polled %d, %v, want none", n, err)
	}
}

func TestNoMemoryIsTaken(t *testing.T) {
	_, from, raw := listen(t)
	_, to, in := listen(t)
	r := NewReader(in, batch)
	w, into, payload := NewWriter(batch, true), buffers(), []byte("x")
	if n := testing.AllocsPerRun(100, func() {
		w.Reset()
		w.AddUDP(to, 0, from.Addr(), payload)
		if _, err := w.Send(raw, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read(into); err != nil || r.At(0).Size != 1 {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a datagram", n)
	}
}
