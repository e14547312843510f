package capability

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	libcap "kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/tugboot/tugboot/test/need"
)

// asked tells this test's program, when it is started once more as another user, to say what it could raise.
const asked = "TUGBOOT_TEST_CAPABILITY"

// report is what the program started once more says of itself.
type report struct {
	Missing []Missing
	// Effective has the effective set of each thread, as /proc shows it.
	Effective []string
}

func TestMain(m *testing.M) {
	if os.Getenv(asked) == "" {
		os.Exit(m.Run())
	}
	if err := say(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// say raises twice, with threads about that were there before, and prints a report.
func say() error {
	var ready sync.WaitGroup
	for range 4 {
		ready.Add(1)
		go func() {
			runtime.LockOSThread()
			ready.Done()
			select {}
		}()
	}
	ready.Wait()
	if _, err := Raise(Serving()...); err != nil {
		return err
	}
	missing, err := Raise(Serving()...)
	if err != nil {
		return fmt.Errorf("a second time: %w", err)
	}
	r := report{Missing: missing}
	tasks, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil {
		return err
	}
	for _, task := range tasks {
		status, err := os.ReadFile(task)
		if err != nil {
			return err
		}
		_, rest, _ := strings.Cut(string(status), "CapEff:\t")
		effective, _, _ := strings.Cut(rest, "\n")
		r.Effective = append(r.Effective, effective)
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

func TestRaise(t *testing.T) {
	need.Root(t)
	need.Program(t, "setpriv", "util-linux")
	const nobody = "--reuid=65532 --regid=65532 --clear-groups --inh-caps=-all "
	const both, bindOnly, none = "0000000000002400", "0000000000000400", "0000000000000000"
	tests := []struct {
		name, file, setpriv string
		effective           string
		missing             []string // NAME: words of the cause
	}{
		{"file capabilities", "cap_net_bind_service,cap_net_raw=p", nobody, both, nil},
		{"root without others", "", "--bounding-set=-all,+net_bind_service,+net_raw --inh-caps=-all --no-new-privs", both, nil},
		{
			"the container lacks one", "cap_net_bind_service,cap_net_raw=p", nobody + "--bounding-set=-net_raw", bindOnly,
			[]string{"NET_RAW: bounding set lacks it: grant NET_RAW"},
		},
		// As runc starts a process: it holds the capabilities until it executes the program, which gains nothing new.
		{"no new privileges, handed over", "cap_net_bind_service,cap_net_raw=p", nobody + "--no-new-privs", both, nil},
		// The first setpriv executes the second as another user, who has none when it executes the program.
		{
			"no new privileges", "cap_net_bind_service,cap_net_raw=p", nobody + "setpriv --no-new-privs", none,
			[]string{"NET_BIND_SERVICE: allowPrivilegeEscalation: false", "NET_RAW: run as user 0 with NET_RAW granted"},
		},
		{
			"a plain file", "", nobody, none,
			[]string{"NET_BIND_SERVICE: setcap cap_net_bind_service,cap_net_raw=p tugboot", "NET_RAW: user 65532 was not given it"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := runAs(t, tt.file, strings.Fields(tt.setpriv))
			if len(r.Effective) < 5 {
				t.Errorf("%d threads, want at least the 5 that were there", len(r.Effective))
			}
			for i, effective := range r.Effective {
				if effective != tt.effective {
					t.Errorf("thread %d of %d: effective %s, want %s", i, len(r.Effective), effective, tt.effective)
				}
			}
			if len(r.Missing) != len(tt.missing) {
				t.Fatalf("missing %v, want %v", r.Missing, tt.missing)
			}
			for i, want := range tt.missing {
				capability, words, _ := strings.Cut(want, ": ")
				got := r.Missing[i]
				if got.Capability != capability || got.Cause == "" || got.Remedy == "" || !strings.Contains(got.Cause+": "+got.Remedy, words) {
					t.Errorf("%s: %s: %s\nwant %s", got.Capability, got.Cause, got.Remedy, want)
				}
			}
		})
	}
}

// TestEffectiveFileCapabilitiesAreRefused shows why the program raises its capabilities itself.
func TestEffectiveFileCapabilitiesAreRefused(t *testing.T) {
	need.Root(t)
	need.Program(t, "setpriv", "util-linux")
	program := copyOfThis(t, "cap_net_bind_service,cap_net_raw=ep")
	out, err := exec.Command("setpriv", "--reuid=65532", "--clear-groups", "--bounding-set=-net_raw", program).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "Operation not permitted") {
		t.Errorf("it started: %v, %s", err, out)
	}
}

func runAs(t *testing.T, file string, setpriv []string) report {
	t.Helper()
	program := copyOfThis(t, file)
	c := exec.Command("setpriv", append(setpriv, program)...)
	c.Env = append(os.Environ(), asked+"=1")
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return r
}

// copyOfThis copies this test's program to where every user may start it and gives it file capabilities, "" for none.
func copyOfThis(t *testing.T, capabilities string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	if capabilities == "" {
		return program
	}
	set, err := libcap.FromText(capabilities)
	if err != nil {
		t.Fatal(err)
	}
	if err := set.SetFile(program); err != nil {
		t.Fatal(err)
	}
	return program
}
