package lab

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestAddressMovesBetweenStations asks for an address before and after it moves. The second answer must come from the
// other station at once: that the asker knows the address at the first one's MAC must not matter, as it does for most of
// a minute when nobody announces the move.
func TestAddressMovesBetweenStations(t *testing.T) {
	needRoot(t)
	l, err := New(t.Context(), "selftest", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	virtual := netip.MustParseAddr("192.168.2.200")
	var stations []*Station
	for i, name := range []string{"asker", "first", "second"} {
		mac, addr := net.HardwareAddr{2, 0, 0, 0, 2, byte(i)}, netip.AddrFrom4([4]byte{192, 168, 2, byte(120 + i)})
		s, err := l.AddStation(t.Context(), name, mac.String(), addr)
		if err != nil {
			t.Fatal(err)
		}
		stations = append(stations, s)
	}
	asker, first, second := stations[0], stations[1], stations[2]
	if err := first.AddAddress(t.Context(), virtual); err != nil {
		t.Fatal(err)
	}
	neighbour := func() string {
		t.Helper()
		// Nothing listens there; the refusal is an answer.
		conn, err := asker.dial(virtual.String() + ":9")
		if err == nil {
			conn.Close()
			t.Fatal("something listens on the discard port")
		}
		if !strings.Contains(err.Error(), "connection refused") {
			t.Fatal(err)
		}
		out, err := asker.Run(t.Context(), nil, "ip", "neighbour", "show", virtual.String())
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if got := neighbour(); !strings.Contains(got, "02:00:00:00:02:01") {
		t.Fatalf("at first the neighbour is %q", got)
	}
	if err := first.RemoveAddress(t.Context(), virtual); err != nil {
		t.Fatal(err)
	}
	if err := second.AddAddress(t.Context(), virtual); err != nil {
		t.Fatal(err)
	}
	if got := neighbour(); !strings.Contains(got, "02:00:00:00:02:02") {
		t.Errorf("after the move the neighbour is %q", got)
	}
	if err := first.RemoveAddress(t.Context(), virtual); err == nil {
		t.Error("an address that is not there was removed")
	}
}

// dial connects from inside the station's namespace, or gives up after a second.
func (s *Station) dial(address string) (conn net.Conn, err error) {
	err = s.Do(func() (err error) {
		conn, err = net.DialTimeout("tcp4", address, time.Second)
		return err
	})
	return conn, err
}
