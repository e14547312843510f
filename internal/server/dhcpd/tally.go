package dhcpd

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/dhcp4"
)

// tally counts for one worker, and brings it to the metrics once for many packets: few of all that can be counted are in use at
// a time, and a counter that several workers count with is a cache line that they fight for. It is for one goroutine.
type tally struct {
	metrics *metrics
	packets []total[ending]
	replies []total[reply]
}

// ending is how a packet ended, and reply what was sent for it.
type (
	ending struct {
		kind   dhcp4.MessageType
		reason boot.Reason
	}
	reply struct {
		kind     dhcp4.MessageType
		delivery dhcp4.Delivery
	}
)

// total is how often something happened since it was brought.
type total[K comparable] struct {
	what    K
	n       int
	counter prometheus.Counter
}

// ended counts a packet by what it was and the reason it ended in.
func (t *tally) ended(kind dhcp4.MessageType, reason boot.Reason) {
	if !counted(t.packets, ending{kind, reason}) {
		t.packets = append(t.packets, total[ending]{ending{kind, reason}, 1, t.metrics.packets.WithLabelValues(kind.String(), string(reason))})
	}
}

// sent counts a reply.
func (t *tally) sent(kind dhcp4.MessageType, delivery dhcp4.Delivery) {
	if !counted(t.replies, reply{kind, delivery}) {
		t.replies = append(t.replies, total[reply]{reply{kind, delivery}, 1, t.metrics.replies.WithLabelValues(kind.String(), delivery.String())})
	}
}

func counted[K comparable](list []total[K], what K) bool {
	for i := range list {
		if list[i].what == what {
			list[i].n++
			return true
		}
	}
	return false
}

// bring adds what was counted to the metrics.
func (t *tally) bring() {
	t.packets, t.replies = brought(t.packets), brought(t.replies)
}

// maxCounts is how many counts are looked through at most; then they are looked for anew.
const maxCounts = 16

func brought[K comparable](list []total[K]) []total[K] {
	for i := range list {
		if list[i].n > 0 {
			list[i].counter.Add(float64(list[i].n))
			list[i].n = 0
		}
	}
	if len(list) > maxCounts {
		return list[:0]
	}
	return list
}
