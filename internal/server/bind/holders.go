package bind

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Holder is a process that holds a port.
type Holder struct {
	PID  int
	Name string
}

// Holders returns the processes in this network namespace that hold the port of network ("udp" or "tcp"), sorted by
// PID, as far as this process may look into /proc. It costs a walk over all processes: call it when binding failed.
func Holders(network string, port uint16) []Holder {
	inodes := map[string]bool{}
	for _, file := range []string{network, network + "6"} {
		for _, inode := range listeners(filepath.Join("/proc/net", file), network, port) {
			inodes["socket:["+inode+"]"] = true
		}
	}
	if len(inodes) == 0 {
		return nil
	}
	descriptors, err := filepath.Glob("/proc/[0-9]*/fd/[0-9]*")
	if err != nil {
		return nil
	}
	byPID := map[int]Holder{}
	for _, fd := range descriptors {
		target, err := os.Readlink(fd)
		if err != nil || !inodes[target] {
			continue
		}
		pid, err := strconv.Atoi(strings.Split(fd, "/")[2])
		if err != nil {
			continue
		}
		byPID[pid] = Holder{PID: pid, Name: processName(pid)}
	}
	holders := make([]Holder, 0, len(byPID))
	for _, h := range byPID {
		holders = append(holders, h)
	}
	slices.SortFunc(holders, func(a, b Holder) int { return a.PID - b.PID })
	return holders
}

// tcpListen is the state LISTEN in /proc/net/tcp; a bound UDP socket may be in any state.
const tcpListen = "0A"

// listeners returns the inodes of the sockets of a /proc/net table that are bound to port.
func listeners(table, network string, port uint16) []string {
	f, err := os.Open(table)
	if err != nil {
		return nil
	}
	defer f.Close()
	suffix := fmt.Sprintf(":%04X", port)
	var inodes []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || !strings.HasSuffix(fields[1], suffix) {
			continue
		}
		if network == "tcp" && fields[3] != tcpListen {
			continue
		}
		inodes = append(inodes, fields[9])
	}
	return inodes
}

func processName(pid int) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(name))
}
