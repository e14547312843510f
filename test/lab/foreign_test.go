package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLongestSilence(t *testing.T) {
	at := func(ms ...int) []Heard {
		var all []Heard
		for _, n := range ms {
			all = append(all, Heard{At: noon.Add(time.Duration(n) * time.Millisecond)})
		}
		return all
	}
	for want, answers := range map[time.Duration][]Heard{
		0: at(), 20 * time.Millisecond: at(0, 20, 40), 300 * time.Millisecond: at(0, 20, 320, 340), 400 * time.Millisecond: at(0, 400),
	} {
		if got := LongestSilence(answers); got != want {
			t.Errorf("%d answers: %s, want %s", len(answers), got, want)
		}
	}
}

// program writes a program that says what it is given.
func program(t *testing.T, name, says string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho '"+says+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDaemonsAreToldByTheirVersion(t *testing.T) {
	for _, c := range []struct {
		kind             DaemonKind
		name, says, want string
	}{
		{Dnsmasq, "dnsmasq", "Dnsmasq version 2.90  Copyright (c) 2000-2024 Simon Kelley", "dnsmasq-2.90"},
		{Kea, "kea-dhcp4", "2.2.0", "kea-dhcp4-2.2.0"},
		{DHCPD, "dhcpd", "isc-dhcpd-4.4.3-P1", "dhcpd-4.4.3-P1"},
	} {
		if d, err := daemon(c.kind, program(t, c.name, c.says)); err != nil || d.Name != c.want {
			t.Errorf("%q: %q, %v; want %q", c.says, d.Name, err, c.want)
		}
	}
	if _, err := daemon(Kea, program(t, "kea-dhcp4", "no such option")); err == nil || !strings.Contains(err.Error(), "no such option") {
		t.Errorf("a program without a version: %v, want an error that says what it said", err)
	}
}

// Kea's hook libraries for hosts and classes can be had from 2.7.7 on, and an older Kea would not start with them.
func TestKeaOperatorNamesHooksThatAreThere(t *testing.T) {
	for version, want := range map[string]bool{"2.2.0": false, "2.6.3": false, "2.7.7": true, "3.0.4": true} {
		f := &Foreign{Daemon: Daemon{Kind: Kea, Version: version}}
		if got := strings.Contains(f.KeaOperator(`"subnet4": []`), "libdhcp_host_cmds.so"); got != want {
			t.Errorf("Kea %s: hooks %t, want %t", version, got, want)
		}
	}
}
