package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/test/bench/results"
	"github.com/tugboot/tugboot/test/lab"
)

// The machine of examples/hardware.csv that is emulated, and how long it may take.
const (
	bootMAC   = "52:54:00:00:02:02"
	bootAddr  = "192.168.2.12"
	bootLimit = 3 * time.Minute
)

// bootTurn boots an emulated UEFI machine from Tugboot to its kernel's first program, and notes when each step was.
func bootTurn(ctx context.Context, root, tugboot, folder string) (_ []results.Sample, err error) {
	l, err := lab.New(ctx, "benchboot", filepath.Join(folder, "boot"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	parts := lab.PartsIn(root, "")
	s := &lab.Site{Lab: l}
	if s.Files, err = l.ServeFiles(parts.OS, nil); err != nil {
		return nil, err
	}
	s.Tugboot, err = l.StartTugboot(ctx, "tugboot", lab.TugbootArgs(tugboot, parts.IPXE, s.Files.URL, "--hardware="+parts.Hardware))
	if err != nil {
		return nil, err
	}
	m, err := l.Boot(ctx, lab.UEFI, bootMAC, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.PowerOff()) }()
	ctx, cancel := context.WithTimeout(ctx, bootLimit)
	defer cancel()
	sample := results.Sample{Suite: "boot", Case: string(lab.UEFI)}
	if _, _, err := m.WaitUp(ctx); err != nil {
		sample.Failed = fmt.Sprintf("%v: %s", err, lab.Tail(m.Serial, 2))
		return []results.Sample{sample}, nil
	}
	events, err := s.Events(ctx, m, netip.MustParseAddr(bootAddr))
	sample.Values = bootTimes(events, m.PowerOn)
	return []results.Sample{sample}, err
}

// bootTimes are the milliseconds from power-on to the first event of each step.
func bootTimes(events []lab.Event, on time.Time) map[string]float64 {
	values := map[string]float64{}
	note := func(name string, at time.Time) {
		if _, had := values[name]; !had {
			values[name] = milliseconds(at.Sub(on))
		}
	}
	for _, e := range events {
		switch e.Stage {
		case string(journal.StageDHCP):
			note("1 first DHCP answer", e.At)
		case string(journal.StageTFTP):
			note("2 iPXE sent by TFTP", e.At)
		case string(journal.StageScript), string(journal.StageHTTP):
			note("3 script sent by HTTP", e.At)
		case lab.StageKernel:
			note("4 kernel sent by HTTP", e.At)
		case lab.StageInit:
			note("5 the kernel's first program", e.At)
		}
	}
	return values
}
