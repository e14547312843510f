package takeover

import (
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tugboot/tugboot/internal/reservation"
)

func fullBaton() Baton {
	at := time.Date(2026, 11, 23, 20, 15, 0, 0, time.UTC)
	b, m := shapes()[1].at(addrB), shapes()[1].at(addrM)
	return Baton{
		Mark: Mark{Cluster: "lab", Fence: Fence{Born: at.Unix() - 900, Epoch: 3}, Identity: "0b7c1a52-4f0e-4a9c-9d5e-2f6a1c3b4d5e"}, Advertised: m, Previous: b, Since: at,
		Latch: Latch{Identity: "0b7c1a52-4f0e-4a9c-9d5e-2f6a1c3b4d5e", Endpoint: m, At: at}, Handover: ReasonManagementLatched, Reservations: machines,
	}
}

// TestDataIsReadable shows the whole of a ConfigMap.
func TestDataIsReadable(t *testing.T) {
	want := map[string]string{
		"cluster": "lab", "epoch": "3", "born": "2026-11-23T20:00:00Z", "since": "2026-11-23T20:15:00Z", "withheld": "false", "handover": "ManagementLatched",
		"advertised.address": "192.168.2.50", "advertised.tftp-port": "69", "advertised.http-port": "7171", "advertised.script-path": "/auto.ipxe",
		"advertised.boot-files": "bios=undionly.kpxe uefi-x86-64=ipxe.efi",
		"previous.address":      "192.168.2.112", "previous.tftp-port": "69", "previous.http-port": "80", "previous.script-path": "/auto.ipxe",
		"previous.boot-files": "bios=undionly.kpxe uefi-x86-64=ipxe.efi",
		"latch.address":       "192.168.2.50", "latch.tftp-port": "69", "latch.http-port": "7171", "latch.script-path": "/auto.ipxe",
		"latch.boot-files": "bios=undionly.kpxe uefi-x86-64=ipxe.efi", "latch.identity": "0b7c1a52-4f0e-4a9c-9d5e-2f6a1c3b4d5e", "latch.at": "2026-11-23T20:15:00Z",
		"reservations": "52:54:00:00:00:01 192.168.2.10\n52:54:00:00:00:02 192.168.2.11\n", "reservations-omitted": "false",
	}
	if got := fullBaton().Data(); !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawBaton(t, drawCluster.Draw(t, "cluster"))
		back, problem := ParseBaton(b.Cluster, b.Data())
		if problem != nil || !back.Equal(b) {
			t.Fatalf("%+v\nis read as %+v, %v", b, back, problem)
		}
	})
}

// TestEditedBatons: every key that somebody removed, misspelt or set wrongly is a conflict that names it.
func TestEditedBatons(t *testing.T) {
	for key := range fullBaton().Data() {
		removed, misspelt, wrong := fullBaton().Data(), fullBaton().Data(), fullBaton().Data()
		delete(removed, key)
		misspelt[key+"s"] = misspelt[key]
		wrong[key] = "?!"
		edits := map[string]map[string]string{key + "s": misspelt, key: wrong}
		if key != keyHandover {
			edits[key+" removed"] = removed
		}
		for field, data := range edits {
			field = strings.TrimSuffix(field, " removed")
			_, p := ParseBaton("lab", data)
			if p == nil {
				t.Errorf("%s: no problem", field)
				continue
			}
			if p.Reason != ReasonInvalidBaton || !p.Conflict || p.Field != "data["+field+"]" || p.Value != data[field] || !strings.Contains(p.Remedy, "set it right") || p.Object != "ConfigMap tugboot-baton-lab" {
				t.Errorf("%s: %+v", field, p)
			}
		}
	}
}

func TestWrongValues(t *testing.T) {
	for edit, field := range map[string]string{
		"cluster=other": "cluster", "epoch=0": "epoch", "epoch=-1": "epoch", "epoch=+3": "epoch", "epoch=03": "epoch", "epoch=9007199254740993": "epoch",
		"born=1969-12-31T23:59:59Z": "born", "born=2026-11-23T21:00:00+01:00": "born", "born=2026-11-23T20:00:00.5Z": "born", "since=yesterday": "since",
		"withheld=yes": "withheld", "advertised.address=192.168.2.050": "advertised.address", "advertised.address=127.0.0.1": "advertised.address",
		"advertised.address=::ffff:192.168.2.50": "advertised.address", "latch.address=": "latch.address", "latch.tftp-port=65536": "latch.tftp-port",
		"latch.tftp-port=069": "latch.tftp-port", "latch.http-port=0": "latch.script-path", "latch.script-path=": "latch.script-path",
		"latch.script-path=auto.ipxe": "latch.script-path", "latch.script-path=/${net0/mac}": "latch.script-path", "latch.script-path=/a b": "latch.script-path",
		"latch.boot-files=uefi-x86-64=ipxe.efi bios=undionly.kpxe": "latch.boot-files", "latch.boot-files=bios=a bios=b": "latch.boot-files",
		"latch.boot-files=bios=../a": "latch.boot-files", "latch.boot-files=bios=a  efi=b": "latch.boot-files", "latch.identity=a b": "latch.identity",
		"handover=Maybe": "handover", "handover=": "handover", "reservations-omitted=": "reservations-omitted",
		"reservations=52:54:00:00:00:01 192.168.2.10": "reservations", "reservations=52-54-00-00-00-01 192.168.2.10\n": "reservations",
		"reservations=52:54:00:00:00:02 192.168.2.10\n52:54:00:00:00:01 192.168.2.10\n": "reservations", "reservations=52:54:00:00:00:01\n": "reservations",
	} {
		data := fullBaton().Data()
		key, value, _ := strings.Cut(edit, "=")
		data[key] = value
		if _, p := ParseBaton("lab", data); p == nil || p.Field != "data["+field+"]" {
			t.Errorf("%s: %v, want a problem with %s", edit, p, field)
		}
	}
}

// TestManyReservations: what would not fit into a ConfigMap is left out, and that is said.
func TestManyReservations(t *testing.T) {
	b := fullBaton()
	b.Reservations = nil
	for i := range 20000 {
		m, err := reservation.ParseMAC(fmt.Sprintf("52:54:00:00:%02x:%02x", i>>8, i&0xff))
		if err != nil {
			t.Fatal(err)
		}
		b.Reservations = append(b.Reservations, NewPair(m, netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})))
	}
	back, problem := ParseBaton("lab", b.Data())
	if problem != nil || !back.ReservationsOmitted || len(back.Reservations) != 0 {
		t.Errorf("%d reservations are read as %d, omitted %t, %v", len(b.Reservations), len(back.Reservations), back.ReservationsOmitted, problem)
	}
	b.Reservations = b.Reservations[:10000]
	if back, problem = ParseBaton("lab", b.Data()); problem != nil || len(back.Reservations) != 10000 {
		t.Errorf("10000 reservations are read as %d, %v", len(back.Reservations), problem)
	}
}

// FuzzParseBaton: whatever a ConfigMap holds is refused in one line, or is the same when it is written again.
func FuzzParseBaton(f *testing.F) {
	for key, value := range fullBaton().Data() {
		f.Add(key, value)
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		if !plainName(key) {
			return // Kubernetes has no such keys
		}
		data := fullBaton().Data()
		data[key] = value
		b, p := ParseBaton("lab", data)
		if p != nil {
			for _, r := range p.String() {
				if r < ' ' || r > '~' {
					t.Fatalf("rune %q in %q", r, p.String())
				}
			}
			return
		}
		if !maps.Equal(b.Data(), data) {
			t.Fatalf("%v is written again as %v", data, b.Data())
		}
	})
}
