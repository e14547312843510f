package lint

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// docTable is the table of docs/lint.md.
func docTable() string {
	var out strings.Builder
	out.WriteString("| rule | severity | what it finds | remedy |\n|---|---|---|---|\n")
	for _, r := range Rules() {
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", r.ID, r.Severity, r.What, r.Remedy)
	}
	return out.String()
}

// docs/lint.md has exactly the rules there are; -update writes them.
func TestDocumentHasTheRules(t *testing.T) {
	const name, begin, end = "../../docs/lint.md", "<!-- rules -->\n", "<!-- end of rules -->"
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(page), begin)
	old, after, found2 := strings.Cut(rest, end)
	if !found || !found2 {
		t.Fatalf("%s has no table between %q and %q", name, begin, end)
	}
	if *update {
		if err := os.WriteFile(name, []byte(before+begin+docTable()+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != docTable() {
		t.Errorf("%s: the table is not that of the code: run this test with -update", name)
	}
}

func TestRulesAreNamedOnceAndInFull(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rules() {
		if seen[r.ID] || r.What == "" || r.Remedy == "" || strings.ContainsAny(r.What+r.Remedy, "|\n") || strings.ToLower(r.ID) != r.ID {
			t.Errorf("%+v", r)
		}
		seen[r.ID] = true
	}
}
