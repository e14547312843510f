package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
)

// iterations is how often each benchmark runs: enough for an average that has no fraction.
const iterations = "1000x"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "allocs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("allocs", flag.ContinueOnError)
	path := flags.String("file", "hack/allocs/allocs.txt", "the numbers that are written down")
	update := flags.Bool("update", false, "write down the numbers as they are now")
	if err := flags.Parse(args); err != nil {
		return err
	}
	text, err := os.ReadFile(*path)
	if err != nil {
		return err
	}
	known, err := readKnown(text)
	if err != nil {
		return fmt.Errorf("%s: %w", *path, err)
	}
	measured := map[benchmark]result{}
	for _, b := range known {
		if _, had := measured[b.benchmark]; had {
			continue
		}
		output, err := measure(ctx, b.benchmark)
		if err != nil {
			return err
		}
		for name, r := range readResults(output) {
			measured[benchmark{b.pkg, name}] = r
		}
	}
	if *update {
		return os.WriteFile(*path, write(text, known, measured), 0o644)
	}
	return compare(out, known, measured)
}

// measure runs a benchmark with all that it is divided into. One processor, so that nothing depends on their number.
func measure(ctx context.Context, b benchmark) (string, error) {
	name, _, _ := strings.Cut(b.name, "/")
	var output, problems bytes.Buffer
	c := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+name+"$", "-benchtime", iterations, "-benchmem", "-cpu", "1", b.pkg)
	c.Stdout, c.Stderr = &output, &problems
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("%v: %w: %s%s", c.Args, err, output.String(), problems.String())
	}
	return output.String(), nil
}

// errGrown is what run returns when a benchmark is not what is written down.
var errGrown = errors.New("benchmarks are not as written down: take the allocations out again, or, where they are worth it, run make allocs UPDATE=1")
