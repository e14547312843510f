package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/tugboot/tugboot/test/bench/fleet"
	"github.com/tugboot/tugboot/test/bench/results"
)

// perfdhcpOptions are what firmware puts into its packets: 57, 60 (PXEClient:Arch:00007:UNDI:003016), 93, 94 and 97.
var perfdhcpOptions = []string{"-o", "57,05c0", "-o", "60,505845436c69656e743a417263683a30303030373a554e44493a303033303136",
	"-o", "93,0007", "-o", "94,010310", "-o", "97,0000000000000000000000000000000000"}

// perfdhcp lets ISC's own generator ask: an avalanche, in which so many clients ask at once and repeat themselves until all
// are answered, and a steady rate. It is somebody else's word beside our generator's; what it drops itself it counts as the
// server's, which the stub's row shows.
func (i *instance) perfdhcp(ctx context.Context) results.Sample {
	clients := i.site.plan.perfdhcp
	sample := results.Sample{Suite: "perfdhcp", Case: strconv.Itoa(clients)}
	list, err := i.site.macList(clients)
	if err != nil {
		sample.Failed = err.Error()
		return sample
	}
	avalanche, err := i.runPerfdhcp(ctx, list, "--scenario", "avalanche", "-g", "single", "-R", strconv.Itoa(clients))
	if err == nil {
		sample.Values, err = readAvalanche(avalanche)
	}
	if err == nil {
		var steady []byte
		steady, err = i.runPerfdhcp(ctx, list, "-r", strconv.Itoa(perfdhcpRate), "-p", "1", "-W", "500000", "-d", "1",
			"-R", strconv.Itoa(clients))
		if err == nil {
			err = readSteady(steady, sample.Values)
		}
	}
	if err != nil {
		sample.Values, sample.Failed = nil, i.trouble(err).Error()
	}
	return sample
}

const (
	// perfdhcpLimit is how long perfdhcp may take.
	perfdhcpLimit = 20 * time.Second
	// perfdhcpRate is the steady rate, which perfdhcp can still keep on one core.
	perfdhcpRate = 5000
)

func (i *instance) runPerfdhcp(ctx context.Context, list string, more ...string) ([]byte, error) {
	if _, err := exec.LookPath("perfdhcp"); err != nil {
		return nil, errors.New("perfdhcp is not installed: the package kea-admin has it")
	}
	ctx, cancel := context.WithTimeout(ctx, perfdhcpLimit)
	defer cancel()
	args := slices.Concat([]string{i.site.programs.Bench, "enter", strconv.Itoa(i.site.clientCPU), "-", "perfdhcp", "-4"}, more,
		[]string{"-M", list, "-l", fleet.Client.String()}, perfdhcpOptions, []string{fleet.Server.String()})
	out, err := i.site.client.Run(ctx, nil, args...)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("perfdhcp had not ended after %v", perfdhcpLimit)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == perfdhcpDropped {
		err = nil
	}
	return out, err
}

// perfdhcpDropped is perfdhcp's exit code when packets were dropped.
const perfdhcpDropped = 3

// macList writes the MACs of the first machines, one a line.
func (s *site) macList(machines int) (string, error) {
	var text bytes.Buffer
	w := bufio.NewWriter(&text)
	for m := range fleet.Machine(machines) {
		if _, err := fmt.Fprintln(w, m.MAC()); err != nil {
			return "", err
		}
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	path := filepath.Join(s.folder, "macs.txt")
	return path, os.WriteFile(path, text.Bytes(), 0o644)
}

var (
	provisioned = regexp.MustCompile(`It took (\d+):(\d+):([0-9.]+) to provision`)
	resent      = regexp.MustCompile(`Requests resent: (\d+)`)
	steadyRate  = regexp.MustCompile(`(?m)^Rate: ([0-9.]+) 4-way`)
	steadyDrops = regexp.MustCompile(`(?m)^drops ratio: ([0-9.]+) %`)
)

// readAvalanche takes the figures out of what an avalanche prints.
func readAvalanche(out []byte) (map[string]float64, error) {
	took, again := provisioned.FindSubmatch(out), resent.FindSubmatch(out)
	if took == nil || again == nil {
		return nil, fmt.Errorf("perfdhcp said nothing of how long the avalanche took: %.200q", out)
	}
	total := 60*(60*number(took[1])+number(took[2])) + number(took[3])
	return map[string]float64{"avalanche_ms": 1000 * total, "resent": number(again[1])}, nil
}

// readSteady takes the figures out of what a steady rate prints: two ratios, of the DISCOVERs and of the REQUESTs.
func readSteady(out []byte, values map[string]float64) error {
	rate, drops := steadyRate.FindSubmatch(out), steadyDrops.FindAllSubmatch(out, -1)
	if rate == nil || len(drops) != 2 {
		return fmt.Errorf("perfdhcp said nothing of its rate: %.200q", out)
	}
	values["steady_per_s"] = number(rate[1])
	values["lost_discover_percent"], values["lost_request_percent"] = number(drops[0][1]), number(drops[1][1])
	return nil
}

// number reads what a pattern of digits has found.
func number(digits []byte) float64 {
	value, err := strconv.ParseFloat(string(digits), 64)
	if err != nil {
		return 0 // the pattern lets nothing else through than digits and points
	}
	return value
}
