package tftpload

import (
	"errors"
	"runtime"
	"time"

	"github.com/tugboot/tugboot/test/bench/account"
	"github.com/tugboot/tugboot/test/bench/measure"
)

// Load is a number of clients that fetch the same file over and over.
type Load struct {
	Ask
	Clients int
	// Transfers is how many there are in all; 0 begins new ones until Duration is over.
	Transfers int
	Duration  time.Duration
	// Account is the folder of the server's control group.
	Account string
}

// Outcome is what came of a load.
type Outcome struct {
	Done, Failed, Repeated int
	// Why says why the first that failed did.
	Why   string
	Bytes int64
	// Blksize and Windowsize are what the server granted.
	Blksize, Windowsize int
	P50, P99, Longest   time.Duration
	Took, CPU, Own      time.Duration
	Foreign             float64
}

// MBPerSecond is how fast the clients were served, in 10^6 bytes.
func (o Outcome) MBPerSecond() float64 { return float64(o.Bytes) / 1e6 / max(o.Took.Seconds(), 1e-9) }

// CPUPerMB is the server's CPU time for 10^6 bytes.
func (o Outcome) CPUPerMB() time.Duration {
	if o.Bytes == 0 {
		return 0
	}
	return time.Duration(float64(o.CPU) / (float64(o.Bytes) / 1e6))
}

// Run puts the load on the server; want is what the file holds.
func Run(l Load, want []byte) (o Outcome, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	crowd, err := NewCrowd(l.Ask, want)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, crowd.Close()) }()
	var times measure.Histogram
	crowd.Ended = func(_ int, took time.Duration, err error) {
		if err != nil {
			if o.Failed++; o.Why == "" {
				o.Why = err.Error()
			}
			return
		}
		o.Done++
		times.Add(took)
	}
	meter, err := account.Start(l.Account)
	if err != nil {
		return o, err
	}
	if err := l.loop(crowd); err != nil {
		return o, err
	}
	cost, err := meter.Stop()
	o.Took, o.CPU, o.Own, o.Foreign = cost.Took, cost.CPU, cost.Own, cost.Foreign
	o.Bytes, o.Repeated, o.Blksize, o.Windowsize = crowd.Bytes, crowd.Repeated, crowd.Blksize, crowd.Windowsize
	o.P50, o.P99, o.Longest = times.Quantile(0.5), times.Quantile(0.99), times.Longest()
	return o, err
}

// loop keeps so many clients at work until the load is over, and waits for the last one.
func (l Load) loop(crowd *Crowd) error {
	end := time.Now().Add(l.Duration)
	for begun := 0; ; {
		now := time.Now()
		for crowd.Open() < l.Clients && (begun < l.Transfers || l.Transfers == 0 && now.Before(end)) {
			if err := crowd.Begin(begun%l.Clients, now); err != nil {
				return err
			}
			begun++
		}
		if crowd.Open() == 0 {
			return nil
		}
		if err := crowd.Poll(lookEvery); err != nil {
			return err
		}
	}
}
