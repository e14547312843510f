package syslog

import (
	"strings"
	"time"
)

// maxTag is the longest program name that is told from text, in bytes. RFC 3164 says 32; containers' names are longer.
const maxTag = 64

// rfc3164 reads what follows the priority: TIMESTAMP HOSTNAME TAG[PID]: CONTENT, each part of which senders leave out.
func (m *Message) rfc3164(s string) {
	m.Time, s = timestamp(s)
	if m.tag(s) {
		return
	}
	host, rest, found := strings.Cut(s, " ")
	if found && isHost(host) && (m.Time != "" || startsWithTag(rest)) {
		m.Host = host
		if m.tag(rest) {
			return
		}
		s = rest
	}
	m.Text = s
}

// timestamp reads "Jan _2 15:04:05 " or an RFC 3339 time, which modern senders write in its place.
func timestamp(s string) (stamp, rest string) {
	if n := len(time.Stamp); len(s) > n && s[n] == ' ' {
		if _, err := time.Parse(time.Stamp, s[:n]); err == nil {
			return s[:n], s[n+1:]
		}
	}
	if first, after, found := strings.Cut(s, " "); found {
		if _, err := time.Parse(time.RFC3339Nano, first); err == nil {
			return first, after
		}
	}
	return "", s
}

// tag reads TAG[PID]: and the text behind it.
func (m *Message) tag(s string) bool {
	name, pid, text, ok := cutTag(s)
	if ok {
		m.App, m.ProcID, m.Text = name, pid, text
	}
	return ok
}

func startsWithTag(s string) bool {
	_, _, _, ok := cutTag(s)
	return ok
}

func cutTag(s string) (name, pid, text string, ok bool) {
	head, _, found := strings.Cut(s[:min(len(s), 2*maxTag)], ":")
	if !found {
		return "", "", "", false
	}
	text = s[len(head)+1:]
	name = head
	if before, after, bracket := strings.Cut(head, "["); bracket {
		inner, closed := strings.CutSuffix(after, "]")
		if !closed {
			return "", "", "", false
		}
		name, pid = before, inner
	}
	if name == "" || len(name) > maxTag || strings.ContainsAny(name+pid, " \t[]<>\"") {
		return "", "", "", false
	}
	return name, pid, strings.TrimPrefix(text, " "), true
}

// isHost reports whether s may be the name or address of a host.
func isHost(s string) bool {
	if s == "" || len(s) > 255 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' && c != ':' {
			return false
		}
	}
	return true
}
