package contender

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/test/bench/fleet"
	"github.com/tugboot/tugboot/test/need"
)

func TestEveryContenderIsNamedOnce(t *testing.T) {
	var names []string
	for _, c := range All() {
		names = append(names, c.Name)
		if got, err := Named(c.Name); err != nil || got.Title != c.Title {
			t.Errorf("%s is not found by its name: %v", c.Name, err)
		}
		if len(c.Roles) == 0 || c.Title == "" || slices.Contains(c.Roles, DHCP) && !c.Limit && (c.Reload == "" || c.Script == "") {
			t.Errorf("%s does not say what it is: %+v", c.Name, c)
		}
	}
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("a name is there twice in %v", names)
	}
	for _, s := range Stacks() {
		for _, member := range s.Members {
			if _, err := Named(member); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := Named("nobody"); err == nil {
		t.Error("found what is not there")
	}
}

// configured writes a contender's configuration for 20 machines.
func configured(t *testing.T, c Contender, moved bool) (Setting, Start) {
	t.Helper()
	dir := t.TempDir()
	s := Setting{Dir: dir, Into: dir, Machines: 20, Moved: moved, Files: t.TempDir(),
		Programs: Programs{Tugboot: cmp.Or(os.Getenv("TUGBOOT_BIN"), "tugboot"), Bench: "bench", Stub: "stub", TFTP: "/tftp"}}
	start, err := c.Configure(s)
	if err != nil {
		t.Fatal(err)
	}
	return s, start
}

func TestConfigurationsHoldEveryReservation(t *testing.T) {
	for _, c := range In(DHCP) {
		if c.Limit {
			continue
		}
		for _, moved := range []bool{false, true} {
			s, start := configured(t, c, moved)
			text, err := os.ReadFile(filepath.Join(s.Dir, start.Live[0]))
			if err != nil {
				t.Fatal(err)
			}
			for m := range fleet.Machine(20) {
				address := m.Address().String()
				if m == 0 && moved {
					address = fleet.Moved().String()
				}
				if strings.Count(string(text), m.MAC().String()) != 1 || strings.Count(string(text), address) < 1 {
					t.Errorf("%s, moved %v: machine %d is not there once with %s", c.Name, moved, m, address)
				}
			}
			if had := strings.Contains(string(text), fleet.Machine(0).Address().String()+`"`) ||
				strings.Contains(string(text), fleet.Machine(0).Address().String()+","); moved && had {
				t.Errorf("%s: machine 0 was moved and still has its first address", c.Name)
			}
		}
	}
}

// TestConfigurationsAreTakenByTheirOwnCheckers needs the daemons. Kea's checker wants the interface, so that its own copy names
// none.
func TestConfigurationsAreTakenByTheirOwnCheckers(t *testing.T) {
	for _, c := range All() {
		t.Run(c.Name, func(t *testing.T) {
			s, start := configured(t, c, false)
			if len(start.Check) == 0 {
				return // the C stub and others that read no configuration
			}
			need.Program(t, start.Check[0], c.Package)
			program, err := exec.LookPath(start.Check[0])
			if err != nil {
				t.Fatal(err)
			}
			if c.Package == "kea-dhcp4-server" {
				spoil(t, s, start.Live[0], `["`+fleet.ServerInterface+`"]`, `[]`)
			}
			if out, err := check(program, start); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if len(start.Live) == 0 || c.Package == "dnsmasq-base" { // dnsmasq's checker does not read the reservations
				return
			}
			spoil(t, s, start.Live[0], fleet.Machine(3).Address().String(), "10.64.16.x")
			if out, err := check(program, start); err == nil {
				t.Errorf("the checker took a broken address: %s", out)
			}
		})
	}
}

func check(program string, start Start) ([]byte, error) {
	cmd := exec.Command(program, start.Check[1:]...)
	cmd.Env = append(os.Environ(), start.Env...)
	return cmd.CombinedOutput()
}

// spoil replaces a text in a contender's file.
func spoil(t *testing.T, s Setting, name, old, text string) {
	t.Helper()
	path := filepath.Join(s.Dir, name)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), old) {
		t.Fatalf("%s does not contain %s", name, old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(content), old, text, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}
