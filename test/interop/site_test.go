package interop

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/test/lab"
)

// serverAddr is Tugboot's address on every site.
const serverAddr = "192.168.2.112"

// operations is the URL of Tugboot's metrics and timelines.
const operations = "http://" + serverAddr + ":8080"

// site is a LAN with Tugboot on it. Sites do not see each other, so that tests run side by side.
type site struct {
	*lab.Lab
	t        *testing.T
	ctx      context.Context
	tugboot  *lab.Tugboot
	hardware string // the path of the file that --hardware names
	args     []string
	starts   int
}

// newSite makes a LAN, and starts Tugboot for the Hardware given, with further flags. The test's end removes it all.
func newSite(t *testing.T, name, hardware string, flags ...string) *site {
	t.Helper()
	ctx, cancel := context.WithTimeout(suite.ctx, 100*time.Second)
	t.Cleanup(cancel)
	l, err := lab.New(ctx, "interop-"+name, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &site{Lab: l, t: t, ctx: ctx, hardware: filepath.Join(t.TempDir(), "hardware.yaml")}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() && s.tugboot != nil {
			t.Logf("the end of Tugboot's log:\n%s", lab.Tail(s.tugboot.Log, 25))
		}
	})
	s.writeHardware(hardware)
	// "http://.../hook" is never fetched: no machine here has a kernel.
	s.args = lab.TugbootArgs(suite.program, suite.ipxe, "http://"+serverAddr+":7180/hook",
		append([]string{"--hardware=" + s.hardware, "--log-level=debug"}, flags...)...)
	s.start()
	return s
}

// in is the site for a subtest, whose failures are the subtest's own.
func (s *site) in(t *testing.T) *site {
	sub := *s
	sub.t = t
	return &sub
}

// start starts Tugboot, or starts it again once it was stopped.
func (s *site) start() {
	s.t.Helper()
	s.starts++
	tugboot, err := s.StartTugboot(s.ctx, "tugboot"+strconv.Itoa(s.starts), s.args)
	if err != nil {
		s.t.Fatal(err)
	}
	s.tugboot = tugboot
}

// writeHardware puts a new hardware file in the place of the old one, as editors and Kubernetes do: by renaming.
func (s *site) writeHardware(text string) {
	s.t.Helper()
	next := s.hardware + ".next"
	if err := os.WriteFile(next, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(next, s.hardware); err != nil {
		s.t.Fatal(err)
	}
}

// host adds a host to the LAN: one interface eth0 with that MAC.
func (s *site) host(name, mac string) *lab.Host {
	s.t.Helper()
	h, err := s.AddHost(s.ctx, name)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := h.PlugIn(s.ctx, "eth0", mac); err != nil {
		s.t.Fatal(err)
	}
	return h
}

// addressed adds a host that has an address, such as 192.168.2.50/24, without asking anybody.
func (s *site) addressed(name, mac, prefix string) *lab.Host {
	s.t.Helper()
	h := s.host(name, mac)
	s.run(h.Namespace, "ip", "address", "add", prefix, "dev", "eth0")
	return h
}

// launch starts a process on a host; its log is NAME.log in the site's folder.
func (s *site) launch(h *lab.Host, name string, args ...string) *lab.Process {
	s.t.Helper()
	p, err := h.Start(lab.Spec{Name: name, Args: args})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// run runs a command to its end, which must be a good one, and returns what it printed.
func (s *site) run(n *lab.Namespace, args ...string) string {
	s.t.Helper()
	out, err := n.Run(s.ctx, nil, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(out)
}

// within waits until done says true, and fails the test when it does not in time.
func (s *site) within(limit time.Duration, what string, done func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(limit); !done(); {
		switch {
		case s.ctx.Err() != nil:
			s.t.Fatalf("%s: %v", what, s.ctx.Err())
		case time.Now().After(deadline):
			s.t.Fatalf("not within %v: %s", limit, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// get returns the body at a URL, asked for by the server's own host.
func (s *site) get(url string) string {
	s.t.Helper()
	response, err := s.Server.Client().Get(url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s, %v", url, response.Status, err)
	}
	return string(body)
}

// dhcpPackets is the metric tugboot_dhcp_packets_total for a message type and a reason.
func (s *site) dhcpPackets(kind, reason string) int {
	s.t.Helper()
	return s.metric(`tugboot_dhcp_packets_total{reason="` + reason + `",type="` + kind + `"}`)
}

// metric is the value of one series, 0 when it is not there.
func (s *site) metric(series string) int {
	s.t.Helper()
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(series) + ` (\S+)$`).FindStringSubmatch(s.get(operations + "/metrics"))
	if found == nil {
		return 0
	}
	value, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return int(value)
}

// happened reports whether the machine's timeline has an entry of that stage and reason whose text contains what.
func (s *site) happened(mac string, stage journal.Stage, reason, what string) bool {
	s.t.Helper()
	entries, err := s.tugboot.Timeline(s.ctx, mac, time.Time{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Stage == stage && e.Reason == reason && strings.Contains(e.What, what) {
			return true
		}
	}
	return false
}

// logged returns the lines of Tugboot's log that have all these values, such as reason=Declined.
func (s *site) logged(values map[string]string) []map[string]any {
	s.t.Helper()
	file, err := os.Open(s.tugboot.Log)
	if err != nil {
		s.t.Fatal(err)
	}
	defer file.Close()
	var found []map[string]any
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var line map[string]any
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue // a line that is being written
		}
		matches := true
		for key, want := range values {
			got, _ := line[key].(string)
			matches = matches && got == want
		}
		if matches {
			found = append(found, line)
		}
	}
	return found
}

// need fails the test when a program is missing.
func need(t *testing.T, programs map[string]string) {
	t.Helper()
	for program, debianPackage := range programs {
		if _, err := exec.LookPath(program); err != nil {
			t.Errorf("the program %s is missing: install the Debian package %s, or run `hack/install-packages.sh test`", program, debianPackage)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}
