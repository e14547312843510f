package takeover

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// reader takes the keys of a ConfigMap one by one and keeps the first thing that is wrong.
type reader struct {
	data    map[string]string
	taken   map[string]bool
	problem *Problem
}

// ParseBaton reads the data of the ConfigMap tugboot-baton-CLUSTER. It is strict: what a person has edited so that it is
// not what any Tugboot writes is a Problem, and a conflict, for nobody can say what is right then.
func ParseBaton(cluster string, data map[string]string) (Baton, *Problem) {
	r := &reader{data: data, taken: map[string]bool{}}
	var b Baton
	b.Cluster = r.one(keyCluster, "the cluster's name, "+strconv.Quote(cluster), func(s string) bool { return s == cluster })
	b.Fence.Epoch = r.number(keyEpoch, maxEpoch)
	b.Fence.Born = r.time(keyBorn).Unix()
	b.Withheld = r.truth(keyWithheld)
	b.Advertised = r.endpoint(keyAdvertised)
	b.Previous = r.endpoint(keyPrevious)
	if !b.Advertised.IsZero() || r.has(keySince) {
		b.Since = r.time(keySince)
	}
	if b.Latch.Endpoint = r.endpoint(keyLatch); b.Latch.Set() {
		b.Latch.At = r.time(keyLatchedAt)
		b.Latch.Identity = r.one(keyIdentity, "the UID of the management cluster's Namespace kube-system, or nothing", func(s string) bool { return s == "" || plainWord(s) })
	}
	if r.has(keyHandover) {
		b.Handover = r.one(keyHandover, "a reason such as "+ReasonBatonMoved, func(s string) bool { return strength(s) > 0 })
	}
	b.ReservationsOmitted = r.truth(keyOmitted)
	b.Reservations = r.reservations()
	b.Identity = b.Latch.Identity
	r.rest()
	if r.problem == nil && !b.Fence.sound() {
		r.wrong(keyBorn, "a time after 1970")
	}
	if r.problem != nil {
		r.problem.Object = "ConfigMap tugboot-baton-" + cluster
		return Baton{}, r.problem
	}
	return b, nil
}

func (r *reader) has(key string) bool {
	_, present := r.data[key]
	return present
}

func (r *reader) wrong(key, want string) {
	if r.problem == nil {
		r.problem = &Problem{
			Reason: ReasonInvalidBaton, Field: "data[" + key + "]", Value: r.data[key], Conflict: true,
			Remedy: "must be " + want + ": set it right, or delete the ConfigMap, and the takeover begins afresh",
		}
	}
}

// one reads one key, which must be there.
func (r *reader) one(key, want string, right func(string) bool) string {
	r.taken[key] = true
	s, present := r.data[key]
	if !present || !right(s) {
		r.wrong(key, want)
		return ""
	}
	return s
}

func (r *reader) number(key string, most int64) int64 {
	var n int64
	r.one(key, "a number from 1 to "+strconv.FormatInt(most, 10), func(s string) bool {
		var err error
		n, err = strconv.ParseInt(s, 10, 64)
		return err == nil && n > 0 && n <= most && strconv.FormatInt(n, 10) == s
	})
	return n
}

func (r *reader) port(key string) uint16 {
	var n uint64
	r.one(key, "a port number, or 0 for none", func(s string) bool {
		var err error
		n, err = strconv.ParseUint(s, 10, 16)
		return err == nil && strconv.FormatUint(n, 10) == s
	})
	return uint16(n)
}

func (r *reader) time(key string) time.Time {
	var t time.Time
	r.one(key, "a time such as 2026-11-23T20:15:00Z", func(s string) bool {
		var err error
		t, err = time.Parse(time.RFC3339, s)
		return err == nil && stamp(t) == s
	})
	return t.UTC()
}

func (r *reader) truth(key string) bool {
	return r.one(key, "true or false", func(s string) bool { return s == "true" || s == "false" }) == "true"
}

// endpoint reads a group of five keys, which are all there or none.
func (r *reader) endpoint(group string) Endpoint {
	var e Endpoint
	parts := []string{keyAddress, keyTFTPPort, keyHTTPPort, keyScriptPath, keyBootFiles}
	if !slices.ContainsFunc(parts, func(part string) bool { return r.has(group + part) }) {
		return e
	}
	r.one(group+keyAddress, "an IPv4 address that machines on the network can reach", func(s string) bool {
		var err error
		e.Addr, err = netip.ParseAddr(s)
		return err == nil && unreachable(e.Addr) == ""
	})
	e.TFTPPort, e.HTTPPort = r.port(group+keyTFTPPort), r.port(group+keyHTTPPort)
	anything := func(string) bool { return true }
	e.ScriptPath = r.one(group+keyScriptPath, "the script's path", anything)
	e.BootFiles = r.one(group+keyBootFiles, "pairs of family and file", anything)
	if field, want := e.wrong(); field != "" {
		r.wrong(group+"."+field, want)
	}
	return e
}

// reservations reads one Pair a line, sorted.
func (r *reader) reservations() []Pair {
	var pairs []Pair
	r.one(keyReservations, `lines such as "52:54:00:00:00:01 192.168.2.10", sorted`, func(s string) bool {
		for line := range strings.Lines(s) {
			p, ends := strings.CutSuffix(line, "\n")
			if !ends || !Pair(p).sound() || len(pairs) > 0 && Pair(p) <= pairs[len(pairs)-1] {
				return false
			}
			pairs = append(pairs, Pair(p))
		}
		return true
	})
	return pairs
}

// rest refuses every key that has no meaning: a person has misspelt one.
func (r *reader) rest() {
	for _, key := range slices.Sorted(maps.Keys(r.data)) {
		if !r.taken[key] {
			r.wrong(key, "no key of a baton")
		}
	}
}
