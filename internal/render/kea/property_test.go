package kea

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/render/rendertest"
	"github.com/tugboot/tugboot/internal/reservation"
)

// harmless fails when a text of w is anything but one whole string of a valid file, or is left out without a word.
func harmless(t interface {
	Fatalf(format string, args ...any)
}, w render.Wanted) {
	out, err := Render(w)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if strings.ContainsFunc(out.Whole, func(r rune) bool { return r > '~' || r < ' ' && r != '\n' }) {
		t.Fatalf("not ASCII: %q", out.Whole)
	}
	_, body, _ := strings.Cut(out.Whole, "\n{")
	var read server
	if err := json.Unmarshal([]byte("{"+body), &read); err != nil {
		t.Fatalf("%v:\n%s", err, body)
	}
	lists := map[string]int{}
	for _, f := range out.Live {
		_, body, _ := strings.Cut(f.Text, "\n{")
		var all []any
		if err := json.Unmarshal([]byte("[{"+body+"]"), &all); err != nil {
			t.Fatalf("%s: %v:\n%s", f.Name, err, body)
		}
		lists[f.Name] = len(all)
	}
	for i, n := range w.Networks {
		if lists[reservationsName(w.Word, n.Prefix)] != len(n.Reservations) {
			t.Fatalf("%v reservations in the live files", lists)
		}
		for j, r := range n.Reservations {
			got := read.Dhcp4.Subnets[i].Reservations[j]
			reported := slices.ContainsFunc(out.Problems, func(p reservation.Problem) bool {
				return strings.HasSuffix(p.Field, "dhcp.hostname") && p.Value == r.Hostname
			})
			if got.Hostname != r.Hostname && (got.Hostname != "" || !reported) {
				t.Fatalf("hostname %q is rendered as %q, and reported: %t", r.Hostname, got.Hostname, reported)
			}
			if got.MAC != r.MAC.String() || got.Address != r.Address.Addr().String() {
				t.Fatalf("%+v is rendered as %+v", r, got)
			}
		}
	}
	for _, class := range read.Dhcp4.Classes {
		for _, n := range w.Networks {
			for _, r := range n.Reservations {
				if len(r.Hostname) > 12 && strings.Contains(class.Test, r.Hostname) {
					t.Fatalf("a test holds a value of the Hardware: %s", class.Test)
				}
			}
		}
	}
}

func TestAnyTextIsHarmless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("ab1.-,\"\\#\n\r\t ;{}<?/'"))))
		harmless(t, rendertest.Hostile(text.Draw(t, "hostname"), text.Draw(t, "domain"), text.Draw(t, "other"), rapid.Uint32().Draw(t, "lease")))
	})
}

func FuzzTextIsHarmless(f *testing.F) {
	for _, s := range []string{"node1", "a.b", "a\nb", `a"b`, `a\`, "<?include \"/etc/passwd\"?>", "//", "a#b", "\x00", "é", "\u2028", strings.Repeat("a", 300)} {
		f.Add(s, s, uint32(86400))
	}
	f.Fuzz(func(t *testing.T, hostname, domain string, lease uint32) {
		harmless(t, rendertest.Hostile(hostname, domain, domain, lease))
	})
}

func FuzzQuote(f *testing.F) {
	for _, s := range []string{"node1", `a"b`, `a\`, "a\nb", "\x00", "\x7f", "é", "\u2028", "\xff", "<?include \"a\"?>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, err := quote(s)
		if err != nil {
			if !strings.ContainsFunc(s, func(r rune) bool { return r > '~' }) { // an invalid byte counts as U+FFFD
				t.Fatalf("%q is refused: %v", s, err)
			}
			return
		}
		var back string
		if err := json.Unmarshal([]byte(text), &back); err != nil || back != s || strings.Contains(text, "\n") {
			t.Fatalf("%q is written as %s, which reads %q, %v", s, text, back, err)
		}
	})
}
