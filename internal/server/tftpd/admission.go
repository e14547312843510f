package tftpd

import (
	"container/list"
	"net/netip"
	"sync"

	"github.com/tugboot/tugboot/internal/boot"
)

// admission counts the running transfers. Its lock is taken when a transfer begins, is first acknowledged and ends,
// never for the packets in between.
type admission struct {
	max, perSource int

	mu       sync.Mutex
	admitted map[*session]*list.Element // the element in unacked, nil once acknowledged
	bySource map[netip.Addr]int
	unacked  *list.List // of *session, the oldest first
	stopping bool
	idle     chan struct{} // closed when stopping and nothing runs
}

func newAdmission(maxSessions, perSource int) *admission {
	return &admission{max: maxSessions, perSource: perSource, admitted: map[*session]*list.Element{},
		bySource: map[netip.Addr]int{}, unacked: list.New(), idle: make(chan struct{})}
}

// admit takes s in. When that needs the place of another session, victim is it: it no longer counts, and the caller ends
// it. When there is no place, why is set and s is not taken in.
func (a *admission) admit(s *session) (victim *session, why boot.Reason) {
	a.mu.Lock()
	defer a.mu.Unlock()
	source := s.client.Addr()
	switch {
	case a.stopping:
		return nil, ReasonStopping
	case a.bySource[source] >= a.perSource:
		if victim = a.oldest(source); victim == nil {
			return nil, ReasonTooManyFromSource
		}
	case len(a.admitted) >= a.max:
		if victim = a.oldest(netip.Addr{}); victim == nil {
			return nil, ReasonTooManySessions
		}
	}
	if victim != nil {
		a.remove(victim)
	}
	a.admitted[s] = a.unacked.PushBack(s)
	a.bySource[source]++
	return victim, ""
}

// oldest returns the oldest session that is not acknowledged, of source unless that is zero; nil when there is none.
func (a *admission) oldest(source netip.Addr) *session {
	for e := a.unacked.Front(); e != nil; e = e.Next() {
		if s := e.Value.(*session); !source.IsValid() || s.client.Addr() == source {
			return s
		}
	}
	return nil
}

func (a *admission) acknowledged(s *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e := a.admitted[s]; e != nil {
		a.unacked.Remove(e)
		a.admitted[s] = nil
	}
}

// release lets go of s; it may be called for a session that is not in.
func (a *admission) release(s *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.remove(s)
	a.settle()
}

func (a *admission) remove(s *session) {
	e, in := a.admitted[s]
	if !in {
		return
	}
	if e != nil {
		a.unacked.Remove(e)
	}
	delete(a.admitted, s)
	source := s.client.Addr()
	if a.bySource[source]--; a.bySource[source] == 0 {
		delete(a.bySource, source)
	}
}

// stop refuses all that comes from now on. The channel is closed once nothing runs.
func (a *admission) stop() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.stopping {
		a.stopping = true
		a.settle()
	}
	return a.idle
}

func (a *admission) settle() {
	if !a.stopping || len(a.admitted) > 0 {
		return
	}
	select {
	case <-a.idle:
	default:
		close(a.idle)
	}
}

func (a *admission) running() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.admitted)
}
