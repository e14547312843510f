package dhcpservice

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/takeover"
)

// scripted is a service that notes what is asked of it, and fails where it is told to.
type scripted struct {
	calls  []string
	stands render.Word
	drift  int // seen after a write
	found  Findings
	// becomes is what stands there after a write, and returns after a restore, in place of what should; zero for that.
	becomes, returns render.Word
	fails            map[string]error
}

func (s *scripted) did(what string) error {
	s.calls = append(s.calls, what)
	return s.fails[what]
}

func (s *scripted) Read(context.Context, render.Wanted) (Standing, error) {
	err := s.did("read")
	standing := Standing{Word: s.stands, Findings: s.found}
	if slices.Contains(s.calls, "write") && s.drift > 0 {
		standing.Drifts, standing.Drift = s.drift, []string{"it differs"}
	}
	return standing, err
}

func (s *scripted) Check(context.Context, render.Wanted) error { return s.did("check") }

func (s *scripted) Keep(context.Context) (func(context.Context) error, error) {
	kept := s.stands
	return func(ctx context.Context) error {
		if s.stands = kept; s.returns != (render.Word{}) {
			s.stands = s.returns
		}
		return errors.Join(ctx.Err(), s.did("restore"))
	}, s.did("keep")
}

func (s *scripted) Write(_ context.Context, want render.Wanted) error {
	if s.stands = want.Word; s.becomes != (render.Word{}) {
		s.stands = s.becomes
	}
	return s.did("write")
}

func word(epoch int64) render.Word {
	return render.Word{
		Mark: takeover.Mark{Cluster: "lab", Fence: takeover.Fence{Born: 1, Epoch: epoch}},
		Says: takeover.Endpoint{Addr: netip.MustParseAddr("192.0.2.1"), TFTPPort: 69},
	}
}

func TestApplyInOrder(t *testing.T) {
	broken := errors.New("broken")
	tests := []struct {
		name     string
		epoch    int64
		fails    map[string]error
		drift    int
		calls    string
		stage    Stage
		restored bool
		stands   int64
	}{
		{"all well", 2, nil, 0, "read check keep write read verify", StageDone, false, 2},
		{"the same epoch", 1, nil, 0, "read check keep write read verify", StageDone, false, 1},
		{"cannot be read", 2, map[string]error{"read": broken}, 0, "read", StageRead, false, 1},
		{"a higher word stands there", 0, nil, 0, "read", StageRead, false, 1},
		{"refused", 2, map[string]error{"check": broken}, 0, "read check", StageCheck, false, 1},
		{"cannot be kept", 2, map[string]error{"keep": broken}, 0, "read check keep", StageCheck, false, 1},
		{"half written", 2, map[string]error{"write": broken}, 0, "read check keep write restore read", StageWrite, true, 1},
		{"reads back otherwise", 2, nil, 1, "read check keep write read restore read", StageWrite, true, 1},
		{"wrong answers", 2, map[string]error{"verify": broken}, 0, "read check keep write read verify restore read", StageVerify, true, 1},
		{"cannot be put back", 2, map[string]error{"verify": broken, "restore": broken}, 0, "read check keep write read verify restore", StageVerify, false, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			s := &scripted{stands: word(1), fails: test.fails, drift: test.drift}
			_, err := Apply(ctx, s, render.Wanted{Word: word(test.epoch)}, func(context.Context, render.Wanted) error {
				cancel() // whoever waits gives up; what was begun is put back all the same
				return s.did("verify")
			})
			if got := strings.Join(s.calls, " "); got != test.calls {
				t.Errorf("calls %q, want %q", got, test.calls)
			}
			if s.stands.Mark.Fence.Epoch != test.stands {
				t.Errorf("epoch %d stands there, want %d", s.stands.Mark.Fence.Epoch, test.stands)
			}
			var failure *Failure
			if !errors.As(err, &failure) {
				if err != nil || test.stage != StageDone {
					t.Errorf("error %v, want a failure at %s", err, test.stage)
				}
				return
			}
			if failure.Stage != test.stage || failure.Restored != test.restored || (failure.Unrestored != nil) != (test.fails["restore"] != nil) {
				t.Errorf("failure %+v, want %s, restored %t", failure, test.stage, test.restored)
			}
			if errors.Is(err, ErrFenced) != (test.epoch == 0) {
				t.Errorf("fenced: %v", err)
			}
			if test.restored && !strings.Contains(err.Error(), "what stood there before was put back") {
				t.Errorf("%v does not say that it was put back", err)
			}
		})
	}
}

// TestTheWordIsReadBack: a service in which another word stands than was written, or than stood there before, is not called
// right.
func TestTheWordIsReadBack(t *testing.T) {
	nobody := func(context.Context, render.Wanted) error { return nil }
	s := &scripted{stands: word(1), becomes: word(5)}
	_, err := Apply(t.Context(), s, render.Wanted{Word: word(2)}, nobody)
	var failure *Failure
	if !errors.As(err, &failure) || failure.Stage != StageWrite || !failure.Restored || s.stands != word(1) {
		t.Errorf("another word than was written: %v; %+v stands there", err, s.stands)
	}
	s = &scripted{stands: word(3), fails: map[string]error{"write": errors.New("broken")}, returns: word(1)}
	_, err = Apply(t.Context(), s, render.Wanted{Word: word(4)}, nobody)
	if !errors.As(err, &failure) || failure.Restored || failure.Unrestored == nil || !strings.Contains(err.Error(), "epoch 1 for 192.0.2.1 stands there, not epoch 3") {
		t.Errorf("another word than stood there: %v", err)
	}
}

// TestPutBackIsAsked: what was put back is asked about too, where it is known what that is.
func TestPutBackIsAsked(t *testing.T) {
	before, want := render.Wanted{Word: word(1)}, render.Wanted{Word: word(2)}
	for _, deaf := range []bool{false, true} {
		s := &scripted{stands: word(1)}
		var asked []int64
		_, err := ApplyOver(t.Context(), s, before, want, func(_ context.Context, w render.Wanted) error {
			asked = append(asked, w.Word.Mark.Fence.Epoch)
			if deaf || w.Word == want.Word {
				return errors.New("no answer")
			}
			return nil
		})
		var failure *Failure
		if !errors.As(err, &failure) || !failure.Restored || strings.Contains(err.Error(), "put back which stood there before: no answer") != deaf || !slices.Equal(asked, []int64{2, 1}) {
			t.Errorf("deaf %t: %v; asked for epochs %v", deaf, err, asked)
		}
	}
	// What stands there is not what the caller knows: it is read, and not asked about.
	s := &scripted{stands: word(1)}
	asked := 0
	_, err := ApplyOver(t.Context(), s, render.Wanted{Word: word(0)}, want, func(context.Context, render.Wanted) error { asked++; return errors.New("no answer") })
	var failure *Failure
	if !errors.As(err, &failure) || !failure.Restored || asked != 1 {
		t.Errorf("%v; asked %d times", err, asked)
	}
}

func TestPeersAreOneService(t *testing.T) {
	a, b := &scripted{stands: word(1)}, &scripted{stands: word(1)}
	peers := Peers([]Peer{{"a", a}, {"b", b}})
	want := render.Wanted{Word: word(2)}
	if got, err := Apply(t.Context(), peers, want, nil); err != nil || got.Word != want.Word || a.stands != want.Word || b.stands != want.Word {
		t.Fatalf("%+v, %v", got, err)
	}
	a.found, b.found = Findings{Lines: []string{"x"}, Count: 20}, Findings{Lines: []string{"y"}, Count: 1}
	if got, err := peers.Read(t.Context(), want); err != nil || got.Findings.Count != 21 || !slices.Equal(got.Findings.Lines, []string{"a: x", "b: y"}) {
		t.Errorf("findings %+v, %v", got.Findings, err)
	}
	// One that was not written makes the whole one that is to be written.
	b.stands = word(1)
	if got, err := peers.Read(t.Context(), want); err != nil || got.Word != word(1) {
		t.Errorf("read %+v, %v; want the lower word", got.Word, err)
	}
	// A higher word in any of them stops the writer.
	b.stands = word(9)
	if _, err := Apply(t.Context(), peers, want, nil); !errors.Is(err, ErrFenced) || b.stands != word(9) {
		t.Errorf("written over a higher epoch of one peer: %v", err)
	}
	// The second cannot be written: the first is put back too.
	a.stands, b.stands, b.fails = word(1), word(1), map[string]error{"write": errors.New("broken")}
	_, err := Apply(t.Context(), peers, want, nil)
	if err == nil || !strings.Contains(err.Error(), "b: broken") || a.stands != word(1) || b.stands != word(1) {
		t.Errorf("%v; %+v and %+v stand there", err, a.stands.Mark, b.stands.Mark)
	}
	// Two that stood at different epochs are put back each to its own.
	a.stands, b.stands, a.fails, b.fails = word(2), word(1), nil, nil
	_, err = Apply(t.Context(), peers, render.Wanted{Word: word(3)}, func(context.Context, render.Wanted) error { return errors.New("no answer") })
	var failure *Failure
	if !errors.As(err, &failure) || !failure.Restored || a.stands != word(2) || b.stands != word(1) {
		t.Errorf("%v; epochs %d and %d stand there", err, a.stands.Mark.Fence.Epoch, b.stands.Mark.Fence.Epoch)
	}
	// One with the same fence that tells another endpoint is seen, whichever it is.
	other := word(2)
	other.Says.TFTPPort = 70
	for _, pair := range [][2]render.Word{{word(2), other}, {other, word(2)}} {
		a.stands, b.stands = pair[0], pair[1]
		if got, err := peers.Read(t.Context(), want); err != nil || got.Word != other {
			t.Errorf("read %+v, %v; want the endpoint that is not wanted", got.Word.Says, err)
		}
	}
	// All that refuse are named on one line.
	a.fails, b.fails = map[string]error{"check": errors.New("x")}, map[string]error{"check": errors.New("y")}
	if err := peers.Check(t.Context(), want); err == nil || err.Error() != "a: x; b: y" {
		t.Errorf("%v", err)
	}
	a.fails, a.stands, b.stands = nil, word(1), word(1)
	// One that refuses keeps all from being written.
	a.calls, b.calls, b.fails = nil, nil, map[string]error{"check": errors.New("broken")}
	if _, err := Apply(t.Context(), peers, want, nil); err == nil || slices.Contains(a.calls, "write") {
		t.Errorf("%v; calls %q", err, a.calls)
	}
}
