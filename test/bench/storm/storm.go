package storm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/tugboot/tugboot/test/bench/account"
	"github.com/tugboot/tugboot/test/bench/dhcpload"
	"github.com/tugboot/tugboot/test/bench/fleet"
	"github.com/tugboot/tugboot/test/bench/measure"
	"github.com/tugboot/tugboot/test/bench/tftpload"
)

// Storm is a number of machines.
type Storm struct {
	Machines int
	// Blksize and Windowsize are what firmware asks the TFTP server for.
	Blksize, Windowsize int
	// Script is where the machines fetch their script; %s in it is the machine's MAC.
	Script string
	// ScriptBegins is how the URL begins that iPXE is told.
	ScriptBegins string
	// Limit ends the storm.
	Limit   time.Duration
	Account string
}

// Outcome is what came of a storm.
type Outcome struct {
	// Done is how many machines had their script; First and Last when the first and the last had, and P50 half of them.
	Done             int
	First, P50, Last time.Duration
	// LastAddress and LastBinary are when the last machine ended those steps.
	LastAddress, LastBinary time.Duration
	// Repeated is how many packets were sent again, Restarted how many transfers failed and were begun anew; Wrong and Failed count what was not as it must be, and Why says it.
	Repeated, Restarted, Wrong, Failed int
	Why                                string
	CPU                                time.Duration
	Foreign                            float64
}

// storm is one under way.
type storm struct {
	Storm
	engine  *dhcpload.Engine
	crowd   *tftpload.Crowd
	begun   time.Time
	times   measure.Histogram
	outcome Outcome
	scripts chan scripted
	waiting chan fleet.Machine
	fetch   []fleet.Machine // machines whose firmware has its address
	ask     []fleet.Machine // machines whose iPXE is loaded
	failed  []failure       // machines whose transfer failed, the longest ago first
}

// failure is a machine whose transfer failed.
type failure struct {
	machine fleet.Machine
	at      time.Time
}

type scripted struct {
	at  time.Time
	err error
}

// pause is how long a machine whose transfer failed waits before it begins anew, as firmware does that tries once more.
const pause = time.Second

// fetchers is how many scripts are fetched at a time.
const fetchers = 64

// Run lets the storm loose. want is what the iPXE binary holds.
func Run(s Storm, want []byte) (o Outcome, err error) {
	engine, err := dhcpload.NewEngine()
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	crowd, err := tftpload.NewCrowd(tftpload.Ask{Server: netip.AddrPortFrom(fleet.Server, 69), File: fleet.BootFile,
		Blksize: s.Blksize, Windowsize: s.Windowsize, OwnAddress: true, Repeat: time.Second, Tries: 20}, want)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, crowd.Close()) }()
	if err := crowd.Watch(engine.FD()); err != nil {
		return o, err
	}
	r := &storm{Storm: s, engine: engine, crowd: crowd,
		scripts: make(chan scripted, s.Machines), waiting: make(chan fleet.Machine, s.Machines)}
	engine.Retry, engine.Script, engine.Done, crowd.Ended = true, s.ScriptBegins, r.addressed, r.loaded
	ctx, cancel := context.WithTimeout(context.Background(), s.Limit)
	defer cancel()
	for range fetchers {
		go r.fetchScripts(ctx)
	}
	meter, err := account.Start(s.Account)
	if err != nil {
		return o, err
	}
	r.begun = time.Now()
	err = r.loop()
	cost, costErr := meter.Stop()
	o = r.outcome
	o.CPU, o.Foreign, o.P50 = cost.CPU, cost.Foreign, r.times.Quantile(0.5)
	o.Repeated, o.Wrong = engine.Repeated+crowd.Repeated, engine.Wrong
	if o.Why == "" {
		o.Why = engine.Why
	}
	return o, errors.Join(err, costErr)
}

func (r *storm) loop() error {
	now := r.engine.Now()
	for m := range fleet.Machine(r.Machines) {
		if err := r.engine.Ask(m, dhcpload.Firmware, now, now); err != nil {
			return err
		}
	}
	if err := r.engine.Flush(); err != nil {
		return err
	}
	for r.outcome.Done+r.outcome.Failed < r.Machines && time.Since(r.begun) < r.Limit {
		if err := r.crowd.Poll(time.Millisecond); err != nil {
			return err
		}
		for {
			got, err := r.engine.Receive()
			if err != nil {
				return err
			}
			if got == 0 {
				break
			}
		}
		if err := r.next(); err != nil {
			return err
		}
		if err := r.engine.Expire(r.engine.Now(), r.Limit); err != nil {
			return err
		}
	}
	return nil
}

// next begins the steps that machines have come to.
func (r *storm) next() error {
	for len(r.failed) > 0 && time.Since(r.failed[0].at) >= pause {
		r.fetch = append(r.fetch, r.failed[0].machine)
		r.failed = r.failed[1:]
	}
	for _, m := range r.fetch {
		if err := r.crowd.Begin(int(m), time.Now()); err != nil {
			return err
		}
	}
	now := r.engine.Now()
	for _, m := range r.ask {
		if err := r.engine.Ask(m, dhcpload.IPXE, now, now); err != nil {
			return err
		}
	}
	r.fetch, r.ask = r.fetch[:0], r.ask[:0]
	for {
		select {
		case s := <-r.scripts:
			r.finish(s)
		default:
			return r.engine.Flush()
		}
	}
}

func (r *storm) finish(s scripted) {
	if s.err != nil {
		r.fail(s.err)
		return
	}
	took := s.at.Sub(r.begun)
	if r.outcome.Done++; r.outcome.First == 0 {
		r.outcome.First = took
	}
	r.times.Add(took)
	r.outcome.Last = max(r.outcome.Last, took)
}

func (r *storm) fail(err error) {
	if r.outcome.Failed++; r.outcome.Why == "" {
		r.outcome.Why = err.Error()
	}
}

func (r *storm) addressed(m fleet.Machine, stage dhcpload.Stage, _, _ time.Duration, _ int) {
	if stage == dhcpload.IPXE {
		r.waiting <- m
		return
	}
	r.outcome.LastAddress = time.Since(r.begun)
	r.fetch = append(r.fetch, m)
}

func (r *storm) loaded(id int, _ time.Duration, err error) {
	if err != nil {
		if r.outcome.Restarted++; r.outcome.Why == "" {
			r.outcome.Why = err.Error()
		}
		r.failed = append(r.failed, failure{fleet.Machine(id), time.Now()})
		return
	}
	r.outcome.LastBinary = time.Since(r.begun)
	r.ask = append(r.ask, fleet.Machine(id))
}

func (r *storm) fetchScripts(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-r.waiting:
			err := r.script(ctx, m)
			r.scripts <- scripted{at: time.Now(), err: err}
		}
	}
}

// script fetches the machine's script, which must be one.
func (r *storm) script(ctx context.Context, m fleet.Machine) error {
	url := r.Script
	if strings.Contains(url, "%s") {
		url = fmt.Sprintf(url, m.MAC())
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	// Every machine is a host of its own: its connection comes from its address, and serves no other.
	dialer := net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: m.Address().AsSlice()}}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialer.DialContext}, Timeout: 20 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil || response.StatusCode != http.StatusOK || !strings.HasPrefix(string(text), "#!ipxe") {
		return fmt.Errorf("%s: %s, %w: it is no script: %.60q", url, response.Status, err, text)
	}
	return nil
}
