package controllers

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// sayAgain is how long a failure that lasts is not mentioned again.
const sayAgain = 5 * time.Minute

// connection says whether the API can be watched: in one line when that ends, rarely while it lasts, in one line when
// it is over.
type connection struct {
	log   logr.Logger
	gauge prometheus.Gauge
	away  func() // called for each failure

	mu      sync.Mutex
	down    bool
	since   time.Time
	said    time.Time
	remedy  string
	serving bool // a snapshot of the API was published
}

// outcome takes note of one request.
func (c *connection) outcome(ctx context.Context, err error) {
	switch {
	case err == nil:
		c.up(time.Now())
	case ctx.Err() != nil, routine(err):
	default:
		c.failed(err, time.Now())
		c.away()
	}
}

// routine reports whether err belongs to the normal course of a watch: it asked for a version that the API has forgotten.
func routine(err error) bool { return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) }

func (c *connection) up(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gauge.Set(1)
	if c.down {
		c.log.Info("the Kubernetes API lets Hardware be watched again", "after", now.Sub(c.since).Round(time.Millisecond).String())
	}
	c.down = false
}

func (c *connection) failed(err error, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gauge.Set(0)
	remedy := remedyFor(err)
	if c.down && remedy == c.remedy && now.Sub(c.said) < sayAgain {
		return
	}
	if !c.down {
		c.since = now
	}
	c.down, c.said, c.remedy = true, now, remedy
	meanwhile := "nothing is served from this cluster until then"
	if c.serving {
		meanwhile = "the last snapshot is served on"
	}
	c.log.Error(err, "cannot watch Hardware; trying again", "remedy", remedy, "meanwhile", meanwhile,
		"forSeconds", int(now.Sub(c.since).Seconds()))
}

// published notes that there is a snapshot to be served on.
func (c *connection) published() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.serving = true
}

// remedyFor says what a person can do about err.
func remedyFor(err error) string {
	switch {
	case apierrors.IsNotFound(err):
		return "the API does not know Hardware: install Tinkerbell, or run `kubectl apply -f config/crd/bases`"
	case apierrors.IsForbidden(err):
		return "this account may not list and watch Hardware: apply config/rbac and bind the role to it"
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
