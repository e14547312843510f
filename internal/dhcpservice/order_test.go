package dhcpservice

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tugboot/tugboot/internal/reservation"
)

func order(numbers ...byte) Order {
	return Order{Type: "Dnsmasq", Want: hall(nil, numbers...), Ask: Ask{Mode: "Relay", Server: netip.MustParseAddr("10.0.0.2"), Relay: netip.MustParseAddr("10.0.0.3")}}
}

func TestOrderComesBackAsItWent(t *testing.T) {
	for _, o := range []Order{order(), order(1), order(1, 2, 3), {Type: "ISC", Plan: true, Want: hall(nil, 9), Ask: Ask{Mode: "Off"}}} {
		packed, err := o.Pack()
		if err != nil {
			t.Fatal(err)
		}
		again, err := o.Pack()
		if err != nil || !bytes.Equal(packed, again) || Digest(packed) != Digest(again) {
			t.Errorf("the same order has other bytes: %v", err)
		}
		got, err := Unpack(packed)
		compare := cmp.Options{cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmpopts.EquateEmpty()}
		if diff := cmp.Diff(o, got, compare); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}

func TestOrderThatNobodyGaveIsRefused(t *testing.T) {
	twice := order(1, 2)
	twice.Want.Networks[0].Reservations[1] = twice.Want.Networks[0].Reservations[0]
	outside := order(1)
	outside.Want.Networks[0].Prefix = netip.MustParsePrefix("10.9.0.0/24")
	hostBits := order()
	hostBits.Want.Networks[0].Prefix = netip.MustParsePrefix("10.0.0.1/24")
	nobody := order(1)
	nobody.Want.Networks[0].Reservations[0].MAC = reservation.MAC{}
	strange, silent := order(1), order(1)
	strange.Type, silent.Ask.Mode = "dnsmasq", ""
	for says, o := range map[string]Order{`type "dnsmasq"`: strange, `asked for by ""`: silent, "stands in it twice": twice, "which is not in": outside, "is no IPv4 subnet": hostBits, "without a MAC": nobody} {
		packed, err := o.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Unpack(packed); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q: %v", says, err)
		}
	}
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	for range maxUnpacked>>20 + 1 {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := order(1).Pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Unpack(packText(t, plain+"}")); err != nil {
		t.Fatalf("the text that the others are made of: %v", err)
	}
	for name, packed := range map[string][]byte{"nothing": nil, "no gzip": []byte("{}"), "a bomb": bomb.Bytes(), "cut off": good[:len(good)-4], "unknown fields": packText(t, plain+`, "Evil": 1}`),
		"more behind it":     packText(t, plain+"} {}"),
		"spaces without end": packText(t, plain+"}"+strings.Repeat(" ", maxUnpacked)), "no cluster": packText(t, `{}`)} {
		if _, err := Unpack(packed); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestOrderThatIsTooLarge(t *testing.T) {
	o := Order{Type: "Kea", Want: hall(nil)}
	seed := uint64(1)
	for i := range 90000 {
		seed = seed*6364136223846793005 + 1442695040888963407
		o.Want.Networks[0].Reservations = append(o.Want.Networks[0].Reservations, &reservation.Reservation{
			MAC: reservation.MAC{byte(seed >> 56), byte(seed >> 48), byte(seed >> 40), byte(seed >> 32), byte(i >> 8), byte(i)}, Hostname: fmt.Sprintf("%016x", seed),
			Settings: &reservation.Settings{},
		})
	}
	if _, err := o.Pack(); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "90000 reservations") {
		t.Errorf("%v", err)
	}
}

// plain is an order as JSON, but for its last brace.
const plain = `{"Type": "ISC", "Ask": {"Mode": "Off"}, "Want": {"Word": {"cluster": "lab", "born": 1, "epoch": 1}}`

func packText(t *testing.T, text string) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte(text))
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func FuzzUnpack(f *testing.F) {
	good, err := order(1, 2).Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, packed []byte) {
		o, err := Unpack(packed)
		if err != nil {
			return
		}
		if _, err := o.Pack(); err != nil && !errors.Is(err, ErrTooLarge) {
			t.Error(err)
		}
	})
}

func TestReportTellsHowFarItCame(t *testing.T) {
	at := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	before := Standing{Drift: []string{"it differs"}, Drifts: 1}
	after := Standing{Word: word(2), Reservations: 3, Findings: Findings{Lines: []string{"a trap"}, Count: 2}}
	done := NewReport("d", before, after, nil, true, "v", at)
	if done.Stage != "Done" || !done.Verified || done.Word == nil || *done.Word != after.Word || done.Reservations != 3 || done.Drifts != 1 || done.Error != "" ||
		done.Findings.Count != 2 || done.Findings.Lines[0] != "a trap" {
		t.Errorf("%+v", done)
	}
	failed := NewReport("d", before, Standing{}, &Failure{Stage: StageVerify, Err: errors.New("no answer"), Restored: true}, true, "v", at)
	if failed.Stage != "Verified" || failed.Verified || !failed.Restored || failed.Error != "no answer" || failed.Word != nil || failed.Fenced {
		t.Errorf("%+v", failed)
	}
	fenced := NewReport("d", before, after, &Failure{Stage: StageRead, Err: ErrFenced, Unrestored: errors.New("disk full")}, false, "", at)
	if fenced.Stage != "Read" || !fenced.Fenced || fenced.Unrestored != "disk full" {
		t.Errorf("%+v", fenced)
	}
	text, err := json.Marshal(done)
	var again Report
	if err == nil {
		err = json.Unmarshal(text, &again)
	}
	if diff := cmp.Diff(done.At, again.At); err != nil || diff != "" || again.Word == nil || *again.Word != *done.Word || again.Findings.Count != 2 {
		t.Errorf("%v: %s", err, text)
	}
}
