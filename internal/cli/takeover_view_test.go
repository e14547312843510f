package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
)

var update = flag.Bool("update", false, "write the golden files anew")

// aTakeover reads one of testdata/takeover.
func aTakeover(t *testing.T, name string) *v1alpha1.Takeover {
	t.Helper()
	object := &v1alpha1.Takeover{}
	if err := yaml.UnmarshalStrict([]byte(readText(t, filepath.Join("testdata", "takeover", name+".yaml"))), object); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return object
}

// said is what every command would print about v.
func said(t *testing.T, v takeoverView) string {
	t.Helper()
	var b strings.Builder
	title := func(words string) { fmt.Fprintf(&b, "%s== %s\n", strings.Repeat("\n", min(b.Len(), 1)), words) }
	failed := func(err error) {
		if err != nil {
			fmt.Fprintln(&b, "error:", err)
		}
	}
	title("status")
	failed(v.table(&b, time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)))
	title("plan")
	p := planOf(v)
	failed(p.table(&b))
	if p.blocked {
		fmt.Fprintln(&b, "error:", printable(p.Summary))
	}
	change := func(n changeView, err error) {
		if err != nil {
			failed(err)
			return
		}
		value := "removed"
		if n.Value != nil {
			value = *n.Value
		}
		fmt.Fprintf(&b, "[%s: %s, unchanged: %t]\n", n.Annotation, value, n.unchanged)
		failed(n.table(&b))
	}
	title("now")
	change(v.force(false))
	title("now --off")
	change(v.force(true))
	title("freeze")
	change(v.freeze(false), nil)
	title("freeze --off")
	change(v.freeze(true), nil)
	for _, value := range []string{"192.168.2.112", "http://192.168.2.112:7171/auto.ipxe"} {
		title("override " + value)
		to, err := v1alpha1.ParseOverride(value)
		if err != nil {
			t.Fatal(err)
		}
		change(v.override(value, to), nil)
	}
	title("override --off")
	change(v.endOverride(), nil)
	title("rollback")
	change(v.rollback())
	return b.String()
}

// TestTakeoverTexts shows for each Takeover of testdata what every command says of it.
func TestTakeoverTexts(t *testing.T) {
	files, err := filepath.Glob("testdata/takeover/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			got := said(t, viewOf(aTakeover(t, name)))
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(readText(t, golden), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, r := range got {
				if r != '\n' && !unicode.IsPrint(r) {
					t.Errorf("prints %q, which a terminal obeys", r)
				}
			}
		})
	}
}

func TestPrintable(t *testing.T) {
	for s, want := range map[string]string{
		"": "", `say "no" 'é'`: `say "no" 'é'`, "a\nb": `a\nb`, "\x1b[2J": `\x1b[2J`, "\u202e": `\u202e`, "\u009b": `\u009b`, "\xff": "\ufffd", "it's\t": `it's\t`,
	} {
		if got := printable(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}
