package main

import (
	"strings"
	"testing"

	tinkerbell "github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/test/lab"
)

func TestParse(t *testing.T) {
	s, err := parse("run", []string{"--machine", "uefi-http", "--once", "--takeover", "--assets", "/a"})
	if err != nil || s.kind != lab.UEFIHTTP || !s.once || !s.takeover || s.assets != "/a" {
		t.Errorf("run: %+v, %v", s, err)
	}
	s, err = parse("boot", []string{"arm64", "52:54:00:00:02:04"})
	if err != nil || s.kind != lab.ARM64 || s.machine != "52:54:00:00:02:04" {
		t.Errorf("boot: %+v, %v", s, err)
	}
	for name, args := range map[string][]string{"run": {"--machine", "vax"}, "boot": {}, "stop": {}} {
		if _, err := parse(name, args); err == nil {
			t.Errorf("%s %q was taken", name, args)
		}
	}
}

func TestFindByNameAndMAC(t *testing.T) {
	known := []tinkerbell.Hardware{{}, {}}
	known[0].Name, known[1].Name = "no-interface", "uefi01"
	known[1].Spec.Interfaces = []tinkerbell.Interface{{}, {DHCP: &tinkerbell.DHCP{MAC: "52:54:00:00:02:02", IP: &tinkerbell.IP{Address: "192.168.2.12"}}}}
	for _, want := range []string{"uefi01", "52:54:00:00:02:02"} {
		name, mac, address, err := find(known, want)
		if err != nil || name != "uefi01" || mac != "52:54:00:00:02:02" || address.String() != "192.168.2.12" {
			t.Errorf("%s: %s %s %s, %v", want, name, mac, address, err)
		}
	}
	if _, _, _, err := find(known, "absent"); err == nil || !strings.Contains(err.Error(), "no-interface, uefi01") {
		t.Errorf("an unknown machine: %v", err)
	}
	if _, _, _, err := find(known, "no-interface"); err == nil {
		t.Error("a machine without an address was found")
	}
}

func TestQuoteSurvivesTheShell(t *testing.T) {
	if got, want := quote([]string{"a b", "it's"}), `'a b' 'it'\''s'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
