package lint

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// daemonOf tells the daemon by the name of a file of testdata.
func daemonOf(t *testing.T, name string) Daemon {
	t.Helper()
	for _, d := range []Daemon{Kea, Dnsmasq, DHCPD} {
		if strings.Contains(filepath.Base(name), string(d)) {
			return d
		}
	}
	t.Fatalf("%s: names no daemon", name)
	return ""
}

// testdata reads a file beside the one that includes it.
func testdata(name string) (string, error) {
	text, err := os.ReadFile(path.Join("testdata", name))
	if err != nil {
		return "", errors.New("cannot be read")
	}
	return string(text), nil
}

func show(findings []Finding) string {
	var out strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&out, "%s: %s: %s: %s\n", f.Pos, f.Severity, f.Rule, f.Why)
	}
	return out.String()
}

// Each file's findings are those of its golden, and clean files have none.
func TestGoldens(t *testing.T) {
	goldens, err := filepath.Glob("testdata/*.findings")
	if err != nil || len(goldens) < 10 {
		t.Fatalf("%d goldens: %v", len(goldens), err)
	}
	for _, golden := range goldens {
		name := strings.TrimSuffix(golden, ".findings")
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			d := daemonOf(t, name)
			if found, ok := Detect(string(text)); !ok || found != d {
				t.Errorf("Detect: %s, %v; want %s", found, ok, d)
			}
			got := show(Check(d, filepath.Base(name), string(text), testdata, Options{DnsmasqVersion: "2.90"}))
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if strings.HasPrefix(filepath.Base(name), "clean-") && got != "" {
				t.Errorf("a clean file has findings:\n%s", got)
			}
		})
	}
}

// Every rule is found in some file of testdata, so that none is dead.
func TestEveryRuleIsFound(t *testing.T) {
	found := map[string]bool{}
	files, err := filepath.Glob("testdata/*.findings")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			for _, r := range Rules() {
				found[r.ID] = found[r.ID] || strings.Contains(line, ": "+r.ID+": ")
			}
		}
	}
	for _, r := range Rules() {
		if !found[r.ID] {
			t.Errorf("no file of testdata has %s", r.ID)
		}
	}
}

// The off-switch works in a comment and by option, for its rule alone.
func TestOffSwitch(t *testing.T) {
	const text = "{ \"Dhcp4\": { \"subnet4\": [\n%s\n{ \"id\": 1 } %s\n] } }"
	for _, c := range []struct {
		above, behind string
		disable       []string
		want          int
	}{
		{"", "", nil, 1},
		{"# tugboot-lint: disable=kea-subnet-missing", "", nil, 0},
		{"// tugboot-lint: disable=kea-syntax,kea-subnet-missing because", "", nil, 0},
		{"/* tugboot-lint: disable=kea-subnet-missing*/", "", nil, 0},
		{"# tugboot-lint: disable=kea-syntax", "", nil, 1},
		{"# tugboot-lint: disable=kea-subnet-missing-not", "", nil, 1},
		{"{ \"subnet\": \"10.0.0.0/8\" }, # tugboot-lint: disable=kea-subnet-missing", "", nil, 1},
		{"", "# tugboot-lint: disable=kea-subnet-missing", nil, 0},
		{"", "", []string{"kea-subnet-missing"}, 0},
	} {
		got := Check(Kea, "x", fmt.Sprintf(text, c.above, c.behind), nil, Options{Disable: c.disable})
		if len(got) != c.want {
			t.Errorf("%+v: %s", c, show(got))
		}
	}
}

func TestDnsmasqVersion(t *testing.T) {
	for version, want := range map[string]bool{"": true, "2.80": true, "2.90": true, "2.91": false, "2.91rc1": false, "2.100": false, "3.0": false, "x": true} {
		got := Check(Dnsmasq, "x", "dhcp-hostsfile=h\n", func(string) (string, error) { return "02:00:00:00:00:01,set:a,10.0.0.1", nil }, Options{DnsmasqVersion: version})
		if found := strings.Contains(show(got), "dnsmasq-hosts-set"); found != want {
			t.Errorf("%q: %v, want %v", version, found, want)
		}
		if stops := slices.ContainsFunc(got, func(f Finding) bool { return f.Stops }); stops != (want && version != "") {
			t.Errorf("%q: a write is stopped: %v; want it where the version is known to crash", version, stops)
		}
	}
}

func TestDnsmasqSaysItsVersion(t *testing.T) {
	for said, want := range map[string]string{
		"Dnsmasq version 2.90  Copyright (c) 2000-2024 Simon Kelley\nCompile time": "2.90", "Dnsmasq version v2.91\n": "2.91",
		"Dnsmasq version 2.92rc1": "2.92", "Dnsmasq version": "", "dnsmasq: not found": "", "": "", "Dnsmasq version UNKNOWN": "",
	} {
		if got := DnsmasqVersion(said); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
}

func TestAFindingOnOneLine(t *testing.T) {
	f := Unreadable(DHCPD, "/etc/dhcp/dhcpd.conf", errors.New("permission denied"))
	want := "/etc/dhcp/dhcpd.conf: warning: permission denied: Run lint where the file is readable, or correct its name. [dhcpd-include-unreadable]"
	if f.String() != want || f.Stops {
		t.Errorf("%s; want %s", f, want)
	}
}

func TestDetect(t *testing.T) {
	for text, want := range map[string]Daemon{"": "", "# x\n": "", "// x\n{": Kea, "<?include \"a\"?>": Kea, "authoritative;": DHCPD, "if a\n{": DHCPD, "port=0": Dnsmasq} {
		if got, ok := Detect(text); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
}

func FuzzCheck(f *testing.F) {
	files, err := filepath.Glob("testdata/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range []Daemon{Kea, Dnsmasq, DHCPD} {
			read := func(string) (string, error) { return "", errors.New("not there") }
			once, again := show(Check(d, "x", text, read, Options{})), show(Check(d, "x", text, read, Options{}))
			if once != again {
				t.Fatalf("%s %q: twice the same text, and two answers:\n%s\n%s", d, text, once, again)
			}
		}
	})
}
