package main

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// benchmark is one, by its package and its name as Go writes it.
type benchmark struct{ pkg, name string }

// written is what is written down for a benchmark.
type written struct {
	benchmark
	allocs int
}

// result is what a benchmark came to.
type result struct {
	allocs int
	time   string // for one operation, with its unit
}

// readKnown reads the lines PACKAGE BENCHMARK ALLOCATIONS. Empty lines and such that begin with # say nothing.
func readKnown(text []byte) (known []written, err error) {
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0][0] == '#' {
			continue
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("line %d: %q: write PACKAGE BENCHMARK ALLOCATIONS", number, line)
		}
		allocs, err := strconv.Atoi(fields[2])
		if err != nil || allocs < 0 {
			return nil, fmt.Errorf("line %d: allocations %q: write a number", number, fields[2])
		}
		known = append(known, written{benchmark{fields[0], fields[1]}, allocs})
	}
	return known, nil
}

// readResults takes the results out of what `go test -bench -benchmem -cpu 1` says, by name.
func readResults(output string) map[string]result {
	found := map[string]result{}
	for line := range strings.Lines(output) {
		fields := strings.Fields(line)
		if len(fields) < 2 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		r := result{allocs: -1}
		for i := 2; i+1 < len(fields); i += 2 {
			switch fields[i+1] {
			case "ns/op":
				r.time = fields[i] + " ns"
			case "allocs/op":
				if n, err := strconv.Atoi(fields[i]); err == nil {
					r.allocs = n
				}
			}
		}
		if r.allocs >= 0 {
			found[fields[0]] = r
		}
	}
	return found
}

// compare says how every benchmark came out. More allocations than written down are an error, and so is a benchmark that
// is not there; fewer are said, so that somebody writes them down.
func compare(out io.Writer, known []written, measured map[benchmark]result) error {
	grown := false
	for _, b := range known {
		r, there := measured[b.benchmark]
		switch {
		case !there:
			fmt.Fprintf(out, "%s %s: is written down and not there: take its line out of the file, or bring it back\n", b.pkg, b.name)
			grown = true
		case r.allocs > b.allocs:
			fmt.Fprintf(out, "%s %s: %d allocations, %d are written down\n", b.pkg, b.name, r.allocs, b.allocs)
			grown = true
		case r.allocs < b.allocs:
			fmt.Fprintf(out, "%s %s: %d allocations, fewer than the %d that are written down: make allocs UPDATE=1\n", b.pkg, b.name, r.allocs, b.allocs)
		default:
			fmt.Fprintf(out, "%-28s %-34s %3d allocations, %s here\n", b.pkg, b.name, r.allocs, r.time)
		}
	}
	if grown {
		return errGrown
	}
	return nil
}

// write returns the file's text with the numbers as measured; a benchmark that is not there loses its line.
func write(text []byte, known []written, measured map[benchmark]result) []byte {
	var out bytes.Buffer
	next := 0
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 0 || fields[0][0] == '#' {
			out.WriteString(line)
			continue
		}
		b := known[next].benchmark
		next++
		if r, there := measured[b]; there {
			fmt.Fprintf(&out, "%s %s %d\n", b.pkg, b.name, r.allocs)
		}
	}
	return out.Bytes()
}
