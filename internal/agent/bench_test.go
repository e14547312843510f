package agent

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/funcr"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/statedir"
	"github.com/tugboot/tugboot/internal/takeover"
)

// fakeDriver is a service that says one word.
type fakeDriver struct {
	word    render.Word
	changed bool // by somebody else, since it was written
	broken  error
	found   dhcpservice.Findings
	reads   int
	writes  []time.Time
	checks  []time.Time
}

func (d *fakeDriver) Read(_ context.Context, want render.Wanted) (dhcpservice.Standing, error) {
	d.reads++
	s := dhcpservice.Standing{Word: d.word, Findings: d.found}
	if d.word != want.Word || d.changed {
		s.Drift, s.Drifts = []string{"a file differs"}, 1
	}
	return s, nil
}

func (d *fakeDriver) Check(context.Context, render.Wanted) error {
	d.checks = append(d.checks, time.Now())
	return d.broken
}

func (d *fakeDriver) Keep(context.Context) (func(context.Context) error, error) {
	word := d.word
	return func(context.Context) error { d.word = word; return nil }, nil
}

func (d *fakeDriver) Write(_ context.Context, want render.Wanted) error {
	d.word, d.changed = want.Word, false
	d.writes = append(d.writes, time.Now())
	return nil
}

// fakeAPI holds an order, and the reports that came.
type fakeAPI struct {
	name    string
	packed  []byte
	away    error
	reports []dhcpservice.Report
	times   []time.Time
}

func (f *fakeAPI) api() API {
	return API{
		Name: f.name,
		Read: func(context.Context) ([]byte, error) { return f.packed, f.away },
		Write: func(_ context.Context, text []byte) error {
			if f.away != nil {
				return f.away
			}
			var r dhcpservice.Report
			if err := json.Unmarshal(text, &r); err != nil {
				return err
			}
			f.reports, f.times = append(f.reports, r), append(f.times, time.Now())
			return nil
		},
	}
}

func (f *fakeAPI) last(t *testing.T) dhcpservice.Report {
	t.Helper()
	if len(f.reports) == 0 {
		t.Fatalf("no report came to %s", f.name)
	}
	return f.reports[len(f.reports)-1]
}

func order(epoch int64, change func(*dhcpservice.Order)) dhcpservice.Order {
	o := dhcpservice.Order{
		Type: "Dnsmasq", Ask: dhcpservice.Ask{Mode: "Broadcast", Interface: "eth0"},
		Want: render.Wanted{
			Word: render.Word{
				Mark: takeover.Mark{Cluster: "lab", Fence: takeover.Fence{Born: 1_700_000_000, Epoch: epoch}},
				Says: takeover.Endpoint{Addr: netip.AddrFrom4([4]byte{10, 9, 0, byte(epoch)}), TFTPPort: 69, HTTPPort: 7171, ScriptPath: "/auto.ipxe", BootFiles: "uefi-x86-64=ipxe.efi"},
			},
			Networks: []render.Network{{Prefix: netip.MustParsePrefix("10.9.0.0/24")}},
		},
	}
	if change != nil {
		change(&o)
	}
	return o
}

func pack(t *testing.T, o dhcpservice.Order) []byte {
	t.Helper()
	packed, err := o.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

// bench is an agent with everything around it.
type bench struct {
	t      *testing.T
	driver *fakeDriver
	verify error
	asked  int
	folder string
	log    []string
	stop   func()
}

func newBench(t *testing.T) *bench {
	return &bench{t: t, driver: &fakeDriver{}, folder: t.TempDir()}
}

// start runs an agent until stop is called or the test ends.
func (b *bench) start(apis ...*fakeAPI) {
	b.t.Helper()
	state, err := statedir.Open(b.folder)
	if err != nil {
		b.t.Fatal(err)
	}
	o := Options{
		Driver: b.driver, Type: "Dnsmasq", State: state,
		Version: func(context.Context) (string, error) { return "2.90", nil },
		Log:     funcr.New(func(_, args string) { b.log = append(b.log, args) }, funcr.Options{}),
		Verify: func(ask dhcpservice.Ask, subnets []netip.Prefix) (dhcpservice.Verify, error) {
			if ask.Interface != "eth0" || len(subnets) != 1 {
				return nil, errors.New("not what the order says")
			}
			return func(context.Context, render.Wanted) error { b.asked++; return b.verify }, nil
		},
	}
	for _, f := range apis {
		o.APIs = append(o.APIs, f.api())
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		New(o).Run(ctx)
	}()
	b.stop = func() { cancel(); <-done }
	b.pass(0)
}

// pass lets time go by.
func (b *bench) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *bench) logged(text string) int {
	n := 0
	for _, line := range b.log {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func (b *bench) says(epoch int64) {
	b.t.Helper()
	if got := b.driver.word.Mark.Fence.Epoch; got != epoch {
		b.t.Fatalf("the service says epoch %d, want %d; log: %q", got, epoch, b.log)
	}
}
