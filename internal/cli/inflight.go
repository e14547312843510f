package cli

import (
	"time"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/journal"
)

// bootQuiet is how long a machine that is silent still counts as in the middle of a boot: firmware and iPXE ask again
// within half a minute, and what they load takes less than this.
const bootQuiet = 2 * time.Minute

// inFlight counts the machines whose last trace is one of a boot that goes on: they asked what to boot, or fetched it. The
// installed system, and the installer once its kernel runs, ask for an address only, or log. Machines that nobody knows
// install nothing.
func inFlight(j *journal.Journal, now time.Time) int {
	n := 0
	for _, e := range j.Latest(now.Add(-bootQuiet)) {
		switch e.Stage {
		case journal.StageTFTP, journal.StageHTTP, journal.StageScript:
			if boot.Reason(e.Reason) != boot.ReasonAutoScript {
				n++
			}
		case journal.StageDHCP:
			if boots(boot.Reason(e.Reason)) {
				n++
			}
		case journal.StageSyslog:
		}
	}
	return n
}

// boots reports whether an answer of this reason gave the machine something to boot.
func boots(r boot.Reason) bool {
	switch r {
	case boot.ReasonScript, boot.ReasonScriptOverride, boot.ReasonStockIPXEScript, boot.ReasonStockIPXEBinary, boot.ReasonHTTPBinary,
		boot.ReasonFirmwareBinary, boot.ReasonBootFileOverride:
		return true
	}
	return false
}
