package main

import (
	"fmt"
	"time"
)

// plan is how much is measured.
type plan struct {
	name   string
	rounds int
	// step, steps and confirm are those of the search for the highest rate (dhcpload.Search).
	step, confirm time.Duration
	steps         int
	// sizes are the numbers of reservations with which a start is timed. At those in rated the rate is searched as well; at
	// changed a change is timed.
	sizes, rated []int
	changed      int
	// api is how many Hardware objects the Kubernetes API holds.
	api int
	// startLimit is how long a server may take to be ready, apiLimit how long where the API gives it its reservations,
	// changeLimit how long to answer a change.
	startLimit, apiLimit, changeLimit time.Duration
	// bursts are the numbers of machines that ask in the same moment, with crowded reservations; burstLimit ends one.
	bursts     []int
	crowded    int
	burstLimit time.Duration
	// perfdhcp is how many clients perfdhcp's avalanche has.
	perfdhcp int
	// transfer is how long TFTP clients go on, crowd how many there are at once; windows are the window sizes.
	transfer time.Duration
	crowd    int
	windows  []int
	// initrd is the size of the large file in bytes, web how many clients fetch it.
	initrd int64
	web    int
	// storm is how many machines boot at once; boot says whether a machine is emulated.
	storm      int
	stormLimit time.Duration
	boot       bool
	// limit is after how long no more turns are begun.
	limit time.Duration
	// idleWait is how long to wait for other processes to leave the machine alone.
	idleWait time.Duration
}

// full is what docs/performance.md is made of.
func full() plan {
	return plan{
		name: "full", rounds: 3, step: 300 * time.Millisecond, steps: 5, confirm: 1200 * time.Millisecond,
		sizes: []int{1_000, 10_000, 100_000, 1_000_000}, rated: []int{1_000, 100_000}, changed: 100_000, api: 100_000,
		startLimit: 30 * time.Second, apiLimit: 2 * time.Minute, changeLimit: 30 * time.Second,
		bursts: []int{200, 1_000, 5_000}, crowded: 10_000, burstLimit: 14 * time.Second, perfdhcp: 1_000,
		transfer: 500 * time.Millisecond, crowd: 200, windows: []int{1, 4, 16},
		initrd: 300 << 20, web: 16, storm: 1_000, stormLimit: 60 * time.Second, boot: true, limit: 24 * time.Minute, idleWait: 5 * time.Second,
	}
}

// quick shows that everything works, and no figure that means anything.
func quick() plan {
	return plan{
		name: "quick", rounds: 1, step: 150 * time.Millisecond, steps: 2, confirm: 200 * time.Millisecond,
		sizes: []int{200, 2_000}, rated: []int{200}, changed: 2_000, api: 1_000, startLimit: 10 * time.Second, apiLimit: 20 * time.Second, changeLimit: 10 * time.Second,
		bursts: []int{100}, crowded: 2_000, burstLimit: 8 * time.Second, perfdhcp: 50,
		transfer: 100 * time.Millisecond, crowd: 10, windows: []int{1, 4},
		initrd: 20 << 20, web: 4, storm: 20, stormLimit: 20 * time.Second, limit: 5 * time.Minute, idleWait: 0,
	}
}

// planNamed returns the plan of that name, with another number of rounds unless that is 0.
func planNamed(name string, rounds int) (plan, error) {
	var p plan
	switch name {
	case "full", "":
		p = full()
	case "quick":
		p = quick()
	default:
		return p, fmt.Errorf("plan %q: there is full, and quick", name)
	}
	if rounds < 0 || rounds > 100 {
		return p, fmt.Errorf("rounds %d: give 1 to 100, or 0 for the plan's own", rounds)
	}
	if rounds > 0 {
		p.rounds = rounds
	}
	return p, nil
}
