package rendertest

import (
	"flag"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/takeover"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Renderer makes a service's text.
type Renderer func(render.Wanted) (render.Output, error)

// Must renders w.
func (r Renderer) Must(t *testing.T, w render.Wanted) render.Output {
	t.Helper()
	out, err := r(w)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Goldens compares what is rendered for two clusters and for one that is told nothing with the files in testdata. also
// looks at each; nil for nothing.
func (r Renderer) Goldens(t *testing.T, also func(*testing.T, render.Output)) {
	for name, w := range map[string]render.Wanted{
		"lab":     Site(Word("lab", "192.168.2.2"), 0),
		"edge":    Site(Word("edge", "192.168.2.3"), 1),
		"nothing": {Word: render.Word{Mark: takeover.Mark{Cluster: "nothing"}}},
	} {
		t.Run(name, func(t *testing.T) {
			out := r.Must(t, w)
			var problems strings.Builder
			for _, p := range out.Problems {
				problems.WriteString(p.Reason + " " + p.Error() + "\n")
			}
			files := []render.File{{Name: name + ".whole.conf", Text: out.Whole}, out.Operator, {Name: name + ".problems", Text: problems.String()}}
			for _, f := range append(files, out.Live...) {
				golden(t, f)
			}
			if again := r.Must(t, w); cmp.Diff(out, again) != "" {
				t.Error("the same Wanted made other bytes")
			}
			if also != nil {
				also(t, out)
			}
		})
	}
}

func golden(t *testing.T, f render.File) {
	t.Helper()
	path := filepath.Join("testdata", f.Name)
	if *update {
		if err := os.WriteFile(path, []byte(f.Text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), f.Text); diff != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", path, diff)
	}
}

// Refuses shows that nothing is rendered from words that no cluster has, and with the further changes.
func (r Renderer) Refuses(t *testing.T, further map[string]func(*render.Wanted)) {
	changes := map[string]func(*render.Wanted){
		"cluster with a line":  func(w *render.Wanted) { w.Word.Mark.Cluster = "a\nb" },
		"no cluster":           func(w *render.Wanted) { w.Word.Mark.Cluster = "" },
		"script with a quote":  func(w *render.Wanted) { w.Word.Says.ScriptPath = `/a";b` },
		"boot files":           func(w *render.Wanted) { w.Word.Says.BootFiles = "bios=a b" },
		"IPv6 network":         func(w *render.Wanted) { w.Networks[0].Prefix = netip.MustParsePrefix("2001:db8::/64") },
		"network of host bits": func(w *render.Wanted) { w.Networks[0].Prefix = netip.MustParsePrefix("10.7.0.1/24") },
	}
	maps.Copy(changes, further)
	for name, change := range changes {
		w := Site(Word("lab", "192.168.2.2"), 0)
		change(&w)
		if out, err := r(w); err == nil {
			t.Errorf("%s: rendered as\n%s", name, out.Whole)
		}
	}
}
