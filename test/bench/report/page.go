package report

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/test/bench/results"
)

// Page is the page's name, and plots the folder of its plots beside it.
const (
	Page  = "performance.md"
	plots = "performance"
)

// disturbed is the share of the machine that others may take before a round is said to be disturbed.
const disturbed = 0.10

// page is what is written.
type page struct {
	run      results.Run
	all      []results.Contender
	list     []entrant
	text     strings.Builder
	pictures map[string]string
}

// Write makes the page and its plots in the folder docs.
func Write(docs string, run results.Run, all []results.Contender) error {
	p := &page{run: run, all: all, list: entrants(all), pictures: map[string]string{}}
	p.head()
	p.targets()
	p.dhcp()
	p.start()
	p.api()
	p.bursts()
	p.perfdhcp()
	p.files()
	p.boots()
	p.versions()
	folder := filepath.Join(docs, plots)
	problems := []error{os.RemoveAll(folder), os.MkdirAll(folder, 0o755)}
	for name, svg := range p.pictures {
		problems = append(problems, os.WriteFile(filepath.Join(folder, name), []byte(svg), 0o644))
	}
	text := strings.TrimRight(p.text.String(), "\n") + "\n"
	return errors.Join(append(problems, os.WriteFile(filepath.Join(docs, Page), []byte(text), 0o644))...)
}

func (p *page) say(format string, values ...any) { fmt.Fprintf(&p.text, format+"\n", values...) }

func (p *page) table(suite, name string, columns ...column) {
	table{suite: suite, name: name, columns: columns}.write(&p.text, p.list)
}

// plot adds a plot, when there is more than one bar to compare.
func (p *page) plot(file string, b Bars) {
	if len(b.Bars) < 2 {
		return
	}
	p.pictures[file] = b.SVG()
	p.say("![%s](%s/%s)\n", b.Title, plots, file)
}

// cases are the cases of a suite, in the order in which they were first measured.
func (p *page) cases(suite string) []string {
	var names []string
	for _, e := range p.list {
		for _, s := range e.results.Samples {
			if s.Suite == suite && !slices.Contains(names, s.Case) {
				names = append(names, s.Case)
			}
		}
	}
	return names
}

func (p *page) head() {
	p.say("# Performance\n")
	p.say("Made by `make bench`, which measures all of this again on your machine; nothing here is written by hand.\n")
	p.say("Every contender ran in the same run, in turn, and the turns %s times over, so that what changes on the machine hits all",
		p.run.Settings["rounds"])
	p.say("alike. A figure is the median, with the lowest and the highest round in brackets; ~ marks rounds that lie more than 20 %%")
	p.say("of the median apart, and ! that other processes took more than a tenth of the machine in a round. A ratio over 1 is a larger figure than Tugboot's. The server has one core, the generator another, and")
	p.say("between them is one veth cable between two network namespaces. CPU time is user and system time of all the server's")
	p.say("processes, from their control group. Every answer is checked: address, server identifier, next-server, boot file; every byte")
	p.say("of a TFTP transfer. Tugboot runs as its users run it: the built program, `tugboot serve --hardware hardware.csv`, logging every")
	p.say("answer. The C stub answers without thought or memory: nothing on this machine can be faster than it by much.\n")
	if p.run.Settings["plan"] != "full" {
		p.say("**This run was of the plan %q, whose figures mean nothing.**\n", p.run.Settings["plan"])
	}
	samples, noisy := 0, 0
	for _, c := range p.all {
		for _, s := range c.Samples {
			samples++
			if s.Foreign > disturbed {
				noisy++
			}
		}
	}
	if n := len(p.run.Untaken); n > 0 {
		p.say("**The time was over before %d turns were taken; `make bench` goes on with them:** %s.\n", n, strings.Join(p.run.Untaken, ", "))
	}
	p.say("In %d of %d measurements other processes took more than a tenth of the machine.\n", noisy, samples)
	p.say("Run on %s:\n", p.run.Begun)
	for _, line := range p.run.Machine {
		p.say("- %s", line)
	}
	p.say("")
}

func (p *page) versions() {
	p.say("## Versions and commands\n")
	p.say("| contender | version |\n|---|---|")
	for _, e := range p.list {
		if e.results.Version != "" {
			p.say("| %s | %s |", e.title, plain(e.results.Version))
		}
	}
	p.say("\nThe sha256 of Tugboot's program begins with %.12s.\n", p.run.Settings["tugboot"])
	p.say("```sh")
	p.say("make bench                # all of this; broken off, it goes on where it was; results in build/bench/results")
	p.say("make bench RENDER=1       # only writes this page again")
	p.say("BENCH=quick make bench    # shows that all works, in minutes; writes build/bench-quick/performance.md")
	p.say("make bench ROUNDS=5 ONLY=dhcp,storm CONTENDERS=tugboot,kea,stack-tugboot")
	p.say("```\n")
	p.say("How each is configured and started is one file of `test/bench/contender`; add one, and a line in `All`.")
}
