package agent

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/tugboot/tugboot/internal/dhcpservice"
)

// API is one Kubernetes API, with the ConfigMaps of one DHCPService.
type API struct {
	// Name tells it from the others in the log.
	Name string
	// Read returns the packed order; nil when there is none.
	Read func(ctx context.Context) (packed []byte, err error)
	// Write puts a report in place of the last one. The error is ErrNoReport when there is no ConfigMap for it.
	Write func(ctx context.Context, report []byte) error
}

// ErrNoReport is in the chain of the error when the ConfigMap for reports does not exist.
var ErrNoReport = errors.New("no ConfigMap for the report")

// source is an API and what came from it.
type source struct {
	api API
	// reachable says that the last call went well, and lost that an outage was logged.
	reachable, lost bool
	// digest names what it holds, empty for nothing. order is nil when that cannot be carried out, and refused says why.
	digest  string
	order   *candidate
	refused error
	// told is the last report that was written there, without its time; toldAt is that time.
	told   string
	toldAt time.Time
	// problem is the last one that was logged about writing there.
	problem string
}

// poll asks all APIs at once.
func (a *Agent) poll(ctx context.Context) {
	var calls sync.WaitGroup
	packed, errs := make([][]byte, len(a.sources)), make([]error, len(a.sources))
	for i, s := range a.sources {
		calls.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, a.o.Times.Call)
			defer cancel()
			packed[i], errs[i] = s.api.Read(ctx)
		})
	}
	calls.Wait()
	if ctx.Err() != nil {
		return
	}
	for i, s := range a.sources {
		a.polled(s, packed[i], errs[i])
	}
}

// polled takes what an API answered. When it did not answer, its last order holds on.
func (a *Agent) polled(s *source, packed []byte, err error) {
	s.reachable = err == nil
	if err != nil {
		if !s.lost {
			a.o.Log.Info("the API does not answer: the last order holds on", "api", s.api.Name, "error", err.Error())
			s.lost = true
		}
		return
	}
	if s.lost {
		a.o.Log.Info("the API answers again", "api", s.api.Name)
		s.lost = false
	}
	if packed == nil {
		s.digest, s.order, s.refused, s.told = "", nil, nil, ""
		return
	}
	digest := dhcpservice.Digest(packed)
	if digest == s.digest {
		return
	}
	s.digest = digest
	if s.order, s.refused = a.read(packed, time.Now()); s.refused != nil {
		a.o.Log.Error(s.refused, "the order is refused: the last good one holds on", "api", s.api.Name)
	}
}

// tell writes a report into every API that holds an order, when it says something else than the last or that is old.
func (a *Agent) tell(ctx context.Context) {
	chosen := a.choose()
	var calls sync.WaitGroup
	errs := make([]error, len(a.sources))
	for i, s := range a.sources {
		if !s.reachable || s.digest == "" {
			continue
		}
		r, known := a.reportFor(s, chosen)
		if !known {
			continue
		}
		content, err := text(r, time.Time{})
		if err == nil && content == s.told && time.Since(s.toldAt) < a.o.Times.Refresh {
			continue
		}
		calls.Go(func() {
			errs[i] = errors.Join(err, a.write(ctx, s, r, content))
		})
	}
	calls.Wait()
	for i, s := range a.sources {
		problem := ""
		if errs[i] != nil && ctx.Err() == nil {
			problem = errs[i].Error()
		}
		if problem != "" && s.problem == "" {
			a.o.Log.Info("the report was not written: it is tried again", "api", s.api.Name, "error", problem)
		}
		s.problem = problem
	}
}

// write puts the report into the API; it touches nothing but its own source.
func (a *Agent) write(ctx context.Context, s *source, r dhcpservice.Report, content string) error {
	full, err := text(r, r.At)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, a.o.Times.Call)
	defer cancel()
	if err := s.api.Write(ctx, []byte(full)); err != nil {
		return err
	}
	s.told, s.toldAt = content, time.Now()
	return nil
}

// reportFor is the report on the order that an API holds; false when nothing is known of it yet.
func (a *Agent) reportFor(s *source, chosen *candidate) (dhcpservice.Report, bool) {
	err := s.refused
	switch {
	case err != nil:
	case s.digest == chosen.digest:
		return a.report, a.report.Digest == s.digest
	default:
		err = refusal(s.order, chosen)
	}
	err = &dhcpservice.Failure{Stage: dhcpservice.StageRead, Err: err}
	return dhcpservice.NewReport(s.digest, dhcpservice.Standing{}, a.standing, err, false, a.report.Version, time.Now()), true
}

// text is a report's JSON with that time.
func text(r dhcpservice.Report, at time.Time) (string, error) {
	r.At = at
	encoded, err := json.Marshal(r)
	return string(encoded), err
}
