package capi

import (
	"strings"

	"github.com/tugboot/tugboot/internal/takeover"
)

// The beginnings of spec.providerID that tell the two clusters apart.
const (
	providerKind       = "kind://"
	providerTinkerbell = "tinkerbell://"
)

const remedyRole = "set spec.role of the Takeover to Bootstrap or Management, or start tugboot with --role"

// role is the Takeover's, else the Nodes': all of those that tell must tell the same. A Node that has no providerID yet, or
// that of a third kind, tells nothing.
func (f *filling) role() {
	if f.ask.Role != takeover.RoleUnknown {
		f.o.Role = f.ask.Role
		return
	}
	var here, there, odd objectKey
	var bootstrap, management, total int
	value := ""
	for key, n := range each[node](f.View, nodes) {
		total++
		switch {
		case strings.HasPrefix(n.providerID, providerKind):
			bootstrap++
			here = key
		case strings.HasPrefix(n.providerID, providerTinkerbell):
			management++
			there = key
		case odd.name == "":
			odd, value = key, shorten(n.providerID)
		}
	}
	f.o.Role = takeover.RoleUnknown
	p := takeover.Problem{Reason: ReasonNoRole, Field: "spec.providerID"}
	switch {
	case bootstrap > 0 && management > 0:
		p.Object, p.Value = "Nodes "+here.name+" and "+there.name, providerKind+" and "+providerTinkerbell
		p.Remedy = "are those of a bootstrap cluster and of a management cluster: " + remedyRole
	case bootstrap > 0:
		f.o.Role = takeover.RoleBootstrap
		return
	case management > 0:
		f.o.Role = takeover.RoleManagement
		return
	case !f.states[nodes].listed:
		return // why not is another problem
	case total == 0:
		p.Object, p.Remedy = "resource nodes", "is on no Node, because there are none: "+remedyRole
	default:
		p.Object, p.Value = "Node "+odd.name, value
		p.Remedy = "does not begin with " + providerKind + " or " + providerTinkerbell + ", and no other Node's does: " + remedyRole
	}
	f.report(p)
}
