package dhcpservice

import (
	"errors"
	"time"

	"github.com/tugboot/tugboot/internal/render"
)

// Report is what became of an order, as an agent tells it.
type Report struct {
	// Digest is that of the order.
	Digest string `json:"digest"`
	// Stage is how far it came: Done when all went well.
	Stage string `json:"stage"`
	// Fenced says that a higher epoch stands in the service.
	Fenced bool `json:"fenced,omitempty"`
	// Error is what went wrong, empty with Stage Done. Restored says that what stood there before stands there again,
	// Unrestored why it does not.
	Error      string `json:"error,omitempty"`
	Restored   bool   `json:"restored,omitempty"`
	Unrestored string `json:"unrestored,omitempty"`
	// Word is what stands in the service, absent when nothing of ours does; Reservations counts those of ours.
	Word         *render.Word `json:"word,omitempty"`
	Reservations int          `json:"reservations"`
	// Drift is how what stood there differed from the order before it was put right; Drifts counts all of it.
	Drift  []string `json:"drift,omitempty"`
	Drifts int      `json:"drifts,omitempty"`
	// Findings are what lint found in the operator's configuration.
	Findings Findings `json:"findings,omitzero"`
	// Verified says that the service was asked as machines ask, and answered what the order says.
	Verified bool `json:"verified"`
	// Version is what the service's daemon says of itself.
	Version string `json:"version,omitempty"`
	// At is when the service was looked at.
	At time.Time `json:"at"`
}

// NewReport tells what Apply returned for the order with that digest. drift is what Read returned before.
func NewReport(digest string, before, after Standing, err error, verified bool, version string, at time.Time) Report {
	r := Report{
		Digest: digest, Stage: StageDone.String(), Reservations: after.Reservations, Drift: before.Drift, Drifts: before.Drifts,
		Findings: after.Findings, Verified: verified && err == nil, Version: version, At: at.UTC(),
	}
	if after.Present() {
		r.Word = &after.Word
	}
	var failure *Failure
	switch {
	case errors.As(err, &failure):
		r.Stage, r.Error, r.Restored = failure.Stage.String(), oneLine(failure.Err), failure.Restored
		if failure.Unrestored != nil {
			r.Unrestored = oneLine(failure.Unrestored)
		}
	case err != nil:
		r.Stage, r.Error = StageRead.String(), oneLine(err)
	}
	r.Fenced = errors.Is(err, ErrFenced)
	return r
}

// The keys of the ConfigMaps: the order's, and beside it for people the word on one line; and the report's.
const (
	KeyOrder  = "order.json.gz"
	KeyWord   = "word"
	KeyReport = "report.json"
)
