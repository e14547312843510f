package lab

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/test/need"
)

// cgroupChildVariable says to TestCgroupVersion2 that it is in a mount namespace with cgroup v2 in the usual place.
const cgroupChildVariable = "TUGBOOT_LAB_CGROUP_CHILD"

// TestCgroup makes a cgroup with whatever the host has.
func TestCgroup(t *testing.T) {
	needRoot(t)
	g, err := findCgroup("tugboot-selftest-cgroup")
	if err != nil {
		t.Fatal(err)
	}
	checkCgroup(t, g)
}

// TestCgroupVersion2 makes one as on a host that has cgroup v2 and nothing else.
func TestCgroupVersion2(t *testing.T) {
	needRoot(t)
	need.Program(t, "unshare", "util-linux")
	if os.Getenv(cgroupChildVariable) == "" {
		child := exec.CommandContext(t.Context(), "unshare", "--mount", "sh", "-ec", `mount -t cgroup2 cgroup2 /sys/fs/cgroup; exec "$@"`, "sh",
			os.Args[0], "-test.run=^"+t.Name()+"$")
		child.Env = append(os.Environ(), cgroupChildVariable+"=yes")
		if out, err := child.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	g, err := findCgroup("tugboot-selftest-cgroup")
	if err != nil {
		t.Fatal(err)
	}
	if !g.v2 {
		t.Fatalf("cgroup v2 is not noticed among %q", g.hierarchies)
	}
	before := words(t, "cgroup.subtree_control")
	checkCgroup(t, g)
	all, lent := words(t, "cgroup.controllers"), words(t, "cgroup.subtree_control")
	if !slices.Equal(all, lent) {
		t.Errorf("of the controllers %q only %q are lent out", all, lent)
	}
	for _, controller := range lent {
		if slices.Contains(before, controller) {
			continue
		}
		if err := os.WriteFile(filepath.Join(cgroupFolder, "cgroup.subtree_control"), []byte("-"+controller), 0o600); err != nil {
			t.Error(err)
		}
	}
}

// words are those of a file in the folder of cgroups.
func words(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(cgroupFolder, name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(text))
}

// checkCgroup makes g with another below it, puts a process into it in every hierarchy, and removes it once that is gone.
func checkCgroup(t *testing.T, g *cgroup) {
	t.Helper()
	if err := g.create(); err != nil {
		t.Fatal(err)
	}
	sleeper := exec.CommandContext(t.Context(), "sleep", "60")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	for _, hierarchy := range g.hierarchies {
		folder := filepath.Join(hierarchy, g.name)
		err := os.Mkdir(filepath.Join(folder, "pod"), 0o755)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, "cgroup.procs"), []byte(strconv.Itoa(sleeper.Process.Pid)), 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := g.remove(short); err == nil {
		t.Error("a cgroup with a process in it was removed")
	}
	if err := sleeper.Process.Kill(); err != nil {
		t.Error(err)
	}
	if err := sleeper.Wait(); err == nil {
		t.Error("the process ended well before it was killed")
	}
	if err := g.remove(t.Context()); err != nil {
		t.Error(err)
	}
	for _, hierarchy := range g.hierarchies {
		if _, err := os.Stat(filepath.Join(hierarchy, g.name)); err == nil {
			t.Errorf("%s is still in %s", g.name, hierarchy)
		}
	}
}
