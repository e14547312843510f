package syslog

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for raw, want := range map[string]Message{
		// RFC 3164, section 5.4.
		"<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8": {Facility: 4, Severity: 2,
			Time: "Oct 11 22:14:15", Host: "mymachine", App: "su", Text: "'su root' failed for lonvick on /dev/pts/8"},
		"<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!": {Facility: 1, Severity: 5, Time: "Feb  5 17:32:18", Host: "10.0.0.99", Text: "Use the BFG!"},
		"Use the BFG!": {Facility: 1, Severity: 5, Text: "Use the BFG!"},
		"<30>Jan  2 03:04:05 wk01 containerd[712]: up": {Facility: 3, Severity: 6, Time: "Jan  2 03:04:05", Host: "wk01", App: "containerd", ProcID: "712", Text: "up"},
		// As busybox writes to a local socket: no host.
		"<13>Jan  2 03:04:05 root: hello": {Facility: 1, Severity: 5, Time: "Jan  2 03:04:05", App: "root", Text: "hello"},
		// As iPXE and simple senders write.
		"<134>wk01 ipxe: Configuring net0": {Facility: 16, Severity: 6, Host: "wk01", App: "ipxe", Text: "Configuring net0"},
		"<14>ipxe: hello":                  {Facility: 1, Severity: 6, App: "ipxe", Text: "hello"},
		"<14>kernel: [ 0.1] a: b":          {Facility: 1, Severity: 6, App: "kernel", Text: "[ 0.1] a: b"},
		// An RFC 3339 time where RFC 3164 has its own.
		"<30>2026-11-23T00:00:01.5+01:00 wk01 app: x": {Facility: 3, Severity: 6, Time: "2026-11-23T00:00:01.5+01:00", Host: "wk01", App: "app", Text: "x"},
		// RFC 5424, section 6.5.
		"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \ufeff'su root' failed": {Facility: 4, Severity: 2,
			Time: "2003-10-11T22:14:15.003Z", Host: "mymachine.example.com", App: "su", Text: "'su root' failed"},
		"<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time": {Facility: 20, Severity: 5,
			Time: "2003-08-24T05:14:15.000003-07:00", Host: "192.0.2.1", App: "myproc", ProcID: "8710", Text: "%% It's time"},
		`<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 [a@1 x="3 \"]\\" y="z"][b@2] text`: {Facility: 20, Severity: 5,
			Time: "2003-10-11T22:14:15.003Z", Host: "h", App: "evntslog", Text: "text"},
		`<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 [a@1]`: {Facility: 20, Severity: 5, Time: "2003-10-11T22:14:15.003Z", Host: "h", App: "evntslog"},
		"<13>1 - - - - - -": {Facility: 1, Severity: 5},
		// Neither.
		"":                     {Facility: 1, Severity: 5},
		"\r\n\x00":             {Facility: 1, Severity: 5},
		"<":                    {Facility: 1, Severity: 5, Text: "<"},
		"<192>x":               {Facility: 1, Severity: 5, Text: "<192>x"},
		"<007>x":               {Facility: 1, Severity: 5, Text: "<007>x"},
		"<>x":                  {Facility: 1, Severity: 5, Text: "<>x"},
		"<1x>y":                {Facility: 1, Severity: 5, Text: "<1x>y"},
		"<0>":                  {},
		"<191>last":            {Facility: 23, Severity: 7, Text: "last"},
		"<13>1 notatime - - -": {Facility: 1, Severity: 5, Text: "1 notatime - - -"},
		`<13>1 - h a p m [x="`: {Facility: 1, Severity: 5, Text: `1 - h a p m [x="`},
		"<13>hello world":      {Facility: 1, Severity: 5, Text: "hello world"},
		"<13>a b: c":           {Facility: 1, Severity: 5, Host: "a", App: "b", Text: "c"},
		"\xff\xfe\x00\x01":     {Facility: 1, Severity: 5, Text: "\xff\xfe\x00\x01"},
	} {
		if diff := cmp.Diff(want, Parse([]byte(raw))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", raw, diff)
		}
	}
}

func TestNames(t *testing.T) {
	if got := []string{Severity(0).String(), Severity(7).String(), Facility(0).String(), Facility(23).String(), Facility(24).String()}; !cmp.Equal(got,
		[]string{"emerg", "debug", "kern", "local7", "unknown"}) {
		t.Error(got)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain ~ text":          "plain ~ text",
		"Grüße, 日本":             "Grüße, 日本",
		"a\nb\tc\r\x00":         `a\nb\tc\r\x00`,
		"\x1b[31mred\x1b[0m":    `\x1b[31mred\x1b[0m`,
		"\u009b31m":             `\u009b31m`,
		"\u202egnp.exe\u2066":   `\u202egnp.exe\u2066`,
		"\u200b\ufeff\u00ad":    `\u200b\ufeff\u00ad`,
		"\u2028\u00a0":          `\u2028\u00a0`,
		"\xff\xc0\xaf":          `\xff\xc0\xaf`,
		`C:\new`:                `C:\\new`,
		`fake \x1b`:             `fake \\x1b`,
		"'quoted' \"too\"":      "'quoted' \"too\"",
		"\U000e0041":            `\U000e0041`,
		string(utf8.RuneError):  string(utf8.RuneError),
		"\xed\xa0\x80surrogate": `\xed\xa0\x80surrogate`,
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestShorten(t *testing.T) {
	for _, tc := range []struct {
		in    string
		limit int
		want  string
	}{{"abcdef", 6, "abcdef"}, {"abcdef", 5, "ab..."}, {"aüüü", 6, "aü..."}, {"aüüü", 5, "a..."}, {"abcdef", 1, "..."}, {"", 0, ""}} {
		if got := Shorten(tc.in, tc.limit); got != tc.want {
			t.Errorf("Shorten(%q, %d) = %q, want %q", tc.in, tc.limit, got, tc.want)
		}
	}
}

// FuzzParse shows that no message is lost or crashes the parser, and that what is shown of it is clean.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "<165>1 2003-10-11T22:14:15.003Z h a p m [a@1 x=\"\\]\"] text",
		"<13>", "<13>1 ", "<13>1 - - - - - [", "\x1b\u202e\xff", "<191>a[b]c: d"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := Parse(raw)
		if m.Severity > 7 || m.Facility > 23 {
			t.Fatalf("out of range: %+v", m)
		}
		for _, part := range []string{m.Time, m.Host, m.App, m.ProcID, m.Text} {
			if !strings.Contains(string(raw), part) {
				t.Fatalf("%q is nowhere in %q", part, raw)
			}
		}
		clean := Clean(string(raw))
		for _, r := range clean {
			if r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x61c {
				t.Fatalf("%q keeps %U", clean, r)
			}
		}
		if !utf8.ValidString(clean) || Clean(strings.ReplaceAll(clean, `\`, "")) != strings.ReplaceAll(clean, `\`, "") {
			t.Fatalf("not clean: %q", clean)
		}
	})
}
