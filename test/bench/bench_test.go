package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/test/bench/contender"
	"github.com/tugboot/tugboot/test/bench/report"
	"github.com/tugboot/tugboot/test/bench/results"
	"github.com/tugboot/tugboot/test/lab"
	"github.com/tugboot/tugboot/test/need"
)

func TestPlansAreWhole(t *testing.T) {
	for _, name := range []string{"full", "quick"} {
		p, err := planNamed(name, 0)
		if err != nil {
			t.Fatal(err)
		}
		sizes := map[int]bool{}
		for _, size := range p.sizes {
			sizes[size] = true
		}
		for _, size := range append([]int{p.changed, p.crowded}, p.rated...) {
			if !sizes[size] {
				t.Errorf("plan %s: something is measured with %d reservations, with which nobody is started", name, size)
			}
		}
		for _, k := range append([]int{p.perfdhcp}, p.bursts...) {
			if k > p.crowded {
				t.Errorf("plan %s: %d machines ask, and %d have a reservation", name, k, p.crowded)
			}
		}
	}
	if p, err := planNamed("full", 7); err != nil || p.rounds != 7 {
		t.Errorf("%d rounds (%v), want 7", p.rounds, err)
	}
	for _, wrong := range []func() error{
		func() error { _, err := planNamed("fast", 0); return err },
		func() error { _, err := planNamed("full", -1); return err },
		func() error { _, err := parse([]string{"dhcp"}, io.Discard); return err },
		func() error { return load([]string{"nonsense"}, strings.NewReader("{}"), io.Discard) },
		func() error { return load([]string{loadDHCP}, strings.NewReader("{}"), io.Discard) },
		func() error { return enter([]string{"0", "-"}) },
	} {
		if wrong() == nil {
			t.Error("what is used wrongly is taken")
		}
	}
}

func TestTurnsGoRoundByRound(t *testing.T) {
	s := &site{plan: full()}
	all := s.turns(options{}, nil)
	seen, round := map[string]bool{}, 1
	for _, turn := range all {
		if key := turn.contender + turn.name; seen[key] {
			t.Errorf("%s has the turn %q twice", turn.contender, turn.name)
		} else {
			seen[key] = true
		}
		if turn.round < round {
			t.Errorf("%q of round %d comes after round %d", turn.name, turn.round, round)
		}
		round = turn.round
	}
	for _, c := range contender.In(contender.DHCP) {
		for _, size := range s.plan.rated {
			if name := fmt.Sprintf("%sdhcp with %d reservations round 3", c.Name, size); !seen[name] {
				t.Errorf("there is no turn %q", name)
			}
		}
	}
	some := s.turns(options{only: "tftp,storm", contenders: "tugboot,stack-tugboot"}, nil)
	if len(some) != 2*s.plan.rounds {
		t.Errorf("%d turns of two contenders in two suites, want one for each round: %+v", len(some), some)
	}
	for _, turn := range some {
		if turn.suite != "tftp" && turn.suite != "storm" || turn.contender != "tugboot" && turn.contender != "stack-tugboot" {
			t.Errorf("the suite %s of %s was not asked for", turn.suite, turn.contender)
		}
	}
}

const (
	avalancheText = "It took 00:01:01.500000 to provision 200 clients. \nRequests sent + resent: 475\nRequests resent: 75\n"
	steadyText    = "Rate: 1599.03 4-way exchanges/second, expected rate: 2000\ndrops: 12\ndrops ratio: 0.3 %\ndrops ratio: 1.25 %\n"
)

func TestPerfdhcpIsUnderstood(t *testing.T) {
	values, err := readAvalanche([]byte(avalancheText))
	if err != nil {
		t.Fatal(err)
	}
	if err := readSteady([]byte(steadyText), values); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"avalanche_ms": 61500, "resent": 75, "steady_per_s": 1599.03,
		"lost_discover_percent": 0.3, "lost_request_percent": 1.25} {
		if values[name] != want {
			t.Errorf("%s is %v, want %v", name, values[name], want)
		}
	}
	if _, err := readAvalanche([]byte("Segmentation fault")); err == nil {
		t.Error("an avalanche was read where none is")
	}
	if err := readSteady([]byte(avalancheText), values); err == nil {
		t.Error("a rate was read where none is")
	}
}

func TestBootTimesAreThoseOfTheFirstEvents(t *testing.T) {
	on := time.Now()
	at := func(seconds float64, stage string) lab.Event {
		return lab.Event{At: on.Add(time.Duration(seconds * float64(time.Second))), Stage: stage}
	}
	got := bootTimes([]lab.Event{at(0, lab.StagePower), at(4, string(journal.StageDHCP)), at(5, string(journal.StageTFTP)),
		at(6, string(journal.StageDHCP)), at(7, string(journal.StageScript)), at(8, lab.StageKernel), at(9, lab.StageInit)}, on)
	want := []float64{4000, 5000, 7000, 8000, 9000}
	i := 0
	for _, name := range []string{"1 first DHCP answer", "2 iPXE sent by TFTP", "3 script sent by HTTP", "4 kernel sent by HTTP",
		"5 the kernel's first program"} {
		if got[name] != want[i] {
			t.Errorf("%s after %v ms, want %v", name, got[name], want[i])
		}
		i++
	}
}

// TestQuickPlan runs the whole of the bench in little, for which it takes a minute or two and the core that the tests around
// it would like to have: only when it is asked for.
func TestQuickPlan(t *testing.T) {
	if os.Getenv("BENCH") != "quick" {
		t.Skip("takes minutes: run it with BENCH=quick")
	}
	need.Root(t)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	need.File(t, filepath.Join(root, "build", "bin", "bench"), "make bench BENCH=quick")
	folder := t.TempDir()
	o := options{plan: "quick", root: root, folder: folder, tftp: os.Getenv("TUGBOOT_TFTP_SERVERS"), assets: os.Getenv("KUBEBUILDER_ASSETS"),
		own: filepath.Join(root, "build", "bin", "bench")}
	var said bytes.Buffer
	if err := o.measure(t.Context(), &said); err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	run, all, err := results.Read(filepath.Join(folder, "results"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Name != "tugboot" && c.Name != "stub" && c.Name != "echo" && c.Name != "stack-tugboot" {
			continue // whether other people's servers are installed is their business
		}
		for _, s := range c.Samples {
			if s.Failed != "" {
				t.Errorf("%s, %s %s: %s", c.Name, s.Suite, s.Case, s.Failed)
			}
		}
	}
	if err := report.Write(t.TempDir(), run, all); err != nil {
		t.Error(err)
	}
}
