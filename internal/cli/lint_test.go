package cli

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tugboot/tugboot/internal/lint"
)

const lintTestdata = "../lint/testdata/"

func TestLintForms(t *testing.T) {
	code, stdout, stderr := run("", "lint", lintTestdata+"page-kea.json")
	if code != exitNotReady || strings.Count(stdout, "\n") != 8 || !strings.Contains(stdout, "page-kea.json:16:1: error: ") || !strings.Contains(stdout, "[kea-subnet-missing]") {
		t.Errorf("text: exit code %d:\n%s", code, stdout)
	}
	if !strings.Contains(stderr, "page-kea.json: 8 to look at") {
		t.Errorf("stderr: %s", stderr)
	}
	code, stdout, _ = run("", "lint", "-o", "json", lintTestdata+"page-kea.json")
	var list []findingView
	if err := json.Unmarshal([]byte(stdout), &list); err != nil || code != exitNotReady || len(list) != 8 || list[7].Rule != "kea-subnet-missing" || list[7].Line != 16 {
		t.Errorf("json: exit code %d, %v:\n%s", code, err, stdout)
	}
	for _, form := range []string{"text", "json", "sarif"} {
		if code, stdout, stderr := run("", "lint", "-o", form, lintTestdata+"clean-kea.json"); code != 0 || stderr != "" || form == "text" && stdout != "" {
			t.Errorf("clean, %s: exit code %d:\n%s%s", form, code, stdout, stderr)
		}
	}
}

// The parts of a SARIF log that its schema requires are there, and hang together.
func TestLintSARIF(t *testing.T) {
	_, stdout, _ := run("", "lint", "-o", "sarif", lintTestdata+"traps-dhcpd.conf")
	var log sarifLog
	decoder := json.NewDecoder(strings.NewReader(stdout))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 || log.Runs[0].Tool.Driver.Name == "" || len(log.Runs[0].Results) < 20 {
		t.Fatalf("%+v", log)
	}
	rules := log.Runs[0].Tool.Driver.Rules
	if len(rules) != len(lint.Rules()) {
		t.Errorf("%d rules of %d", len(rules), len(lint.Rules()))
	}
	for _, r := range log.Runs[0].Results {
		if rules[r.RuleIndex].ID != r.RuleID || r.Message.Text == "" || len(r.Locations) != 1 {
			t.Errorf("%+v", r)
		}
		at := r.Locations[0].Physical
		if !strings.HasPrefix(at.Artifact.URI, "../lint/testdata/traps-dhcpd.") && at.Artifact.URI != "traps-dhcpd.inc" || at.Region == nil || at.Region.StartLine < 1 || at.Region.StartColumn < 1 {
			t.Errorf("place: %+v", at)
		}
	}
	if got := fileURI("/etc/a b#.conf"); got != "file:///etc/a%20b%23.conf" {
		t.Errorf("absolute: %s", got)
	}
}

func TestLintUse(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	tests := []struct {
		what  string
		stdin string
		args  []string
		code  int
		says  string
	}{
		{"no file", "", []string{"lint"}, 2, "0 arguments"},
		{"wrong flags at once", "", []string{"lint", "--type=x", "-o=x", "--disable=x", "--dnsmasq-version=x", "f"}, 2, "--disable \"x\""},
		{"not there", "", []string{"lint", missing}, 1, "give the path"},
		{"empty", "", []string{"lint", "-"}, 2, "give --type"},
		{"from stdin", "authoritative;", []string{"lint", "-"}, 0, ""},
		{"of a type", "", []string{"lint", "--type=isc", "-"}, 0, ""},
		{"disabled", `{"Dhcp4": {"subnet4": [{}]}}`, []string{"lint", "--disable=kea-subnet-missing", "-"}, 0, ""},
	}
	for _, c := range tests {
		t.Run(c.what, func(t *testing.T) {
			code, stdout, stderr := run(c.stdin, c.args...)
			if code != c.code || !strings.Contains(stderr, c.says) || stdout != "" {
				t.Errorf("exit code %d, want %d; stdout %q, stderr %q", code, c.code, stdout, stderr)
			}
		})
	}
}

func TestConfigurationReader(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "conf.d", "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"main.conf": "conf-dir=conf.d\n", "conf.d/b.conf": "dhcp-option=60,x\n", "conf.d/a.conf": "port=0\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, _ := run("", "lint", "--dnsmasq-version=2.91", filepath.Join(dir, "main.conf"))
	if code != exitNotReady || !strings.HasPrefix(stdout, "conf.d/b.conf:1:1: error: ") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
	if _, err := configurationReader("x")("/dev/null"); err == nil {
		t.Error("a device is read")
	}
}

// A running Kea is asked over its socket; what is wrong with the way to it is named.
func TestLintAsksKea(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { listener.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			json.NewDecoder(conn).Decode(&map[string]any{})
			conn.Write([]byte(`{"result": 0, "arguments": {"hash": "x", "Dhcp4": {"subnet4": [{"id": 1, "subnet": "192.168.2.0/24",
				"option-data": [{"name": "boot-file-name", "code": 67, "data": "ipxe.efi"}]}]}}}`))
			conn.Close()
		}
	})
	code, stdout, stderr := run("", "lint", "--kea", "unix://"+path)
	if code != exitNotReady || !strings.Contains(stdout, "unix://"+path+":") || !strings.Contains(stdout, "[kea-scope-option-66-67]") {
		t.Errorf("exit code %d, stderr %q:\n%s", code, stderr, stdout)
	}
	for says, args := range map[string][]string{
		"no such file or directory":   {"--kea", "unix:///run/tugboot-none"},
		"--kea: ":                     {"--kea", "ftp://x"},
		"has no effect without --kea": {"--kea-credentials", t.TempDir(), "-"},
		"holds none of the files":     {"--kea", "unix://" + path, "--kea-credentials", t.TempDir()},
		"has no effect with --kea":    {"--kea", "unix://" + path, "--type", "isc"},
		"unknown command":             {"--kea", "unix://" + path, "file"},
	} {
		if code, stdout, stderr := run("", append([]string{"lint"}, args...)...); code == 0 || code == exitNotReady || stdout != "" || !strings.Contains(stderr, says) {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q, want %q", args, code, stdout, stderr, says)
		}
	}
}
