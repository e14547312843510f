package interop

import (
	"strings"
	"testing"
	"time"
)

func TestLoggerLinesArrive(t *testing.T) {
	t.Parallel()
	need(t, map[string]string{"logger": "bsdutils", "ip": "iproute2"})
	const mac = "52:54:00:c8:00:01"
	s := newSite(t, "syslog", hardware(machine{name: "log1", mac: mac, address: "192.168.2.91"}))
	h := s.addressed("log1", mac, "192.168.2.91/24")
	for _, test := range []struct {
		name, transport string
		flags           []string
	}{
		{"udp rfc3164", "udp", []string{"-d", "--rfc3164"}},
		{"udp rfc5424", "udp", []string{"-d", "--rfc5424"}},
		{"tcp rfc3164", "tcp", []string{"-T", "--rfc3164"}},
		{"tcp octet count", "tcp", []string{"-T", "--rfc5424", "--octet-count"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := s.in(t)
			text := "disk found by " + test.name
			s.run(h.Namespace, append(append([]string{"logger", "-n", serverAddr, "-P", "514", "-t", "hook", "-p", "daemon.warning"}, test.flags...), text)...)
			s.within(3*time.Second, "the line is in the log", func() bool {
				lines := s.logged(map[string]string{"logger": "syslog", "msg": "message", "transport": test.transport, "app": "hook",
					"facility": "daemon", "severity": "warning", "machine": mac, "source": "192.168.2.91", "text": text})
				return len(lines) == 1
			})
			out := s.run(s.Server, suite.program, "timeline", "--server", operations, mac)
			if !strings.Contains(out, text) || !strings.Contains(out, "syslog") {
				t.Errorf("`tugboot timeline` does not show %q:\n%s", text, out)
			}
		})
	}
	// What a machine sends cannot forge a line of the log or write on somebody's terminal.
	s.run(h.Namespace, "logger", "-n", serverAddr, "-P", "514", "-d", "-t", "hook", "first\x1b[31mred")
	s.within(3*time.Second, "the escape sequence is in the log as text", func() bool {
		for _, line := range s.logged(map[string]string{"logger": "syslog", "machine": mac}) {
			text, _ := line["text"].(string)
			if strings.Contains(text, "red") && !strings.Contains(text, "\x1b") {
				return true
			}
		}
		return false
	})
}
