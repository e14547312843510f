package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
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

// childVariable makes the test program a process that makes a lab, says which, and waits to be killed.
const childVariable = "TUGBOOT_LAB_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		if err := child(dir); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func child(dir string) error {
	l, err := New(context.Background(), "selftest", dir)
	if err != nil {
		return err
	}
	p, err := l.Server.Start(Spec{Name: "sleep", Args: []string{"sleep", "600"}})
	if err != nil {
		return err
	}
	fmt.Println(l.Server.Name, p.PID())
	<-p.Done()
	return errors.New("the process of the lab ended")
}

func needRoot(t *testing.T) {
	t.Helper()
	need.Root(t)
	need.Program(t, "ip", "iproute2")
}

func TestCloseLeavesNothing(t *testing.T) {
	needRoot(t)
	l, err := New(t.Context(), "selftest", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sleeper, err := l.LAN.Start(Spec{Name: "sleep", Args: []string{"sleep", "600"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.AddTap(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := New(t.Context(), "selftest", t.TempDir()); err == nil {
		t.Error("two labs of one name in one process")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error("the second Close:", err)
	}
	if alive(sleeper.PID()) {
		t.Error("a process outlived the lab")
	}
	for _, path := range []string{l.Server.Path(), l.LAN.Path(), claimPath(l.claim.id)} {
		if _, err := os.Stat(path); err == nil {
			t.Error("left behind:", path)
		}
	}
	if _, err := l.Server.Start(Spec{Name: "late", Args: []string{"true"}}); err == nil {
		t.Error("a closed lab started a process")
	}
	if err := l.LAN.ip(t.Context(), []string{"link", "show"}); err == nil {
		t.Error("a closed lab ran a command")
	}
}

// TestSiteThatIsStoppedWhileItIsMade tells Ctrl-C, which is no failure, from what is one. Nothing may stay of either.
func TestSiteThatIsStoppedWhileItIsMade(t *testing.T) {
	needRoot(t)
	for _, stopped := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		watch := Watch{Step: func(string, string) {
			if stopped {
				cancel()
			}
		}}
		_, err := StartSite(ctx, "selfstop", t.TempDir(), Parts{Assets: t.TempDir()}, watch)
		if err == nil || errors.Is(err, ErrStopped) != stopped {
			t.Errorf("stopped %v: %v", stopped, err)
		}
		if left, err := filepath.Glob(filepath.Join(netnsFolder, "tugboot-selfstop-*")); err != nil || len(left) > 0 {
			t.Errorf("stopped %v: left behind: %v, %v", stopped, left, err)
		}
	}
}

func TestMountOfNetnsFolderGoesWithTheLast(t *testing.T) {
	needRoot(t)
	mounted := func(folder string) bool {
		table, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(table), " "+folder+" ")
	}
	own := t.TempDir()
	if err := unmountOwn(own); err != nil {
		t.Error("a folder that is no mount point:", err)
	}
	if err := syscall.Mount(own, own, "", syscall.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(own, "somebody-elses")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unmountOwn(own); err != nil || !mounted(own) {
		t.Errorf("a folder with a namespace in it: %v", err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := unmountOwn(own); err != nil || mounted(own) {
		t.Errorf("an empty folder: %v", err)
	}

	other := t.TempDir()
	if err := syscall.Mount("none", other, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	if err := unmountOwn(other); err != nil || !mounted(other) {
		t.Errorf("another file system: %v", err)
	}
	if err := syscall.Unmount(other, 0); err != nil {
		t.Fatal(err)
	}
	if err := unmountOwn(filepath.Join(other, "absent")); err != nil {
		t.Error("no folder:", err)
	}
}

// TestCrashedOwner kills a process that holds a lab. Its lab must be left alone while it lives; its processes must die
// with it, and the next lab of that name must remove its namespaces.
func TestCrashedOwner(t *testing.T) {
	needRoot(t)
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), childVariable+"="+t.TempDir())
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	name, pidText, found := strings.Cut(strings.TrimSpace(line), " ")
	pid, err := strconv.Atoi(pidText)
	if !found || err != nil {
		t.Fatalf("the other process says %q", line)
	}
	namespace := filepath.Join(netnsFolder, name)

	makeAndClose(t)
	if _, err := os.Stat(namespace); err != nil || !alive(pid) {
		t.Fatalf("a lab removed the lab of a process that lives: %v", err)
	}
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := owner.Wait(); err == nil {
		t.Fatal("the other process ended well before it was killed")
	}
	for deadline := time.Now().Add(5 * time.Second); alive(pid); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a process of the lab outlived its owner")
		}
	}
	makeAndClose(t)
	if _, err := os.Stat(namespace); err == nil {
		t.Errorf("%s, whose owner was killed, is still there", namespace)
	}
}

func makeAndClose(t *testing.T) {
	t.Helper()
	l, err := New(t.Context(), "selftest", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	// A zombie waits for its parent, which here is whoever adopted it.
	return err == nil && !strings.Contains(string(stat), ") Z ") && syscall.Kill(pid, 0) == nil
}

func TestFileServerRecordsFetches(t *testing.T) {
	needRoot(t)
	l, err := New(t.Context(), "selftest", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "vmlinuz"), []byte("0123456789"), 0o644); err != nil {
		t.Fatal(err)
	}
	files, err := l.ServeFiles(folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := get(t.Context(), l.Server, files.URL+"/vmlinuz")
	if err != nil || string(text) != "0123456789" {
		t.Errorf("got %q, %v", text, err)
	}
	if _, err := get(t.Context(), l.Server, files.URL+"/absent"); err == nil {
		t.Error("a file that is not there was served")
	}
	got := files.Fetches(ServerAddr)
	if len(got) != 2 || got[0].Path != "/vmlinuz" || got[0].Bytes != 10 || got[0].Status != 200 || got[1].Status != 404 {
		t.Errorf("recorded %+v", got)
	}
	if other := files.Fetches(netip.MustParseAddr("192.168.2.11")); other != nil {
		t.Errorf("recorded for another client: %+v", other)
	}
}

func TestProcessStopKillsWhatIgnoresTERM(t *testing.T) {
	needRoot(t)
	l, err := New(t.Context(), "selftest", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	p, err := l.Server.Start(Spec{Name: "stubborn", Args: []string{"sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"}})
	if err != nil {
		t.Fatal(err)
	}
	for Tail(p.Log, 1) != "ready" {
		time.Sleep(10 * time.Millisecond)
	}
	p.Stop(200 * time.Millisecond)
	if p.Err() == nil {
		t.Error("the process ended well, so it was not killed")
	}
}
