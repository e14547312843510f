package image

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tugboot/tugboot/test/need"
)

// engine is a containerd of this test's own, without Kubernetes' part.
type engine struct {
	t      *testing.T
	folder string
}

func startContainerd(t *testing.T) *engine {
	t.Helper()
	need.Root(t)
	need.Program(t, "containerd", "containerd")
	need.Program(t, "ctr", "containerd")
	need.Program(t, "runc", "runc")
	folder := t.TempDir()
	// The container's user looks for files in it.
	check(t, os.Chmod(filepath.Dir(folder), 0o755))
	e := &engine{t: t, folder: folder}
	config := fmt.Sprintf("version = 2\nroot = %q\nstate = %q\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\naddress = %q\n",
		filepath.Join(folder, "root"), filepath.Join(folder, "state"), e.socket())
	check(t, os.WriteFile(filepath.Join(folder, "config.toml"), []byte(config), 0o600))
	log, err := os.Create(filepath.Join(folder, "log"))
	check(t, err)
	defer log.Close() // the process has its own descriptor
	daemon := exec.Command("containerd", "--config", filepath.Join(folder, "config.toml"))
	daemon.Stdout, daemon.Stderr = log, log
	check(t, daemon.Start())
	t.Cleanup(func() {
		check(t, daemon.Process.Signal(syscall.SIGTERM))
		check(t, daemon.Wait())
	})
	for deadline := time.Now().Add(20 * time.Second); e.command("version").Run() != nil; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			text, err := os.ReadFile(log.Name())
			t.Fatalf("containerd does not answer (%v):\n%s", err, text)
		}
	}
	e.ctr("images", "import", archives[0])
	t.Cleanup(func() { e.ctr("images", "remove", "--sync", reference) })
	return e
}

func (e *engine) socket() string { return filepath.Join(e.folder, "s") }

// command does not end with the test's context: what runs at the test's end is to be stopped first.
func (e *engine) command(args ...string) *exec.Cmd {
	return exec.CommandContext(context.Background(), "ctr", append([]string{"--address", e.socket()}, args...)...)
}

func (e *engine) ctr(args ...string) string {
	e.t.Helper()
	out, err := e.command(args...).CombinedOutput()
	if err != nil {
		e.t.Fatalf("ctr %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// serving runs `tugboot serve` in a container with further flags of `ctr run`, calls look once it listens, unless it ends
// before, and returns what it has logged.
func (e *engine) serving(name string, look func(pid int), flags ...string) string {
	e.t.Helper()
	hardware := filepath.Join(e.folder, "hardware.csv")
	check(e.t, os.WriteFile(hardware, []byte("hostname,mac,ip_address,netmask,gateway,nameservers,labels,disk\n"+
		"m1,52:54:00:00:02:01,192.0.2.151,255.255.255.0,192.0.2.1,192.0.2.1,type=cp,/dev/vda\n"), 0o644))
	args := append([]string{"run", "--rm", "--read-only", "--mount",
		"type=bind,src=" + hardware + ",dst=/hardware.csv,options=bind:ro"}, flags...)
	c := e.command(append(args, reference, name, "/tugboot", "serve", "--hardware=/hardware.csv", "--advertise=192.0.2.1",
		"--hook-url=http://192.0.2.1/hook")...)
	var log bytes.Buffer
	c.Stdout, c.Stderr = &log, &log
	check(e.t, c.Start())
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		select {
		case <-ended:
			return log.String()
		default:
		}
		if pid := e.pid(name); pid != 0 && ports(pid) {
			look(pid)
			break
		}
		if time.Now().After(deadline) {
			e.t.Errorf("%s: it neither serves nor ends", name)
			break
		}
	}
	e.ctr("task", "kill", "--signal", "SIGTERM", name)
	<-ended
	return log.String()
}

// pid is the container's process as this host numbers it, 0 while there is none.
func (e *engine) pid(name string) int {
	for line := range strings.Lines(e.ctr("task", "ls")) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == name {
			pid, err := strconv.Atoi(fields[1])
			check(e.t, err)
			return pid
		}
	}
	return 0
}

// ports says whether DHCP, TFTP and syslog are bound in the process's network namespace.
func ports(pid int) bool {
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/udp", pid))
	if err != nil {
		return false
	}
	for _, port := range []int{67, 69, 514} {
		if !strings.Contains(string(table), fmt.Sprintf(" 00000000:%04X ", port)) {
			return false
		}
	}
	return true
}

// status is the value of one line of /proc/PID/status.
func status(t *testing.T, pid int, name string) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	check(t, err)
	_, rest, _ := strings.Cut(string(text), "\n"+name+":\t")
	value, _, _ := strings.Cut(rest, "\n")
	return value
}

// TestContainerdRunsIt runs the image as its own user, without new privileges (ctr's default), and with its root file system
// read-only.
func TestContainerdRunsIt(t *testing.T) {
	e := startContainerd(t)
	if got := e.ctr("run", "--rm", reference, "version", "/tugboot", "--version"); !strings.HasPrefix(got, "tugboot version ") {
		t.Errorf("--version says %q", got)
	}
	const user = "65532\t65532\t65532\t65532"
	tests := []struct {
		name, effective string
		flags           []string
		says            []string
		serves          bool
	}{
		{"both", "0000000000002400", nil, nil, true},
		{"new-privs", "0000000000002400", []string{"--allow-new-privs"}, nil, true},
		{
			"without-raw", "0000000000000400", []string{"--cap-drop=CAP_NET_RAW"},
			[]string{"grant NET_RAW to the container", "are broadcast"}, true,
		},
		{
			"without-any", "", []string{"--cap-drop=CAP_NET_RAW", "--cap-drop=CAP_NET_BIND_SERVICE"},
			[]string{
				"TFTP: no right to listen on port 69/udp", "grant the capability NET_BIND_SERVICE",
				"grant NET_BIND_SERVICE to the container",
			}, false,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := &engine{t: t, folder: e.folder}
			looked := false
			log := e.serving(tt.name, func(pid int) {
				looked = true
				if got := status(t, pid, "Uid"); got != user {
					t.Errorf("user %q, want %q", got, user)
				}
				if got := status(t, pid, "CapEff"); got != tt.effective {
					t.Errorf("effective %s, want %s", got, tt.effective)
				}
				newPrivs := strings.Contains(strings.Join(tt.flags, " "), "--allow-new-privs")
				if got := status(t, pid, "NoNewPrivs"); (got == "0") != newPrivs {
					t.Errorf("no_new_privs is %s", got)
				}
			}, tt.flags...)
			if looked != tt.serves {
				t.Errorf("it serves: %t, want %t", looked, tt.serves)
			}
			for _, want := range tt.says {
				if !strings.Contains(log, want) {
					t.Errorf("it does not say %q", want)
				}
			}
			if tt.says == nil && strings.Contains(log, "a capability is missing") {
				t.Error("it says that it lacks a capability")
			}
			if t.Failed() {
				t.Log(log)
			}
		})
	}
}
