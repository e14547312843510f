package controllers

import (
	"cmp"
	"slices"

	"github.com/tugboot/tugboot/internal/reservation"
)

// problemSet is a set of problems. Two are the same when they say the same of the same generation of an object.
type problemSet map[reservation.Problem]struct{}

// without returns the problems that are not in other, ordered by object, interface and field.
func (s problemSet) without(other problemSet) []reservation.Problem {
	var rest []reservation.Problem
	for p := range s {
		if _, both := other[p]; !both {
			rest = append(rest, p)
		}
	}
	slices.SortFunc(rest, func(a, b reservation.Problem) int {
		return cmp.Or(
			cmp.Compare(a.Source.Namespace, b.Source.Namespace), cmp.Compare(a.Source.Name, b.Source.Name),
			cmp.Compare(a.Source.Interface, b.Source.Interface), cmp.Compare(a.Field, b.Field),
			cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Value, b.Value),
		)
	})
	return rest
}

// ofAnyGeneration returns the same problems without the generation they were seen in.
func (s problemSet) ofAnyGeneration() problemSet {
	same := make(problemSet, len(s))
	for p := range s {
		p.Source.Generation = 0
		same[p] = struct{}{}
	}
	return same
}
