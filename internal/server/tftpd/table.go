package tftpd

import (
	"hash/maphash"
	"net/netip"
	"sync"
)

// shards is the number of locks over which the sessions of a listener are spread.
const shards = 64

// table finds the session of a client. A session's own lock is never waited for while a shard's lock is held.
type table struct {
	seed   maphash.Seed
	shards [shards]struct {
		mu       sync.Mutex
		sessions map[netip.AddrPort]*session
	}
}

func newTable() *table {
	t := &table{seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].sessions = map[netip.AddrPort]*session{}
	}
	return t
}

func (t *table) shard(client netip.AddrPort) int {
	return int(maphash.Comparable(t.seed, client) % shards)
}

// find returns the session of client, nil if there is none.
func (t *table) find(client netip.AddrPort) *session {
	shard := &t.shards[t.shard(client)]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	return shard.sessions[client]
}

// insert puts s in, unless its client has a session already, which it returns instead.
func (t *table) insert(s *session) *session {
	shard := &t.shards[t.shard(s.client)]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if there := shard.sessions[s.client]; there != nil {
		return there
	}
	shard.sessions[s.client] = s
	return s
}

// remove takes s out, if it is in.
func (t *table) remove(s *session) {
	shard := &t.shards[t.shard(s.client)]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.sessions[s.client] == s {
		delete(shard.sessions, s.client)
	}
}

// all returns every session.
func (t *table) all() []*session {
	var found []*session
	for i := range t.shards {
		shard := &t.shards[i]
		shard.mu.Lock()
		for _, s := range shard.sessions {
			found = append(found, s)
		}
		shard.mu.Unlock()
	}
	return found
}
