package account

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Account is a control group that counts the CPU time of the processes in it.
type Account struct{ folder string }

// Open makes the control group of that name, or takes the one that is there.
func Open(name string) (Account, error) {
	var tried []error
	for _, root := range []string{"/sys/fs/cgroup/cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		a := Account{filepath.Join(root, name)}
		if err := os.Mkdir(a.folder, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			tried = append(tried, err)
			continue
		}
		_, err := a.CPU()
		if err == nil {
			return a, nil
		}
		tried = append(tried, err, os.Remove(a.folder))
	}
	return Account{}, fmt.Errorf("control group %s: no place for it: mount cpuacct or cgroup2 at /sys/fs/cgroup: %w", name,
		errors.Join(tried...))
}

// At is the account in a folder that Open made.
func At(folder string) Account { return Account{folder} }

// Folder is where the control group is.
func (a Account) Folder() string { return a.folder }

// Enter puts this process into the group.
func (a Account) Enter() error {
	return os.WriteFile(filepath.Join(a.folder, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0)
}

// Close ends the processes that are still in the group, such as children that outlived their parent, and removes it.
func (a Account) Close() error {
	var err error
	for range 50 { // a process that ended is in its group until it is forgotten
		pids, unreadable := a.PIDs()
		if errors.Is(unreadable, fs.ErrNotExist) {
			return nil
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("control group %s: end process %d: %w", a.folder, pid, err)
			}
		}
		if err = errors.Join(unreadable, os.Remove(a.folder)); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// CPU is the user and system time of all processes that are or were in the group.
func (a Account) CPU() (time.Duration, error) {
	if text, err := os.ReadFile(filepath.Join(a.folder, "cpuacct.usage")); err == nil {
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		return time.Duration(n), err
	}
	text, err := os.ReadFile(filepath.Join(a.folder, "cpu.stat"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, "usage_usec "); found {
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return time.Duration(n) * time.Microsecond, err
		}
	}
	return 0, fmt.Errorf("%s: cpu.stat has no usage_usec", a.folder)
}

// PIDs are the processes in the group.
func (a Account) PIDs() ([]int, error) {
	text, err := os.ReadFile(filepath.Join(a.folder, "cgroup.procs"))
	if err != nil {
		return nil, err
	}
	var pids []int
	for field := range strings.FieldsSeq(string(text)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// RSS is the resident memory of the processes in the group, in bytes.
func (a Account) RSS() (int64, error) {
	pids, err := a.PIDs()
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, pid := range pids {
		file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue // it ended
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if value, found := strings.CutPrefix(lines.Text(), "VmRSS:"); found {
				if kib, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64); err == nil {
					sum += kib << 10
				}
			}
		}
		file.Close()
	}
	return sum, nil
}

// Own is the user and system time of this process.
func Own() (time.Duration, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, err
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}

// Host is the time that all CPUs of this machine were busy, with anything, since it started, and how many there are:
// more, as a rule, than this process may use.
func Host() (busy time.Duration, cpus int, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	line, rest, _ := strings.Cut(string(text), "\n")
	for other := range strings.Lines(rest) {
		if strings.HasPrefix(other, "cpu") {
			cpus++
		}
	}
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, 0, fmt.Errorf("/proc/stat begins with %q, not with the sum of all CPUs", line)
	}
	var ticks int64
	for i, field := range fields[1:9] {
		if i == 3 || i == 4 { // idle, and idle with a disk at work
			continue
		}
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100), cpus, nil // USER_HZ is 100 on every Linux
}
