package dhcpservice

import (
	"context"
	"fmt"

	"github.com/tugboot/tugboot/internal/render"
)

// Peer is one server of a high-availability relation. Name is the one that messages use.
type Peer struct {
	Name   string
	Driver Driver
}

// Peers makes one Driver of the servers of a high-availability relation: each is checked before any is written, all are
// written before any answer is verified, and all are put back together. With one peer it adds its name to messages.
func Peers(peers []Peer) Driver { return group(peers) }

type group []Peer

// Read returns what stands in all of them: the lowest word, the fewest reservations, and every difference.
func (g group) Read(ctx context.Context, want render.Wanted) (Standing, error) {
	var all Standing
	for i, peer := range g {
		s, err := peer.Driver.Read(ctx, want)
		if err != nil {
			return Standing{}, peer.named(err)
		}
		switch {
		case i == 0:
			all.Word, all.Reservations = s.Word, s.Reservations
		case highest(s, want) && !highest(all, want): // the fence of any of them counts
			all.Word = s.Word
		case s.Word != all.Word && !highest(all, want):
			all.Word = lower(all.Word, s.Word, want.Word)
		}
		all.Reservations = min(all.Reservations, s.Reservations)
		all.Drifts += s.Drifts
		all.Findings.with(peer.Name, s.Findings)
		for _, line := range s.Drift {
			if len(all.Drift) < maxDrift {
				all.Drift = append(all.Drift, peer.Name+": "+line)
			}
		}
	}
	return all, nil
}

// maxDrift bounds the differences that are listed.
const maxDrift = 16

// highest reports whether the word that stands there is above the one that is wanted.
func highest(s Standing, want render.Wanted) bool {
	return s.Present() && want.Word.Mark.Fence.Less(s.Word.Mark.Fence)
}

// lower returns the lower word; of two with one fence, the one that is not wanted.
func lower(a, b, wanted render.Word) render.Word {
	if b.Mark.Fence.Less(a.Mark.Fence) || a == wanted && !a.Mark.Fence.Less(b.Mark.Fence) {
		return b
	}
	return a
}

// Check asks all of them.
func (g group) Check(ctx context.Context, want render.Wanted) error {
	var problem error
	for _, peer := range g {
		problem = both(problem, peer.named(peer.Driver.Check(ctx, want)))
	}
	return problem
}

// Keep remembers what stands in all of them.
func (g group) Keep(ctx context.Context) (func(context.Context) error, error) {
	var restores []func(context.Context) error
	for _, peer := range g {
		restore, err := peer.Driver.Keep(ctx)
		if err != nil {
			return nil, peer.named(err)
		}
		restores = append(restores, func(ctx context.Context) error { return peer.named(restore(ctx)) })
	}
	return func(ctx context.Context) error {
		var problem error
		for _, restore := range restores {
			problem = both(problem, restore(ctx))
		}
		return problem
	}, nil
}

// Write writes one after the other and stops at the first that fails.
func (g group) Write(ctx context.Context, want render.Wanted) error {
	for _, peer := range g {
		if err := peer.Driver.Write(ctx, want); err != nil {
			return peer.named(err)
		}
	}
	return nil
}

// Renew renews all of them that can be.
func (g group) Renew(ctx context.Context) error {
	var problem error
	for _, peer := range g {
		if r, can := peer.Driver.(Renewer); can {
			problem = both(problem, peer.named(r.Renew(ctx)))
		}
	}
	return problem
}

// both makes one line of two errors, either of which may be nil.
func both(a, b error) error {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return fmt.Errorf("%w; %w", a, b)
}

func (p Peer) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", p.Name, err)
}
