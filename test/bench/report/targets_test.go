package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/test/bench/contender"
	"github.com/tugboot/tugboot/test/bench/results"
)

func TestTargetsAreJudged(t *testing.T) {
	docs := t.TempDir()
	run := results.Run{Settings: map[string]string{"rounds": "1", "plan": "full", "tugboot": "0123456789abcdef"}}
	err := Write(docs, run, []results.Contender{
		{Name: "tugboot", Samples: []results.Sample{
			sample("dhcp", "1000", 1, "dora_per_s", 60000), sample("dhcp", "100000", 1, "dora_per_s", 57000), sample("dhcp", "1000", 1, "p99_us", 300),
			sample("start", "1000000", 1, "rss_mib", 401), sample("change", "100000", 1, "lost", 0), sample("tftp", lockStep, 1, "mb_per_s", 20)}},
		{Name: "stub", Samples: []results.Sample{sample("dhcp", "1000", 1, "dora_per_s", 100000)}},
		{Name: "kea", Samples: []results.Sample{sample("dhcp", "1000", 1, "dora_per_s", 6000), sample("dhcp", "1000", 1, "p99_us", 400)}},
		{Name: "kea-memory", Samples: []results.Sample{sample("dhcp", "1000", 1, "dora_per_s", 12000), sample("dhcp", "1000", 1, "p99_us", 500)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(docs, Page))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| DHCP exchanges a second, to the C stub's | at least 0.85x | 0.60x | **missed** |",
		"| DHCP exchanges a second, to Kea's | at least 5.00x | 5.00x | met |", // the better of the two
		"| DHCP exchanges a second, to ISC dhcpd's | at least 5.00x | - | not measured |",
		"best peer's at half of its own | at most 1.00x | 0.75x | met |",
		"to those with 1,000 | at least 0.90x | 0.95x | met |",
		"| resident memory with 1,000,000 reservations | at most 400 MiB | 401 MiB | **missed** |",
		"| other machines lost meanwhile | at most 0 | 0 | met |",
		"- Missed: DHCP exchanges a second, to the C stub's. Why: of Tugboot's time",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
}

// TestTargetsNameWhoIsThere: a target beside nobody would never be judged.
func TestTargetsNameWhoIsThere(t *testing.T) {
	for _, target := range targets() {
		for _, name := range target.than {
			if _, err := contender.Named(name); err != nil {
				t.Errorf("%s: %v", target.what, err)
			}
		}
	}
}
