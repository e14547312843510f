package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"
)

const (
	// maxSpans and maxTargets bound what a Sampler remembers; a takeover needs a few dozen spans and four targets.
	maxSpans    = 4096
	maxTargets  = 32
	maxProblems = 20
)

// Span is a series of equal answers of one server.
type Span struct {
	// Server is who sent them, IPXE how the machine asked.
	Server netip.Addr
	IPXE   bool
	// NextServer and BootFile are what the answers say; the zero values where they give nothing to boot.
	NextServer  netip.Addr
	BootFile    string
	First, Last time.Time
	// Answers counts them. Unserved counts those whose boot file could not be had at the moment, Excused those that could
	// not because the lab itself had stopped that stack.
	Answers, Unserved, Excused int
}

// Change is that a server answers with another next-server than before, or does not answer any more.
type Change struct {
	At time.Time
	// Server is who answers. NextServer is the zero Addr where the answers give nothing to boot.
	Server, NextServer netip.Addr
	Silent             bool
}

// target is one thing that answers tell machines to fetch.
type target struct {
	url  string
	host netip.Addr
	// fresh are answers since the last look began, due those that the look going on decides about.
	fresh, due map[*Span]int
	looked     bool
	served     bool // what the last look saw
}

// accounts are the answers that a Sampler got, in bounded memory.
type accounts struct {
	changed func(Change)
	begin   func(*target) // has a new target looked at from now on

	mu       sync.Mutex
	spans    []*Span
	current  map[asker]*Span
	said     map[netip.Addr]netip.Addr // by server: the next-server that was told to changed last
	heard    map[netip.Addr]time.Time
	targets  map[string]*target
	excused  map[netip.Addr]bool
	problems []error
}

// asker tells apart what is accounted for on its own.
type asker struct {
	server netip.Addr
	ipxe   bool
}

func newAccounts(changed func(Change), begin func(*target)) *accounts {
	if changed == nil {
		changed = func(Change) {}
	}
	return &accounts{changed: changed, begin: begin, current: map[asker]*Span{}, said: map[netip.Addr]netip.Addr{},
		heard: map[netip.Addr]time.Time{}, targets: map[string]*target{}, excused: map[netip.Addr]bool{}}
}

// fail notes what must not happen; the first few are kept.
func (a *accounts) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.note(err)
}

// note is fail with a.mu held.
func (a *accounts) note(err error) {
	if len(a.problems) < maxProblems {
		a.problems = append(a.problems, err)
	}
}

// add accounts for an answer.
func (a *accounts) add(got answer) {
	if got.nak {
		a.fail(fmt.Errorf("%s: a NAK from %s", got.at.Format(clock), got.server))
		return
	}
	host, err := got.host()
	if err != nil {
		a.fail(fmt.Errorf("%s: %w", got.at.Format(clock), err))
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	span := a.span(got)
	if span == nil {
		return
	}
	span.Last = got.at
	span.Answers++
	a.heard[got.server] = got.at
	if before, heard := a.said[got.server]; !heard || before != got.nextServer {
		a.said[got.server] = got.nextServer
		a.changed(Change{At: got.at, Server: got.server, NextServer: got.nextServer})
	}
	if address := got.fetches(); address != "" {
		if t := a.target(address, host); t != nil {
			t.fresh[span]++
		}
	}
}

// host is where the machine would fetch its boot file; an answer that names two hosts is an error.
func (a answer) host() (netip.Addr, error) {
	address := a.fetches()
	if address == "" {
		return netip.Addr{}, nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("an answer of %s with the boot file %q: %w", a.server, a.bootFile, err)
	}
	host, err := netip.ParseAddr(u.Hostname())
	if err != nil || host != a.nextServer {
		return netip.Addr{}, fmt.Errorf("an answer of %s with next-server %s and the boot file %q: not one stack's", a.server, a.nextServer, a.bootFile)
	}
	return host, nil
}

// span returns the span that the answer belongs to; nil when there are too many. a.mu is held.
func (a *accounts) span(got answer) *Span {
	by := asker{got.server, got.ipxe}
	now := a.current[by]
	if now != nil && now.NextServer == got.nextServer && now.BootFile == got.bootFile && got.at.Sub(now.Last) < silentAfter {
		return now
	}
	if len(a.spans) >= maxSpans {
		a.note(errors.New("the answers change too often to be remembered"))
		return nil
	}
	now = &Span{Server: got.server, IPXE: got.ipxe, NextServer: got.nextServer, BootFile: got.bootFile, First: got.at}
	a.spans = append(a.spans, now)
	a.current[by] = now
	return now
}

// target returns the target with that URL; nil when there are too many. a.mu is held.
func (a *accounts) target(address string, host netip.Addr) *target {
	t := a.targets[address]
	if t != nil {
		return t
	}
	if len(a.targets) >= maxTargets {
		a.note(fmt.Errorf("too many boot files to look at, %s is one more", address))
		return nil
	}
	t = &target{url: address, host: host, fresh: map[*Span]int{}, due: map[*Span]int{}}
	a.targets[address] = t
	a.begin(t)
	return t
}

// looking is called when a look at t begins: what was answered until now is decided by it.
func (a *accounts) looking(t *target) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t.due, t.fresh = t.fresh, t.due
	clear(t.fresh)
}

// saw is called with what the look saw. An answer is held against its server when neither the look before it nor the
// look after it found what it names.
func (a *accounts) saw(t *target, served bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !served && !(t.looked && t.served) {
		for span, n := range t.due {
			if a.excused[t.host] {
				span.Excused += n
			} else {
				span.Unserved += n
			}
		}
	}
	clear(t.due)
	t.looked, t.served = true, served
}

// quiet tells which servers do not answer any more.
func (a *accounts) quiet(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for server, last := range a.heard {
		if now.Sub(last) >= silentAfter {
			delete(a.heard, server)
			delete(a.said, server)
			a.changed(Change{At: last, Server: server, Silent: true})
		}
	}
}

// clock is how moments are written in messages.
const clock = "15:04:05.000"

// Excuse says that the lab itself stops the stack at addr, or has started it again.
func (s *Sampler) Excuse(addr netip.Addr, stopped bool) {
	s.accounts.mu.Lock()
	defer s.accounts.mu.Unlock()
	s.accounts.excused[addr] = stopped
}

// Spans returns what was answered so far, in the order in which it began.
func (s *Sampler) Spans() []Span {
	s.accounts.mu.Lock()
	defer s.accounts.mu.Unlock()
	all := make([]Span, len(s.accounts.spans))
	for i, span := range s.accounts.spans {
		all[i] = *span
	}
	return all
}

// Problems returns what was seen that must not happen, other than boot files that were not served: see Span.Unserved.
func (s *Sampler) Problems() []error {
	s.accounts.mu.Lock()
	defer s.accounts.mu.Unlock()
	return slices.Clone(s.accounts.problems)
}

// Served reports whether everything that was ever advertised of the stack at addr was there at the last look, and that
// there is something.
func (s *Sampler) Served(addr netip.Addr) bool {
	s.accounts.mu.Lock()
	defer s.accounts.mu.Unlock()
	found := false
	for _, t := range s.accounts.targets {
		if t.host == addr {
			if !t.served {
				return false
			}
			found = true
		}
	}
	return found
}
