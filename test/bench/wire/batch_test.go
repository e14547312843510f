package wire

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// local is the address that a socket was bound to.
func local(t *testing.T, s *Socket) netip.AddrPort {
	t.Helper()
	name, err := unix.Getsockname(s.FD())
	if err != nil {
		t.Fatal(err)
	}
	a := name.(*unix.SockaddrInet4)
	return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
}

func TestEveryPacketArrivesOnceAndWhole(t *testing.T) {
	anywhere := netip.MustParseAddrPort("127.0.0.1:0")
	server, err := Listen(anywhere, anywhere)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client, err := Listen(anywhere, local(t, server))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const packets = 2*Most + 7 // more than go in one call
	for i := range packets {
		room, err := client.Next(4 + i)
		if err != nil {
			t.Fatal(err)
		}
		binary.BigEndian.PutUint32(room, uint32(i))
	}
	if err := client.Flush(); err != nil {
		t.Fatal(err)
	}
	next := 0
	for end := time.Now().Add(10 * time.Second); next < packets && time.Now().Before(end); {
		if err := server.Wait(100 * time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Receive(func(packet []byte, from netip.AddrPort) {
			if got := binary.BigEndian.Uint32(packet); int(got) != next || len(packet) != 4+next || from != local(t, client) {
				t.Errorf("packet %d of %d bytes from %v, want packet %d of %d bytes from %v", got, len(packet), from, next, 4+next, local(t, client))
			}
			next++
		}); err != nil {
			t.Fatal(err)
		}
	}
	if next != packets || client.Refused != 0 {
		t.Errorf("%d of %d packets came, the kernel refused %d", next, packets, client.Refused)
	}
	if n, err := server.Receive(func([]byte, netip.AddrPort) { t.Error("one came that was not sent") }); n != 0 || err != nil {
		t.Errorf("%d packets (%v) where none wait", n, err)
	}
}
