package probe

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/internal/reservation"
)

// rank says how much speaks for a place.
type rank int

// The ranks, the least first.
const (
	nothing   rank = iota
	guessed        // a healthy stack answers 404, as it does everywhere
	unhealthy      // a script is had from something that does not answer /healthcheck
	handled        // a healthy stack answers 404 in a way of its own
	served         // a healthy stack gives out a script
	proven         // a script that names this stack
)

func (s place) rank(t Target) rank {
	script := s.script.ok() && !s.notScript()
	switch {
	case script && s.health != nil:
		return unhealthy
	case script && s.names == t.Addr:
		return proven
	case script:
		return served
	case s.script.missing() && s.health == nil && !s.same:
		return handled
	case s.script.missing() && s.health == nil && s.clear:
		return guessed
	}
	return nothing
}

// notScript reports whether what was had is no script.
func (s place) notScript() bool { return errors.Is(s.proofErr, errNoScript) }

// settled reports whether there is no need to look elsewhere.
func (s place) settled(t Target) bool {
	r := s.rank(t)
	return r == proven || t.Machine.IsZero() && r >= handled
}

// finding chooses the place for which most speaks, of several the first, and words what is wrong there.
func finding(t Target, places []place) webFinding {
	best := places[0]
	for _, s := range places[1:] {
		if s.rank(t) > best.rank(t) {
			best = s
		}
	}
	r := best.rank(t)
	if r == nothing {
		return lost(t, places)
	}
	f := webFinding{port: best.port, path: best.path, healthTook: best.healthTook, scriptTook: best.script.took}
	if best.health != nil {
		f.healthErr = fmt.Errorf("GET %s: %w: is the stack ill, or that port another server's?", t.url(best.port, healthPath, reservation.MAC{}), best.health)
	}
	url := t.url(best.port, best.path, t.Machine)
	switch r {
	case unhealthy, served, proven:
		f.proof = best.names
		if !t.Machine.IsZero() {
			f.proofMAC = t.Machine.String()
		}
		if best.proofErr != nil {
			f.scriptErr = fmt.Errorf("GET %s: the script %w", url, best.proofErr)
		}
	case handled, guessed:
		if !t.Machine.IsZero() && best.port != sourcePort {
			f.scriptErr = fmt.Errorf("GET %s: %w: the stack has no Hardware with that MAC, or its allowPXE is not true", url, best.script.unexpected())
		}
	case nothing:
	}
	return f
}

// lost words what was found where no script's handler was: of the healthy ports if there are any, else of all.
func lost(t Target, places []place) webFinding {
	ill := func(s place) bool { return s.health != nil }
	var f webFinding
	if slices.ContainsFunc(places, func(s place) bool { return !ill(s) }) {
		places = slices.DeleteFunc(slices.Clone(places), ill)
	} else {
		var ports []string
		for _, s := range places {
			ports = append(ports, fmt.Sprintf("port %d %v", s.port, s.health))
		}
		slices.Sort(ports)
		f.healthErr = fmt.Errorf("no answer to GET http://%s%s: %s: is a stack started there, and are its ports open to this host?",
			t.Addr, healthPath, strings.Join(slices.Compact(ports), ", "))
	}
	var scripts []string
	for _, s := range places {
		f.healthTook, f.scriptTook = max(f.healthTook, s.healthTook), max(f.scriptTook, s.script.took)
		what := s.script.unexpected().Error()
		if s.notScript() {
			what += ", and " + s.proofErr.Error()
		}
		scripts = append(scripts, fmt.Sprintf("%s %s", t.url(s.port, s.path, t.Machine), what))
	}
	f.scriptErr = fmt.Errorf("no iPXE script found: GET %s: is a stack started there, and are its ports open to this host?", strings.Join(scripts, ", "))
	return f
}
