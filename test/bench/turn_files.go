package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"hash/crc32"

	"github.com/tugboot/tugboot/test/bench/contender"
	"github.com/tugboot/tugboot/test/bench/fleet"
	"github.com/tugboot/tugboot/test/bench/httpload"
	"github.com/tugboot/tugboot/test/bench/results"
	"github.com/tugboot/tugboot/test/bench/tftpload"
)

// readyLimit is how long a file server may take to serve.
const readyLimit = 10 * time.Second

// ask is what TFTP clients ask for.
func ask(blksize, window int) tftpload.Ask {
	return tftpload.Ask{Server: netip.AddrPortFrom(fleet.Server, 69), File: fleet.BootFile, Blksize: blksize, Windowsize: window,
		OwnAddress: true, Repeat: time.Second, Tries: 5}
}

// fetchTFTP puts a TFTP load on the server.
func fetchTFTP(ctx context.Context, s *site, l tftpload.Load) (tftpload.Outcome, error) {
	o, err := call[tftpload.Outcome](ctx, s, loadTFTP, withFile[tftpload.Load]{Load: l, File: filepath.Join(s.files, fleet.BootFile)})
	if err == nil && o.Failed > 0 {
		err = fmt.Errorf("%d of %d transfers failed: %s", o.Failed, o.Failed+o.Done, o.Why)
	}
	return o, err
}

// tftpTurn fetches the iPXE binary with one client and with many, with each block and window size.
func tftpTurn(ctx context.Context, s *site, c contender.Contender) (samples []results.Sample, err error) {
	machines := 1
	if c.Limit {
		machines = 0
	}
	i, err := s.configure(c, machines)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, i.stop()) }()
	if err := errors.Join(s.quiet(ctx), i.run()); err != nil {
		return nil, err
	}
	warm := tftpload.Load{Ask: ask(1456, 1), Clients: 1, Transfers: 1}
	warm.Repeat, warm.Tries = 100*time.Millisecond, int(readyLimit/(100*time.Millisecond))
	if _, err := fetchTFTP(ctx, s, warm); err != nil {
		return []results.Sample{{Suite: "tftp", Case: "1 client", Failed: i.trouble(err).Error()}}, nil
	}
	for _, clients := range []int{1, s.plan.crowd} {
		for _, blksize := range []int{512, 1456} {
			for _, window := range s.plan.windows {
				samples = append(samples, i.tftp(ctx, clients, blksize, window))
			}
		}
	}
	return samples, ctx.Err()
}

// tftp measures one combination. A server that grants less than was asked for has nothing to show there.
func (i *instance) tftp(ctx context.Context, clients, blksize, window int) results.Sample {
	sample := results.Sample{Suite: "tftp", Case: tftpCase(clients, blksize, window)}
	o, err := fetchTFTP(ctx, i.site, tftpload.Load{Ask: ask(blksize, window), Clients: clients, Duration: i.site.plan.transfer,
		Account: i.account.Folder()})
	switch {
	case err != nil:
		sample.Failed = i.trouble(err).Error()
	case o.Blksize != blksize || o.Windowsize != window:
		sample.Lacks = fmt.Sprintf("grants blksize %d, windowsize %d", o.Blksize, o.Windowsize)
	default:
		sample.Foreign = o.Foreign
		sample.Values = map[string]float64{"mb_per_s": o.MBPerSecond(), "cpu_ms_per_mb": milliseconds(o.CPUPerMB()),
			"p50_ms": milliseconds(o.P50), "p99_ms": milliseconds(o.P99), "repeated": float64(o.Repeated)}
	}
	return sample
}

func tftpCase(clients, blksize, window int) string {
	word := "clients"
	if clients == 1 {
		word = "client"
	}
	return fmt.Sprintf("%d %s, blksize %d, windowsize %d", clients, word, blksize, window)
}

// httpTurn fetches the initrd, the iPXE binary and the machines' scripts with many clients.
func httpTurn(ctx context.Context, s *site, c contender.Contender) (samples []results.Sample, err error) {
	i, err := s.configure(c, s.plan.web)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, i.stop()) }()
	if err := errors.Join(s.quiet(ctx), i.run()); err != nil {
		return nil, err
	}
	for _, file := range []struct {
		name      string
		transfers int
	}{{contender.InitrdFile, 1}, {fleet.BootFile, 100}, {contender.ScriptFile, scripts}} {
		samples = append(samples, i.http(ctx, file.name, file.transfers))
	}
	return samples, ctx.Err()
}

// scripts is how many scripts each client fetches.
const scripts = 2000

// http fetches one file; the first try that finds the server is what counts. Scripts are the machines' own, and asked for from
// their addresses.
func (i *instance) http(ctx context.Context, file string, transfers int) (sample results.Sample) {
	sample = results.Sample{Suite: "http", Case: file}
	l := httpload.Load{Server: fmt.Sprintf("%v:%d", fleet.Server, i.spec.Web), Path: i.spec.Path(file), Clients: i.site.plan.web,
		Transfers: transfers, Limit: time.Minute, Account: i.account.Folder()}
	if file == contender.ScriptFile {
		l.Begins, l.OwnAddress = "#!ipxe", true
	} else {
		content, err := os.ReadFile(filepath.Join(i.site.files, file))
		if err != nil {
			sample.Failed = err.Error()
			return sample
		}
		l.Size, l.CRC = int64(len(content)), crc32.ChecksumIEEE(content)
	}
	var o httpload.Outcome
	err := i.until(ctx, readyLimit, func() (err error) {
		o, err = call[httpload.Outcome](ctx, i.site, loadHTTP, l)
		return err
	})
	if err != nil {
		sample.Failed = i.trouble(err).Error()
		return sample
	}
	sample.Foreign = o.Foreign
	sample.Values = map[string]float64{"mb_per_s": o.MBPerSecond(), "cpu_ms_per_gb": milliseconds(o.CPUPerGB()),
		"per_s": o.PerSecond(), "cpu_us": microseconds(o.CPUPerTransfer()), "slowest_ms": milliseconds(o.SlowestTransfer)}
	return sample
}
