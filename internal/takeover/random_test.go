package takeover

import (
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// chance plays a creation in an order that chance chooses: the move goes its way, and everything else happens anywhere.
type chance struct {
	*story
	rt    *rapid.T
	stage int
}

// advance lets eksctl and clusterctl do the next thing.
func (c *chance) advance() {
	steps := []func(){
		func() { c.bootstrap.up, c.bootstrap.runs, c.stacks[addrB].serves = true, true, true },
		func() {
			b := c.bootstrap
			b.cluster, b.bootstrapIP, b.tinkerbellIP = "lab", netip.MustParseAddr(addrB), netip.MustParseAddr(addrM)
			b.hardware, b.capi = append([]Pair(nil), machines...), ClusterView{Found: true}
		},
		func() { c.management.up, c.management.runs = true, true },
		func() { c.stacks[addrM].serves = true },
		func() { c.stacks[addrB].serves = false },
		func() { c.bootstrap.capi.Paused = true },
		func() {
			c.management.capi, c.management.hardware = ClusterView{Found: true, Paused: true}, append([]Pair(nil), machines...)
			c.stacks[addrM].hardware = true
			c.copyBaton(c.bootstrap, c.management)
		},
		func() { c.evident = true; c.bootstrap.deleteBaton() },
		func() {
			if b := c.bootstrap; b.runs {
				b.hardwareMoved = b.hardware
			}
			c.bootstrap.hardware, c.bootstrap.capi = nil, ClusterView{}
		},
		func() { c.management.capi = ClusterView{Found: true, Provisioned: true, Nodes: 2, NodesHere: 2} },
		func() { c.management.cluster, c.management.tinkerbellIP = "lab", netip.MustParseAddr(addrM) },
	}
	if c.stage < len(steps) {
		steps[c.stage]()
		c.stage++
	}
}

// disturb has something happen that may happen at any time.
func (c *chance) disturb() {
	who := rapid.SampledFrom([]*site{c.bootstrap, c.management}).Draw(c.rt, "who")
	switch rapid.SampledFrom([]string{"restart", "down", "api", "stack", "service", "remote", "workflow", "late", "freeze", "skew"}).Draw(c.rt, "what") {
	case "restart":
		who.restart()
	case "down":
		who.restart()
		who.runs = !who.runs && who.up
	case "api":
		who.up = !who.up && (who != c.management || c.stage > 2) && (who != c.bootstrap || c.stage > 0)
	case "stack":
		if m := c.stacks[addrM]; c.stage > 3 {
			m.serves = !m.serves
		}
	case "service":
		c.services[0].broken = !c.services[0].broken
	case "remote":
		c.remote = !c.remote
	case "workflow":
		if who.workflows == nil {
			who.workflows = []string{"w"}
		} else {
			who.workflows = nil
		}
	case "late": // a write of the bootstrap instance that was under way arrives
		c.services[1].write(c.shape.at(addrB), Mark{Cluster: "lab", Fence: Fence{Born: c.bootstrap.born, Epoch: 1}})
	case "freeze":
		who.operator.Freeze = !who.operator.Freeze
	case "skew": // the clock is put right
		c.now = c.now.Add(time.Duration(rapid.IntRange(-20, 400).Draw(c.rt, "seconds")) * time.Second)
	}
}

// TestChance: whatever happens in whatever order, nobody says M before the evidence or B after the latch (story.check),
// and in the end everybody says M.
func TestChance(t *testing.T) {
	latched := 0
	rapid.Check(t, func(rt *rapid.T) {
		c := &chance{story: newStory(rt, shapes()[rapid.IntRange(0, 3).Draw(rt, "shape")], false), rt: rt}
		c.services = kea()
		for range rapid.IntRange(5, 60).Draw(rt, "events") {
			if rapid.IntRange(0, 2).Draw(rt, "goes on") > 0 {
				c.advance()
			} else {
				c.disturb()
			}
			for range rapid.IntRange(0, 2).Draw(rt, "looks") {
				c.look()
			}
			c.wait(time.Duration(rapid.IntRange(0, 4).Draw(rt, "rounds")) * 10 * time.Second)
		}
		if c.bootstrap.seen().Baton.Latch.Set() {
			latched++
		}
		for range 11 {
			c.advance()
			c.look()
		}
		c.stacks[addrM].serves, c.stacks[addrB].serves, c.services[0].broken, c.bootstrap.up = true, false, false, false
		c.management.up, c.management.runs, c.management.operator.Freeze, c.management.workflows = true, true, false, nil
		c.wait(2 * time.Minute)
		c.ends()
	})
	if latched == 0 {
		t.Error("no bootstrap instance ever latched: the events are not what they should be")
	}
}
