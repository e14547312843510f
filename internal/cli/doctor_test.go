package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/doctor"
)

// aloof are flags with which neither a low port nor the network is touched: nobody has the advertised address.
func aloof(t *testing.T, flags ...string) []string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"undionly.kpxe", "ipxe.efi", "ipxe-arm64.efi"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("binary"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return append([]string{"doctor", "--advertise=192.0.2.1", "--dhcp=off", "--tftp=off", "--syslog=off", "--http=:17171", "--ipxe-dir=" + dir,
		"--metrics-bind-address=off", "--health-probe-bind-address=off", "--hardware=../../examples/hardware.csv"}, flags...)
}

func TestDoctorForms(t *testing.T) {
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead || r.URL.Path != "/hook/vmlinuz-x86_64" {
			http.NotFound(w, r)
		}
	}))
	defer hook.Close()
	code, stdout, stderr := run("", aloof(t, "--hook-url="+hook.URL+"/hook/")...)
	if code != 0 || stderr != "" {
		t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
	}
	for line := range strings.Lines(stdout) {
		if f := strings.Fields(line); len(f) < 3 || !slices.Contains([]string{"ok", "warn"}, f[0]) || !slices.Contains(doctor.Checks(), f[1]) ||
			!strings.HasPrefix(line[18:], f[2]) || strings.Contains(line, "\x1b") {
			t.Errorf("not aligned: %q", line)
		}
	}
	for _, want := range []string{
		"ok    port        HTTP: 17171/tcp at 0.0.0.0 is free\n", "ok    ipxe        3 boot files are advertised, and all are in ",
		"ok    hook        " + hook.URL + "/hook/vmlinuz-x86_64 is there\n", "ok    rights      passed over: no cluster is asked (--hardware alone)\n",
		"warn  address     192.0.2.1 is advertised (--advertise), and no interface of this host has it",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}

	code, stdout, stderr = run("", aloof(t, "-o", "json", "--hook-url="+hook.URL, "--ipxe-dir=/nope\x1b[31m")...)
	var v diagnosisView
	decoder := json.NewDecoder(strings.NewReader(stdout))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil || code != 1 || v.OK || v.Errors != 1 || v.Warnings != 2 || len(v.Findings) < len(doctor.Checks()) {
		t.Errorf("exit code %d, %v:\n%s", code, err, stdout)
	}
	if !strings.Contains(stderr, "1 of 14 findings would keep `tugboot serve` from working") {
		t.Errorf("standard error: %s", stderr)
	}
	if code, stdout, _ := run("", aloof(t, "--ipxe-dir=/nope\x1b[31m")...); code != 1 || strings.Contains(stdout, "\x1b") || !strings.Contains(stdout, `FAIL  ipxe        "/nope\x1b[31m" cannot be read: no such file`) {
		t.Errorf("exit code %d:\n%q", code, stdout)
	}
}

// TestDoctorWrongUse: what serve refuses, doctor refuses, in the same words.
func TestDoctorWrongUse(t *testing.T) {
	for _, flags := range [][]string{
		{"--dhcp=relay"}, {"--role=boss"}, {"--hook-url=ftp://x"}, {"--takeover-namespace=eksa-system", "--hardware=x"}, {"--drain-timeout=2h", "--tftp-mtu=1"}, {"x"}, {"--ipxe=x"},
	} {
		code, stdout, stderr := run("", append([]string{"doctor", "--advertise=192.0.2.1"}, flags...)...)
		serveCode, _, serveSays := run("", append([]string{"serve", "--advertise=192.0.2.1"}, flags...)...)
		if code != 2 || serveCode != 2 || stdout != "" || stderr != strings.ReplaceAll(serveSays, "tugboot serve", "tugboot doctor") {
			t.Errorf("%q: exit codes %d and %d, %q and %q", flags, code, serveCode, stderr, serveSays)
		}
	}
	if code, _, stderr := run("", "doctor", "-o", "yaml"); code != 2 || !strings.Contains(stderr, `--output "yaml": not known: give text or json`) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// TestDoctorHasTheFlagsOfServe and one more.
func TestDoctorHasTheFlagsOfServe(t *testing.T) {
	serveFlags, doctorFlags := newServeCommand().Flags(), newDoctorCommand().Flags()
	names := func(text string) (all []string) {
		for line := range strings.Lines(text) {
			all = append(all, strings.TrimSpace(line))
		}
		return all
	}
	want, got := names(serveFlags.FlagUsages()), names(doctorFlags.FlagUsages())
	for _, flag := range want {
		if !slices.Contains(got, flag) {
			t.Errorf("doctor has not %q", flag)
		}
	}
	if len(got) != len(want)+1 {
		t.Errorf("%d flags, serve has %d", len(got), len(want))
	}
}

// TestDoctorTriesThePortsOfServe: those that it lists are those that the servers take.
func TestDoctorTriesThePortsOfServe(t *testing.T) {
	o := options.Serve{}
	f := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	o.AddFlags(f)
	if err := f.Parse([]string{"--advertise=192.0.2.1", "--interfaces=a,b", "--tftp=:69,192.0.2.1:6969", "--metrics-bind-address=off"}); err != nil {
		t.Fatal(err)
	}
	if err := o.Validate(nil); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range portsOf(&o) {
		got = append(got, strings.TrimSpace(p.Server+" "+p.Network+" "+p.At.String()+" "+p.Device))
	}
	want := []string{"DHCP udp 0.0.0.0:67 a", "DHCP udp 0.0.0.0:67 b", "TFTP udp 0.0.0.0:69", "TFTP udp 192.0.2.1:6969", "HTTP tcp 0.0.0.0:7171",
		"syslog udp 0.0.0.0:514", "syslog tcp 0.0.0.0:514", "health tcp 0.0.0.0:8081"}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestDoctorStateFolder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]doctor.State{
		dir:                          {Dir: dir, Made: true},
		filepath.Join(dir, "a", "b"): {Dir: filepath.Join(dir, "a", "b")},
		file:                         {Dir: file, Made: true, Failed: `"` + file + `": not a directory`},
		filepath.Join(file, "below"): {Dir: filepath.Join(file, "below"), Failed: `"` + filepath.Join(file, "below") + `": not a directory`},
		"":                           {},
	} {
		if got := lookAtState(path); got.Dir != want.Dir || got.Failed != want.Failed || want.Failed == "" && got.Made != want.Made {
			t.Errorf("%q: %+v, want %+v", path, got, want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("something was made: %v, %v", entries, err)
	}
}
