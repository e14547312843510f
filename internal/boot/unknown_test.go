package boot

import (
	"testing"

	"github.com/tugboot/tugboot/internal/reservation"
)

// TestDecideUnknown: a machine without a reservation is sent where one with a reservation is, for another reason.
func TestDecideUnknown(t *testing.T) {
	e := endpoint()
	mac := reservation.MAC{0x52, 0x54, 0, 0, 0, 9}
	renamed := map[Reason]Reason{ReasonScript: ReasonAutoScript, ReasonStockIPXEScript: ReasonAutoScript,
		ReasonFirmwareBinary: ReasonAutoBinary, ReasonHTTPBinary: ReasonAutoBinary, ReasonStockIPXEBinary: ReasonAutoBinary,
		ReasonArchUnsupported: ReasonArchUnsupported}
	seen := map[Reason]bool{}
	for _, rule := range Table(e) {
		c := rule.Client
		c.MAC = mac
		known := Decide(c, &reservation.Reservation{MAC: mac, Settings: &reservation.Settings{Netboot: reservation.Netboot{Allow: true}}}, e)
		got := DecideUnknown(c, e)
		seen[got.Reason] = true
		want := known
		want.Reason = renamed[known.Reason]
		if got != want {
			t.Errorf("%s: %+v, want %+v", rule.Name, got, want)
		}
	}
	if !seen[ReasonAutoScript] || !seen[ReasonAutoBinary] {
		t.Errorf("only %v were seen", seen)
	}
	if d := DecideUnknown(Client{MAC: mac}, e); d.Action != AddressOnly || d.Reason != ReasonNotNetbootClient {
		t.Errorf("a plain client: %+v", d)
	}
}
