package takeover

import "strconv"

// maxShown bounds what is shown of a value that somebody else wrote.
const maxShown = 80

// String says in one line what is wrong, and the remedy.
func (p Problem) String() string {
	text := p.Object
	if p.Field != "" {
		text += ": " + p.Field
	}
	if p.Value != "" {
		text += " " + shown(p.Value)
	}
	return text + ": " + p.Remedy
}

// shown quotes a text that somebody else wrote, and cuts it.
func shown(s string) string {
	if len(s) > maxShown {
		return strconv.QuoteToASCII(s[:maxShown]) + "..."
	}
	return strconv.QuoteToASCII(s)
}

// conflict returns the first problem by which nothing may be changed, or nil.
func (o Observation) conflict() *Problem {
	if o.Baton.Problem != nil {
		return o.Baton.Problem
	}
	for _, list := range [][]Problem{o.Problems, o.Operator.Problems} {
		for i := range list {
			if list[i].Conflict {
				return &list[i]
			}
		}
	}
	return nil
}
