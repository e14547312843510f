package doctor

import (
	"fmt"
)

// maxProblems is how many problems of one source of Hardware are named.
const maxProblems = 10

func (a API) unreachable() bool { return a.Unusable.What != "" || a.Away.What != "" }

// api says whether the cluster answers.
func api(f *Facts) []Finding {
	a := f.API
	var all []Finding
	switch {
	case !f.Flags.Cluster:
		all = passed("no cluster is asked (--hardware alone)")
	case a.Unusable.What != "":
		all = one(Error, a.Unusable.What, a.Unusable.Remedy)
	case a.Away.What != "" && f.Flags.Files:
		all = one(Warning, fmt.Sprintf("the API at %s does not answer, and --hardware is served until it does: %s", a.Server, a.Away.What), a.Away.Remedy)
	case a.Away.What != "":
		all = one(Error, fmt.Sprintf("the API at %s does not answer: %s", a.Server, a.Away.What), a.Away.Remedy)
	default:
		as := ""
		if a.Account != "" {
			as = ", and takes us for " + a.Account
		}
		all = one(OK, fmt.Sprintf("the API at %s answers: %s%s", a.Server, a.Version, as), "")
	}
	if m := a.Management; m != nil {
		all = append(all, m.judge())
	}
	return all
}

// judge says whether the other cluster can be followed. It may come later: that keeps nothing from working.
func (m *Management) judge() Finding {
	name := fmt.Sprintf("--management-kubeconfig %q", m.File)
	switch {
	case m.Later:
		return Finding{Level: OK, What: name + " is not there yet: the management cluster is followed once it is"}
	case m.Away != "":
		return Finding{Level: Warning, What: name + ": the management cluster is not followed yet: " + m.Away, Remedy: "give a kubeconfig with which kubectl reaches it, once it is there"}
	}
	return Finding{Level: OK, What: fmt.Sprintf("%s: the API at %s answers: %s", name, m.Server, m.Version)}
}

// crds says whether the API knows the kinds that are needed.
func crds(f *Facts) []Finding {
	switch {
	case !f.Flags.Cluster:
		return passed("no cluster is asked (--hardware alone)")
	case f.API.unreachable():
		return passed("the API does not answer")
	}
	var all []Finding
	for _, r := range f.API.Resources {
		if r.Served {
			all = append(all, Finding{Level: OK, What: r.Name + " is served"})
			continue
		}
		why := ""
		if r.Why != "" {
			why = ": " + r.Why
		}
		all = append(all, Finding{Level: Error, What: "the API does not serve " + r.Name + why, Remedy: "`kubectl apply --server-side -f " + r.File + "`, or install the chart with crds.install"})
	}
	return all
}

// hardware counts reservations, and names what is wrong with them.
func hardware(f *Facts) []Finding {
	if len(f.Hardware.Sources) == 0 {
		return passed("no source of Hardware could be asked")
	}
	var all []Finding
	for _, s := range f.Hardware.Sources {
		all = append(all, s.judge()...)
	}
	return all
}

func (s Source) judge() []Finding {
	switch {
	case s.Failed.What != "" && s.Fatal:
		return one(Error, s.Failed.What, s.Failed.Remedy)
	case s.Failed.What != "":
		return one(Warning, s.Failed.What, s.Failed.Remedy)
	}
	count := fmt.Sprintf("%s: %s, %d of them may boot from the network", s.Name, plural(s.Reservations, "reservation", "reservations"), s.Netboot)
	var all []Finding
	switch {
	case s.Reservations == 0:
		all = one(Warning, s.Name+": no reservation, so nobody is answered", "create Hardware with spec.interfaces[].dhcp")
	case len(s.Problems) > 0:
		all = one(OK, count+"; "+plural(len(s.Problems), "problem", "problems"), "")
	default:
		all = one(OK, count+"; no problems", "")
	}
	for i, p := range s.Problems {
		if i == maxProblems {
			return append(all, Finding{Level: Warning, What: fmt.Sprintf("and %d more problems", len(s.Problems)-i), Remedy: "see `kubectl describe hardware`, or the log of `tugboot serve`"})
		}
		said := p
		said.Remedy = p.Reason
		all = append(all, Finding{Level: Warning, What: said.Error(), Remedy: p.Remedy})
	}
	return all
}

func plural(n int, single, several string) string {
	if n == 1 {
		return "1 " + single
	}
	return fmt.Sprintf("%d %s", n, several)
}
