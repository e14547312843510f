package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"

	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
)

func TestServeRefusesToStartAndSaysWhy(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	empty := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("..", "..", "examples", "hardware.csv")
	tests := []struct {
		name string
		code int
		want []string
		args []string
	}{
		{"two flags wrong", 2, []string{`--dhcp "relay"`, `--log-level "loud"`, "--help"}, []string{"--dhcp=relay", "--log-level=loud"}},
		{"an unknown flag", 2, []string{"--ipxe"}, []string{"--ipxe=x"}},
		{"an argument", 2, []string{"now"}, []string{"now"}},
		{"no source of Hardware", 1, []string{"--kubeconfig or --hardware"}, []string{"--advertise=192.0.2.1", "--tftp=off", "--http=off"}},
		{"no kubeconfig", 1, []string{"--kubeconfig", absent}, []string{"--advertise=192.0.2.1", "--tftp=off", "--http=off", "--kubeconfig=" + absent}},
		{"an empty kubeconfig", 1, []string{"--kubeconfig", empty, "names no cluster"}, []string{"--advertise=192.0.2.1", "--tftp=off", "--http=off", "--kubeconfig=" + empty}},
		{
			"no iPXE", 1, []string{absent, "ipxe.efi", "undionly.kpxe", "ipxe-arm64.efi"},
			[]string{"--advertise=192.0.2.1", "--hardware=" + file, "--ipxe-dir=" + absent},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			code := Run(append([]string{"serve"}, tt.args...), strings.NewReader(""), &stdout, &stderr)
			if code != tt.code || stdout.Len() > 0 {
				t.Errorf("exit code %d, want %d; stdout %q", code, tt.code, stdout.String())
			}
			for _, want := range tt.want {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("standard error does not say %q:\n%s", want, stderr.String())
				}
			}
		})
	}
}

func TestAddressesOfOperationsAreCheckedTogether(t *testing.T) {
	taken := make([]string, 2)
	for i := range taken {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		taken[i] = l.Addr().String()
	}
	err := operationsFree(&options.Process{MetricsAddress: taken[0], HealthAddress: taken[1]})
	if err == nil {
		t.Fatal("two addresses that are taken are called free")
	}
	for i, server := range []string{"metrics", "health"} {
		_, port, err2 := net.SplitHostPort(taken[i])
		if err2 != nil {
			t.Fatal(err2)
		}
		want := fmt.Sprintf("%s: port %s/tcp at 127.0.0.1 is taken by ", server, port)
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("(pid %d)", os.Getpid())) {
			t.Errorf("it does not say %q with this process's ID:\n%v", want, err)
		}
	}
	if err := operationsFree(&options.Process{MetricsAddress: options.Off, HealthAddress: options.Off}); err != nil {
		t.Error("both off:", err)
	}
}

func TestHandoverIsSaidOnceTheClusterAnswers(t *testing.T) {
	lines := make(chan string, 2)
	log := funcr.New(func(_, line string) { lines <- line }, funcr.Options{})
	h := handover{cluster: inventory.NewStore(), files: inventory.NewStore(), log: log}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Start(ctx); err != nil || len(lines) != 0 {
		t.Errorf("stopped before the cluster answered: %v, %d log lines", err, len(lines))
	}
	h.cluster.Publish(inventory.New(nil))
	if err := h.Start(t.Context()); err != nil || len(lines) != 1 {
		t.Fatalf("%v, %d log lines, want one", err, len(lines))
	}
	if line := <-lines; !strings.Contains(line, "--hardware no more") || !strings.Contains(line, `"reservations"=0`) {
		t.Errorf("it says %s", line)
	}
}

func TestUnknownCommandIsWrongUsage(t *testing.T) {
	code, stdout, stderr := run("", "boot")
	if code != 2 || stdout != "" || !strings.Contains(stderr, `"boot"`) {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if code, stdout, _ = run(""); code != 0 || !strings.Contains(stdout, "Available Commands") {
		t.Errorf("without a command: exit code %d, stdout %q", code, stdout)
	}
}

func TestTimelineShowsWhatTheJournalHolds(t *testing.T) {
	j := journal.New(4, 4)
	machine := reservation.MAC{0x52, 0x54, 0, 0, 2, 1}
	entry := journal.Entry{
		At: time.Date(2026, 11, 23, 10, 20, 30, 0, time.UTC), Stage: journal.StageTFTP, What: "ipxe.efi", Reason: "Binary", Bytes: 4096, Took: time.Second,
	}
	j.Record(machine, entry)
	mux := http.NewServeMux()
	mux.Handle(timelinePath, timelineHandler(j))
	s := httptest.NewServer(mux)
	defer s.Close()

	var stdout, stderr strings.Builder
	if code := Run([]string{"timeline", "--server", s.URL, "52-54-00-00-02-01"}, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	for _, want := range []string{"10:20:30.000", "tftp", "ipxe.efi", "4096", "Binary"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the table does not show %q:\n%s", want, stdout.String())
		}
	}

	stdout.Reset()
	if code := Run([]string{"timeline", "--server", s.URL, "-o", "json", machine.String()}, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	var got []journal.Entry
	if err := json.Unmarshal([]byte(stdout.String()), &got); err != nil || len(got) != 1 || got[0] != entry {
		t.Errorf("JSON gives %v (%v), want %v", got, err, entry)
	}

	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--server", s.URL, "52:54:00:00:02:99"}, 1, "machine 52:54:00:00:02:99: not heard of"},
		{[]string{"--server", s.URL + "/elsewhere", machine.String()}, 1, `404 Not Found: "404 page not found"`},
		{[]string{"--server", s.URL, "nonsense"}, 2, "nonsense"},
		{[]string{"--server", "http://127.0.0.1:1", machine.String()}, 1, "is `tugboot serve` running there?"},
		{[]string{"-o", "xml", machine.String()}, 2, "xml"},
		{nil, 2, "MAC"},
	} {
		stderr.Reset()
		if code := Run(append([]string{"timeline"}, tt.args...), nil, &stdout, &stderr); code != tt.code || !strings.Contains(stderr.String(), tt.want) {
			t.Errorf("timeline %q: exit code %d, want %d with %q: %s", tt.args, code, tt.code, tt.want, stderr.String())
		}
	}
}

func TestTimelineHandlerRefusesWhatIsNoQuestion(t *testing.T) {
	h := timelineHandler(journal.New(1, 1))
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{http.MethodPost, timelinePath + "52:54:00:00:02:01", http.StatusMethodNotAllowed},
		{http.MethodGet, timelinePath, http.StatusBadRequest},
		{http.MethodGet, timelinePath + "../metrics", http.StatusBadRequest},
		{http.MethodGet, timelinePath + "52:54:00:00:02:01", http.StatusNotFound},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, nil))
		if w.Code != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, w.Code, tt.want)
		}
	}
}
