package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	libcap "kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/tugboot/tugboot/test/lab"
)

// unprivileged is a LAN whose server runs Tugboot as user 65532.
type unprivileged struct {
	*lab.Lab
	t    *testing.T
	args []string
}

// newUnprivileged makes the LAN and, where that user may read it, a copy of the program with capabilities in its file.
func newUnprivileged(t *testing.T, name, capabilities string) *unprivileged {
	t.Helper()
	need(t, map[string]string{"setpriv": "util-linux", "ss": "iproute2"})
	folder := t.TempDir()
	check(t, os.Chmod(filepath.Dir(folder), 0o755))
	program, hardware, ipxe := filepath.Join(folder, "tugboot"), filepath.Join(folder, "hardware.csv"), filepath.Join(folder, "ipxe")
	text, err := os.ReadFile(suite.program)
	check(t, err)
	check(t, os.WriteFile(program, text, 0o755))
	check(t, os.WriteFile(hardware, []byte("hostname,mac,ip_address,netmask,gateway,nameservers,labels,disk\n"+
		"m1,52:54:00:00:02:01,192.168.2.151,255.255.255.0,192.168.2.1,192.168.2.1,type=cp,/dev/vda\n"), 0o644))
	check(t, os.CopyFS(ipxe, os.DirFS(suite.ipxe)))
	if capabilities != "" {
		set, err := libcap.FromText(capabilities)
		check(t, err)
		check(t, set.SetFile(program))
	}
	l, err := lab.New(suite.ctx, "interop-"+name, t.TempDir())
	check(t, err)
	t.Cleanup(func() { check(t, l.Close()) })
	args := lab.TugbootArgs(program, ipxe, "http://"+serverAddr+":7180/hook", "--hardware="+hardware)
	return &unprivileged{Lab: l, t: t, args: args}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// as is the command line that starts Tugboot as user 65532, with setpriv's further flags.
func (u *unprivileged) as(flags ...string) []string {
	return slices.Concat([]string{"setpriv", "--reuid=65532", "--regid=65532", "--clear-groups", "--inh-caps=-all"}, flags, u.args)
}

// effective returns the effective set of every thread of a process, as /proc shows it.
func effective(t *testing.T, pid int) []string {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	check(t, err)
	var sets []string
	for _, task := range tasks {
		status, err := os.ReadFile(task)
		if os.IsNotExist(err) {
			continue // the thread has ended
		}
		check(t, err)
		_, rest, _ := strings.Cut(string(status), "CapEff:\t")
		set, _, _ := strings.Cut(rest, "\n")
		sets = append(sets, set)
	}
	return sets
}

func TestServesAsAnotherUser(t *testing.T) {
	t.Parallel()
	u := newUnprivileged(t, "nonroot", "cap_net_bind_service,cap_net_raw=p")
	const broadcast = "answers to machines without an address are broadcast"
	tests := []struct {
		name, set, missing string
		flags              []string
	}{
		{"both", "0000000000002400", "", nil},
		{
			"without-raw", "0000000000000400", `"capability":"NET_RAW","cause":"the bounding set lacks it`,
			[]string{"--bounding-set=-net_raw"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tugboot, err := u.StartTugboot(suite.ctx, tt.name, u.as(tt.flags...))
			check(t, err)
			defer tugboot.Stop(5 * time.Second)
			sets := effective(t, tugboot.PID())
			if len(sets) < 2 {
				t.Errorf("%d threads, want several", len(sets))
			}
			for i, set := range sets {
				if set != tt.set {
					t.Errorf("thread %d of %d: effective %s, want %s", i, len(sets), set, tt.set)
				}
			}
			bound, err := u.Server.Run(suite.ctx, nil, "ss", "-lunp")
			check(t, err)
			for _, port := range []string{":67", ":69", ":514"} {
				if !strings.Contains(string(bound), port+" ") {
					t.Errorf("port %s is not bound:\n%s", port, bound)
				}
			}
			log, err := os.ReadFile(tugboot.Log)
			check(t, err)
			if said := strings.Contains(string(log), broadcast); said != (tt.missing != "") || !strings.Contains(string(log), tt.missing) {
				t.Errorf("the log says that it broadcasts: %t; want it to say %q:\n%s", said, tt.missing, log)
			}
		})
	}
}

func TestSaysWhatItLacksAsAnotherUser(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file, cause string
		flags             []string
	}{
		{"plain", "", "setcap cap_net_bind_service,cap_net_raw=p tugboot", nil},
		// Under a second setpriv, for the first executes it as a user who has no capabilities to keep.
		{
			"nnp", "cap_net_bind_service,cap_net_raw=p", "no_new_privs is set (allowPrivilegeEscalation: false)",
			[]string{"setpriv", "--no-new-privs"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := newUnprivileged(t, tt.name, tt.file)
			p, err := u.Server.Start(lab.Spec{Name: tt.name, Args: u.as(tt.flags...)})
			check(t, err)
			select {
			case <-p.Done():
			case <-time.After(20 * time.Second):
				p.Kill()
				t.Fatal("it runs without the right to")
			}
			log, err := os.ReadFile(p.Log)
			check(t, err)
			for _, want := range []string{
				tt.cause, "TFTP: no right to listen on port 69/udp", "DHCP: no right to listen on port 67/udp",
				"grant the capability NET_BIND_SERVICE",
			} {
				if !strings.Contains(string(log), want) {
					t.Errorf("it does not say %q:\n%s", want, log)
				}
			}
			if p.Outcome() != "exit status 1" {
				t.Errorf("it ended with %s", p.Outcome())
			}
		})
	}
}
