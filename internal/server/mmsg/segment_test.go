package mmsg

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"runtime"
)

// sizes are the lengths of the next n datagrams, each of which consists of one letter.
func sizes(t *testing.T, r *Reader, n int) (got []int) {
	t.Helper()
	into := make([][]byte, batch)
	for i := range into {
		into[i] = make([]byte, 2048)
	}
	for len(got) < n {
		read, err := r.Read(into)
		if err != nil {
			t.Fatal(err)
		}
		for i := range read {
			d := into[i][:r.At(i).Size]
			if len(bytes.TrimLeft(d, string(d[:1]))) != 0 {
				t.Errorf("datagram %d has bytes of another", len(got))
			}
			got = append(got, len(d))
		}
	}
	return got
}

func letters(letter byte, n int) []byte { return bytes.Repeat([]byte{letter}, n) }

// TestSegments: what has the same way goes out of one message, and comes in as it was collected.
func TestSegments(t *testing.T) {
	_, from, raw := listen(t)
	if !CanSegment(raw) {
		t.Fatal("this kernel is older than Linux 4.18")
	}
	_, to, in := listen(t)
	_, elsewhere, _ := listen(t)
	for name, test := range map[string]struct {
		lengths []int
		headers int
	}{
		"alike":             {[]int{300, 300, 300, 300}, 1},
		"the last shorter":  {[]int{300, 300, 10}, 1},
		"one shorter":       {[]int{300, 10, 300}, 2},
		"the second longer": {[]int{300, 301, 301}, 2},
		"too long for any":  {[]int{1473, 1473}, 2},
		"alone":             {[]int{300}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := NewWriter(batch, true)
			for i, n := range test.lengths {
				part := letters('a'+byte(i), n)
				w.AddUDP(to, 0, from.Addr(), part[:n/2], part[n/2:])
			}
			if n, err := w.Send(raw, 0); n != len(test.lengths) || err != nil || len(w.headers) != test.headers {
				t.Fatalf("sent %d, %v, in %d messages; want %d in %d", n, err, len(w.headers), len(test.lengths), test.headers)
			}
			if diff := cmp.Diff(test.lengths, sizes(t, NewReader(in, batch), len(test.lengths))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	w := NewWriter(batch, true)
	for _, one := range []struct {
		to      netip.AddrPort
		ifindex int
		source  netip.Addr
	}{{to: to}, {to: elsewhere}, {to: to}, {to: to, ifindex: 1}, {to: to, ifindex: 1, source: from.Addr()}} {
		w.AddUDP(one.to, one.ifindex, one.source, letters('x', 8))
	}
	if n, err := w.Send(raw, 0); n != 5 || err != nil || len(w.headers) != 5 {
		t.Errorf("five ways: sent %d, %v, in %d messages", n, err, len(w.headers))
	}
}

// TestSmallLinkTakesNoSegments: where frames are smaller than the datagrams, each goes out on its own, in fragments.
func TestSmallLinkTakesNoSegments(t *testing.T) {
	runtime.LockOSThread() // never unlocked: the thread ends with the test and takes the namespace with it
	space, err := netns.New()
	if err != nil {
		t.Fatal("this test makes a network namespace and needs root: ", err)
	}
	defer func() {
		if err := space.Close(); err != nil {
			t.Error(err)
		}
	}()
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetMTU(lo, 576); err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		t.Fatal(err)
	}
	_, _, raw := listen(t)
	_, to, in := listen(t)
	w, lengths := NewWriter(batch, true), []int{900, 900, 900, 20}
	for i, n := range lengths {
		w.AddUDP(to, 0, netip.Addr{}, letters('a'+byte(i), n))
	}
	if n, err := w.Send(raw, 0); n != len(lengths) || err != nil {
		t.Fatalf("sent %d, %v", n, err)
	}
	if diff := cmp.Diff(lengths, sizes(t, NewReader(in, batch), len(lengths))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
