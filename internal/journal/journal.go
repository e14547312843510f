package journal

import (
	"container/list"
	"sync"
	"time"

	"github.com/tugboot/tugboot/internal/reservation"
)

// Stage is the part of a boot that an entry belongs to.
type Stage string

// The stages, in the order in which a boot passes through them.
const (
	StageDHCP   Stage = "dhcp"
	StageTFTP   Stage = "tftp"
	StageHTTP   Stage = "http"
	StageScript Stage = "script"
	StageSyslog Stage = "syslog"
)

// Entry is one thing that happened to a machine.
type Entry struct {
	At    time.Time `json:"at"`
	Stage Stage     `json:"stage"`
	// What says what was asked and answered, such as "DISCOVER -> OFFER 192.168.2.10".
	What string `json:"what"`
	// Reason is the reason of the answer, empty where there is none.
	Reason string `json:"reason,omitempty"`
	// Exchange is What in parts, which are put together when the entry is read; the zero value where What was given.
	Exchange Exchange `json:"-"`
	// Bytes is what was sent to the machine; Took how long that lasted.
	Bytes int64         `json:"bytes,omitempty"`
	Took  time.Duration `json:"tookNanoseconds,omitempty"`
}

// Bounds of a journal: the machines it remembers, and the last entries it keeps of each.
const (
	DefaultMachines = 4096
	DefaultEntries  = 64
)

// Journal is safe for concurrent use. When it is full, the machine that was silent longest is forgotten.
type Journal struct {
	machines, entries int

	mu     sync.Mutex
	byMAC  map[reservation.MAC]*list.Element
	recent *list.List // of *machine, the most recent first
}

type machine struct {
	mac  reservation.MAC
	ring []Entry
	next int // where the next entry goes once the ring is full
}

// New returns a journal that keeps the last entries of at most machines machines; both must be positive.
func New(machines, entries int) *Journal {
	return &Journal{machines: machines, entries: entries, byMAC: map[reservation.MAC]*list.Element{}, recent: list.New()}
}

// Record adds an entry. It takes no memory for a machine that is known, nor once as many as it remembers were heard of.
func (j *Journal) Record(m reservation.MAC, e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	element, known := j.byMAC[m]
	switch {
	case known:
		j.recent.MoveToFront(element)
	case j.recent.Len() < j.machines:
		element = j.recent.PushFront(&machine{mac: m})
		j.byMAC[m] = element
	default: // what was the memory of the one silent longest is that of the new one
		element = j.recent.Back()
		oldest := element.Value.(*machine)
		delete(j.byMAC, oldest.mac)
		oldest.mac, oldest.ring, oldest.next = m, oldest.ring[:0], 0
		j.byMAC[m] = element
		j.recent.MoveToFront(element)
	}
	element.Value.(*machine).add(e, j.entries)
}

func (m *machine) add(e Entry, limit int) {
	if len(m.ring) < limit {
		m.ring = append(m.ring, e)
		return
	}
	m.ring[m.next] = e
	m.next = (m.next + 1) % limit
}

// Timeline returns the entries of a machine, the oldest first; nil for a machine that is not remembered.
func (j *Journal) Timeline(m reservation.MAC) []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	element, known := j.byMAC[m]
	if !known {
		return nil
	}
	found := element.Value.(*machine)
	timeline := make([]Entry, 0, len(found.ring))
	timeline = append(timeline, found.ring[found.next:]...)
	timeline = append(timeline, found.ring[:found.next]...)
	for i := range timeline {
		timeline[i] = timeline[i].worded()
	}
	return timeline
}

// Machines returns the machines it remembers, the most recently active first.
func (j *Journal) Machines() []reservation.MAC {
	j.mu.Lock()
	defer j.mu.Unlock()
	macs := make([]reservation.MAC, 0, j.recent.Len())
	for e := j.recent.Front(); e != nil; e = e.Next() {
		macs = append(macs, e.Value.(*machine).mac)
	}
	return macs
}

// Latest returns the last entry of each machine that something happened to since a time, the most recent first.
func (j *Journal) Latest(since time.Time) []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	var latest []Entry
	for e := j.recent.Front(); e != nil; e = e.Next() {
		m := e.Value.(*machine)
		last := m.ring[(m.next+len(m.ring)-1)%len(m.ring)]
		if last.At.Before(since) {
			break
		}
		latest = append(latest, last.worded())
	}
	return latest
}
