package inventory

import (
	"sync"
	"sync/atomic"
)

// Store publishes snapshots. Reading is one atomic load; it never blocks and never sees half of a change.
type Store struct {
	current atomic.Pointer[Snapshot]
	once    sync.Once
	first   chan struct{}
}

// NewStore returns a store that holds an empty snapshot and is not ready.
func NewStore() *Store {
	s := &Store{first: make(chan struct{})}
	s.current.Store(New(nil))
	return s
}

// Load returns the snapshot in force. It is never nil.
func (s *Store) Load() *Snapshot { return s.current.Load() }

// Publish puts snapshot in force and makes the store ready.
func (s *Store) Publish(snapshot *Snapshot) {
	s.current.Store(snapshot)
	s.once.Do(func() { close(s.first) })
}

// Ready is closed when the first snapshot has been published.
func (s *Store) Ready() <-chan struct{} { return s.first }
