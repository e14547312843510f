package report

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/test/bench/measure"
	"github.com/tugboot/tugboot/test/bench/results"
)

// sample is one round of a case.
func sample(suite, name string, round int, key string, value float64) results.Sample {
	return results.Sample{Suite: suite, Case: name, Round: round, Values: map[string]float64{key: value}}
}

func TestPageLeavesNothingOut(t *testing.T) {
	docs := t.TempDir()
	run := results.Run{Begun: "2026-11-27", Machine: []string{"a machine"}, Untaken: []string{"kea storm round 3"},
		Settings: map[string]string{"rounds": "3", "plan": "full", "tugboot": "0123456789abcdef"}}
	err := Write(docs, run, []results.Contender{
		{Name: "tugboot", Version: "v1", Samples: []results.Sample{
			sample("dhcp", "1000", 1, "dora_per_s", 40000), sample("dhcp", "1000", 2, "dora_per_s", 42000), sample("dhcp", "1000", 3, "dora_per_s", 41000),
			sample("tftp", "1 client, blksize 1456, windowsize 4", 1, "mb_per_s", 90), sample("storm", "1000", 1, "last_ms", 5000),
			{Suite: "http", Case: "initrd.img", Lacks: "serves no initrd"}}},
		{Name: "kea", Version: "2.2.0", Samples: []results.Sample{
			sample("dhcp", "1000", 1, "dora_per_s", 10000), sample("dhcp", "1000", 2, "dora_per_s", 14000),
			{Suite: "dhcp", Case: "1000", Round: 3, Failed: "died (exit status 1): a | b"}}},
		{Name: "dnsmasq", Samples: []results.Sample{{Suite: "start", Case: "1000000", Round: 1, Failed: "not ready within 30s"},
			{Suite: "tftp", Case: "1 client, blksize 1456, windowsize 4", Lacks: "grants blksize 1456, windowsize 1", Foreign: 0.4}}},
		{Name: "stack-dnsmasq-nginx", Samples: []results.Sample{sample("storm", "1000", 1, "last_ms", 10000)}},
		{Name: "boot", Samples: []results.Sample{sample("boot", "uefi", 1, "1 first DHCP answer", 4200)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(docs, Page))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| **Tugboot** | 41,000 (40,000-42,000) | 1.00x |",
		`| Kea | 12,000 (10,000-14,000) ~; 1 of 3 rounds failed: died (exit status 1): a \| b | 0.29x |`,
		"| dnsmasq | failed: not ready within 30s |",
		"| dnsmasq | grants blksize 1456, windowsize 1 ! |",
		"| **Tugboot** | serves no initrd |",
		"| dnsmasq (DHCP, TFTP) and nginx | 10,000 | 2.00x |",
		"| first DHCP answer | 4.20 |",
		"In 1 of 13 measurements other processes took more than a tenth",
		"| Kea | 2.2.0 |", "begins with 0123456789ab.", "- a machine", "goes on with them:** kea storm round 3.",
		"![DHCP exchanges a second, 1,000 reservations](performance/dhcp-1000.svg)",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(string(text), "NaN") || strings.Contains(string(text), "Inf") {
		t.Error("a figure is no number")
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
	plotted(t, docs, string(text))
}

// plotted asserts that every plot that the page shows is there, and is XML.
func plotted(t *testing.T, docs, text string) {
	t.Helper()
	for _, part := range strings.Split(text, "](performance/")[1:] {
		name, _, _ := strings.Cut(part, ")")
		file, err := os.Open(filepath.Join(docs, plots, name))
		if err != nil {
			t.Error(err)
			continue
		}
		for decoder := xml.NewDecoder(file); ; {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
		file.Close()
	}
}

func TestBarsShowWhatTheyAreGiven(t *testing.T) {
	b := Bars{Title: "a < b", Unit: "ms", Bars: []Bar{
		{Label: "one", Summary: measure.Summarize([]float64{50, 100, 75}), Own: true}, {Label: "none"},
		{Label: "limit & more", Summary: measure.Summarize([]float64{1}), Limit: true}}}
	for _, log := range []bool{false, true} {
		b.Log = log
		svg := b.SVG()
		for _, want := range []string{"a &lt; b", "limit &amp; more", "see the table", ">75.0<"} {
			if !strings.Contains(svg, want) {
				t.Errorf("logarithmic %v: the plot lacks %q:\n%s", log, want, svg)
			}
		}
		if got := b.x(100); got != barWidth {
			t.Errorf("logarithmic %v: the longest bar is %v pixels long, want %d", log, got, barWidth)
		}
		if low, high := b.x(1), b.x(75); low < 0 || low >= high || high >= barWidth {
			t.Errorf("logarithmic %v: bars of 1 and 75 are %v and %v pixels long", log, low, high)
		}
	}
}

func TestNumbers(t *testing.T) {
	for value, want := range map[float64]string{0: "0", 0.123: "0.12", 12.34: "12.3", 99.99: "100.0", 123.4: "123", 1234: "1,234", 1234567: "1,234,567"} {
		if got := number(value); got != want {
			t.Errorf("%v is written %s, want %s", value, got, want)
		}
	}
}
