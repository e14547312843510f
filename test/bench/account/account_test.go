package account

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/test/need"
)

func TestAccountCountsWhatItsProcessesUse(t *testing.T) {
	need.Root(t)
	a, err := Open("tugboot-bench-test")
	if err != nil {
		if os.Getenv("CI") == "" {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	meter, err := Start(a.Folder())
	if err != nil {
		t.Fatal(err)
	}
	// The shell joins the group, says so, and then counts; what it used is there after it has ended.
	shell := exec.Command("sh", "-c", "echo $$ > "+a.Folder()+"/cgroup.procs; read line; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done")
	input, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		pids, err := a.PIDs()
		if err != nil || time.Now().After(end) {
			t.Fatal("the shell did not join the group: ", err)
		}
		if len(pids) == 1 {
			break
		}
	}
	if rss, err := a.RSS(); err != nil || rss < 100<<10 {
		t.Errorf("a shell has %d bytes resident (%v)", rss, err)
	}
	if _, err := input.Write([]byte("go\n")); err != nil {
		t.Fatal(err)
	}
	if err := shell.Wait(); err != nil {
		t.Fatal(err)
	}
	cost, err := meter.Stop()
	if err != nil {
		t.Fatal(err)
	}
	used := shell.ProcessState.UserTime() + shell.ProcessState.SystemTime()
	if cost.CPU < used/2 || cost.CPU > 2*used+20*time.Millisecond {
		t.Errorf("the group used %v, its only process %v", cost.CPU, used)
	}
	if cost.Foreign < 0 || cost.Foreign > 1 {
		t.Errorf("others took a share of %v", cost.Foreign)
	}
}

func TestHostCountsAllCPUs(t *testing.T) {
	busy, cpus, err := Host()
	if err != nil || cpus < runtime.NumCPU() || busy <= 0 {
		t.Errorf("%d CPUs, busy for %v (%v), want %d CPUs at least", cpus, busy, err, runtime.NumCPU())
	}
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	if _, err := Open("no/such/parent"); err == nil || !strings.Contains(err.Error(), "cgroup") {
		t.Errorf("got %v, want an error that names the remedy", err)
	}
}
