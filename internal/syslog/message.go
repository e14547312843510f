package syslog

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// Severity is how urgent a message is, 0 (emergency) to 7 (debug) (RFC 5424 section 6.2.1).
type Severity uint8

// String returns the severity's usual abbreviation.
func (s Severity) String() string {
	return [...]string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}[s&7]
}

// Facility is the part of a system that a message is from, 0 to 23 (RFC 5424 section 6.2.1).
type Facility uint8

// String returns the facility's usual abbreviation.
func (f Facility) String() string {
	names := [...]string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
		"ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}
	if int(f) < len(names) {
		return names[f]
	}
	return "unknown"
}

// What a message without a priority is taken for (RFC 3164 section 4.3.3).
const (
	defaultFacility Facility = 1 // user
	defaultSeverity Severity = 5 // notice
)

// Message is one syslog message. All its strings are as they were sent: use Clean before they are shown.
type Message struct {
	Facility Facility
	Severity Severity
	// Time is the sender's own, as it was written; empty when there was none. Clocks of booting machines are wrong.
	Time string
	// Host, App and ProcID name the sender by its own account; empty when it does not say.
	Host, App, ProcID string
	Text              string
}

// Parse reads one message, without its framing. It takes anything: what fits no format becomes the text.
func Parse(raw []byte) Message {
	raw = bytes.TrimRight(raw, "\r\n\x00")
	m := Message{Facility: defaultFacility, Severity: defaultSeverity}
	rest, ok := m.priority(string(raw))
	if !ok {
		m.Text = rest
		return m
	}
	if after, found := strings.CutPrefix(rest, "1 "); found && m.rfc5424(after) {
		return m
	}
	m.rfc3164(rest)
	return m
}

// priority reads <PRI>, 0 to 191 without leading zeros, and returns what follows it.
func (m *Message) priority(s string) (rest string, ok bool) {
	inner, after, found := strings.Cut(s, ">")
	digits, opened := strings.CutPrefix(inner, "<")
	if !found || !opened || len(digits) > 3 || digits != "0" && strings.HasPrefix(digits, "0") {
		return s, false
	}
	n, err := strconv.ParseUint(digits, 10, 8)
	if err != nil || n > 191 {
		return s, false
	}
	m.Facility, m.Severity = Facility(n/8), Severity(n%8)
	return after, true
}

// rfc5424 reads what follows the version: TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA [MSG].
func (m *Message) rfc5424(s string) bool {
	var fields [5]string
	for i := range fields {
		field, rest, found := strings.Cut(s, " ")
		if !found || field == "" {
			return false
		}
		if field != "-" {
			fields[i] = field
		}
		s = rest
	}
	if fields[0] != "" {
		if _, err := time.Parse(time.RFC3339Nano, fields[0]); err != nil {
			return false
		}
	}
	text, ok := afterElements(s)
	if !ok {
		return false
	}
	m.Time, m.Host, m.App, m.ProcID = fields[0], fields[1], fields[2], fields[3]
	m.Text = strings.TrimPrefix(text, "\ufeff") // the byte order mark that says UTF-8
	return true
}

// afterElements returns what follows the structured data, which is "-" or elements in brackets, in which a
// quoted value may hold an escaped bracket or quote (RFC 5424 section 6.3).
func afterElements(s string) (string, bool) {
	if after, found := strings.CutPrefix(s, "-"); found {
		return messageAfter(after)
	}
	i := 0
	for i < len(s) && s[i] == '[' {
		end := elementEnd(s[i:])
		if end < 0 {
			return "", false
		}
		i += end
	}
	if i == 0 {
		return "", false
	}
	return messageAfter(s[i:])
}

// elementEnd returns the length of the structured element that s begins with, or -1 when it does not end.
func elementEnd(s string) int {
	inQuotes := false
	for i := 1; i < len(s); i++ {
		switch {
		case inQuotes && s[i] == '\\':
			i++
		case s[i] == '"':
			inQuotes = !inQuotes
		case s[i] == ']' && !inQuotes:
			return i + 1
		}
	}
	return -1
}

// messageAfter returns the message behind the structured data, which a space sets off.
func messageAfter(s string) (string, bool) {
	if s == "" {
		return "", true
	}
	return strings.CutPrefix(s, " ")
}
