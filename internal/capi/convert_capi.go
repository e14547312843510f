package capi

import (
	"strings"

	"github.com/tugboot/tugboot/internal/takeover"
)

// annotationPaused pauses an object of Cluster API by itself, whatever its value.
const annotationPaused = groupCAPI + "/paused"

// capiCluster is what is kept of a Cluster API Cluster. What cannot be read counts as what the takeover waits for.
type capiCluster struct {
	paused, provisioned bool
	problems            []takeover.Problem
}

// toCAPICluster reads both versions: what they have in common has one place in both, and no field of one has another
// meaning in the other.
func toCAPICluster(o *object) any {
	paused, ok := o.truth("spec", "paused")
	c := capiCluster{paused: paused || !ok}
	annotations, ok := read[map[string]any](o, "an object", []string{"metadata", "annotations"})
	if _, set := annotations[annotationPaused]; set || !ok {
		c.paused = true
	}
	c.provisioned = !o.deleting() && provisioned(o)
	c.problems = o.problems
	return c
}

// provisioned reads the phase; only without one, what the phase is made of.
func provisioned(o *object) bool {
	phase, ok := o.text("status", "phase")
	switch {
	case !ok:
		return false
	case phase != "":
		return phase == "Provisioned"
	}
	old := flag(o, "status", "infrastructureReady") && flag(o, "status", "controlPlaneReady")
	return old || flag(o, "status", "initialization", "infrastructureProvisioned") &&
		flag(o, "status", "initialization", "controlPlaneInitialized")
}

func flag(o *object, path ...string) bool {
	value, ok := o.truth(path...)
	return value && ok
}

// machine is what is kept of a Machine.
type machine struct {
	cluster    string
	node       string // the name of its Node; empty while it has none
	nodeUID    string // v1beta1 only
	providerID string
	deleting   bool
	unreadable bool // whether it has a Node is not known
	problems   []takeover.Problem
}

func toMachine(o *object) any {
	m := machine{deleting: o.deleting()}
	m.cluster, _ = o.text("spec", "clusterName")
	m.providerID, _ = o.text("spec", "providerID")
	var ok bool
	m.node, ok = o.text("status", "nodeRef", "name")
	m.unreadable = !ok
	m.nodeUID, _ = o.text("status", "nodeRef", "uid")
	m.problems = o.problems
	return m
}

// runsOn reports whether n is the machine's Node, and not one of another cluster with the same name.
func (m machine) runsOn(n node) bool {
	return (m.nodeUID == "" || m.nodeUID == n.uid) && (m.providerID == "" || n.providerID == "" || m.providerID == n.providerID)
}

// workflow stands for a Workflow that is pending or running. Of the others nothing is kept.
type workflow struct{}

// toWorkflow takes a Workflow for active unless it says that it has ended: the words differ from release to release, and
// older ones put STATE_ before them. A disabled one that did not begin never will.
func toWorkflow(o *object) any {
	state, ok := o.text("status", "state")
	switch strings.TrimPrefix(state, "STATE_") {
	case "SUCCESS", "FAILED", "TIMEOUT":
		return nil
	case "":
		if disabled, known := o.truth("spec", "disabled"); ok && known && disabled {
			return nil
		}
	}
	return workflow{}
}
