package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const hardwareTestdata = "../hardwarecsv/testdata/"

// run runs a command line as main does.
func run(stdin string, args ...string) (code int, stdout, stderr string) {
	var out, errs strings.Builder
	code = Run(args, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestHardwarePrintsObjects(t *testing.T) {
	name := hardwareTestdata + "facts.csv"
	want := readText(t, hardwareTestdata+"facts.yaml")
	code, stdout, stderr := run("", "hardware", name)
	if diff := cmp.Diff(want, stdout); diff != "" || code != 0 {
		t.Errorf("exit code %d, stdout (-want +got):\n%s", code, diff)
	}
	note := name + `:2: mac: note: "CC:48:3A:00:00:04" is written as cc:48:3a:00:00:04, the only form that Hardware objects take` + "\n"
	if diff := cmp.Diff(note, stderr); diff != "" {
		t.Errorf("stderr (-want +got):\n%s", diff)
	}

	code, stdout, _ = run(readText(t, name), "hardware", "--namespace=metal", "-")
	if diff := cmp.Diff(strings.ReplaceAll(want, "eksa-system", "metal"), stdout); diff != "" || code != 0 {
		t.Errorf("from stdin: exit code %d, stdout (-want +got):\n%s", code, diff)
	}
}

// Every problem is printed once, with file and line in front, and nothing goes to stdout.
func TestHardwarePrintsAllProblems(t *testing.T) {
	files, err := filepath.Glob(hardwareTestdata + "invalid-*.csv")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			code, stdout, stderr := run("", "hardware", "--tinkerbell-ip=192.168.2.112", "--bootstrap-ip=192.168.2.113", name)
			var want strings.Builder
			for line := range strings.Lines(readText(t, strings.TrimSuffix(name, ".csv")+".problems")) {
				want.WriteString(name + ":" + line)
			}
			if diff := cmp.Diff(want.String(), stderr); diff != "" || code != 1 || stdout != "" {
				t.Errorf("exit code %d, stdout %q, stderr (-want +got):\n%s", code, stdout, diff)
			}
		})
	}
}

func TestHardwareFailsBeforeItReads(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		what string
		args []string
		code int
		says []string
	}{
		{"no file", []string{"hardware"}, 2, []string{"0 arguments where it takes 1"}},
		{"two files", []string{"hardware", "a.csv", "b.csv"}, 2, []string{"2 arguments where it takes 1"}},
		{"unknown flag", []string{"hardware", "--nope", "a.csv"}, 2, []string{"unknown flag: --nope"}},
		{"all wrong flags at once", []string{"hardware", "--namespace=A b", "--tinkerbell-ip=banana", "--bootstrap-ip=fe80::1%eth0", "a.csv"}, 2,
			[]string{`--namespace "A b"`, `--tinkerbell-ip "banana"`, `--bootstrap-ip "fe80::1%eth0"`}},
		{"missing file", []string{"hardware", filepath.Join(dir, "missing.csv")}, 1, []string{"missing.csv: no such file or directory", "give the path"}},
		{"a folder", []string{"hardware", dir}, 1, []string{"is a directory", "give the path"}},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			code, stdout, stderr := run("", tt.args...)
			if code != tt.code || stdout != "" {
				t.Errorf("exit code %d, want %d; stdout %q", code, tt.code, stdout)
			}
			for _, part := range tt.says {
				if strings.Count(stderr, part) != 1 {
					t.Errorf("stderr does not say %q once:\n%s", part, stderr)
				}
			}
		})
	}
}

// A file name cannot add lines to what is printed.
func TestHardwareQuotesFileNames(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a\nb.csv")
	if err := os.WriteFile(name, []byte("banana\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, stderr := run("", "hardware", name); strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, `a\nb.csv":1: header: `) {
		t.Errorf("stderr: %q", stderr)
	}
}

func TestHardwareWithoutMachines(t *testing.T) {
	code, stdout, stderr := run("hostname,mac,ip_address,netmask,gateway,nameservers,disk,labels\n", "hardware", "-")
	if code != 0 || stdout != "" || stderr != "stdin: note: no machines below the header, so there are no objects\n" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestHardwareSaysThatItCouldNotWrite(t *testing.T) {
	var stderr strings.Builder
	code := Run([]string{"hardware", hardwareTestdata + "facts.csv"}, strings.NewReader(""), fullDisk{}, &stderr)
	if code != 1 || !strings.Contains(stderr.String(), "no space left on device") {
		t.Errorf("exit code %d, stderr %q", code, stderr.String())
	}
}

// The examples are right, and hold no password but made-up ones.
func TestExamples(t *testing.T) {
	for name, machines := range map[string]int{"hardware.csv": 4, "hardware-bmc.csv": 2} {
		code, stdout, stderr := run("", "hardware", "--tinkerbell-ip=192.168.2.112", "../../examples/"+name)
		if code != 0 || stderr != "" || strings.Count(stdout, "\nkind: Hardware\n") != machines {
			t.Errorf("%s: exit code %d, stderr %q, stdout:\n%s", name, code, stderr, stdout)
		}
	}
}

func TestExitCodes(t *testing.T) {
	cause := errors.New("cause")
	wrapped := errors.Join(errors.New("context"), usageError(cause))
	tests := []struct {
		err  error
		code int
		text string
	}{
		{cause, 1, "tugboot: cause"},
		{usageError(cause), 2, "tugboot: cause\nRun the command with --help to see how it is used."},
		{wrapped, 2, "tugboot: context\ncause\nRun the command with --help to see how it is used."},
		{listingError(cause), 1, "cause"},
	}
	for _, tt := range tests {
		if code, text := exitCode(tt.err), errorText(tt.err); code != tt.code || text != tt.text {
			t.Errorf("%v: exit code %d, want %d; text %q, want %q", tt.err, code, tt.code, text, tt.text)
		}
		if !errors.Is(tt.err, cause) {
			t.Errorf("%v does not lead to its cause", tt.err)
		}
	}
	if code := exitCode(nil); code != 0 {
		t.Errorf("no error: exit code %d", code)
	}
}
