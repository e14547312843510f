package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	serverSuffix = "-srv"
	lanSuffix    = "-lan"
	netnsFolder  = "/run/netns"
	claimFolder  = "/run/lock"
)

// claim says that a lab's owner is alive: a locked file. The kernel drops the lock however the owner ends, and unlike a
// process ID it cannot come to mean somebody else.
type claim struct {
	id   string // tugboot-NAME-PID: the beginning of the namespaces' names
	file *os.File
}

var labName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func newClaim(name string) (*claim, error) {
	if !labName.MatchString(name) {
		return nil, fmt.Errorf("lab name %q: use lower-case letters, digits and single dashes", name)
	}
	if err := os.MkdirAll(claimFolder, 0o755); err != nil {
		return nil, fmt.Errorf("lab %s: folder for locks: %w", name, err)
	}
	id := prefix(name) + strconv.Itoa(os.Getpid())
	file, err := lockFile(claimPath(id))
	if err != nil {
		return nil, fmt.Errorf("lab %s: this process has one of that name already: %w", id, err)
	}
	return &claim{id: id, file: file}, nil
}

func (c *claim) release() error {
	return errors.Join(os.Remove(c.file.Name()), c.file.Close())
}

func prefix(name string) string { return "tugboot-" + name + "-" }

func claimPath(id string) string { return filepath.Join(claimFolder, id) }

func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	return file, nil
}

// removeStale removes the namespaces of labs of that name whose owner is gone, and ends what still runs in them.
func removeStale(ctx context.Context, name string) error {
	found, err := filepath.Glob(filepath.Join(netnsFolder, prefix(name)+"*"))
	if err != nil {
		return fmt.Errorf("lab name %q: %w", name, err)
	}
	stale := map[string]bool{}
	for _, path := range found {
		id := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), serverSuffix), lanSuffix)
		// What follows the prefix must be a process ID: "run" must not claim the labs of "run-two".
		if _, err := strconv.Atoi(strings.TrimPrefix(id, prefix(name))); err == nil {
			stale[id] = true
		}
	}
	for id := range stale {
		file, err := lockFile(claimPath(id))
		if err != nil {
			continue // its owner is alive
		}
		c := claim{id: id, file: file}
		if err := errors.Join(removeNamespaces(ctx, id), c.release()); err != nil {
			return fmt.Errorf("remove the lab %s that a process left behind: %w", id, err)
		}
	}
	return nil
}

// removeNamespaces ends every process in the namespaces of the lab id and removes them.
func removeNamespaces(ctx context.Context, id string) error {
	var problems []error
	for _, name := range []string{id + lanSuffix, id + serverSuffix} {
		if _, err := os.Stat(filepath.Join(netnsFolder, name)); err != nil {
			continue
		}
		pids, err := exec.CommandContext(ctx, "ip", "netns", "pids", name).Output()
		if err != nil {
			problems = append(problems, fmt.Errorf("ip netns pids %s: %w", name, err))
		}
		for pid := range strings.FieldsSeq(string(pids)) {
			n, err := strconv.Atoi(pid)
			if err != nil || n == os.Getpid() {
				continue
			}
			if err := syscall.Kill(n, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				problems = append(problems, fmt.Errorf("end process %d of lab %s: %w", n, id, err))
			}
		}
		problems = append(problems, ip(ctx, "netns", "delete", name))
	}
	problems = append(problems, unmountOwn(netnsFolder))
	return errors.Join(problems...)
}

// unmountOwn takes away the mount of folder on itself that the first `ip netns add` makes and nothing removes, once the
// folder is empty. It leaves any other mount there alone.
func unmountOwn(folder string) error {
	if !sameFileSystem(folder, filepath.Dir(folder)) {
		return nil // there is no such folder, or a file system of its own is mounted there
	}
	names, err := os.ReadDir(folder)
	if err != nil || len(names) > 0 {
		return err
	}
	// EINVAL: nothing is mounted there. EBUSY: a namespace was added this moment.
	if err := unix.Unmount(folder, 0); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("unmount %s, which holds no namespace any more: %w", folder, err)
	}
	return nil
}

func sameFileSystem(a, b string) bool {
	var ofA, ofB unix.Stat_t
	return unix.Stat(a, &ofA) == nil && unix.Stat(b, &ofB) == nil && ofA.Dev == ofB.Dev
}

// ip runs ip(8). Its error holds the command line and what ip said.
func ip(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
