package capi

import (
	"sync"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// sayAgain is how long a failure that lasts is not mentioned again.
const sayAgain = 5 * time.Minute

// connection says what cannot be watched: in one line when that begins, rarely while it lasts, in one line when it is
// over. An API that does not answer at all is mentioned once, not once for each kind.
type connection struct {
	log logr.Logger

	mu     sync.Mutex
	silent [kinds]bool // the kinds to whose requests there was no answer
	api    failure
	kinds  [kinds]failure
}

// failure is one that lasts, or none while since is zero.
type failure struct {
	since time.Time
	said  time.Time
}

// due notes a failure, and reports whether it is to be mentioned.
func (f *failure) due(now time.Time) bool {
	if f.since.IsZero() {
		f.since = now
	}
	if now.Sub(f.said) < sayAgain {
		return false
	}
	f.said = now
	return true
}

// over notes that there is no failure any more, and returns how long there was one: zero when there was none.
func (f *failure) over(now time.Time) time.Duration {
	if f.since.IsZero() {
		return 0
	}
	lasted := max(now.Sub(f.since), time.Millisecond)
	*f = failure{}
	return lasted.Round(time.Millisecond)
}

// works notes that the API lets the kind be watched, or says that it has no such kind.
func (c *connection) works(k kind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if lasted := c.kinds[k].over(now); lasted > 0 {
		c.log.Info("the Kubernetes API lets "+resourceOf(k).name()+" be watched again", "after", lasted.String())
	}
	c.silent[k] = false
	if c.silent != [kinds]bool{} {
		return
	}
	if lasted := c.api.over(now); lasted > 0 {
		c.log.Info("the Kubernetes API lets the cluster's objects be watched again", "after", lasted.String())
	}
}

// fails notes that it does not.
func (c *connection) fails(k kind, err error, trouble troubleKind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if trouble == unreachable {
		c.silent[k] = true
		if c.api.due(now) {
			c.log.Error(err, "cannot watch the cluster's objects; trying again", "remedy", remedyFor(err),
				"meanwhile", "what was seen last still counts", "forSeconds", int(now.Sub(c.api.since).Seconds()))
		}
		return
	}
	if c.kinds[k].due(now) {
		name := resourceOf(k).name()
		c.log.Error(err, "cannot watch "+name+"; trying again", "remedy", remedyFor(err), "forSeconds", int(now.Sub(c.kinds[k].since).Seconds()))
	}
}

// remedyFor says what a person can do about err.
func remedyFor(err error) string {
	switch {
	case apierrors.IsForbidden(err):
		return "list and watch " + remedyForbidden
	case apierrors.IsInternalError(err):
		return "look at the API server's log and at the conversion webhook of that resource"
	case apierrors.IsUnauthorized(err):
		return "the API does not accept this account: renew the kubeconfig or the service account's token"
	case utilnet.IsConnectionRefused(err):
		return "nothing listens there: start the API server, or correct the address in the kubeconfig"
	case apierrors.IsTooManyRequests(err):
		return "the API server is overloaded: this passes, or look at its load"
	default:
		return "check the API server's health and the network to it"
	}
}
