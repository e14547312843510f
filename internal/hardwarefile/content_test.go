package hardwarefile

import (
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
)

func makePipe(t *testing.T, name string) {
	t.Helper()
	check(t, os.Remove(name))
	check(t, syscall.Mkfifo(name, 0o644))
}

func hardwareYAML(name string, n int) string {
	return fmt.Sprintf(`apiVersion: tinkerbell.org/v1alpha1
kind: Hardware
metadata:
  name: %s
spec:
  interfaces:
  - dhcp:
      mac: 52:54:00:00:02:%02x
      hostname: %s
      lease_time: 4294967295
      ip: {address: 192.168.2.%d, netmask: 255.255.255.0, gateway: 192.168.2.1}
    netboot: {allowPXE: true}
`, name, n, name, 10+n)
}

const bmcSecret = "apiVersion: v1\nkind: Secret\nmetadata: {name: bmc-auth}\nstringData: {password: hunter2secret}\n"

const hardwareJSON = `{"apiVersion": "tinkerbell.org/v1alpha1", "kind": "Hardware", "metadata": {"name": "wk1"},
 "spec": {"interfaces": [{"dhcp": {"mac": "52:54:00:00:02:01", "ip": {"address": "192.168.2.11", "netmask": "255.255.255.0"}}}]}}`

func TestContent(t *testing.T) {
	one, two := hardwareYAML("wk1", 1), hardwareYAML("wk2", 2)
	list := "kind: List\nitems:\n- " + strings.ReplaceAll(one, "\n", "\n  ") + "\n- {apiVersion: v1, kind: ConfigMap}\n"
	tests := []struct {
		what, file, text string
		want             []string // the reservations' sources
		failure          []string // what the file's problems begin with
	}{
		{"csv", "h.csv", csvOf(1, 2), []string{"h.csv:wk1", "h.csv:wk2"}, nil},
		{"csv with a header only", "h.csv", csvHeader, nil, nil},
		{"csv with a bad row", "h.csv", strings.Replace(csvOf(1, 2, 3), "00:02:02", "x", 1), []string{"h.csv:wk1", "h.csv:wk3"}, []string{"h.csv:3: mac"}},
		{"one document", "h.yaml", one, []string{"h.yaml:wk1"}, nil},
		{"many documents", "h.yml", "# machines\n---\n" + one + "--- # next\n" + two + "...\n---\n", []string{"h.yml:wk1", "h.yml:wk2"}, nil},
		{"CRLF and byte order mark", "h.yaml", "\xef\xbb\xbf" + strings.ReplaceAll(one+"---\n"+two, "\n", "\r\n"), []string{"h.yaml:wk1", "h.yaml:wk2"}, nil},
		{"a directive", "h.yaml", "%YAML 1.2\n---\n" + one, []string{"h.yaml:wk1"}, nil},
		{"content on the marker's line", "h.yaml", "--- " + hardwareJSON + "\n", []string{"h.yaml:wk1"}, nil},
		{"other kinds", "h.yaml", bmcSecret + "---\n" + one + "---\napiVersion: bmc.tinkerbell.org/v1alpha1\nkind: Machine\n", []string{"h.yaml:wk1"}, nil},
		{"v1 List", "h.yaml", "apiVersion: v1\n" + list, []string{"h.yaml:wk1"}, nil},
		{"HardwareList", "h.yaml", "apiVersion: tinkerbell.org/v1alpha1\n" + strings.Replace(list, "kind: List", "kind: HardwareList", 1), []string{"h.yaml:wk1"}, nil},
		{"no Hardware", "h.yaml", bmcSecret, nil, nil},
		{"a name that is none", "h.yaml", "\n\n---\n" + strings.Replace(one, "name: wk1", `name: "a\nb"`, 1), []string{"h.yaml:3"}, nil},
		{"json", "h.json", hardwareJSON, []string{"h.json:wk1"}, nil},
		{"json values", "h.json", hardwareJSON + "\n" + strings.ReplaceAll(hardwareJSON, "wk1", "wk9"), []string{"h.json:wk1", "h.json:wk9"}, nil},
		{"json with tabs", "h.json", strings.ReplaceAll(hardwareJSON, " ", "\t"), []string{"h.json:wk1"}, nil},

		{"empty", "h.yaml", "", nil, []string{"h.yaml:1: file: is empty"}},
		{"blank", "h.json", " \n", nil, []string{"h.json:1: file: is empty"}},
		{"not text", "h.yaml", "a\x00b", nil, []string{"h.yaml:1: file: is not text"}},
		{"not UTF-8", "h.yaml", "a: \xff", nil, []string{"h.yaml:1: file: is not text"}},
		{"broken document beside a good one", "h.yaml", one + "---\nkind: Hardware\n  bad: [\n", []string{"h.yaml:wk1"}, []string{"h.yaml:1"}},
		{"key given twice", "h.yaml", one + "kind: Hardware\n", nil, []string{"h.yaml:13: document: is not YAML: key \"kind\" already set"}},
		{"no object", "h.yaml", "- a\n- b\n", nil, []string{"h.yaml:1: document: is no Kubernetes object"}},
		{"no kind", "h.yaml", "\napiVersion: v1\n", nil, []string{"h.yaml:1: document: is no Kubernetes object"}},
		{"names in another case", "h.yaml", strings.Replace(one, "kind:", "Kind:", 1), nil, []string{"h.yaml:1: document: is no Kubernetes object"}},
		{"another version", "h.yaml", strings.Replace(one, "v1alpha1", "v9", 1), nil, []string{"h.yaml:1: document: is Hardware of apiVersion"}},
		{"a wrong type", "h.yaml", strings.Replace(one, "lease_time: 4294967295", "lease_time: [x]", 1), nil, []string{"h.yaml:1: document: is no Hardware"}},
		{"broken json", "h.json", hardwareJSON + "\n{\n", []string{"h.json:wk1"}, []string{"h.json:4: document: is not JSON"}},
		{"broken Secret", "h.yaml", "kind: Secret\npassword: *hunter2secret\n", nil, []string{"h.yaml:1: document: is not YAML (details are not shown"}},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			r := reading{name: tt.file, pool: reservation.NewPool(), marks: newMarks(maphash.MakeSeed(), tt.file), ages: newAges(inventory.New(nil), 0, false)}
			r.parse([]byte(tt.text))
			got, failure := r.content, r.failure
			var sources []string
			for _, r := range got.reservations {
				sources = append(sources, r.Source.Object())
			}
			if diff := cmp.Diff(tt.want, sources); diff != "" {
				t.Errorf("sources (-want +got):\n%s", diff)
			}
			if len(failure) != len(tt.failure) {
				t.Fatalf("problems: %v, want %q", failure, tt.failure)
			}
			for i, p := range failure {
				if !strings.HasPrefix(p.Error(), tt.failure[i]) {
					t.Errorf("problem %q, want %q", p.Error(), tt.failure[i])
				}
				if strings.Contains(p.Error(), "hunter2") {
					t.Errorf("shows a password: %v", p)
				}
			}
		})
	}
}

// Of two claims to one address, that of the first file has it, and in one file that of the first machine, whatever the
// names are.
func TestPrecedenceIsTheOrderOfFilesAndMachines(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "b.csv"), csvOf(1))
	write(t, filepath.Join(dir, "a.yaml"), hardwareYAML("zz", 1)+"---\n"+hardwareYAML("aa", 1))
	f, reported := follower(t, dir)
	check(t, f.Load())
	r, ok := f.store.Load().ByMAC(reservation.MAC{0x52, 0x54, 0, 0, 2, 1})
	if !ok || r.Source.Name != "a.yaml:zz" {
		t.Errorf("held by %v", r)
	}
	if n := count(*reported, "already held by the older a.yaml:zz"); n != 2 || count(*reported, "b.csv:wk1: spec.interfaces[0]") != 1 {
		t.Errorf("reported: %q", *reported)
	}
}

// An invalid interface is not served, and is reported as it is for objects in a cluster; the file is not wrong for it.
func TestInvalidInterface(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "h.yaml"), hardwareYAML("wk1", 1)+"---\n"+strings.Replace(hardwareYAML("wk2", 2), "52:54", "xx:54", 1))
	f, reported := follower(t, dir)
	check(t, f.Load())
	if f.store.Load().Len() != 1 || count(*reported, `h.yaml:wk2: spec.interfaces[0].dhcp.mac "xx:54:00:00:02:02"`) != 1 {
		t.Errorf("%d reservations, reported %q", f.store.Load().Len(), *reported)
	}
	if got := testutil.ToFloat64(f.metrics.reloads.WithLabelValues("success")); got != 1 {
		t.Errorf("%v files read with success", got)
	}
}

func TestLoadSaysWhyThereIsNothingToServe(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "empty.csv"), "")
	write(t, filepath.Join(dir, "hardware.txt"), csvOf(1))
	write(t, filepath.Join(dir, "broken", "a.csv"), "banana")
	write(t, filepath.Join(dir, "broken", "b.yaml"), "- x")
	tests := map[string][]string{
		"empty.csv":    {"empty.csv:1: file: is empty: write a header line"},
		"missing.csv":  {"missing.csv: path: cannot be read: no such file or directory: give --hardware a file"},
		"hardware.txt": {"hardware.txt: path: has a name that does not say what is in it: give --hardware a file (*.csv"},
		"broken":       {"a.csv:1: header: lacks columns", "b.yaml:1: document: is no Kubernetes object"},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			f, _ := follower(t, filepath.Join(dir, name))
			err := f.Load()
			for _, part := range want {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("error %v, want %q", err, part)
				}
			}
			select {
			case <-f.store.Ready():
				t.Error("the store is ready")
			default:
			}
		})
	}
}

// A restart beside a file with a bad row serves the other rows; an empty folder is no mistake.
func TestLoadServesWhatThereIs(t *testing.T) {
	dir := t.TempDir()
	f, _ := follower(t, dir)
	check(t, f.Load())
	<-f.store.Ready()
	write(t, filepath.Join(dir, "h.csv"), csvOf(1)+"wk2,banana,,,,,,\n")
	f, reported := follower(t, dir)
	check(t, f.Load())
	if f.store.Load().Len() != 1 || count(*reported, "banana") != 1 {
		t.Errorf("%d reservations, reported %q", f.store.Load().Len(), *reported)
	}
	// What is right in the newer file replaces what was right in the older one, as neither was ever without problems.
	write(t, filepath.Join(dir, "h.csv"), csvOf(1, 3)+"wk2,banana,,,,,,\n")
	check(t, f.Load())
	if f.store.Load().Len() != 2 {
		t.Errorf("%d reservations", f.store.Load().Len())
	}
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	name := filepath.Join(t.TempDir(), "h.csv")
	write(t, name, csvOf(1, 2))
	f, err := New(Options{Path: name, Store: inventory.NewStore(), Log: logr.Discard(), Registerer: registry})
	check(t, err)
	check(t, f.Load())
	write(t, name, "banana")
	check(t, f.Load())
	check(t, f.Load())
	want := `
# HELP tugboot_hardware_file_problems Problems in the hardware files as they are now: with files, with machines in them, and conflicts between machines.
# TYPE tugboot_hardware_file_problems gauge
tugboot_hardware_file_problems 1
# HELP tugboot_hardware_file_reloads_total New content of hardware files, by result: success is in force, failure changed nothing or only what was right in it.
# TYPE tugboot_hardware_file_reloads_total counter
tugboot_hardware_file_reloads_total{result="failure"} 1
tugboot_hardware_file_reloads_total{result="success"} 1
# HELP tugboot_hardware_file_reservations Reservations from hardware files that are in force.
# TYPE tugboot_hardware_file_reservations gauge
tugboot_hardware_file_reservations 2
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "tugboot_hardware_file_problems",
		"tugboot_hardware_file_reloads_total", "tugboot_hardware_file_reservations"); err != nil {
		t.Error(err)
	}
	if testutil.ToFloat64(f.metrics.lastSuccess) < 1e9 {
		t.Error("the time of the last success is not set")
	}
	var twice prometheus.AlreadyRegisteredError
	if _, err := New(Options{Path: name, Store: inventory.NewStore(), Log: logr.Discard(), Registerer: registry}); !errors.As(err, &twice) {
		t.Errorf("a second follower on one registry: %v", err)
	}
}
