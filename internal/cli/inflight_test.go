package cli

import (
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
)

func TestInFlight(t *testing.T) {
	now := time.Unix(10000, 0)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	tests := []struct {
		name string
		last journal.Entry
		want int
	}{
		{"told what to boot", journal.Entry{At: ago(time.Second), Stage: journal.StageDHCP, Reason: string(boot.ReasonFirmwareBinary)}, 1},
		{"told the script", journal.Entry{At: ago(time.Second), Stage: journal.StageDHCP, Reason: string(boot.ReasonScript)}, 1},
		{"loads its binary", journal.Entry{At: ago(time.Second), Stage: journal.StageTFTP}, 1},
		{"has its script", journal.Entry{At: ago(119 * time.Second), Stage: journal.StageScript}, 1},
		{"unknown, told what to boot", journal.Entry{At: ago(time.Second), Stage: journal.StageDHCP, Reason: string(boot.ReasonAutoBinary)}, 0},
		{"unknown, has its script", journal.Entry{At: ago(time.Second), Stage: journal.StageScript, Reason: string(boot.ReasonAutoScript)}, 0},
		{"silent for too long", journal.Entry{At: ago(121 * time.Second), Stage: journal.StageScript}, 0},
		{"its kernel asks for an address", journal.Entry{At: ago(time.Second), Stage: journal.StageDHCP, Reason: string(boot.ReasonNotNetbootClient)}, 0},
		{"may not boot", journal.Entry{At: ago(time.Second), Stage: journal.StageDHCP, Reason: string(boot.ReasonNetbootNotAllowed)}, 0},
		{"its kernel logs", journal.Entry{At: ago(time.Second), Stage: journal.StageSyslog}, 0},
	}
	for _, tt := range tests {
		j := journal.New(4, 4)
		j.Record(reservation.MAC{1}, journal.Entry{At: ago(2 * time.Minute), Stage: journal.StageTFTP})
		j.Record(reservation.MAC{1}, tt.last)
		if got := inFlight(j, now); got != tt.want {
			t.Errorf("%s: %d in flight, want %d", tt.name, got, tt.want)
		}
	}
}
