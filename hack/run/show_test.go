package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/test/lab"
)

func TestTimelineFitsATerminal(t *testing.T) {
	on := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(seconds float64) time.Time { return on.Add(time.Duration(seconds * float64(time.Second))) }
	var out strings.Builder
	table(&out, on, []lab.Event{
		{At: at(0), Stage: lab.StagePower, What: "switched on: x86 PC, BIOS, PXE"},
		{At: at(2.3214), Stage: "dhcp", What: "DISCOVER -> OFFER 192.168.2.11 http://192.168.2.112:7171/ipxe/script/52:54:00:00:02:01/auto.ipxe",
			Bytes: 394, Reason: "StockIPXEScript"},
		{At: at(118.5), Stage: lab.StageKernel, What: "GET vmlinuz-x86_64", Bytes: 14186432},
		{At: at(120), Stage: lab.StageInit, What: lab.Marker + "mac=52:54:00:00:02:01"},
	})
	want := strings.Join([]string{
		"   TIME  STAGE   WHAT                                                    BYTES  REASON",
		"  0.000  power   switched on: x86 PC, BIOS, PXE",
		"  2.321  dhcp    DISCOVER -> OFFER 192.168.2.11                            394  StockIPXEScript",
		"                 http://192.168.2.112:7171/ipxe/sc...2:01/auto.ipxe",
		"118.500  kernel  GET vmlinuz-x86_64                                   14186432",
		"120.000  init    the kernel runs its first program",
		"",
	}, "\n")
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestProgressLinesFitATerminal(t *testing.T) {
	var out strings.Builder
	line(&out, 3*time.Second, "kernel", strings.Repeat("x", 300))
	if got := len(strings.TrimRight(out.String(), "\n")); got > 100 || got < 90 {
		t.Errorf("a long line became %d characters", got)
	}
}

func TestProgressShowsWhatMatters(t *testing.T) {
	for _, c := range []struct{ console, stage, text string }{
		{"SeaBIOS (version 1.16.2-debian-1.16.2-1)", "firmware", "SeaBIOS (version 1.16.2-debian-1.16.2-1)"},
		{">>Start HTTP Boot over IPv4..", "firmware", ">>Start HTTP Boot over IPv4"},
		{`BdsDxe: starting Boot0001 "UEFI PXEv4 (MAC:525400000202)" from PciRoot(0x0)`, "firmware",
			`BdsDxe: starting Boot0001 "UEFI PXEv4 (MAC:525400000202)"`},
		{"http://192.168.2.112:7180/vmlinuz-x86_64...  3%  ok", "ipxe", "http://192.168.2.112:7180/vmlinuz-x86_64...  3%  ok"},
		{"[    0.000000] Linux version 6.1.0-56-cloud-amd64 (debian-kernel@lists.debian.org)", "kernel", "Linux version 6.1.0-56-cloud-amd64"},
		{"noise " + lab.Marker + "mac=1", "init", lab.Marker + "mac=1"},
		{"[    1.0] pci 0000:00:00.0: something", "", ""},
	} {
		if stage, text := progress(c.console); stage != c.stage || text != c.text {
			t.Errorf("%q is told as %q %q, want %q %q", c.console, stage, text, c.stage, c.text)
		}
	}
}

func TestSize(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 14186432: "13.5 MiB"} {
		if got := size(bytes); got != want {
			t.Errorf("%d bytes are told as %q, want %q", bytes, got, want)
		}
	}
}
