package dhcpservice

import (
	"context"

	"github.com/tugboot/tugboot/internal/render"
)

// Driver speaks with one running service, or with one peer of a pair. Its methods are called one at a time.
type Driver interface {
	// Read returns what stands in the service for the cluster of want's word, and how it differs from want. It changes
	// nothing.
	Read(ctx context.Context, want render.Wanted) (Standing, error)
	// Check has want, and the operator's own configuration around it, looked at by everything that can say whether the
	// service would take it, lint included. It changes nothing.
	Check(ctx context.Context, want render.Wanted) error
	// Keep remembers what stands there for the cluster now and returns how to put that back.
	Keep(ctx context.Context) (restore func(context.Context) error, err error)
	// Write makes the service say want, and nothing else of the cluster's; the operator's own stays as it is. When it
	// fails, what stands there is not known.
	Write(ctx context.Context, want render.Wanted) error
}

// Renewer is a Driver whose service can be made to take up once more what stands in it, for one that says what it should and
// does not answer so.
type Renewer interface {
	Renew(ctx context.Context) error
}

// Standing is what stands in a service for one cluster.
type Standing struct {
	// Word is the zero value when nothing of the cluster's stands there.
	Word render.Word
	// Reservations counts those that carry the cluster's mark.
	Reservations int
	// Drift is how what stands there differs from what is wanted, each in a sentence with what, where and the two values;
	// the first few of them. Drifts counts all. A higher or lower word alone is no drift.
	Drift  []string
	Drifts int
	// Findings are what lint found in the whole configuration, the operator's part included.
	Findings Findings
}

// Present reports whether anything of the cluster's stands there.
func (s Standing) Present() bool { return s.Word.Mark.Cluster != "" }

// Verify asks the service as machines would, each architecture and stage, and returns what is wrong with its answers; nil
// when every answer is what want asks for.
type Verify func(ctx context.Context, want render.Wanted) error
