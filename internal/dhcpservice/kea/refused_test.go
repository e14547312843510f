package kea

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/render"
)

// What happens when commands are refused: what the error says, what stands there, and whether Kea serves.
func TestRefusedCommands(t *testing.T) {
	for name, c := range map[string]struct {
		modern   bool
		refuse   map[string]int // how often
		stage    dhcpservice.Stage
		says     []string
		restored bool
		deaf     bool
	}{
		"config-test":      {refuse: map[string]int{"config-test": 0}, stage: dhcpservice.StageCheck, says: []string{"config-test: refused", "no such"}},
		"config-set":       {refuse: map[string]int{"config-set": 1}, stage: dhcpservice.StageWrite, says: []string{"config-set: refused", "was set again"}, restored: true},
		"config-set twice": {refuse: map[string]int{"config-set": 2}, stage: dhcpservice.StageWrite, says: []string{"has loaded its file again"}, restored: true},
		"config-set and config-reload": {
			refuse: map[string]int{"config-set": 0, "config-reload": 0}, stage: dhcpservice.StageWrite, says: []string{"serves nobody"}, deaf: true,
		},
		"config-write":    {refuse: map[string]int{"config-write": 0}, stage: dhcpservice.StageWrite, says: []string{"config-write: refused", "let Kea's account write", "was undone", "not be written again"}, restored: true},
		"full disk":       {refuse: map[string]int{"config-write": 1}, stage: dhcpservice.StageWrite, says: []string{"config-write: refused", "was undone"}, restored: true},
		"modern set":      {modern: true, refuse: map[string]int{"config-set": 1}, stage: dhcpservice.StageWrite, says: []string{"was set again"}, restored: true},
		"config-get":      {refuse: map[string]int{"config-get": 0}, stage: dhcpservice.StageRead, says: []string{"config-get: refused"}},
		"nothing refused": {stage: dhcpservice.StageDone},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, c.modern)
			d := connect(t, f)
			apply(t, d, wanted("lab", 2, before, 1))
			f.since()
			for command, times := range c.refuse {
				f.refuse[command], f.refusals[command] = "no such\nthing", times
			}
			_, err := dhcpservice.Apply(t.Context(), d, wanted("lab", 2, after, 2), nil)
			var failure *dhcpservice.Failure
			if !errors.As(err, &failure) {
				failure = &dhcpservice.Failure{Stage: dhcpservice.StageDone, Err: errors.New("")}
			}
			if failure.Stage != c.stage || failure.Restored != c.restored || (failure.Unrestored != nil) != c.deaf || strings.Contains(failure.Error(), "\n") {
				t.Errorf("stage %s, restored %t, %v", failure.Stage, failure.Restored, err)
			}
			for _, text := range c.says {
				if !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "s3cret") {
					t.Errorf("%v; want %q in it", err, text)
				}
			}
			clear(f.refuse)
			want := wanted("lab", 2, before, 1)
			if c.stage == dhcpservice.StageDone {
				want = wanted("lab", 2, after, 2)
			}
			if s, err := d.Read(t.Context(), want); err != nil || s.Drifts != 0 || s.Word != want.Word || f.deaf != c.deaf {
				t.Errorf("there stands %+v, %v; deaf: %t", s, err, f.deaf)
			}
			if err := d.Renew(t.Context()); err != nil || f.deaf {
				t.Errorf("renewed: %v; deaf: %t", err, f.deaf)
			}
		})
	}
}

// A command for one reservation that is refused has everything said again, as a whole.
func TestRefusedSingleChange(t *testing.T) {
	for name, c := range map[string]struct {
		refuse []string
		given  []string
		fails  bool
	}{
		"add": {[]string{commandAdd}, []string{commandAdd, "config-test", "config-set", "config-write"}, false},
		"add and test": {
			[]string{commandAdd, "config-test"}, []string{commandAdd, "config-test", "config-set"}, true,
		},
	} {
		f := newFake(t, true)
		d := connect(t, f)
		apply(t, d, wanted("lab", 1, before, 1))
		f.since()
		for _, command := range c.refuse {
			f.refuse[command] = "no"
		}
		_, err := dhcpservice.Apply(t.Context(), d, wanted("lab", 2, before, 1), nil)
		if got := f.since(); !slices.Equal(got, c.given) || (err != nil) != c.fails {
			t.Errorf("%s: given %v, error %v", name, got, err)
		}
	}
}

func TestCancelledWriteIsPutBack(t *testing.T) {
	f := newFake(t, false)
	d := connect(t, f)
	apply(t, d, wanted("lab", 1, before, 1))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := dhcpservice.Apply(ctx, d, wanted("lab", 1, after, 2), func(context.Context, render.Wanted) error { cancel(); return ctx.Err() })
	var failure *dhcpservice.Failure
	if !errors.As(err, &failure) || failure.Stage != dhcpservice.StageVerify || !failure.Restored {
		t.Errorf("%v", err)
	}
	if s, err := d.Read(t.Context(), wanted("lab", 1, before, 1)); err != nil || s.Drifts != 0 {
		t.Errorf("there stands %+v, %v", s, err)
	}
	if strings.Contains(f.file, after) {
		t.Errorf("the file says %s", f.file)
	}
}
