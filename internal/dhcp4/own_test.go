package dhcp4

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/reservation"
)

func ownOptions(list ...reservation.Option) *reservation.Reservation {
	r := testReservation()
	r.Options = list
	return r
}

func TestOwnOptions(t *testing.T) {
	r := ownOptions(reservation.Option{Code: 150, Value: []byte{192, 168, 2, 5}}, reservation.Option{Code: 26, Value: []byte{5, 120}})
	_, options := answer(t, from(optType(TypeDiscover), opt(optParameterList, 26, optRouter)), r)
	got := codes(options)
	if mtu, router, tftp := slices.Index(got, 26), slices.Index(got, optRouter), slices.Index(got, 150); mtu < 0 || mtu > router || router > tftp {
		t.Errorf("options %v: want 26 before 3, as asked, and 150 after them, asked for or not", got)
	}
	if bytes.Count(got, []byte{26}) != 1 || !bytes.Equal(find(options, 150), []byte{192, 168, 2, 5}) {
		t.Errorf("options %v, 150 is %v", got, find(options, 150))
	}
	_, options = answer(t, from(optType(TypeRequest)).at("192.168.2.7"), r) // a NAK
	if got := codes(options); slices.Contains(got, 150) {
		t.Errorf("a NAK carries %v", got)
	}
	_, options = answer(t, from(optType(TypeInform)).at("192.168.2.7"), r)
	if got := codes(options); !slices.Contains(got, 150) {
		t.Errorf("the answer to an INFORM carries %v, want 150 in it", got)
	}
}

func TestOwnOptionsGoFirstWhenThereIsNoRoom(t *testing.T) {
	r := ownOptions(reservation.Option{Code: 224, Value: []byte(strings.Repeat("x", 255))}, reservation.Option{Code: 225, Value: []byte(strings.Repeat("y", 60))})
	o, options := answer(t, from(optType(TypeDiscover), opt(optMaxMessageSize, 2, 64), opt(optParameterList, optHostName)), r)
	if !slices.Equal(o.Reply.Omitted, []uint8{224}) || find(options, 225) == nil || find(options, optHostName) == nil {
		t.Errorf("left out %v of %v, want 224 alone", o.Reply.Omitted, codes(options))
	}
}
