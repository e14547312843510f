package kea

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// A server of a high-availability relation joins it anew after each config-set: it asks its partner, takes over its leases, and
// serves nobody meanwhile. That takes a heartbeat-delay as a rule, 10 s by default, and a partner that is set before the first
// serves again doubles it. So a set is over when the server serves.

// The bounds of waiting for a server that joins: more than the max-response-delay after which a dead partner is given up, which
// is 60 s by default.
const (
	joinLimit = 75 * time.Second
	joinPause = 100 * time.Millisecond
	joinBegin = 3 * time.Second // after which a server that tells no state has none
)

// haLibrary begins the name of the hook library of high availability.
const haLibrary = "libdhcp_ha"

// joining are the states of a server that does not serve yet.
var joining = []string{"waiting", "syncing", "ready"}

// joined waits until the server serves again. It returns at once when the server has no partner, and when it does not tell:
// whether machines are answered is asked afterwards.
func (d *Driver) joined(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, joinLimit)
	defer cancel()
	for since := time.Now(); d.paired; {
		state := d.haState(ctx)
		if !slices.Contains(joining, state) && (state != "" || time.Since(since) > joinBegin) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(joinPause):
		}
	}
}

// haState is the state of the server in its relation, in lower case; empty for a server without one, or one that does not
// tell.
func (d *Driver) haState(ctx context.Context) string {
	arguments, _, err := d.channel.do(ctx, "status-get", nil)
	if err != nil {
		return ""
	}
	var status struct {
		Relations []struct {
			Servers struct {
				Local struct {
					State string `json:"state"`
				} `json:"local"`
			} `json:"ha-servers"`
		} `json:"high-availability"`
	}
	if json.Unmarshal(arguments, &status) != nil || len(status.Relations) == 0 {
		return ""
	}
	return strings.ToLower(status.Relations[0].Servers.Local.State)
}
