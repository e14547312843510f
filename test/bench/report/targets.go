package report

import (
	"fmt"
	"slices"
	"strings"
)

// target is what is wanted of a figure of Tugboot's: in itself, or as a ratio to the best of others.
type target struct {
	what             string
	suite, name, key string
	// than are those to compare with, by name; empty for the figure itself. against is their case, where it is another one.
	than    []string
	against string
	// want is the least that is wanted; the most, where less is better.
	want float64
	less bool
	unit string
	// why says, where it is known, what keeps the target from being met, and what would be needed.
	why string
}

// The others, by what they do, and the case of one client of TFTP's.
const (
	lockStep = "1 client, blksize 1456, windowsize 1"
	crowded  = "200 clients, blksize 1456, windowsize 1"
)

// beyondTheStub is why the stub is ahead. The shares are those of a profile of Tugboot at its highest rate.
const beyondTheStub = "of Tugboot's time at its highest rate 62 % is the kernel's and 37 % its own: making the answer 19 %, log, journal and " +
	"counters 10 %, limits 6 %. The stub copies one answer, asks for no control messages (on which interface and for which address a " +
	"packet came), and keeps nothing. Answers prepared for each reservation would save a tenth at most; beyond that, " +
	"checks, counters and journal would have to go"

func targets() []target {
	keas, peers := []string{"kea", "kea-memory"}, []string{"kea", "kea-memory", "dnsmasq", "dnsmasq-memory", "dhcpd"}
	tftp, stub, own := []string{"tftpd-hpa", "atftpd", "dnsmasq"}, []string{"stub"}, []string{own}
	return []target{
		{what: "DHCP exchanges a second, to the C stub's", suite: "dhcp", name: "1000", key: "dora_per_s", than: stub, want: 0.85, why: beyondTheStub},
		{what: "CPU time of an exchange, to the C stub's", suite: "dhcp", name: "1000", key: "cpu_us_full", than: stub, want: 1.2, less: true,
			why: beyondTheStub},
		{what: "DHCP exchanges a second, to Kea's", suite: "dhcp", name: "1000", key: "dora_per_s", than: keas, want: 5},
		{what: "DHCP exchanges a second, to ISC dhcpd's", suite: "dhcp", name: "1000", key: "dora_per_s", than: []string{"dhcpd"}, want: 5},
		{what: "p99 at half of the own highest rate, to the best peer's at half of its own", suite: "dhcp", name: "1000", key: "p99_us", than: peers, want: 1, less: true,
			why: "half of Tugboot's highest rate is several times the highest of its peers, and packets come in batches there"},
		{what: "DHCP exchanges a second with 100,000 reservations, to those with 1,000", suite: "dhcp", name: "100000", against: "1000", key: "dora_per_s", than: own, want: 0.9,
			why: "not profiled. Between its two system calls a packet took 5 us with 100,000 machines in turn and 2 us with one: more machines than the 16,384 " +
				"whose decisions are remembered, and more memory than the processor's cache holds"},
		{what: "resident memory with 1,000,000 reservations", suite: "start", name: "1000000", key: "rss_mib", want: 400, less: true, unit: "MiB"},
		{what: "change of one object among 100,000 in an API, to the first right OFFER", suite: "api", name: "100000", key: "change_ms", want: 100, less: true, unit: "ms"},
		{what: "other machines lost meanwhile", suite: "api", name: "100000", key: "lost", less: true},
		{what: "change of one row among 100,000 in a file, to the first right OFFER", suite: "change", name: "100000", key: "change_ms", want: 100, less: true, unit: "ms",
			why: "the file is read whole, because any row may have changed, and of each row what no other may have is compared; meanwhile everybody is answered. " +
				"What changes one machine without looking at the others is the Kubernetes API"},
		{what: "other machines lost meanwhile", suite: "change", name: "100000", key: "lost", less: true},
		{what: "5,000 machines in the same moment: answered at the first try", suite: "burst", name: "5000", key: "first_try_percent", want: 100, unit: "%"},
		{what: "5,000 machines in the same moment: the last ACK", suite: "burst", name: "5000", key: "last_ack_ms", want: 150, less: true, unit: "ms",
			why: "not profiled, most likely this: every machine is new in that moment: its place in the journal, its limits and its decision are made then, and an exchange takes two to " +
				"three times what it takes under a steady load. The stub has none of that"},
		{what: "TFTP, one client in lock-step: MB/s to the best peer's", suite: "tftp", name: lockStep, key: "mb_per_s", than: tftp, want: 1,
			why: "not profiled, most likely this: every block waits for a wake-up. A C program is woken by the kernel and goes on; a thread of Go's has to take its processor back from " +
				"the scheduler first. That all clients share one port is not it: the stub's do, too"},
		{what: "TFTP, 200 clients in lock-step: MB/s to the best peer's", suite: "tftp", name: crowded, key: "mb_per_s", than: tftp, want: 1},
		{what: "TFTP, 200 clients in lock-step: CPU time to the least of the peers", suite: "tftp", name: crowded, key: "cpu_ms_per_mb", than: tftp, want: 1, less: true},
		{what: "TFTP, one client: windowsize 16 to lock-step", suite: "tftp", name: strings.Replace(lockStep, "windowsize 1", "windowsize 16", 1), against: lockStep,
			key: "mb_per_s", than: own, want: 5},
		{what: "HTTP, initrd to 16 clients: MB/s to nginx's", suite: "http", name: "initrd.img", key: "mb_per_s", than: []string{"nginx"}, want: 0.9},
		{what: "HTTP, scripts a second: to the same text from Go's file server", suite: "http", name: "auto.ipxe", key: "per_s", than: []string{"go-sendfile"}, want: 1,
			why: "not profiled: the others send a file; Tugboot finds the machine, checks that it is the one that asks, holds it to its limits, and notes in log and journal " +
				"what it was given"},
	}
}

// outcome is what became of a target: the figure, or the ratio. known is false when something was not measured.
func (t target) outcome(list []entrant) (value float64, met, known bool) {
	value, known = t.best(list, []string{own}, t.name)
	if len(t.than) > 0 && known {
		name := t.name
		if t.against != "" {
			name = t.against
		}
		base, there := t.best(list, t.than, name)
		if known = there && base > 0; known {
			value /= base
		}
	}
	if t.less {
		return value, value <= t.want, known
	}
	return value, value >= t.want, known
}

// best is the best median of some entrants.
func (t target) best(list []entrant, names []string, name string) (best float64, found bool) {
	for _, e := range list {
		s := e.summary(t.suite, name, t.key)
		if s.Rounds == 0 || !slices.Contains(names, e.name) {
			continue
		}
		if !found || t.less == (s.Median < best) {
			best = s.Median
		}
		found = true
	}
	return best, found
}

func (t target) write(value float64) string {
	switch {
	case len(t.than) > 0:
		return fmt.Sprintf("%.2fx", value)
	case t.unit == "":
		return number(value)
	default:
		return number(value) + " " + t.unit
	}
}

// targets is the section that says what was wanted and what came of it.
func (p *page) targets() {
	p.say("## Targets\n")
	p.say("What Tugboot is to reach, by the medians below. A ratio is to the best of those named, in the same run.\n")
	p.say("| target | wanted | measured | |\n|---|---|---|---|")
	var missed []target
	for _, t := range targets() {
		value, met, known := t.outcome(p.list)
		wanted, measured, verdict := "at least "+t.write(t.want), t.write(value), "met"
		if t.less {
			wanted = "at most " + t.write(t.want)
		}
		switch {
		case !known:
			measured, verdict = "-", "not measured"
		case !met:
			verdict = "**missed**"
			missed = append(missed, t)
		}
		p.say("| %s | %s | %s | %s |", t.what, wanted, measured, verdict)
	}
	p.say("")
	said := ""
	for _, t := range missed {
		switch t.why {
		case "":
		case said:
			p.say("- Missed: %s. Why: as above.", t.what)
		default:
			p.say("- Missed: %s. Why: %s.", t.what, t.why)
		}
		said = t.why
	}
	p.say("")
	p.say("A takeover changes one value beside all reservations, whatever their number, and is not measured here: tests of the takeover see every")
	p.say("answer right from the first one after the change.\n")
}
