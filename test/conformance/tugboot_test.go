package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/test/conformance/rows"
)

var update = flag.Bool("update", false, "ask the other servers too, and write docs/conformance.md anew")

// patience is how long an answer is waited for. Every server here answers at once, or not at all.
const patience = "1s"

// deviations are the rows that Tugboot does not keep, and why.
func deviations() map[string]string {
	return map[string]string{
		"2131-4.3.1-stranger": "Reservations only: a machine without Hardware is another server's, and hears nothing (docs/design, no pools).",
		"3442-no-router": "Option 3 is sent beside option 121. RFC 3442 has clients ignore it then, and firmware and old clients that do not know " +
			"option 121 have no other way out of their network.",
		"4388-6.4-mac":     "Leases are not kept: who has an address is what the Hardware says. The packet is counted (LeaseQuery).",
		"4388-6.4-address": "As 4388-6.4-mac.",
		"4578-2.1-server":  "PXE 2.1 does not list option 93 for a DHCPOFFER, no firmware reads it there, and 548 bytes are few: it is not sent.",
		"4578-2.2-server":  "As 4578-2.1-server, for option 94.",
		"1350-4-tid": "All transfers are on port 69, told apart by the client's address and port, so that firewalls and pods with one host port pass " +
			"them. A client takes the source of the first packet for the server's transfer identifier, whatever it is.",
	}
}

// TestTugboot: every row but the deviations, which are named with their reasons, and which the page shows as they are.
func TestTugboot(t *testing.T) {
	tugboot := column{Name: "Tugboot", report: askTugboot(t)}
	known := deviations()
	for _, l := range tugboot.report {
		_, deviates := known[l.ID]
		delete(known, l.ID)
		switch kept := l.Result == rows.Pass; {
		case !kept && !deviates:
			t.Errorf("%s %s, %s %s: %s\n%s", l.Result, l.ID, l.Level, l.Source, l.Rule, l.Evidence)
		case kept && deviates:
			t.Errorf("%s is kept now: take it out of the deviations", l.ID)
		}
	}
	for id := range known {
		t.Errorf("deviation %s is no row", id)
	}
	page := filepath.Join(suite.root, "docs", "conformance.md")
	if *update {
		text := writePage(append([]column{tugboot}, askPeers(t)...))
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(results(tugboot), shown(string(text))); diff != "" {
		t.Errorf("docs/conformance.md (-now +page; `go test ./test/conformance -update` writes it anew):\n%s", diff)
	}
}
