package microsoft

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// TestCheckRefuses: one thing is put into a script that is right, and the checker names its line.
func TestCheckRefuses(t *testing.T) {
	out := rendered(t, full())
	for what, test := range map[string]struct{ old, put, says string }{
		"a quote that ends a string":    {"'node-b'", "'node'b'", "has no place"},
		"a string without an end":       {"'node-b'", "'node-b", "has no place"},
		"an expandable string":          {"'node-b'", `"node-b"`, "has no place"},
		"a string without an end, last": {"Name = 'Classless static routes'; Type = 'BinaryData' }", "Name = 'x", "does not end on its line"},
		"a command in a string's end":   {"'node-b'", "'node-b'; iex 'x'", `"iex" is no command`},
		"another cmdlet":                {"'node-b'", "(Remove-Item 'x')", `"Remove-Item" is no command`},
		"a subexpression":               {"'node-b'", "$(1)", `"$" has no place`},
		"a block comment":               {"'node-b'", "<# 'node-b' #>", `"<" has no place`},
		"a here-string":                 {"'node-b'", "@'", "\"@\" has no place"},
		"an escape":                     {"'node-b'", "a`", "has no place"},
		"another script":                {"$wanted = @{}", ". 'x.ps1'", "runs another script"},
		"a call":                        {"$wanted = @{}", "& 'x.exe'", "runs something other"},
		"a brace too few":               {"$wanted = @{}", "$wanted = @{", "is never closed"},
		"a brace too many":              {"$wanted = @{}", "$wanted = @{}}", "\"}\" closes nothing"},
		"a typographic quote":           {"'node-b'", "'node\u2019b'", "is not printable ASCII"},
		"a control character":           {"# What is ours", "# What\u0007 is ours", "is not printable ASCII"},
		"no -WhatIf":                    {"[CmdletBinding(SupportsShouldProcess)]", "[CmdletBinding()]", "is missing"},
		"no strict mode":                {"Set-StrictMode -Version 3.0", "", "is missing"},
		"a script that was cut":         {"        }\n    }\n}\n", "", "is never closed"},
	} {
		t.Run(what, func(t *testing.T) {
			broken := strings.Replace(out.Whole, test.old, test.put, 1)
			if broken == out.Whole {
				t.Fatalf("the script does not hold %q", test.old)
			}
			if err := Check(broken); err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line that says %q", err, test.says)
			}
		})
	}
}

// Every change is asked for: no cmdlet that changes something stands outside of a block of Invoke-Change.
func TestEveryChangeIsAskedFor(t *testing.T) {
	var block bool
	for line := range strings.Lines(apply) {
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "Invoke-Change "):
			if block || !strings.HasSuffix(trimmed, "{") {
				t.Errorf("not the beginning of a block: %s", trimmed)
			}
			block = true
		case block && trimmed == "}":
			block = false
		case strings.Contains(line, "-DhcpServerv4") && !strings.Contains(line, "Get-DhcpServerv4"):
			if !block || !strings.HasSuffix(trimmed, "@there") || !strings.Contains(line, "-Confirm:$false") {
				t.Errorf("a change that -WhatIf does not hold back, or whose errors are lost: %s", trimmed)
			}
		}
	}
}

// unquote reads what quote wrote, as PowerShell would.
func unquote(t interface{ Fatalf(string, ...any) }, quoted string) string {
	tokens, err := scan(quoted)
	if err != nil || len(tokens) != 1 || tokens[0].kind != text || tokens[0].text != quoted {
		t.Fatalf("%q is not one string: %v, %v", quoted, tokens, err)
	}
	return strings.ReplaceAll(quoted[1:len(quoted)-1], "''", "'")
}

func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"", "node-1", "it's", "''", "'; Remove-Item 'x", "$(x)", "`n", "a\nb", "\u2018\u2019\u201a\u201b", "\x00", "\xff", "#", "@'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted, err := quote(s)
		if err != nil {
			if !strings.ContainsFunc(s, notPrintable) {
				t.Fatalf("%q is refused: %v", s, err)
			}
			return
		}
		if got := unquote(t, quoted); got != s {
			t.Fatalf("%q is read as %q", s, got)
		}
	})
}

func FuzzCheck(f *testing.F) {
	f.Add(apply)
	f.Add("'")
	f.Add("@'\n'@")
	f.Fuzz(func(t *testing.T, s string) {
		if err := Check(s); err == nil && strings.ContainsAny(s, "\"`<>") {
			for line := range strings.Lines(s) { // they may stand in strings and comments only
				if strings.ContainsAny(line, "\"`<>") && !strings.ContainsAny(line, "'#") {
					t.Fatalf("%q passes", line)
				}
			}
		}
	})
}

// TestWhateverMachinesSay: whatever stands in a reservation, the script passes the checker or is not written, it is the
// same each time, and no value makes a line.
func TestWhateverMachinesSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := full()
		hard := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]{0,40}`), rapid.SampledFrom([]string{"'", "''", "'\n", "$(x)", "`", "\u2019"}))
		for _, r := range w.Networks[0].Reservations {
			r.Hostname, r.DomainName = hard.Draw(t, "hostname"), hard.Draw(t, "domain")
			r.Source = reservation.Source{Name: hard.Draw(t, "source")}
		}
		out, err := Render(w)
		again, errAgain := Render(w)
		if out.Whole != again.Whole || (err == nil) != (errAgain == nil) {
			t.Fatal("two scripts of the same wanted differ")
		}
		if err != nil {
			return
		}
		if err := Check(out.Whole); err != nil {
			t.Fatal(err)
		}
		if lines(out) != lines(must(full())) {
			t.Fatalf("%d lines where there are %d", lines(out), lines(must(full())))
		}
	})
}

func lines(out render.Output) int { return strings.Count(out.Whole, "\n") }

func must(w render.Wanted) render.Output {
	out, err := Render(w)
	if err != nil {
		panic(err)
	}
	return out
}
