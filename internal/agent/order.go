package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/takeover"
)

// modeOff is the mode of an order whose answers are not verified.
const modeOff = string(v1alpha1.DHCPVerifyOff)

// candidate is an order that may be carried out.
type candidate struct {
	packed []byte
	digest string
	order  dhcpservice.Order
	// changed is when it was first seen; zero for the one from the state folder.
	changed time.Time
}

func (c *candidate) fence() takeover.Fence { return c.order.Want.Word.Mark.Fence }

// document is the name of the last good order in the state folder, and kept what it holds.
const document = "order"

type kept struct {
	Packed []byte `json:"packed"`
}

// read unpacks an order and refuses what this agent's service cannot be told.
func (a *Agent) read(packed []byte, changed time.Time) (*candidate, error) {
	order, err := dhcpservice.Unpack(packed)
	if err != nil {
		return nil, err
	}
	if order.Type != a.o.Type {
		return nil, fmt.Errorf("order: it is for a service of type %+.80q, and this agent's is %s: correct spec.type, or the agent's --type and --name", order.Type, a.o.Type)
	}
	return &candidate{packed: packed, digest: dhcpservice.Digest(packed), order: order, changed: changed}, nil
}

// recall loads the last good order. Without one the agent waits for an API; the word in the service itself still keeps a
// lower order out.
func (a *Agent) recall() {
	var k kept
	_, err := a.o.State.Load(document, &k)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var good *candidate
	if err == nil {
		good, err = a.read(k.Packed, time.Time{})
	}
	if err != nil {
		a.o.Log.Error(err, "the last good order is not used", "file", a.o.State.File(document))
		return
	}
	a.good, a.saved = good, good.digest
}

// save keeps the last good order. When it fails it is tried again with each look at the service.
func (a *Agent) save() {
	if a.saved == a.good.digest {
		return
	}
	if err := a.o.State.Save(document, kept{Packed: a.good.packed}); err != nil {
		a.o.Log.Error(err, "the order was not kept for after a restart")
		return
	}
	a.saved = a.good.digest
}

// choose returns the order to carry out: the one with the highest fence, and of two with the same the one that changed
// last. None is below what was carried out last, nor of another cluster.
func (a *Agent) choose() *candidate {
	chosen := a.good
	for _, s := range a.sources {
		if s.order == nil || chosen != nil && !sameCluster(chosen, s.order) {
			continue
		}
		if chosen == nil || chosen.fence().Less(s.order.fence()) ||
			chosen.fence() == s.order.fence() && s.order.changed.After(chosen.changed) {
			chosen = s.order
		}
	}
	return chosen
}

func sameCluster(a, b *candidate) bool {
	return a.order.Want.Word.Mark.Cluster == b.order.Want.Word.Mark.Cluster
}

// refusal says why an order is not the one that is carried out.
func refusal(order, chosen *candidate) error {
	mine, other := order.fence(), chosen.fence()
	switch {
	case !sameCluster(order, chosen):
		return fmt.Errorf("order: it is for the cluster %s, and this agent keeps the one of %s: run another agent with its own --state-dir, or remove what that one kept",
			order.order.Want.Word.Mark.Cluster, chosen.order.Want.Word.Mark.Cluster)
	case mine.Less(other):
		return fmt.Errorf("%w: the agent carries out the order with epoch %d of the story begun at %d for %s, and this order's is epoch %d of the one begun at %d",
			dhcpservice.ErrFenced, other.Epoch, other.Born, chosen.order.Want.Word.Says.Addr, mine.Epoch, mine.Born)
	}
	return fmt.Errorf("order: another one with the same epoch %d, for %s, came later: two instances may not share an epoch: look at the Takeovers of both clusters",
		other.Epoch, chosen.order.Want.Word.Says.Addr)
}
