package dhcpservice

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tugboot/tugboot/internal/render"
)

// Stage is how far an Apply came.
type Stage uint8

// The stages, in their order.
const (
	// StageRead: the service was asked what stands there, and whose word that is.
	StageRead Stage = iota
	// StageCheck: what is to be written was checked, offline and by the service.
	StageCheck
	// StageWrite: it was written.
	StageWrite
	// StageVerify: the service was asked as machines would ask.
	StageVerify
	// StageDone: all went well.
	StageDone
)

// String is the stage's name, as the condition of that stage has it.
func (s Stage) String() string {
	switch s {
	case StageRead:
		return "Read"
	case StageCheck:
		return "Validated"
	case StageWrite:
		return "Applied"
	case StageVerify:
		return "Verified"
	case StageDone:
		return "Done"
	}
	return "Unknown"
}

// Failure is why an Apply did not come to its end.
type Failure struct {
	Stage Stage
	Err   error
	// Restored says that what stood there before stands there again, Unrestored why it could not be put back; both are
	// zero when nothing had been changed.
	Restored   bool
	Unrestored error
}

// Error says what failed, and what stands there now.
func (f *Failure) Error() string {
	switch {
	case f.Unrestored != nil:
		return oneLine(f.Err) + "; and what stood there before could not be put back: " + oneLine(f.Unrestored)
	case f.Restored:
		return oneLine(f.Err) + "; what stood there before was put back"
	}
	return oneLine(f.Err)
}

// oneLine is what err says, of several errors one after the other.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// Unwrap returns what failed.
func (f *Failure) Unwrap() error { return f.Err }

// ErrFenced is in the chain of the error when a higher word stands in the service: this writer's time is over.
var ErrFenced = errors.New("a higher epoch stands there")

// restoreTimeout bounds what putting back may take, on two servers that each join the other anew; it goes on when the caller has
// given up.
const restoreTimeout = 3 * time.Minute

// Apply makes the service say want, in the one order that loses nothing: read, refuse to write over a higher word, check,
// keep what stands there, write, ask as machines would, and put back what stood there when the answers are wrong. It
// returns what stands there afterwards; the error is a *Failure.
func Apply(ctx context.Context, d Driver, want render.Wanted, verify Verify) (Standing, error) {
	return ApplyOver(ctx, d, render.Wanted{}, want, verify)
}

// ApplyOver is Apply where the caller knows what the service was made to say before: when that is put back, the service is
// asked once more, and the error says what is wrong then too.
func ApplyOver(ctx context.Context, d Driver, before, want render.Wanted, verify Verify) (Standing, error) {
	standing, err := d.Read(ctx, want)
	if err != nil {
		return standing, &Failure{Stage: StageRead, Err: err}
	}
	if standing.Present() && want.Word.Mark.Fence.Less(standing.Word.Mark.Fence) {
		return standing, &Failure{Stage: StageRead, Err: fmt.Errorf("%w: it was written with epoch %d for %s, and this instance's is %d",
			ErrFenced, standing.Word.Mark.Fence.Epoch, standing.Word.Says.Addr, want.Word.Mark.Fence.Epoch)}
	}
	if err := d.Check(ctx, want); err != nil {
		return standing, &Failure{Stage: StageCheck, Err: err}
	}
	restore, err := d.Keep(ctx)
	if err != nil {
		return standing, &Failure{Stage: StageCheck, Err: fmt.Errorf("keep what stands there: %w", err)}
	}
	putBack := func(f *Failure) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreTimeout)
		defer cancel()
		if f.Unrestored = restore(ctx); f.Unrestored == nil {
			f.Unrestored = standsAgain(ctx, d, standing, want)
		}
		if f.Restored = f.Unrestored == nil; f.Restored && verify != nil && standing.Present() && before.Word == standing.Word {
			if err := verify(ctx, before); err != nil {
				f.Err = fmt.Errorf("%w; and once that was put back which stood there before: %w", f.Err, err)
			}
		}
		return f
	}
	if err := d.Write(ctx, want); err != nil {
		return standing, putBack(&Failure{Stage: StageWrite, Err: err})
	}
	written, err := d.Read(ctx, want)
	switch {
	case err != nil:
		return standing, putBack(&Failure{Stage: StageWrite, Err: fmt.Errorf("read back: %w", err)})
	case written.Word != want.Word || written.Drifts > 0:
		return standing, putBack(&Failure{Stage: StageWrite, Err: fmt.Errorf("read back: it does not say what was written: %v", written.Drift)})
	}
	if verify != nil {
		if err := verify(ctx, want); err != nil {
			return standing, putBack(&Failure{Stage: StageVerify, Err: err})
		}
	}
	return written, nil
}

// standsAgain looks whether standing stands there again.
func standsAgain(ctx context.Context, d Driver, standing Standing, want render.Wanted) error {
	if !standing.Present() {
		return nil
	}
	again, err := d.Read(ctx, want)
	switch {
	case err != nil:
		return fmt.Errorf("read back: %w", err)
	case again.Word != standing.Word:
		return fmt.Errorf("read back: epoch %d for %s stands there, not epoch %d for %s",
			again.Word.Mark.Fence.Epoch, again.Word.Says.Addr, standing.Word.Mark.Fence.Epoch, standing.Word.Says.Addr)
	}
	return nil
}
