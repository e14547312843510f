package reservation

import (
	"encoding/json"
	"net/netip"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

func TestPrefixIsThatOfNetip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a, other [4]byte
		copy(a[:], rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address"))
		copy(other[:], rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "other"))
		wide := netip.PrefixFrom(netip.AddrFrom4(a), rapid.IntRange(0, 32).Draw(t, "bits"))
		p, o := PrefixOf(wide), netip.AddrFrom4(other)
		if p.Prefix() != wide || p.Addr() != wide.Addr() || p.Bits() != wide.Bits() || p.Masked() != wide.Masked() || !p.IsValid() ||
			p.Contains(o) != wide.Contains(o) || p.String() != wide.String() {
			t.Fatalf("%v is %v", wide, p)
		}
		text, err := json.Marshal(p)
		if want, _ := json.Marshal(wide); err != nil || string(text) != string(want) {
			t.Fatalf("%v is written as %s (%v)", wide, text, err)
		}
		var back Prefix
		if err := json.Unmarshal(text, &back); err != nil || back != p {
			t.Fatalf("%s reads back as %v (%v)", text, back, err)
		}
	})
}

func TestNoPrefix(t *testing.T) {
	for _, p := range []Prefix{{}, PrefixOf(netip.Prefix{}), PrefixOf(netip.MustParsePrefix("fd00::1/64"))} {
		if p.IsValid() || p.Addr().IsValid() || p.Prefix().IsValid() || p.Bits() != -1 || p.Contains(netip.IPv4Unspecified()) {
			t.Errorf("%v is a prefix", p)
		}
	}
	p := MustParsePrefix("10.0.0.1/8")
	if err := p.UnmarshalText([]byte("10.0.0.0.1/8")); err == nil || p != MustParsePrefix("10.0.0.1/8") {
		t.Errorf("%v, %v", p, err)
	}
}

// TestReservationIsSmall: there may be a million of them, and the next size that memory is given out in is 144 bytes.
func TestReservationIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Reservation{}); size > 128 {
		t.Errorf("a reservation takes %d bytes: put what machines have in common into Settings", size)
	}
}
