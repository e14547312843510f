package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tugboot/tugboot/test/lab"
)

// dhcpClient is a DHCP client program on a host. Instead of the distribution's script, which would change this machine's
// name servers, it calls one that notes what the client reports and sets the address, nothing else.
type dhcpClient struct {
	*lab.Process
	site   *site
	host   *lab.Host
	events string // the file that the script writes
	read   int    // how many events were waited for
}

// event is what a client told its script: the variables, "event" being what happened.
type event map[string]string

// reports is the script. The three clients have names of their own for what happened, the address and its mask.
const reports = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
event=${reason:-$1}
address=${new_ip_address:-$ip}
mask=${new_subnet_mask:-$subnet}
gateway=${new_routers:-$router}
case $event in
PREINIT | deconfig) ip link set eth0 up; ip -4 address flush dev eth0 ;;
BOUND | REBOOT | RENEW | REBIND | bound | renew)
  ip address replace "$address/$mask" dev eth0
  ip route replace default via "$gateway" dev eth0
  ;;
EXPIRE | FAIL | RELEASE | STOP) ip -4 address flush dev eth0 ;;
esac
{ echo "event=$event"; env; echo "end"; } >>%s
`

// script writes the script for a client and returns its path and that of the file it writes.
func (s *site) script(name string) (path, events string) {
	s.t.Helper()
	path, events = filepath.Join(s.Dir, name+".sh"), filepath.Join(s.Dir, name+".events")
	if err := os.WriteFile(path, fmt.Appendf(nil, reports, events), 0o755); err != nil {
		s.t.Fatal(err)
	}
	return path, events
}

// all returns what was reported so far.
func (c *dhcpClient) all() []event {
	c.site.t.Helper()
	text, err := os.ReadFile(c.events)
	if err != nil && !os.IsNotExist(err) {
		c.site.t.Fatal(err)
	}
	var events []event
	current := event{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "end" {
			events = append(events, current)
			current = event{}
		}
		if name, value, ok := strings.Cut(line, "="); ok {
			current[name] = value
		}
	}
	return events
}

// wait waits for the next event of one of these kinds, those already waited for left out.
func (c *dhcpClient) wait(limit time.Duration, kinds ...string) event {
	c.site.t.Helper()
	var found event
	defer func() {
		if found == nil {
			c.site.t.Logf("the end of %s:\n%s", c.Log, lab.Tail(c.Log, 15))
		}
	}()
	c.site.within(limit, c.Name+" reports "+strings.Join(kinds, " or "), func() bool {
		events := c.all()
		for i := c.read; i < len(events); i++ {
			if slices.Contains(kinds, events[i]["event"]) {
				c.read, found = i+1, events[i]
				return true
			}
		}
		return false
	})
	return found
}

// signal sends the client a signal.
func (c *dhcpClient) signal(s syscall.Signal) {
	c.site.t.Helper()
	if err := syscall.Kill(c.PID(), s); err != nil {
		c.site.t.Fatal(err)
	}
}

// has asserts what an event reports.
func (e event) has(t *testing.T, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if e[name] != value {
			t.Errorf("%s reports %s=%q, want %q", e["event"], name, e[name], value)
		}
	}
}

// holds asserts the IPv4 addresses of the host's interface, such as "192.168.2.21/24".
func (s *site) holds(h *lab.Host, want ...string) {
	s.t.Helper()
	var got []string
	fields := strings.Fields(s.run(h.Namespace, "ip", "-4", "-o", "address", "show", "dev", "eth0"))
	for i, field := range fields[:max(0, len(fields)-1)] {
		if field == "inet" {
			got = append(got, fields[i+1])
		}
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("%s holds the addresses %v, want %v", h.Name, got, want)
	}
}
