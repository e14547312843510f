package capi

import (
	"iter"
	"net/netip"
	"slices"

	"github.com/tugboot/tugboot/internal/takeover"
)

// View is what is known of one API at one moment. It is immutable. The zero View knows nothing.
type View struct {
	records [kinds][]*record // sorted by namespace and name
	states  [kinds]state
}

// Ask is what a Takeover says; what it leaves out is found out.
type Ask struct {
	ClusterName               string
	BootstrapIP, TinkerbellIP netip.Addr
	Role                      takeover.Role
	// Moved: the cluster was seen to move away from this API. Its objects are not missed, and once the API is gone what it
	// said of Workflows last stands.
	Moved bool
}

// Ready reports whether everything that exists was listed once. Kinds that the API does not serve are listed, and so are
// those that it refuses: their problem is in Fill's.
func (v View) Ready() bool {
	return !slices.ContainsFunc(v.states[:], func(s state) bool { return !s.answered })
}

// maxProblems bounds the problems of one observation: who has so many begins with the first.
const maxProblems = 32

// Fill puts into o what the API shows, and appends to its Problems what is wrong with that, conflicts first.
func (v View) Fill(o *takeover.Observation, ask Ask) {
	f := filling{View: v, o: o, ask: ask}
	f.access()
	f.identity()
	f.role()
	if cluster := f.cluster(); cluster != nil {
		f.addresses(cluster)
	} else {
		o.BootstrapIP, o.TinkerbellIP = ask.BootstrapIP, ask.TinkerbellIP
	}
	f.clusterView()
	f.workflows()
	f.loadBalancer()
	slices.SortStableFunc(f.problems, func(a, b takeover.Problem) int { return rank(a) - rank(b) })
	o.Problems = append(o.Problems, f.problems[:min(len(f.problems), maxProblems)]...)
}

// rank is smaller for the more important problem.
func rank(p takeover.Problem) int {
	switch {
	case p.Conflict:
		return 0
	case p.Reason != ReasonUndecodable:
		return 1
	default:
		return 2
	}
}

// filling is one observation that is being filled in.
type filling struct {
	View
	o        *takeover.Observation
	ask      Ask
	problems []takeover.Problem
}

func (f *filling) report(p takeover.Problem) { f.problems = append(f.problems, p) }

// each goes through the records of a kind, in the order of their names.
func each[T any](v View, k kind) iter.Seq2[objectKey, T] {
	return func(yield func(objectKey, T) bool) {
		for _, rec := range v.records[k] {
			if content, ok := rec.content.(T); ok && !yield(rec.key, content) {
				return
			}
		}
	}
}

// current reports whether the records of a kind are what the API says now.
func (v View) current(k kind) bool {
	return v.states[k].listed && v.states[k].trouble.kind == noTrouble
}

// access reports what the API refuses.
func (f *filling) access() {
	for k := range kinds {
		if p, ok := f.states[k].trouble.problem(resourceOf(k)); ok {
			f.report(p)
		}
	}
}

// identity is that of the cluster, by its Namespace kube-system.
func (f *filling) identity() {
	for _, n := range each[namespace](f.View, kubeSystem) {
		f.o.Identity, f.o.Born = n.uid, n.born
	}
}
