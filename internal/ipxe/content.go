package ipxe

import (
	"net/netip"
	"os"
	"time"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Content is one file as it goes over HTTP or TFTP.
type Content struct {
	// Name is the file's base name.
	Name string
	// Body is shared between requests and must not be changed.
	Body []byte
	// Open opens what is too large for memory, in the place of Body; nil where there is a Body. An error is fs.ErrNotExist where
	// there is no such file.
	Open func() (*os.File, error)
	// Type is the media type.
	Type string
	// Modified is the time of the last change of a Body; zero for one that is made for each request.
	Modified time.Time
	// Machine is the machine it goes to, as far as the path or the source address tells; zero when unknown.
	Machine reservation.MAC
	// Reason names what was given, for the log, the metrics and the journal.
	Reason boot.Reason
}

// Refusal is the error of a path that is not given, in words for the one who asked.
type Refusal struct {
	Reason  boot.Reason
	Machine reservation.MAC
	// Message is one line: what was asked, why it is refused, what to do.
	Message string
	// Invalid is true when the machine's Hardware holds a value that may not stand in a script (HTTP 422), false when
	// there is nothing to give (HTTP 404, TFTP ERROR 1).
	Invalid bool
	// Forbidden is true when it is for somebody else than the one who asks (HTTP 403, TFTP ERROR 2).
	Forbidden bool
	// ForProbes is what a probe, which says so in its user agent, is given in its place; nil for nothing.
	ForProbes []byte
}

// Error implements error.
func (r *Refusal) Error() string { return r.Message }

// Source gives out files by path. An error is a *Refusal.
type Source interface {
	Get(path string, client netip.Addr) (Content, error)
}
